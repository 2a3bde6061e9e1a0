"""Menus and shortcuts, made from the one list of commands."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import QMenu, QWidget

from studio.app.commands import Commands
from studio.core.command import Command
from studio.ui.measures import keys_words
from studio.ui.theme import Theme

_ORDER = ("File", "Edit", "Generate", "Insert", "View", "Jobs", "Atelier")


def build_menu(commands: Commands, room: str, theme: Theme, parent: QWidget) -> QMenu:
    """A menu with a submenu per title: the frame's commands and those of `room`."""
    menu = QMenu(parent)
    theme.clothe(menu)
    menus = commands.menus()
    titles = sorted(menus, key=lambda title: _ORDER.index(title) if title in _ORDER else len(_ORDER) // 2)
    for title in titles:
        shown = [command for command in menus[title] if command.room in ("", room)]
        if shown:
            submenu = menu.addMenu(title)
            _fill(submenu, shown)
    return menu


def menu_of(groups: Iterable[Iterable[Command]], theme: Theme, parent: QWidget) -> QMenu:
    """A menu of these commands, with a line between the groups."""
    menu = QMenu(parent)
    theme.clothe(menu)
    for number, group in enumerate(groups):
        if number:
            menu.addSeparator()
        for command in group:
            _add(menu, command)
    return menu


def _fill(menu: QMenu, commands: list[Command]) -> None:
    """Put commands in, a line between those of different kinds (`app.theme.…`, `app.text.…`), recent things last."""
    before = ""
    for command in sorted(commands, key=lambda command: command.id.startswith("app.project.recent.")):
        kind = command.id.rpartition(".")[0]
        if before not in ("", kind):
            menu.addSeparator()
        before = kind
        _add(menu, command)


def _add(menu: QMenu, command: Command) -> None:
    keys = keys_words(command.shortcut)
    action = QAction(f"{command.title}\t{keys}" if keys else command.title, menu)
    action.setEnabled(command.when())
    action.setToolTip(command.tooltip or command.title)
    action.triggered.connect(lambda _checked=False: command.run())
    menu.addAction(action)


class Shortcuts(QObject):
    """Keeps a `QShortcut` for each command with keys; a room's are on while it is in front."""

    def __init__(self, commands: Commands, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._commands = commands
        self._made: dict[str, tuple[QShortcut, Command]] = {}
        self._room = ""
        commands.listen(self._update)
        self._update()

    def set_room(self, room: str) -> None:
        """Another room is in front."""
        self._room = room
        for shortcut, command in self._made.values():
            shortcut.setEnabled(command.room in ("", room))

    def _update(self) -> None:
        present = {command.id: command for command in self._commands.all() if command.shortcut}
        for identity in [known for known, (_, command) in self._made.items() if present.get(known) is not command]:
            self._made.pop(identity)[0].deleteLater()
        for identity, command in present.items():
            if identity not in self._made:
                self._made[identity] = (self._make(command), command)

    def _make(self, command: Command) -> QShortcut:
        shortcut = QShortcut(QKeySequence(command.shortcut), self._window)
        shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
        shortcut.setAutoRepeat(False)
        shortcut.setEnabled(command.room in ("", self._room))
        shortcut.activated.connect(lambda: self._commands.run(command.id))
        return shortcut
