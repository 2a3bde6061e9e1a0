"""A thin progress bar that knows when nobody knows."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QHideEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from studio.ui.theme import Theme

_TICK = 50


class Bar(QWidget):
    """`set_fraction(None)` lets a short piece wander to and fro, twenty times a second at the most."""

    def __init__(self, theme: Theme, width: int = 220) -> None:
        super().__init__()
        self._theme = theme
        self._width = width
        self._fraction: float | None = 0.0
        self._phase = 0.0
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK)
        self._timer.timeout.connect(self._tick)
        self.setAccessibleName("Progress")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def fraction(self) -> float | None:
        """What is shown."""
        return self._fraction

    def set_fraction(self, fraction: float | None) -> None:
        """Show 0 to 1, or None for movement without a measure."""
        if fraction is None and not self._timer.isActive() and self.isVisible():
            self._timer.start()
        elif fraction is not None:
            self._timer.stop()
        if fraction != self._fraction:
            self._fraction = fraction
            self.setAccessibleDescription("working" if fraction is None else f"{fraction:.0%}")
            self.update()

    def sizeHint(self) -> QSize:
        """Long and thin."""
        return QSize(self._width, 6)

    def minimumSizeHint(self) -> QSize:
        """A stub."""
        return QSize(40, 6)

    def hideEvent(self, event: QHideEvent) -> None:
        """No ticking out of sight."""
        self._timer.stop()
        super().hideEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt's signature
        """A groove and the done part."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        groove = QRectF(0, self.height() / 2 - 2, self.width(), 4)
        painter.setBrush(self._theme.color("line"))
        painter.drawRoundedRect(groove, 2, 2)
        painter.setBrush(self._theme.color("accent"))
        if self._fraction is None:
            length = self.width() / 4
            place = abs(1 - self._phase) * (self.width() - length)
            painter.drawRoundedRect(QRectF(place, groove.y(), length, 4), 2, 2)
        elif self._fraction > 0:
            painter.drawRoundedRect(QRectF(0, groove.y(), max(4.0, self.width() * self._fraction), 4), 2, 2)
        painter.end()

    def _tick(self) -> None:
        self._phase = (self._phase + 0.03) % 2
        self.update()
