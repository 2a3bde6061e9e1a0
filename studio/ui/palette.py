"""The command palette: every command by a few letters, and a sentence straight into a room."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QLabel, QLineEdit, QListView, QWidget

from studio.app.commands import Commands, fuzzy
from studio.core.command import Command
from studio.ui.floating import SHADOW, Floating
from studio.ui.measures import keys_words
from studio.ui.palette_list import PaletteDelegate, PaletteModel, Row
from studio.ui.panel.facts import separator
from studio.ui.room import Found
from studio.ui.rooms import RoomEntry
from studio.ui.theme import Theme

_SHORTEST_WISH = 3
_ROWS = 9
_MOST_DOCUMENTS = 6


class Palette(Floating):
    """Opens at the top of the window. `used` carries the id of the command that was run.

    `about_to_search` is emitted before the list is made, so that rooms not built yet can bring their
    commands; `wished(room, text)` when free text is to be made in a room, `opened(room, key)` when one of the
    room's documents is wanted.
    """

    used = Signal(str)
    about_to_search = Signal()
    wished = Signal(str, str)
    opened = Signal(str, str)

    def __init__(self, theme: Theme, commands: Commands, rooms: tuple[RoomEntry, ...], parent: QWidget) -> None:
        super().__init__(theme, parent)
        self._commands = commands
        self._rooms = rooms
        self.recent: list[str] = []
        self.room = ""
        self._documents: list[Found] = []
        self.setAccessibleName("Search or do anything")
        self.field = QLineEdit()
        self.field.setProperty("look", "bare")
        self.field.setPlaceholderText("Search or do anything")
        self.field.setAccessibleName("Search or do anything")
        self.field.setToolTip("Some letters of a command, or a sentence to make something from")
        self.field.textChanged.connect(self._search)
        self.field.installEventFilter(self)
        self.model = PaletteModel(self)
        self.list = QListView()
        self.list.setProperty("look", "list")
        self.list.setModel(self.model)
        self.list.setItemDelegate(PaletteDelegate(theme, self.list))
        self.list.setAccessibleName("Commands")
        self.list.setUniformItemSizes(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setMouseTracking(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.entered.connect(self.list.setCurrentIndex)
        self.list.clicked.connect(lambda index: self._run(index.row()))
        head = QHBoxLayout()
        head.setContentsMargins(16, 8, 12, 8)
        glass = QLabel()
        theme.dress(glass, "search", "text_soft", 18)
        head.addWidget(glass)
        head.addWidget(self.field, 1)
        self.column.addLayout(head)
        self.column.addWidget(separator())
        self.column.addSpacing(5)
        self.column.addWidget(self.list, 1)
        self.column.addSpacing(5)

    def open(self) -> None:
        """Show the palette, empty."""
        self.about_to_search.emit()
        self.field.clear()
        self._search("")
        self.popup(self.field)

    def show_documents(self, documents: Sequence[Found]) -> None:
        """Texts and files that can be opened by their names from now on."""
        self._documents = list(documents)
        if self.isVisible() and self.field.text():
            self._search(self.field.text())

    def place(self) -> None:
        """In the middle of the window's top, over the search field."""
        window = self.over.rect()
        width = min(640, window.width() - 48) + 2 * SHADOW
        rows = max(1, min(_ROWS, len(self.model.rows)))
        head = self.field.sizeHint().height() + 16 + 1 + 10 + 2
        height = min(head + rows * self.theme.pixels(36), window.height() - 60) + 2 * SHADOW
        self.setGeometry((window.width() - width) // 2, 8 - SHADOW, width, height)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The arrow keys move in the list while the field keeps the keyboard."""
        if watched is self.field and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            return self._key(event.key())
        return super().eventFilter(watched, event)

    def _key(self, key: int) -> bool:
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -_ROWS, Qt.Key.Key_PageDown: _ROWS}
        count = len(self.model.rows)
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._run(self.list.currentIndex().row())
        elif Qt.Key(key) in step and count:
            at = self.list.currentIndex().row() + step[Qt.Key(key)]
            self._mark(at % count if abs(step[Qt.Key(key)]) == 1 else max(0, min(count - 1, at)))
        elif key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            self._mark((self.list.currentIndex().row() + 1) % count if count else 0)
        else:
            return False
        return True

    def _search(self, text: str) -> None:
        scored = [
            (match.score, self._row(match.command, match.places))
            for match in self._commands.search(text, self.recent, self.room)
            if self._reachable(match.command)
        ]
        scored = sorted([*scored, *self._found(text)], key=lambda each: -each[0])
        rows = [row for _, row in scored]
        wish = text.strip()
        if len(wish) >= _SHORTEST_WISH:
            rows += [self._wish(entry, wish) for entry in self._rooms if entry.asks]
        self.model.show_rows(rows)
        self._mark(0)
        self.place()

    def _found(self, text: str) -> list[tuple[float, Row]]:
        """The documents that fit best, as good as a command of the same name would be."""
        wanted = "".join(text.lower().split())
        fits = [(fuzzy(wanted, document.name), document) for document in self._documents if len(wanted) > 1]
        best = sorted([(fit, document) for fit, document in fits if fit], key=lambda each: -each[0][0])
        return [(fit[0], self._document(document, fit[1])) for fit, document in best[:_MOST_DOCUMENTS]]

    def _reachable(self, command: Command) -> bool:
        """A room's command that can't run from elsewhere is still offered: it opens its room first."""
        return command.when() or (bool(command.room) and command.room != self.room)

    def _row(self, command: Command, places: tuple[int, ...]) -> Row:
        entry = next((entry for entry in self._rooms if entry.id == command.room), None)
        return Row(
            title=command.title,
            note=entry.title if entry else command.menu,
            keys=keys_words(command.shortcut),
            icon=entry.icon if entry else "chevron-right",
            run=command.run,
            id=command.id,
            places=places,
        )

    def _document(self, document: Found, places: tuple[int, ...]) -> Row:
        entry = next((entry for entry in self._rooms if entry.id == document.room), None)
        lead = "Open "
        return Row(
            title=f"{lead}{document.name}",
            note=entry.title if entry else "",
            keys="",
            icon="file",
            run=lambda: self.opened.emit(document.room, document.key),
            places=tuple(place + len(lead) for place in places),
        )

    def _wish(self, entry: RoomEntry, text: str) -> Row:
        return Row(
            title=f"{entry.asks}: “{text}”",
            note=entry.title,
            keys="",
            icon="sparkle",
            run=lambda: self.wished.emit(entry.id, text),
        )

    def _mark(self, row: int) -> None:
        self.list.setCurrentIndex(self.model.index(row, 0))
        if 0 <= row < len(self.model.rows):
            self.field.setAccessibleDescription(self.model.rows[row].title)

    def _run(self, index: int) -> None:
        if not 0 <= index < len(self.model.rows):
            return
        row = self.model.rows[index]
        self.dismiss()
        if row.id:
            self.used.emit(row.id)
        else:
            row.run()
