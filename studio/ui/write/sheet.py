"""One open text: its page, the bar above it, and its file."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.app.notices import Action
from studio.app.trouble import Trouble
from studio.core.failure import Failure, StudioError
from studio.documents.authorship import Runs
from studio.documents.manuscript import Manuscript
from studio.documents.recovery import Recovered, Recovery, digest
from studio.documents.text_file import read_bytes
from studio.documents.text_storage import Outside, TextStorage
from studio.ui.editing.document_file import DocumentFile
from studio.ui.editing.find_bar import FindBar
from studio.ui.editing.generation import Generation
from studio.ui.editing.quiet_bar import QuietBar
from studio.ui.room import RoomContext
from studio.ui.write.editor import Page


class Opened(msgspec.Struct, frozen=True):
    """What was read for a text, before there is a widget for it."""

    storage: TextStorage
    runs: Runs | None
    recovered: Recovered | None


def read_text_for(path: Path, manuscript: Manuscript, recovery: Recovery) -> Opened:
    """Read a text with all that is known of it; for a background thread. Raises `StudioError`."""
    data = read_bytes(path)
    return Opened(TextStorage(path, data), manuscript.read_authorship(path, data), recovery.get(path))


class Sheet(QWidget):
    """A text that is open. `closed` says that its file is gone and nobody wants it back."""

    closed = Signal()

    def __init__(self, context: RoomContext, manuscript: Manuscript, recovery: Recovery, opened: Opened) -> None:
        super().__init__()
        self._context = context
        self._manuscript = manuscript
        self._trouble = Trouble(context.notices)
        self.generation: Generation | None = None
        self.page = Page(context.theme)
        self.bar = QuietBar(context.theme)
        self.find_bar = FindBar(self.page, context.theme)
        self.page.load(opened.storage.text, opened.runs)
        self.file = DocumentFile(self.page, opened.storage, recovery, context.background, "file")
        self.file.keep_authorship = manuscript.write_authorship
        self.file.brought_in.connect(self._brought_in)
        self.file.conflict.connect(self._conflict)
        self.file.failed.connect(self._failed)
        self.file.state_changed.connect(self._state_changed)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(self.page, 1)
        column.addWidget(self.find_bar)
        if opened.recovered is not None:
            self._bring_back(opened.recovered)

    @property
    def path(self) -> Path:
        """The text's file."""
        return self.file.path

    def flush(self) -> None:
        """Save now; a failure is told."""
        try:
            self.file.flush()
        except StudioError as error:
            self._failed(error.failure)

    def close_document(self) -> None:
        """Stop what is written here and keep nothing of it."""
        if self.generation is not None:
            self.generation.stop()
        self.file.forget()

    def _bring_back(self, recovered: Recovered) -> None:
        storage = self.file.storage
        if recovered.text == storage.text:
            return
        self.page.replace_text(recovered.text)
        since = "" if recovered.base == digest(storage.data) else " The file has been changed by another program since."
        self.bar.say(
            f"Text that had not been saved to “{self.path.name}” is back.{since} Undo shows what is in the file.",
            [("Go back to the file", self.page.undo)],
        )

    def _brought_in(self) -> None:
        self.bar.say(
            f"Another program changed “{self.path.name}”; its changes are in the text now.",
            [("Take them out", self.page.undo)],
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
        """The other version goes to the trash, from where it can be had back."""
        outside = self.file.undecided
        if outside is not None and outside.data is not None:
            aside = f"{self.path.stem} (other version {time.strftime('%H.%M.%S')}){self.path.suffix}"
            data = outside.data
            self._context.background.run(lambda: self._manuscript.set_aside(aside, data))
        self.file.keep_mine()

    def _failed(self, failure: Failure) -> None:
        self._trouble.tell(failure, Action("Try again", self.file.save))

    def _state_changed(self, state: str) -> None:
        """What is saved needs no warning."""
        if state == "saved":
            self._trouble.over()
