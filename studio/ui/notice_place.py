"""Where the quiet bar lies: above the stage what stays, over the page's upper edge what goes by itself."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.ui.notice_bar import NoticeBar
from studio.ui.stage import Stage


class NoticePlace(QWidget):
    """The stage with its bar. A note that soon goes again moves neither page nor panel, and covers no button."""

    def __init__(self, bar: NoticeBar, stage: Stage) -> None:
        super().__init__()
        self._bar = bar
        self._page = stage.page
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(bar)
        self._column.addWidget(stage, 1)
        self._page.installEventFilter(self)
        bar.turned.connect(self._fit)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """What lies over the page is as wide as the page."""
        if watched is self._page and event.type() in (QEvent.Type.Resize, QEvent.Type.Move):
            self._lay()  # within a layout's work, which must not be changed meanwhile
        return False

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
        self._lay()

    def _lay(self) -> None:
        bar = self._bar
        if bar.notice is None or self._column.indexOf(bar) >= 0:
            return
        width = self._page.width()
        corner = self._page.mapTo(self, QPoint())
        bar.setGeometry(corner.x(), corner.y(), width, max(bar.sizeHint().height(), bar.heightForWidth(width)))
        bar.raise_()
