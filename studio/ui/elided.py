"""A label that shortens its text to the room it has, and shows all of it as a tooltip."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget


class ElidedLabel(QLabel):
    """One line. `most` is the width in pixels that it asks for at the most, 0 for all; `least` is what it keeps."""

    def __init__(self, text: str = "", *, most: int = 0, least: int = 24, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._most = most
        self._least = least
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)

    def setText(self, text: str) -> None:
        """Show other words."""
        line = " ".join(text.split())
        if line != self.text():
            super().setText(line)
            self.setToolTip(line)
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        """All of the text, up to the limit."""
        wanted = self.fontMetrics().horizontalAdvance(self.text()) + 2
        return QSize(min(wanted, self._most) if self._most else wanted, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """A few letters."""
        return QSize(min(self._least, self.sizeHint().width()), super().sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt's signature
        """The text with an ellipsis where it is too long."""
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), text)
        painter.end()
