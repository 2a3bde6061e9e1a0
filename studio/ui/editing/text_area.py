"""The editor widget under both text rooms: plain text with a history of its own.

It keeps a copy of the text beside Qt's document (UTF-16, as Qt counts), so that each change is known
with what it removed, saving needs no walk through the document, and undo can leave a passage that is
being generated out of account (`studio.documents.text_history`).
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import Literal

from PySide6.QtCore import QEvent, QMimeData, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QColor,
    QContextMenuEvent,
    QInputMethodEvent,
    QKeyEvent,
    QKeySequence,
    QPalette,
    QTextCursor,
    QTextDocument,
)
from PySide6.QtWidgets import QMenu, QPlainTextEdit, QTextEdit

from studio.documents.authorship import Authorship, Runs
from studio.documents.text_history import Edit, TextHistory
from studio.documents.units import units
from studio.ui.editing import authored_mime
from studio.ui.editing.page_layout import Above, PageLayout, nothing
from studio.ui.theme import Theme

Mode = Literal["user", "replay", "stream", "load"]
KeyFilter = Callable[[QKeyEvent], bool]
_COLORS = {
    QPalette.ColorRole.Base: "ground",
    QPalette.ColorRole.Text: "text",
    QPalette.ColorRole.PlaceholderText: "text_soft",
    QPalette.ColorRole.Highlight: "selection",
    QPalette.ColorRole.HighlightedText: "text",
}
_BREAKS = str.maketrans({"\u2029": "\n", "\ufdd0": "\n", "\ufdd1": "\n", "\0": "\ufffd"})


@dataclasses.dataclass(frozen=True)
class Change:
    """What happened to the text, in UTF-16 code units."""

    position: int
    removed: str
    inserted: str
    mode: Mode


class TextArea(QPlainTextEdit):
    """A plain-text editor. `edited` carries a `Change` after each change of the text.

    `composition` comes when an input method does something; `composing` says whether it is at work.
    `key_filters` see each key first and may keep it; `claims_key` keeps one from being a shortcut;
    `undo_passage` takes back what streams in just now; `snapshot` is the text as it should lie on disk
    at this moment (UTF-16-LE).
    """

    edited = Signal(object)
    composition = Signal()

    def __init__(self, leading: float, above: Above = nothing, *, tight: bool = False) -> None:
        super().__init__()
        document = QTextDocument(self)
        self._layout = PageLayout(document, leading, above, tight=tight)
        document.setDocumentLayout(self._layout)
        document.setUndoRedoEnabled(False)
        self.setDocument(document)
        self.history = TextHistory()
        self.authorship = Authorship()
        self.key_filters: list[KeyFilter] = []
        self.claims_key: KeyFilter = lambda _event: False
        self.menu_commands: Callable[[], list[QAction]] = list
        self.undo_passage: Callable[[], bool] = lambda: False
        self.snapshot: Callable[[], bytes] = self.copy_of_text
        self.composing = False
        self._mirror = bytearray()
        self._mode: Mode = "user"
        self._typing = False
        self._authors: Runs | None = None
        self._marks: dict[str, list[QTextEdit.ExtraSelection]] = {}
        self._colors: dict[QPalette.ColorRole, QColor] = {}
        self.setCursorWidth(2)
        document.contentsChange.connect(self._changed)

    def dress(self, theme: Theme) -> None:
        """Put on the theme's colours; they are put on again whenever a style sheet has taken them off."""
        self._colors = {role: theme.color(name) for role, name in _COLORS.items()}
        self._color()

    def changeEvent(self, event: QEvent) -> None:
        """A style sheet that comes late, as it does to a room out of sight, brings back the colours from before."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._color()

    def set_space_below(self, pixels: float) -> None:
        """The space below each block; call it with the font."""
        self._layout.below = pixels

    # text

    @property
    def length(self) -> int:
        """The text's length."""
        return len(self._mirror) // 2

    def text(self) -> str:
        """The whole text."""
        return self._mirror.decode("utf-16-le", "surrogatepass")

    def copy_of_text(self) -> bytes:
        """The whole text as UTF-16-LE: a mere copy of memory, to be decoded elsewhere."""
        return bytes(self._mirror)

    def between(self, start: int, end: int) -> str:
        """A part of the text."""
        return self._mirror[2 * start : 2 * end].decode("utf-16-le", "surrogatepass")

    def load(self, text: str, runs: Runs | None = None) -> None:
        """Show another text; its history begins here."""
        with self._as("load"):
            self.setPlainText(text.translate(_BREAKS))
        self.history.clear()
        self.authorship = Authorship(self.length)
        if runs is not None and sum(length for length, _ in runs) == self.length:
            self.authorship.replace(runs)
        self.document().setModified(False)

    def replace_text(self, text: str) -> None:
        """Turn the text into `text` with one step of undo, touching only what differs."""
        old = self.text()
        start = 0
        most = min(len(old), len(text))
        while start < most and old[start] == text[start]:
            start += 1
        tail = 0
        while tail < most - start and old[-1 - tail] == text[-1 - tail]:
            tail += 1
        first = units(old[:start])
        self.replace(first, first + units(old[start : len(old) - tail]), text[start : len(text) - tail])

    def replace(self, start: int, end: int, text: str) -> None:
        """Replace a part of the text as the person would, with one step of undo."""
        self.history.seal()
        self._put(start, end, text)

    def type_text(self, text: str) -> None:
        """Insert `text` at the cursor as if it had been typed."""
        self._typing = True
        try:
            self.textCursor().insertText(text)
        finally:
            self._typing = False
        self.ensureCursorVisible()

    def insert_generated(self, position: int, text: str) -> None:
        """Insert generated text as one step of undo."""
        self.put_streamed(position, position, text)
        runs = self.authorship.between(position, position + units(text))
        self.history.record_step([Edit(position, "", text, inserted_by=runs)], generated=True)

    def put_streamed(self, start: int, end: int, text: str) -> None:
        """Replace a part of the text outside the history, as generated."""
        with self._as("stream"):
            self._put(start, end, text)

    # history

    def undo(self) -> None:
        """Take the last step back; first of all what streams in just now."""
        if not self.undo_passage():
            self._replay(self.history.undo())

    def redo(self) -> None:
        """Do the last undone step again."""
        if self.history.passage is None:
            self._replay(self.history.redo())

    # marks

    def mark(self, layer: str, marks: list[QTextEdit.ExtraSelection]) -> None:
        """Show `marks` in the named layer, in place of what it showed before."""
        if marks or self._marks.get(layer):
            self._marks[layer] = marks
            self.setExtraSelections([mark for layer in sorted(self._marks) for mark in self._marks[layer]])

    # Qt

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys: filters first, then our own history, then Qt's editing."""
        if any(wants(event) for wants in self.key_filters) or self.takes_key(event):
            event.accept()
        elif event.matches(QKeySequence.StandardKey.Undo):
            self.undo()
        elif event.matches(QKeySequence.StandardKey.Redo) or (
            event.key() == Qt.Key.Key_Y and event.modifiers() == Qt.KeyboardModifier.ControlModifier
        ):
            self.redo()
        else:
            self._typing = True
            try:
                super().keyPressEvent(event)
            finally:
                self._typing = False

    def takes_key(self, event: QKeyEvent) -> bool:  # noqa: ARG002 - for those who know more keys
        """Do something of the editor's own for a key; False leaves the key to the ordinary editing."""
        return False

    def event(self, event: QEvent) -> bool:
        """Which keys are ours and which are the window's shortcuts."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            keys = QKeySequence.StandardKey
            if event.matches(keys.DeleteEndOfLine) or event.matches(keys.DeleteCompleteLine):
                event.ignore()  # Ctrl+K and Ctrl+U of X11, which the window's palette and the rooms use
                return True
            if event.matches(keys.Undo) or event.matches(keys.Redo) or self.claims_key(event):
                event.accept()
                return True
        return super().event(event)

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        """Text from an input method is typed text; while it composes, nothing else may interfere."""
        self.composing = bool(event.preeditString())
        self.composition.emit()
        self._typing = True
        try:
            super().inputMethodEvent(event)
        finally:
            self._typing = False

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The usual menu, with our own undo and the room's commands."""
        menu = QMenu(self)
        for action in self.menu_commands():
            menu.addAction(action)
        menu.addSeparator()
        selected, editable = self.textCursor().hasSelection(), not self.isReadOnly()
        undoable = self.history.can_undo or self.history.passage is not None
        for title, keys, run, enabled in (
            ("Undo", QKeySequence.StandardKey.Undo, self.undo, undoable),
            ("Redo", QKeySequence.StandardKey.Redo, self.redo, self.history.can_redo),
            ("", None, None, False),
            ("Cut", QKeySequence.StandardKey.Cut, self.cut, selected and editable),
            ("Copy", QKeySequence.StandardKey.Copy, self.copy, selected),
            ("Paste", QKeySequence.StandardKey.Paste, self.paste, self.canPaste()),
            ("Select all", QKeySequence.StandardKey.SelectAll, self.selectAll, bool(self.length)),
        ):
            if run is None or keys is None:
                menu.addSeparator()
                continue
            action = menu.addAction(title, run)
            action.setShortcut(keys)
            action.setEnabled(enabled)
        menu.exec(event.globalPos())
        menu.deleteLater()

    def createMimeDataFromSelection(self) -> QMimeData:
        """Copied text remembers who wrote it."""
        cursor = self.textCursor()
        start, end = cursor.selectionStart(), cursor.selectionEnd()
        return authored_mime.pack(self.between(start, end), self.authorship.between(start, end))

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Pasted text keeps its authors; anything else counts as the person's."""
        if not source.hasText():
            return
        text = source.text().replace("\r\n", "\n").replace("\r", "\n").translate(_BREAKS)
        self.history.seal()
        self._authors = authored_mime.unpack(source, units(text))
        try:
            self.textCursor().insertText(text)
        finally:
            self._authors = None
        self.ensureCursorVisible()

    # inside

    def _color(self) -> None:
        """The viewport gets the colours too: under a style sheet it would keep those that it was first shown with."""
        palette = self.palette()
        for role, color in self._colors.items():
            palette.setColor(role, color)
        for widget in (self, self.viewport()):
            if widget.palette() != palette:
                widget.setPalette(palette)

    def _put(self, start: int, end: int, text: str) -> None:
        cursor = QTextCursor(self.document())
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(text)

    @contextlib.contextmanager
    def _as(self, mode: Mode) -> Iterator[None]:
        before, self._mode = self._mode, mode
        try:
            yield
        finally:
            self._mode = before

    def _replay(self, edits: list[Edit]) -> None:
        if not edits:
            return
        with self._as("replay"):
            for edit in edits:
                self._authors = edit.inserted_by
                try:
                    self._put(edit.position, edit.position + units(edit.removed), edit.inserted)
                finally:
                    self._authors = None
        last = edits[-1]
        cursor = self.textCursor()
        cursor.setPosition(last.position + units(last.inserted))
        self.setTextCursor(cursor)
        self.ensureCursorVisible()

    def _changed(self, position: int, removed: int, added: int) -> None:
        """Qt's counts may include one more paragraph end on both sides; the total length settles them."""
        total = self.document().characterCount() - 1
        removed = min(removed, self.length - position)
        added = total - self.length + removed
        if added < 0:
            position, removed, added = 0, self.length, total
        before = self.between(position, position + removed)
        cursor = QTextCursor(self.document())
        cursor.setPosition(position)
        cursor.setPosition(position + added, QTextCursor.MoveMode.KeepAnchor)
        after = cursor.selectedText().replace("\u2029", "\n")
        if before == after:
            return
        self._mirror[2 * position : 2 * (position + removed)] = after.encode("utf-16-le", "surrogatepass")
        self._follow(position, before, after, added)
        self.edited.emit(Change(position, before, after, self._mode))

    def _follow(self, position: int, before: str, after: str, added: int) -> None:
        """Authorship and history."""
        if self._mode == "load":
            return
        inserted = self._authors or ((added, "generated" if self._mode == "stream" else "you"),)
        removed = self.authorship.splice(position, units(before), inserted)
        if self._mode == "user":
            edit = Edit(position, before, after, removed, tuple(inserted) if added else ())
            self.history.record(edit, typed=self._typing)
