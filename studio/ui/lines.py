"""The thin lines between the parts of the window. They wear no style sheet and paint themselves."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QEnterEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSplitter, QSplitterHandle, QWidget

from studio.ui.theme import Theme


class Line(QWidget):
    """One pixel, across or, with `vertical`, from top to bottom."""

    def __init__(self, theme: Theme, *, vertical: bool = False) -> None:
        super().__init__()
        self._theme = theme
        if vertical:
            self.setFixedWidth(1)
        else:
            self.setFixedHeight(1)
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt's signature
        """The line's colour from edge to edge."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("line"))
        painter.end()


class LineSplitter(QSplitter):
    """Two parts beside each other with a line between them that can be dragged."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._theme = theme
        self.setHandleWidth(1)

    def createHandle(self) -> QSplitterHandle:
        """The line."""
        return _Handle(self._theme, self)


class _Handle(QSplitterHandle):
    """Takes the accent while it is under the mouse."""

    def __init__(self, theme: Theme, splitter: QSplitter) -> None:
        super().__init__(splitter.orientation(), splitter)
        self._theme = theme
        self._warm = False
        theme.changed.connect(self.update)

    def enterEvent(self, event: QEnterEvent) -> None:
        """It can be taken hold of here."""
        super().enterEvent(event)
        self._set_warm(warm=True)

    def leaveEvent(self, event: QEvent) -> None:
        """Back to being a line."""
        super().leaveEvent(event)
        self._set_warm(warm=False)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The mouse may have come off the line on the way."""
        super().mouseReleaseEvent(event)
        self._set_warm(warm=self.underMouse())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt's signature
        """The line's colour, or the accent."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("accent" if self._warm else "line"))
        painter.end()

    def _set_warm(self, *, warm: bool) -> None:
        self._warm = warm
        self.update()
