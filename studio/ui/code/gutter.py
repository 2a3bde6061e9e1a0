"""Line numbers at the left of the code. A click puts the cursor there; dragging selects lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from studio.ui.theme import Theme

_PAD_LEFT, _PAD_RIGHT = 16, 14
_FEWEST_DIGITS = 2


Lines = Callable[[], Iterator[tuple[int, QRectF, bool]]]
"""Number, place and whether it is the cursor's, of each line in sight."""


class Gutter(QWidget):
    """Stands in the left viewport margin of `area`."""

    def __init__(self, area: QPlainTextEdit, theme: Theme, lines: Lines) -> None:
        super().__init__(area)
        self._lines = lines
        self._area = area
        self._theme = theme
        self._from = 0
        self.setAccessibleName("Line numbers")
        self.setCursor(Qt.CursorShape.ArrowCursor)

    def wanted(self) -> int:
        """The width that the numbers need."""
        digits = max(_FEWEST_DIGITS, len(str(self._area.blockCount())))
        return round(QFontMetricsF(self._area.font()).horizontalAdvance("0") * digits) + _PAD_LEFT + _PAD_RIGHT

    def fit(self) -> None:
        """Fill the margin."""
        inner = self._area.contentsRect()
        self.setGeometry(QRect(inner.left(), inner.top(), self.wanted(), inner.height()))

    def follow(self, rect: QRect, dy: int) -> None:
        """The code scrolled or was painted anew."""
        if dy:
            self.scroll(0, dy)
        else:
            self.update(0, rect.y(), self.width(), rect.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """The numbers; the cursor's one stands out."""
        painter = QPainter(self)
        painter.fillRect(event.rect(), self._theme.color("ground"))
        painter.setFont(self._area.font())
        flags = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for number, spot, current in self._lines():
            if spot.bottom() < event.rect().top() or spot.top() > event.rect().bottom():
                continue
            painter.setPen(self._theme.color("text" if current else "text_faint"))
            painter.drawText(QRectF(0, spot.top(), self.width() - _PAD_RIGHT, spot.height()), flags, str(number))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Put the cursor at the start of the line."""
        self._from = self._position(event)
        self._select(self._from)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Select lines."""
        self._select(self._position(event))

    def _position(self, event: QMouseEvent) -> int:
        cursor = self._area.cursorForPosition(QPoint(0, round(event.position().y())))
        return cursor.block().position()

    def _select(self, to: int) -> None:
        cursor = self._area.textCursor()
        document = self._area.document()
        start, end = sorted((self._from, to))
        last = document.findBlock(end)
        cursor.setPosition(start)
        if start != end:
            cursor.setPosition(last.position() + last.length() - 1, QTextCursor.MoveMode.KeepAnchor)
        self._area.setTextCursor(cursor)
        self._area.setFocus()
