"""Where the quiet bar lies: above the stage what stays, over its lower edge what goes by itself."""

from __future__ import annotations

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.ui.notice_bar import NoticeBar


class NoticePlace(QWidget):
    """The stage with its bar. A note that soon goes again doesn't move the picture or the text that is looked at."""

    def __init__(self, bar: NoticeBar, stage: QWidget) -> None:
        super().__init__()
        self._bar = bar
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(bar)
        self._column.addWidget(stage, 1)
        bar.turned.connect(self._fit)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """What lies over the edge keeps its place."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        bar, placed = self._bar, self._column.indexOf(self._bar) >= 0
        if bar.notice is None:
            return
        if not bar.passing:
            if not placed:
                self._column.insertWidget(0, bar)
            return
        if placed:
            self._column.removeWidget(bar)
        height = max(bar.sizeHint().height(), bar.heightForWidth(self.width()))
        bar.setGeometry(0, self.height() - height, self.width(), height)
        bar.raise_()
