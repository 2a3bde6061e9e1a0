"""The files of the open folder at the left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QToolButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from studio.documents.code_folder import CodeFolder
from studio.ui.elided import ElidedLabel
from studio.ui.measures import tip
from studio.ui.theme import Theme

WIDTH = 224
_PATH, _FOLDER, _READ = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1, Qt.ItemDataRole.UserRole + 2
_ICON = 15


class _Tree(QTreeWidget):
    """`asked` carries `open`, `rename` or `discard` when the key for it is pressed."""

    asked = Signal(str)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = {Qt.Key.Key_Delete: "discard", Qt.Key.Key_Return: "open", Qt.Key.Key_Enter: "open"}
        keys[Qt.Key.Key_F2] = "rename"
        asked = keys.get(Qt.Key(event.key()))
        if asked and not event.modifiers() and self.state() != QTreeWidget.State.EditingState:
            self.asked.emit(asked)
        else:
            super().keyPressEvent(event)


class FileTree(QWidget):
    """`opened(path)`, `renamed(path, name)`, `discarded(path)`; `new_wanted(folder)` and `folder_wanted()`.

    `chosen` says that the tree is no longer needed: a file was opened or a name was typed.
    """

    opened = Signal(object)
    chosen = Signal()
    renamed = Signal(object, str)
    discarded = Signal(object)
    new_wanted = Signal(object)
    folder_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._folder: CodeFolder | None = None
        self._filling = False
        self._stale = False
        self.setFixedWidth(WIDTH)
        self.setProperty("look", "ground")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.tree = self._make_tree()
        self._name = ElidedLabel()
        self._name.setProperty("look", "caption")
        head = QHBoxLayout()
        head.setContentsMargins(theme.space(2), 0, theme.space(1), 0)
        head.addWidget(self._name)
        head.addStretch(1)
        for icon, words, keys, run in (
            ("file-plus", "New file", "Ctrl+N", lambda: self.new_wanted.emit(self.folder_at())),
            ("folder", "Open a folder…", "Ctrl+O", self.folder_wanted.emit),
        ):
            head.addWidget(self._tool(icon, words, keys, run))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, theme.space(1), 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self.tree, 1)
        theme.changed.connect(self._dress)
        self._dress()

    def show_folder(self, folder: CodeFolder) -> None:
        """Show another folder."""
        self._folder = folder
        self._name.setText(folder.folder.name)
        self._name.setToolTip(str(folder.folder))
        if self.tree.state() == QTreeWidget.State.EditingState:
            self.tree.setFocus()  # the name that is being typed is taken before its line goes
        self.tree.clear()
        self.refresh()

    def refresh(self) -> None:
        """Read again what is expanded; waits while a name is being typed."""
        self._stale = self.tree.state() == QTreeWidget.State.EditingState
        if self._folder is not None and not self._stale:
            open_folders = {item.data(0, _PATH) for item in self._items() if item.isExpanded()}
            current = self.current()
            self._filling = True
            self.tree.clear()
            self._fill(self.tree.invisibleRootItem(), self._folder.folder, open_folders)
            self._filling = False
            if current is not None:
                self.select(current)

    def current(self) -> Path | None:
        """The chosen file or folder."""
        item = self.tree.currentItem()
        path = item.data(0, _PATH) if item is not None else None
        return path if isinstance(path, Path) else None

    def folder_at(self) -> Path | None:
        """The folder that a new file would go into."""
        current = self.current()
        if current is None:
            return self._folder.folder if self._folder else None
        return current if current.is_dir() else current.parent

    def select(self, path: Path) -> None:
        """Choose a file without opening it, showing the folders it lies in."""
        item = self._find(path)
        if item is not None:
            self._filling = True
            self.tree.setCurrentItem(item)
            self._filling = False

    def rename(self, path: Path) -> None:
        """Let the person type another name in place."""
        item = self._find(path)
        if item is not None:
            self.tree.setFocus()
            self._type_name(item)

    def _type_name(self, item: QTreeWidgetItem) -> None:
        """Only the stem is chosen, so that what is typed leaves the ending, and with it the language, as it is."""
        self.tree.editItem(item, 0)
        field = next(iter(self.tree.findChildren(QLineEdit)), None)
        stem = Path(item.text(0)).stem
        if field is not None and not item.data(0, _FOLDER) and stem:
            # The view selects everything after this, when the field gets its text.
            QTimer.singleShot(0, field, lambda: field.setSelection(0, len(stem)))

    def paths(self) -> list[Path]:
        """What is shown, from top to bottom."""
        return [item.data(0, _PATH) for item in self._items()]

    def _dress(self) -> None:
        """One ground for the whole row: Qt colours the space before the name by itself."""
        css = self._theme.css
        self.tree.setStyleSheet(
            "QTreeView { show-decoration-selected: 1; }"
            f"QTreeView::branch:selected, QTreeView::item:selected {{ background: {css('raised')}; border-radius: 0; }}"
            f"QTreeView::branch:hover, QTreeView::item:hover {{ background: {css('hover')}; border-radius: 0; }}"
        )
        self.refresh()

    def _make_tree(self) -> _Tree:
        tree = _Tree()
        tree.setProperty("look", "list")
        tree.setFrameShape(QFrame.Shape.NoFrame)
        tree.setHeaderHidden(True)
        tree.setIndentation(14)
        tree.setAccessibleName("Files")
        tree.setToolTip("The folder's files. Return opens, F2 renames, Del moves to the trash.")
        tree.setEditTriggers(QTreeWidget.EditTrigger.EditKeyPressed)
        tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        tree.customContextMenuRequested.connect(self._menu)
        tree.itemExpanded.connect(self._expanded)
        tree.itemClicked.connect(self._open)
        tree.itemChanged.connect(self._edited)
        tree.asked.connect(self._asked)
        tree.itemDelegate().closeEditor.connect(self._name_typed, Qt.ConnectionType.QueuedConnection)
        return tree

    def _tool(self, icon: str, words: str, keys: str, run: Callable[[], None]) -> QToolButton:
        button = QToolButton()
        button.setToolTip(tip(words, keys))
        button.setAccessibleName(words)
        button.clicked.connect(run)
        self._theme.dress(button, icon, "text_soft", 16)
        return button

    def _fill(self, parent: QTreeWidgetItem, folder: Path, open_folders: set[Path]) -> None:
        if self._folder is None:
            return
        for entry in self._folder.children(folder):
            item = QTreeWidgetItem(parent, [entry.path.name])
            item.setData(0, _PATH, entry.path)
            item.setData(0, _FOLDER, entry.is_folder)
            item.setIcon(0, self._theme.icon("folder" if entry.is_folder else "file", "text_faint", _ICON))
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
            if entry.is_folder:
                item.setChildIndicatorPolicy(QTreeWidgetItem.ChildIndicatorPolicy.ShowIndicator)
                if entry.path in open_folders:
                    item.setData(0, _READ, True)
                    self._fill(item, entry.path, open_folders)
                    item.setExpanded(True)

    def _expanded(self, item: QTreeWidgetItem) -> None:
        if not item.data(0, _READ):
            item.setData(0, _READ, True)
            was, self._filling = self._filling, True
            self._fill(item, item.data(0, _PATH), set())
            self._filling = was

    def _items(self) -> list[QTreeWidgetItem]:
        found: list[QTreeWidgetItem] = []
        waiting = [self.tree.topLevelItem(at) for at in reversed(range(self.tree.topLevelItemCount()))]
        while waiting:
            item = waiting.pop()
            if item is not None:
                found.append(item)
                waiting += [item.child(at) for at in reversed(range(item.childCount()))]
        return found

    def _find(self, path: Path) -> QTreeWidgetItem | None:
        if self._folder is None or not path.is_relative_to(self._folder.folder):
            return None
        for parent in [*reversed(path.relative_to(self._folder.folder).parents)][1:]:
            item = next((it for it in self._items() if it.data(0, _PATH) == self._folder.folder / parent), None)
            if item is not None:
                item.setExpanded(True)
        return next((item for item in self._items() if item.data(0, _PATH) == path), None)

    def _open(self, item: QTreeWidgetItem) -> None:
        if item.data(0, _FOLDER):
            item.setExpanded(not item.isExpanded())
        else:
            self.opened.emit(item.data(0, _PATH))
            self.chosen.emit()

    def _edited(self, item: QTreeWidgetItem) -> None:
        path = item.data(0, _PATH)
        if not self._filling and isinstance(path, Path) and item.text(0) != path.name:
            self.renamed.emit(path, item.text(0))

    def _name_typed(self) -> None:
        if self._stale:
            self.refresh()
        self.chosen.emit()

    def _asked(self, what: str) -> None:
        item = self.tree.currentItem()
        if item is None:
            return
        if what == "discard":
            self.discarded.emit(item.data(0, _PATH))
        elif what == "rename":
            self._type_name(item)
        else:
            self._open(item)

    def _menu(self, spot: QPoint) -> None:
        item = self.tree.itemAt(spot)
        menu = QMenu(self)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.addAction("New file", lambda: self.new_wanted.emit(self.folder_at()))
        if item is not None:
            path = item.data(0, _PATH)
            menu.addAction("Rename…", lambda: self._type_name(item))
            menu.addAction("Move to the trash", lambda: self.discarded.emit(path))
        menu.popup(self.tree.viewport().mapToGlobal(spot))
