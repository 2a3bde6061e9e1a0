"""The strip of variants: small pictures side by side, one of which is chosen."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from studio.ui.theme import Theme

_GAP = 6


class VariantsStrip(QWidget):
    """Slots for pictures. `selected(index)` when the user picks one by mouse or arrow keys."""

    selected = Signal(int)

    def __init__(self, theme: Theme, count: int = 4) -> None:
        super().__init__()
        self._theme = theme
        self._pictures: list[QImage | None] = [None] * count
        self._current = -1
        self.setAccessibleName("Variants")
        self.setToolTip("Pick one of the results (← →)")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        theme.changed.connect(self.update)

    def count(self) -> int:
        """How many slots there are."""
        return len(self._pictures)

    def set_count(self, count: int) -> None:
        """Empty the strip and give it `count` slots."""
        self._pictures = [None] * count
        self._current = -1
        self.updateGeometry()
        self.update()

    def set_picture(self, index: int, picture: QImage | None) -> None:
        """Fill a slot; it is scaled here once, not at each paint."""
        if 0 <= index < len(self._pictures):
            self._pictures[index] = self._small(picture) if picture is not None else None
            self.update()

    def current(self) -> int:
        """The chosen slot, or -1."""
        return self._current

    def select(self, index: int) -> None:
        """Choose a slot without telling anyone."""
        self._current = index if 0 <= index < len(self._pictures) else -1
        self.setAccessibleDescription(f"{self._current + 1} of {len(self._pictures)}")
        self.update()

    def sizeHint(self) -> QSize:
        """One row of squares."""
        return QSize(200, self.heightForWidth(200))

    def hasHeightForWidth(self) -> bool:
        """Slots are square."""
        return True

    def heightForWidth(self, width: int) -> int:
        """As tall as one slot is wide."""
        slots = max(4, min(len(self._pictures), 4))
        rows = -(-max(1, len(self._pictures)) // 4)
        edge = (width - _GAP * (slots - 1)) // slots
        return rows * edge + (rows - 1) * _GAP

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt's signature
        """Pictures with rounded corners; the chosen one framed."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for index, picture in enumerate(self._pictures):
            slot = self._slot(index).adjusted(1, 1, -1, -1)
            path = QPainterPath()
            path.addRoundedRect(slot, self._theme.radius(), self._theme.radius())
            painter.fillPath(path, self._theme.color("raised"))
            if picture is not None:
                painter.save()
                painter.setClipPath(path)
                painter.drawImage(slot, picture, _middle(picture))
                painter.restore()
            chosen = index == self._current
            color = "accent" if chosen else "line"
            painter.setPen(QPen(self._theme.color(color), 2 if chosen else 1))
            painter.drawPath(path)
        if self.hasFocus() and self._current < 0 and self._pictures:
            painter.setPen(QPen(self._theme.color("accent"), 1))
            painter.drawRoundedRect(self._slot(0).adjusted(1, 1, -1, -1), self._theme.radius(), self._theme.radius())
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Pick the slot under the pointer."""
        for index in range(len(self._pictures)):
            if self._slot(index).contains(event.position()):
                self._pick(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrow keys go through the filled slots."""
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        if step:
            self._pick(max(0, min(len(self._pictures) - 1, self._current + step)))
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show where the focus is."""
        self.update()
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The frame of the focus goes."""
        self.update()
        super().focusOutEvent(event)

    def _pick(self, index: int) -> None:
        if 0 <= index < len(self._pictures) and self._pictures[index] is not None and index != self._current:
            self.select(index)
            self.selected.emit(index)

    def _small(self, picture: QImage) -> QImage:
        edge = round(128 * self.devicePixelRatioF())
        cover = Qt.AspectRatioMode.KeepAspectRatioByExpanding
        return picture.scaled(edge, edge, cover, Qt.TransformationMode.SmoothTransformation)

    def _slot(self, index: int) -> QRectF:
        edge = (self.width() - _GAP * 3) / 4
        return QRectF((index % 4) * (edge + _GAP), (index // 4) * (edge + _GAP), edge, edge)


def _middle(picture: QImage) -> QRectF:
    edge = min(picture.width(), picture.height())
    return QRectF((picture.width() - edge) / 2, (picture.height() - edge) / 2, edge, edge)
