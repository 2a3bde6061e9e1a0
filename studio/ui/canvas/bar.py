"""The small bar on the canvas: zoom out, the zoom, zoom in, show everything."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QWidget

from studio.core.command import Command
from studio.ui.canvas.view import CanvasView
from studio.ui.measures import tip
from studio.ui.theme import Theme


class ZoomBar(QFrame):
    """Floats in the lower left corner of the view."""

    def __init__(self, theme: Theme, view: CanvasView, commands: Mapping[str, Command]) -> None:
        super().__init__(view)
        self._theme = theme
        self.setProperty("look", "card")
        self.setAccessibleName("Zoom")
        line = QHBoxLayout(self)
        line.setContentsMargins(4, 4, 4, 4)
        line.setSpacing(2)
        line.addWidget(self._button("minus", commands["canvas.zoom-out"]))
        self._value = QToolButton()
        self._value.setText("100 %")
        self._value.setMinimumWidth(theme.pixels(56))
        self._adopt(self._value, commands["canvas.actual"])
        line.addWidget(self._value)
        line.addWidget(self._button("plus", commands["canvas.zoom-in"]))
        line.addWidget(self._button("fit", commands["canvas.fit"]))
        view.zoom_changed.connect(self._show)

    def attach(self, view: QWidget) -> None:
        """Stay in the lower left corner of `view`."""
        view.installEventFilter(self)
        self._place(view)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the view's size."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Show) and isinstance(watched, QWidget):
            self._place(watched)
        return False

    def _place(self, view: QWidget) -> None:
        self.adjustSize()
        margin = self._theme.space(2)
        self.move(margin, view.height() - self.height() - margin)
        self.raise_()

    def _button(self, icon: str, command: Command) -> QToolButton:
        button = QToolButton()
        button.setAutoRaise(True)
        self._theme.dress(button, icon, "text_soft", 16)
        self._adopt(button, command)
        return button

    @staticmethod
    def _adopt(button: QToolButton, command: Command) -> None:
        button.setAccessibleName(command.title)
        button.setToolTip(tip(command.title, command.shortcut))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(command.run)

    def _show(self, zoom: float) -> None:
        percent = zoom * 100
        self._value.setText(f"{percent:.0f} %" if percent >= 10 else f"{percent:.1f} %")
