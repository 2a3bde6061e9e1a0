"""A list beside the page. Where the room is too narrow for both, the list lies over the page while it is needed."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QWidget

_LINE = 1


class Flank(QWidget):
    """`side` has a fixed width, and the keyboard is for `keys` in it; both have room from `least` pixels on.

    `wanted` is whether the list is to be beside the page where there is room; `toggle` shows or hides it in any
    width. Over the page it goes again when something in it was chosen (`leave`) or the page gets the keyboard.
    `left` says that the keys sent the list away.
    """

    left = Signal()

    def __init__(self, side: QWidget, keys: QWidget, page: QWidget, least: int) -> None:
        super().__init__()
        self._side = side
        self._keys = keys
        self._page = page
        self._least = least
        self._over = False
        self.wanted = True
        self._line = QFrame()
        self._line.setProperty("look", "line")
        self._line.setFixedWidth(_LINE)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(0)
        self._row.addWidget(side)
        self._row.addWidget(self._line)
        self._row.addWidget(page, 1)
        QApplication.instance().focusChanged.connect(self._focus_moved)  # type: ignore[union-attr]  # a widget has one

    @property
    def over(self) -> bool:
        """Whether the list lies over the page now."""
        return self._over

    def set_wanted(self, wanted: bool) -> None:
        """Have the list beside the page, or not, where there is room."""
        self.wanted = wanted
        self.fit()

    def toggle(self) -> None:
        """Show the list and give it the keyboard, or hide it."""
        if not self._side.isHidden():
            self.wanted = self.wanted and self._over  # what lay over the page says nothing about a wider room
            self.leave()
            self.fit()
            self.left.emit()
            return
        self.show_side()
        self._keys.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_side(self) -> None:
        """Show the list in any width."""
        self._over = not self._has_room()
        self.wanted = self.wanted or not self._over
        self.fit()

    def leave(self) -> bool:
        """Something was chosen: a list that lies over the page goes. Tells whether it did."""
        was, self._over = self._over, False
        if was:
            self.fit()
        return was

    def fit(self) -> None:
        """Put the list where it belongs in this width."""
        self._over = self._over and not self._has_room()
        beside = self.wanted and self._has_room()
        placed = self._row.indexOf(self._side) >= 0
        if self._over:
            if placed:
                self._row.removeWidget(self._side)
                self._row.removeWidget(self._line)
            width = self._side.maximumWidth()
            self._side.setGeometry(0, 0, width, self.height())
            self._line.setGeometry(width, 0, _LINE, self.height())
        elif not placed:
            self._row.insertWidget(0, self._side)
            self._row.insertWidget(1, self._line)
        for widget in (self._side, self._line):
            widget.setVisible(beside or self._over)
            if self._over:
                widget.raise_()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow window the page has the room."""
        super().resizeEvent(event)
        self.fit()

    def event(self, event: QEvent) -> bool:
        """Esc in the list over the page is not for the window's shortcuts."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride and self._takes(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc sends the list away."""
        if self._takes(event):
            self.leave()
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def _takes(self, event: QKeyEvent) -> bool:
        return self._over and event.key() == Qt.Key.Key_Escape

    def _has_room(self) -> bool:
        return self.width() >= self._least

    def _focus_moved(self, _before: QWidget | None, now: QWidget | None) -> None:
        if self._over and now is not None and (now is self._page or self._page.isAncestorOf(now)):
            self.leave()
