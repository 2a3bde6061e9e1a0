"""The base of what floats over the window: rounded, with a soft shadow, closed by Esc or a click beside it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from studio.ui.theme import Theme

SHADOW = 18


class Floating(QWidget):
    """A card over the window. Put content into `column`; call `popup` and `dismiss`.

    The card is `SHADOW` pixels smaller than the widget on each side. `closed` tells when it has gone; the
    focus returns to where it was.
    """

    closed = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        theme.clothe(self)
        self.over = parent
        self._before: QWidget | None = None
        self.spares: tuple[QWidget, ...] = ()
        """Widgets on which a click does not close the card (the button that opens it)."""
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(SHADOW + 1, SHADOW + 1, SHADOW + 1, SHADOW + 1)
        self.column.setSpacing(0)
        self.hide()
        theme.changed.connect(self.update)

    def popup(self, focus: QWidget) -> None:
        """Show the card on top and give `focus` the keyboard."""
        if not self.isVisible():
            self._before = QApplication.focusWidget()
        self.theme.freshen(self)
        self.place()
        self.show()
        self.raise_()
        focus.setFocus(Qt.FocusReason.PopupFocusReason)
        QApplication.instance().installEventFilter(self)  # type: ignore[union-attr]  # a widget has an application

    def dismiss(self) -> None:
        """Hide the card and give the focus back."""
        if not self.isVisible():
            return
        QApplication.instance().removeEventFilter(self)  # type: ignore[union-attr]  # as above
        focused = QApplication.focusWidget()
        inside = focused is None or self.isAncestorOf(focused)
        self.hide()
        if inside and self._before is not None and self._before.isVisible():
            self._before.setFocus(Qt.FocusReason.PopupFocusReason)
        self._before = None
        self.closed.emit()

    def place(self) -> None:
        """Find the place over the window; called at each opening and when the window's size changes."""

    def wants(self, event: QKeyEvent) -> bool:
        """Whether the card uses this key itself, so that no shortcut of the room behind it may take it."""
        return event.key() == Qt.Key.Key_Escape

    def event(self, event: QEvent) -> bool:
        """Claim the card's own keys before shortcuts are looked at."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride and self.wants(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc closes."""
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A press beside the card closes it, and still does what it would have done."""
        if isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseButtonPress:
            place = event.globalPosition().toPoint()
            card = self.rect().adjusted(SHADOW, SHADOW, -SHADOW, -SHADOW)
            beside = not card.contains(self.mapFromGlobal(place))
            spared = any(widget.rect().contains(widget.mapFromGlobal(place)) for widget in self.spares)
            mine = isinstance(watched, QWidget) and watched.window() is self.window()
            if mine and beside and not spared:
                self.dismiss()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt's signature
        """Shadow and card."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        card = QRectF(self.rect()).adjusted(SHADOW, SHADOW, -SHADOW, -SHADOW)
        strength = 9 if self.theme.dark else 3
        painter.setPen(Qt.PenStyle.NoPen)
        for step in range(SHADOW - 2, 0, -2):
            painter.setBrush(QColor(0, 0, 0, strength))
            painter.drawRoundedRect(card.adjusted(-step, -step + 4, step, step), 10 + step, 10 + step)
        painter.setBrush(self.theme.color("surface"))
        painter.setPen(QPen(self.theme.color("line_strong" if self.theme.dark else "line"), 1))
        painter.drawRoundedRect(card.adjusted(0.5, 0.5, -0.5, -0.5), 10, 10)
        painter.end()
