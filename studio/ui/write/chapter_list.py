"""The texts of the project at the left: their names and how many words they have."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio.documents.manuscript import Chapter
from studio.ui.measures import tip
from studio.ui.theme import Theme

WIDTH = 212
_PATH, _WORDS = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
_ROW = 30


class _Row(QStyledItemDelegate):
    """The name at the left, the words at the right; a folder's name in small letters."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:  # noqa: ARG002 - Qt's signature
        return QSize(option.rect.width(), self._theme.pixels(_ROW))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        theme, path = self._theme, index.data(_PATH)
        rect = option.rect.adjusted(4, 1, -4, -1)
        state = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if path and state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("raised" if state & QStyle.StateFlag.State_Selected else "hover"))
            painter.drawRoundedRect(rect, theme.radius(), theme.radius())
        if path and state & QStyle.StateFlag.State_HasFocus and state & QStyle.StateFlag.State_Selected:
            painter.setPen(theme.color("accent"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(rect, theme.radius(), theme.radius())
        inner = rect.adjusted(8, 0, -8, 0)
        self._words(painter, inner, index, heading=not path)
        painter.restore()

    def _words(
        self, painter: QPainter, rect: QRect, index: QModelIndex | QPersistentModelIndex, *, heading: bool
    ) -> None:
        theme = self._theme
        small, words = theme.font("small"), index.data(_WORDS)
        count = "" if words is None else f"{words:,}"
        painter.setFont(small)
        painter.setPen(theme.color("text_soft"))
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(rect, int(middle | Qt.AlignmentFlag.AlignRight), count)
        room = rect.width() - (QFontMetrics(small).horizontalAdvance(count) + 8 if count else 0)
        if not heading:
            painter.setFont(theme.font())
            painter.setPen(theme.color("text"))
        name = painter.fontMetrics().elidedText(str(index.data()), Qt.TextElideMode.ElideRight, room)
        painter.drawText(rect, int(middle | Qt.AlignmentFlag.AlignLeft), name)


class _List(QListWidget):
    """`asked` carries `open` or `discard` when the key for it is pressed."""

    asked = Signal(str)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = {Qt.Key.Key_Delete: "discard", Qt.Key.Key_Return: "open", Qt.Key.Key_Enter: "open"}
        asked = keys.get(Qt.Key(event.key()))
        if asked and not event.modifiers() and self.state() != QListWidget.State.EditingState:
            self.asked.emit(asked)
        else:
            super().keyPressEvent(event)


class ChapterList(QWidget):
    """`opened(path)`, `renamed(path, title)`, `discarded(path)`: paths are relative to the project.

    `entered` says that the person wants to write in the open text; `chosen` that the list is no longer needed: a text
    was clicked or a name was typed.
    """

    opened = Signal(str)
    entered = Signal()
    chosen = Signal()
    renamed = Signal(str, str)
    discarded = Signal(str)

    def __init__(self, theme: Theme, create: Callable[[], None]) -> None:
        super().__init__()
        self._theme = theme
        self._filling = False
        self._create = create
        self._later: Callable[[], None] | None = None
        self.setFixedWidth(WIDTH)
        self.setProperty("look", "ground")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.list = self._make_list()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, theme.space(1), 0, 0)
        column.setSpacing(4)
        column.addLayout(self._make_head())
        column.addWidget(self.list, 1)

    def show_chapters(self, chapters: Sequence[Chapter], current: str) -> None:
        """Fill the list; `current` is the open text's path. Waits while a name is being typed."""
        if self.list.state() == QListWidget.State.EditingState:
            self._later = lambda: self.show_chapters(chapters, current)
            return
        if [chapter.path for chapter in chapters] == self.paths():
            for chapter in chapters:
                self.set_words(chapter.path, chapter.words)
            self.select(current)
            return
        self._filling = True
        self.list.clear()
        folder = ""
        for chapter in chapters:
            if chapter.folder != folder and (folder := chapter.folder) != "Texts":
                heading = QListWidgetItem(folder)
                heading.setFlags(Qt.ItemFlag.NoItemFlags)
                self.list.addItem(heading)
            item = QListWidgetItem(chapter.title)
            item.setData(_PATH, chapter.path)
            item.setData(_WORDS, chapter.words)
            item.setToolTip(f"{chapter.path}\n{chapter.words:,} words")
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
            self.list.addItem(item)
            if chapter.path == current:
                self.list.setCurrentItem(item)
        self._filling = False

    def set_words(self, path: str, words: int) -> None:
        """The open text has another number of words now."""
        item = self._item(path)
        if item is not None and item.data(_WORDS) != words:
            self._filling = True
            item.setData(_WORDS, words)
            item.setToolTip(f"{path}\n{words:,} words")
            self._filling = False

    def select(self, path: str) -> None:
        """Show which text is open, without opening it."""
        item = self._item(path)
        if item is not None and item is self.list.currentItem():
            return
        self._filling = True
        self.list.setCurrentRow(self.list.row(item) if item is not None else -1)
        self._filling = False

    def paths(self) -> list[str]:
        """The texts from top to bottom."""
        rows = (self.list.item(row).data(_PATH) for row in range(self.list.count()))
        return [path for path in rows if path]

    def rename(self, path: str) -> None:
        """Let the person type another name in place."""
        item = self._item(path)
        if item is not None:
            self.list.setFocus()
            self.list.editItem(item)

    def _make_list(self) -> _List:
        found = _List()
        found.setProperty("look", "list")
        found.setFrameShape(QFrame.Shape.NoFrame)
        found.setMouseTracking(True)
        found.setAccessibleName("Texts")
        found.setToolTip("The project's texts. F2 renames, Del moves to the trash.")
        row = _Row(self._theme, found)
        row.closeEditor.connect(self._name_typed, Qt.ConnectionType.QueuedConnection)
        found.setItemDelegate(row)
        found.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        found.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        found.setEditTriggers(QListWidget.EditTrigger.EditKeyPressed)
        found.customContextMenuRequested.connect(lambda spot: self._menu(found.itemAt(spot)))
        found.currentItemChanged.connect(self._chosen)
        found.itemChanged.connect(self._edited)
        found.itemClicked.connect(self.chosen)
        found.asked.connect(self._asked)
        return found

    def _make_head(self) -> QHBoxLayout:
        title = QLabel("Manuscript")
        title.setProperty("look", "caption")
        title.setBuddy(self.list)
        add = QToolButton()
        add.setToolTip(tip("New text", "Ctrl+N"))
        add.setAccessibleName("New text")
        add.clicked.connect(self._create)
        self._theme.dress(add, "plus", "text_soft", 16)
        head = QHBoxLayout()
        head.setContentsMargins(self._theme.space(2), 0, self._theme.space(1), 0)
        head.addWidget(title)
        head.addStretch(1)
        head.addWidget(add)
        return head

    def _item(self, path: str) -> QListWidgetItem | None:
        rows = (self.list.item(row) for row in range(self.list.count()))
        return next((item for item in rows if item.data(_PATH) == path), None)

    def _chosen(self, item: QListWidgetItem | None) -> None:
        if not self._filling and item is not None and item.data(_PATH):
            self.opened.emit(item.data(_PATH))

    def _edited(self, item: QListWidgetItem) -> None:
        if not self._filling and item.data(_PATH):
            self.renamed.emit(item.data(_PATH), item.text())

    def _name_typed(self) -> None:
        later, self._later = self._later, None
        if later is not None:
            later()
        self.chosen.emit()

    def _asked(self, what: str) -> None:
        item = self.list.currentItem()
        if item is None or not item.data(_PATH):
            return
        if what == "discard":
            self.discarded.emit(item.data(_PATH))
        else:
            self.entered.emit()

    def _menu(self, item: QListWidgetItem | None) -> None:
        menu = QMenu(self)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.addAction("New text", self._create)
        if item is not None and item.data(_PATH):
            path = str(item.data(_PATH))
            menu.addAction("Rename…", lambda: self.list.editItem(item))
            menu.addAction("Move to the trash", lambda: self.discarded.emit(path))
        menu.popup(self.cursor().pos())
