"""The settings room: sections from the schema, changes at once, nothing to confirm."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from studio.app.settings import Option, options
from studio.core.command import Command
from studio.ui.panel.facts import separator
from studio.ui.room import Room, RoomContext
from studio.ui.settings.controls import FolderList, OptionControl

_WIDTH = 680


class SettingsRoom(Room):
    """Every option with its description; each control takes effect at once."""

    id = "settings"
    title = "Settings"
    icon = "settings"

    def __init__(self, context: RoomContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.controls: dict[str, OptionControl] = {}
        page = QWidget()
        page.setProperty("look", "clear")
        self._page = QVBoxLayout(page)
        self._page.setSpacing(context.theme.space(3))
        title = QLabel("Settings")
        title.setProperty("look", "title")
        self._page.addWidget(title)
        sections: dict[str, list[Option]] = {}
        for option in options():
            sections.setdefault(option.section, []).append(option)
        for name, members in sections.items():
            self._page.addWidget(self._section(name, members))
        self._page.addLayout(self._foot())
        self._page.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(page)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.viewport().setAutoFillBackground(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(scroll)
        context.settings.listen(self._changed)

    def commands(self) -> list[Command]:
        """Only what the page's own button does."""
        return [Command("settings.reset", "Put all settings back", self._reset, room=self.id)]

    def activated(self) -> None:
        """Begin at the first control."""
        next(iter(self.controls.values())).control.setFocus(Qt.FocusReason.OtherFocusReason)
        self.document_changed.emit("Settings", "")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """One column in the middle, as wide as reads well."""
        super().resizeEvent(event)
        side = max(self.context.theme.space(4), (self.width() - self.context.theme.pixels(_WIDTH)) // 2)
        self._page.setContentsMargins(side, self.context.theme.space(5), side, self.context.theme.space(5))

    def _section(self, name: str, members: list[Option]) -> QWidget:
        theme = self.context.theme
        box = QWidget()
        column = QVBoxLayout(box)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.space(1))
        head = QLabel(name)
        head.setProperty("look", "caption")
        column.addWidget(head)
        card = QFrame()
        card.setProperty("look", "card")
        rows = QVBoxLayout(card)
        rows.setContentsMargins(16, 4, 16, 4)
        rows.setSpacing(0)
        for index, option in enumerate(members):
            if index:
                rows.addWidget(separator())
            rows.addWidget(self._row(option))
        column.addWidget(card)
        return box

    def _row(self, option: Option) -> QWidget:
        theme = self.context.theme
        control = OptionControl(theme, self.context.settings, option)
        control.refused.connect(lambda why: self.context.notices.post(why, level="warning"))
        self.controls[option.name] = control
        title = QLabel(option.title)
        title.setBuddy(control.control)
        words = QLabel(option.description)
        words.setProperty("look", "soft")
        words.setWordWrap(True)
        text = QVBoxLayout()
        text.setSpacing(2)
        text.addWidget(title)
        text.addWidget(words)
        row = QWidget()
        line: QHBoxLayout | QVBoxLayout
        if isinstance(control.control, FolderList):
            line = QVBoxLayout(row)
            line.addLayout(text)
            line.addWidget(control)
        else:
            line = QHBoxLayout(row)
            line.addLayout(text, 1)
            line.addWidget(control, 0, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        line.setContentsMargins(0, theme.space(2), 0, theme.space(2))
        line.setSpacing(theme.space(2))
        return row

    def _foot(self) -> QHBoxLayout:
        reset = QPushButton("Put all settings back")
        reset.setAccessibleName("Put all settings back")
        reset.setToolTip("All settings as they were at the first start; your work is not touched")
        reset.clicked.connect(self._reset)
        where = QLabel(f"Kept in {self.context.settings.path}")
        where.setProperty("look", "soft")
        where.setWordWrap(True)
        where.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row = QHBoxLayout()
        row.addWidget(where, 1)
        row.addWidget(reset)
        return row

    def _reset(self) -> None:
        self.context.settings.reset()

    def _changed(self, names: frozenset[str]) -> None:
        for name in names:
            self.controls[name].refresh()
