"""The command palette: every command by a few letters, and a sentence straight into a room."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import msgspec
from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFont, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from studio.app.commands import Commands
from studio.core.command import Command
from studio.ui.floating import SHADOW, Floating
from studio.ui.measures import keys_words
from studio.ui.panel.facts import separator
from studio.ui.rooms import RoomEntry
from studio.ui.theme import Theme

Index = QModelIndex | QPersistentModelIndex
_SHORTEST_WISH = 3
_ROWS = 9


class Row(msgspec.Struct, frozen=True):
    """One line of the palette."""

    title: str
    note: str
    keys: str
    icon: str
    run: Callable[[], None]
    id: str = ""
    places: tuple[int, ...] = ()


class PaletteModel(QAbstractListModel):
    """The rows that fit what was typed."""

    ROW: ClassVar[int] = Qt.ItemDataRole.UserRole + 1

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: list[Row] = []

    def show_rows(self, rows: list[Row]) -> None:
        """Replace what is listed."""
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        """How many rows there are."""
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """The row, or its words for screen readers."""
        row = self.rows[index.row()]
        if role == PaletteModel.ROW:
            return row
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return " · ".join(part for part in (row.title, row.note, row.keys) if part)
        return None


class PaletteDelegate(QStyledItemDelegate):
    """Icon, title with the matched letters in colour, where it belongs, and its keys."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002 - Qt's signature
        """A line's height."""
        return QSize(200, self._theme.pixels(36))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """One row."""
        row: Row = index.data(PaletteModel.ROW)
        theme = self._theme
        area: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("hover"))
            painter.drawRoundedRect(area.adjusted(6, 1, -6, -1), 6, 6)
        edge = theme.pixels(16)
        color = "accent_text" if state & QStyle.StateFlag.State_Selected else "text_soft"
        painter.drawPixmap(area.left() + 18, area.center().y() - edge // 2 + 1, theme.pixmap(row.icon, color, edge))
        right = _draw_keys(painter, theme, area, row.keys)
        painter.setFont(theme.font("small"))
        painter.setPen(theme.color("text_soft"))
        note_width = painter.fontMetrics().horizontalAdvance(row.note)
        note = QRect(right - note_width - (12 if row.keys else 0), area.top(), note_width, area.height())
        painter.drawText(note, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight), row.note)
        left = area.left() + 18 + edge + 12
        self._draw_title(painter, QRect(left, area.top(), note.left() - left - 12, area.height()), row)
        painter.restore()

    def _draw_title(self, painter: QPainter, area: QRect, row: Row) -> None:
        plain, bold = self._theme.font("body"), self._theme.font("body", bold=True)
        painter.setFont(plain)
        title = painter.fontMetrics().elidedText(row.title, Qt.TextElideMode.ElideRight, area.width())
        x = area.left()
        for matched, piece in _pieces(title, row.places):
            font: QFont = bold if matched else plain
            painter.setFont(font)
            painter.setPen(self._theme.color("accent_text" if matched else "text"))
            width = painter.fontMetrics().horizontalAdvance(piece)
            painter.drawText(QRect(x, area.top(), width + 8, area.height()), int(Qt.AlignmentFlag.AlignVCenter), piece)
            x += width


def _pieces(title: str, places: tuple[int, ...]) -> list[tuple[bool, str]]:
    """`title` in runs of matched and unmatched letters."""
    found: list[tuple[bool, str]] = []
    for place, letter in enumerate(title):
        matched = place in places
        if found and found[-1][0] == matched:
            found[-1] = (matched, found[-1][1] + letter)
        else:
            found.append((matched, letter))
    return found


def _draw_keys(painter: QPainter, theme: Theme, area: QRect, keys: str) -> int:
    """Draw the keys as small caps at the right; returns where they begin."""
    right = area.right() - 16
    painter.setFont(theme.font("small"))
    metrics = painter.fontMetrics()
    for key in reversed(keys.split()):
        width = max(metrics.horizontalAdvance(key) + 10, metrics.height() + 4)
        cap = QRect(right - width, area.center().y() - metrics.height() // 2 - 1, width, metrics.height() + 4)
        painter.setPen(theme.color("line_strong"))
        painter.setBrush(theme.color("raised"))
        painter.drawRoundedRect(cap, 4, 4)
        painter.setPen(theme.color("text_soft"))
        painter.drawText(cap, int(Qt.AlignmentFlag.AlignCenter), key)
        right -= width + 4
    return right


class Palette(Floating):
    """Opens at the top of the window. `used` carries the id of the command that was run.

    `about_to_search` is emitted before the list is made, so that rooms not built yet can bring their
    commands; `wished(room, text)` when free text is to be made in a room.
    """

    used = Signal(str)
    about_to_search = Signal()
    wished = Signal(str, str)

    def __init__(self, theme: Theme, commands: Commands, rooms: tuple[RoomEntry, ...], parent: QWidget) -> None:
        super().__init__(theme, parent)
        self._commands = commands
        self._rooms = rooms
        self.recent: list[str] = []
        self.room = ""
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
        rows = [
            self._row(match.command, match.places)
            for match in self._commands.search(text, self.recent)
            if self._reachable(match.command)
        ]
        wish = text.strip()
        if len(wish) >= _SHORTEST_WISH:
            rows += [self._wish(entry, wish) for entry in self._rooms if entry.asks]
        self.model.show_rows(rows)
        self._mark(0)
        self.place()

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
