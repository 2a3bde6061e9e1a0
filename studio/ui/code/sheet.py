"""One open source file: its editor, its bars, its colours and its suggestions."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.app.notices import Action
from studio.app.trouble import Trouble
from studio.core.failure import Failure, StudioError
from studio.core.references import ModelRef
from studio.documents.code_folder import language_of
from studio.documents.recovery import Recovered, Recovery, digest
from studio.documents.text_file import read_bytes
from studio.documents.text_storage import Outside, TextStorage
from studio.documents.trash import set_aside
from studio.ui.code.bars import LineBar, StatusLine
from studio.ui.code.colors import Colors
from studio.ui.code.editor import SourceArea
from studio.ui.code.parsing import is_supported
from studio.ui.code.suggestions import Suggestions
from studio.ui.editing.document_file import DocumentFile
from studio.ui.editing.find_bar import FindBar
from studio.ui.editing.generation import Generation
from studio.ui.editing.quiet_bar import QuietBar
from studio.ui.room import RoomContext

Chosen = Callable[[], ModelRef | None]
_HINT = "Tab takes it  ·  Ctrl → a word  ·  Alt ] another  ·  Esc"


class Opened(msgspec.Struct, frozen=True):
    """What was read for a file, before there is a widget for it."""

    storage: TextStorage
    recovered: Recovered | None


def read_source(path: Path, recovery: Recovery) -> Opened:
    """Read a file with its unsaved changes; for a background thread. Raises `StudioError`.

    A file that is gone can be opened while there are unsaved changes of it.
    """
    recovered = recovery.get(path)
    if recovered is not None and not path.exists():
        storage = TextStorage(path, b"")
        storage.accept(Outside(None, None))
        return Opened(storage, recovered)
    return Opened(TextStorage(path, read_bytes(path)), recovered)


class Sheet(QWidget):
    """A source file that is open. `closed` asks for it to be put away."""

    closed = Signal()

    def __init__(
        self,
        context: RoomContext,
        trash: Path,
        recovery: Recovery,
        opened: Opened,
        model: Callable[[], ModelRef | None],
    ) -> None:
        super().__init__()
        self._context = context
        self._trash = trash
        self._question = ""
        self._trouble = Trouble(context.notices)
        self.generation: Generation | None = None
        path = opened.storage.path
        language = language_of(path)
        self.area = SourceArea(context.theme, language)
        self.area.load_source(opened.storage.text)
        self.bar = QuietBar(context.theme)
        self.find_bar = FindBar(self.area, context.theme)
        self.line_bar = LineBar(self.area, context.theme)
        self.status = StatusLine(context.theme)
        self.colors: Colors | None = None
        self.suggestions = Suggestions(context, self.area, path.as_posix(), language, model)
        self.file = DocumentFile(self.area, opened.storage, recovery, context.background, "recovery")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget in (self.bar, self.area, self.find_bar, self.line_bar, self.status):
            column.addWidget(widget, 1 if widget is self.area else 0)
        self._connect()
        self._take_colors()
        if opened.recovered is not None:
            self._bring_back(opened.recovered)

    @property
    def path(self) -> Path:
        """The file."""
        return self.file.path

    def flush(self) -> None:
        """Keep unsaved changes now; a failure is told."""
        try:
            self.file.flush()
        except StudioError as error:
            self._failed(error.failure)

    def ask_to_close(self) -> None:
        """Close, or, with unsaved changes, ask first."""
        if not self.file.modified:
            self.closed.emit()
            return
        self._question = f"“{self.path.name}” has changes that are not saved."
        self.bar.say(
            self._question,
            [("Save and close", self._save_and_close), ("Close without saving", self._throw_away)],
        )

    def event(self, event: QEvent) -> bool:
        """Esc answers the question whether to close; it is not for the window's shortcuts then."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride and self._takes(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc: the file stays open."""
        if self._takes(event):
            self.bar.hide()
        else:
            super().keyPressEvent(event)

    def close_document(self) -> None:
        """Stop everything that goes on here and keep nothing of it."""
        if self.generation is not None:
            self.generation.stop()
        self.suggestions.stop()
        if self.colors is not None:
            self.colors.stop()
        self.file.forget()

    def moved(self, path: Path) -> None:
        """The file has another name, perhaps of another language."""
        self.file.moved(path)
        self.suggestions.document = path.as_posix()
        language = language_of(path)
        if language != self.area.language:
            self.area.language = self.suggestions.language = language
            self._take_colors()
            self.area.moved.emit(*self.area.place())

    def _takes(self, event: QKeyEvent) -> bool:
        return event.key() == Qt.Key.Key_Escape and self.bar.sentence() == self._question != ""

    def _take_colors(self) -> None:
        if self.colors is not None:
            self.colors.stop()
            self.colors.clear()
            self.colors.deleteLater()
        language, context = self.area.language, self._context
        supported = is_supported(language)
        self.colors = Colors(self.area, context.theme, context.background, language) if supported else None

    def _connect(self) -> None:
        self.area.moved.connect(self._show_place)
        self.suggestions.changed.connect(self._show_hint)
        self.file.brought_in.connect(self._brought_in)
        self.file.conflict.connect(self._conflict)
        self.file.failed.connect(self._failed)
        self.file.state_changed.connect(self._state_changed)
        self._show_place(1, 1)

    def _show_place(self, line: int, column: int) -> None:
        self.status.show_place(line, column, self.area.language)

    def _show_hint(self) -> None:
        words = self.suggestions.place_words()
        hint = f"{words}  ·  {_HINT}" if words else _HINT
        self.status.show_hint(hint if self.suggestions.ghost.text else "")

    def _save_and_close(self) -> None:
        def done(state: str) -> None:
            if state == "saved":
                self.file.state_changed.disconnect(done)
                self.closed.emit()

        self.file.state_changed.connect(done)
        self.file.save()

    def _throw_away(self) -> None:
        """What is thrown away goes to the trash, from where it can be had back."""
        name = f"{self.path.stem} (not saved {time.strftime('%H.%M.%S')}){self.path.suffix}"
        data = self.area.text().encode("utf-8", "replace")
        trash = self._trash
        self._context.background.run(lambda: set_aside(name, data, trash))
        self.closed.emit()

    def _bring_back(self, recovered: Recovered) -> None:
        storage = self.file.storage
        if recovered.text == storage.text and not storage.is_gone:
            return
        self.area.replace_text(recovered.text)
        if storage.is_gone:
            self.bar.say(f"The file “{self.path.name}” is gone. Its unsaved text is kept here.",
                         [("Save it again", self.file.save)])  # fmt: skip
        elif recovered.base != digest(storage.data):
            self.bar.say(
                f"“{self.path.name}” was changed by another program since. Your unsaved text is shown.",
                [("Show the file's", self.area.undo)],
            )

    def _brought_in(self) -> None:
        self.bar.say(
            f"Another program changed “{self.path.name}”; its changes are in the text now.",
            [("Take them out", self.area.undo)],
        )

    def _conflict(self, outside: Outside) -> None:
        name = self.path.name
        if outside.content is None:
            self.bar.say(
                f"“{name}” was moved or deleted by another program. What you see here is kept.",
                [("Save it again", self.file.keep_mine), ("Close it", self.closed.emit)],
                closable=False,
            )
            return
        self.bar.say(
            f"Another program changed the same lines of “{name}”. Both versions are kept until you choose.",
            [("Keep mine", self._keep_mine), ("Take the other", self.file.take_theirs)],
            closable=False,
        )

    def _keep_mine(self) -> None:
        outside = self.file.undecided
        if outside is not None and outside.data is not None:
            name, data = f"{self.path.stem} (other version {time.strftime('%H.%M.%S')}){self.path.suffix}", outside.data
            trash = self._trash
            self._context.background.run(lambda: set_aside(name, data, trash))
        self.file.keep_mine()

    def _failed(self, failure: Failure) -> None:
        self._trouble.tell(failure, Action("Try again", self.file.save))

    def _state_changed(self, state: str) -> None:
        """What is saved needs no question and no warning."""
        if state == "saved":
            self._trouble.over()
            if self.bar.sentence() == self._question:
                self.bar.hide()
