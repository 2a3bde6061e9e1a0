"""The narrow rail of rooms at the left: icon and word."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QButtonGroup, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from studio.ui.measures import tip
from studio.ui.rooms import RoomEntry
from studio.ui.theme import Theme


class Rail(QWidget):
    """One button per room. `chosen` carries the room's id; arrow keys go up and down."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, entries: Iterable[RoomEntry], shortcuts: dict[str, str]) -> None:
        super().__init__()
        self._theme = theme
        theme.clothe(self)
        self._buttons: dict[str, QToolButton] = {}
        self.setProperty("look", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Rooms")
        self._group = QButtonGroup(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, theme.space(1), 6, theme.space(1))
        column.setSpacing(theme.space(0))
        entries = tuple(entries)
        for entry in (entry for entry in entries if not entry.low):
            column.addWidget(self._button(entry, shortcuts.get(entry.id, "")))
        column.addStretch(1)
        for entry in (entry for entry in entries if entry.low):
            column.addWidget(self._button(entry, shortcuts.get(entry.id, "")))
        theme.changed.connect(self._resize)
        self._resize()

    def set_current(self, identity: str) -> None:
        """Mark a room; an unknown id (the greeting) marks none."""
        self._group.setExclusive(False)
        for room, button in self._buttons.items():
            button.setChecked(room == identity)
        self._group.setExclusive(identity in self._buttons)

    def button(self, identity: str) -> QToolButton:
        """The button of a room. Raises `KeyError`."""
        return self._buttons[identity]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and down move between the rooms."""
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()), 0)
        buttons = list(self._buttons.values())
        at = next((index for index, button in enumerate(buttons) if button.hasFocus()), None)
        if step and at is not None:
            buttons[(at + step) % len(buttons)].setFocus(Qt.FocusReason.TabFocusReason)
        else:
            super().keyPressEvent(event)

    def _button(self, entry: RoomEntry, shortcut: str) -> QToolButton:
        button = QToolButton()
        button.setProperty("look", "rail")
        button.setText(entry.title)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        button.setCheckable(True)
        button.setToolTip(tip(f"{entry.title}: {entry.tooltip.lower()}", shortcut))
        button.setAccessibleName(entry.title)
        button.setAccessibleDescription(entry.tooltip)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        button.clicked.connect(lambda: self.chosen.emit(entry.id))
        self._theme.dress(button, entry.icon, "text_soft", 20)
        self._group.addButton(button)
        self._buttons[entry.id] = button
        return button

    def _resize(self) -> None:
        self.setFixedWidth(self._theme.pixels(72))
        for button in self._buttons.values():
            button.setMinimumHeight(self._theme.pixels(52))
            button.setIconSize(QSize(self._theme.pixels(20), self._theme.pixels(20)))
