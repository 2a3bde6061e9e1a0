"""Keeps what is in an editor on disk, off the main thread, at most about a second behind.

Two ways: `file` writes the document itself (prose); `recovery` writes a copy beside it, and the
document only when the person saves it (code). Other programs' changes are brought in where they touch
other lines, else the person is asked; until then both versions are kept.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from studio.core.failure import Failure, StudioError
from studio.documents.authorship import Runs
from studio.documents.recovery import Recovery, digest
from studio.documents.text_merge import merge
from studio.documents.text_storage import Outside, TextStorage
from studio.ui.background import Background
from studio.ui.editing.alive import while_alive
from studio.ui.editing.text_area import Change, TextArea

T = TypeVar("T")
Keeping = Literal["file", "recovery"]
State = Literal["saved", "saving…", "not saved"]
_PAUSE = 0.4
_LATEST = 0.9


class DocumentFile(QObject):
    """One editor and its file.

    `state_changed` carries a `State`; `brought_in` says that another program's change is in the text now;
    `conflict` carries an `Outside` that the person has to decide on; `failed` carries a `Failure`.
    """

    state_changed = Signal(str)
    brought_in = Signal()
    conflict = Signal(object)
    failed = Signal(object)

    def __init__(
        self, area: TextArea, storage: TextStorage, recovery: Recovery, background: Background, keeping: Keeping
    ) -> None:
        super().__init__(area)
        self.area = area
        self.storage = storage
        self.keep_authorship: Callable[[Path, bytes, Runs], None] = lambda _path, _data, _runs: None
        self.undecided: Outside | None = None
        self._recovery = recovery
        self._background = background
        self._keeping = keeping
        self._state: State = "saved"
        self._revision = 0
        self._kept = 0
        self._lock = threading.Lock()
        self._newest_kept = 0
        self._busy = False
        self._save_wanted = False
        self._sequence = 0
        self._since: float | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._keep)
        area.edited.connect(self._edited)

    @property
    def path(self) -> Path:
        """Where the document lies."""
        return self.storage.path

    @property
    def state(self) -> State:
        """Whether the document's file holds what the editor shows."""
        return self._state

    @property
    def modified(self) -> bool:
        """Whether the file holds something else than the editor."""
        return self._state != "saved"

    def save(self) -> None:
        """Write the document's file now, in the background."""
        if self.undecided is None:
            self._timer.stop()
            self._write_file()

    def check(self) -> None:
        """Look, in the background, whether another program changed the file."""
        if self.undecided is None and not self._busy:
            self._run(self.storage.check, self._looked, self.failed.emit)

    def moved(self, path: Path) -> None:
        """The file has been renamed."""
        self._recovery.drop(self.path)
        self.storage.move(path)
        if self.modified:
            self._timer.start(0)

    def keep_mine(self) -> None:
        """Decide for what the editor shows. The other version was put aside by the caller."""
        if self.undecided is not None:
            self.storage.accept(self.undecided)
            self.undecided = None
            self._write_file()

    def take_theirs(self) -> None:
        """Decide for what lies on disk; one undo brings the person's version back."""
        if self.undecided is not None and self.undecided.content is not None:
            outside, self.undecided = self.undecided, None
            self._bring_in(outside, outside.content.text if outside.content else "")

    def flush(self) -> None:
        """Save what is not yet on disk before this returns. Raises `StudioError` if neither place takes it."""
        self._timer.stop()
        if not self.modified:
            return
        if self._keeping == "recovery" or self.undecided is not None:
            self._keep_recovery(self.area.snapshot(), self._next())
            return
        text = self.area.snapshot()
        try:
            done = self._write(text, self._next(), self.area.authorship.runs)
        except StudioError:
            done = None
        if not isinstance(done, bytes):
            self._keep_recovery(text, self._next())

    def forget(self) -> None:
        """The document is closed or deleted: keep nothing of it any more."""
        self._timer.stop()
        self.area.edited.disconnect(self._edited)
        with self._lock:  # what is being written just now must not come back
            self._newest_kept = self._next()
            self._recovery.drop(self.path)

    def _edited(self, change: Change) -> None:
        if change.mode == "load":
            return
        self._revision += 1
        now = time.monotonic()
        if self._since is None:
            self._since = now
        self._set_state("saving…" if self._keeping == "file" and self.undecided is None else "not saved")
        left = max(0.0, min(_PAUSE, self._since + _LATEST - now))
        self._timer.start(round(left * 1000))

    def _keep(self) -> None:
        if self._busy:
            if self._save_wanted:
                self._timer.start(20)
            return
        if self.undecided is None and (self._keeping == "file" or self._save_wanted):
            self._write_file()
            return
        text, revision, sequence = self.area.snapshot(), self._revision, self._next()
        self._busy, self._since = True, None
        self._run(lambda: self._keep_recovery(text, sequence), lambda same: self._done(revision, same), self._refused)

    def _write_file(self) -> None:
        self._save_wanted = self._busy
        if self._busy:
            self._timer.start(20)
            return
        text, revision, runs = self.area.snapshot(), self._revision, self.area.authorship.runs
        sequence = self._next()
        self._busy, self._since = True, None
        self._set_state("saving…")
        self._run(lambda: self._write(text, sequence, runs), lambda done: self._written(done, revision), self._refused)

    def _write(self, text: bytes, sequence: int, runs: Runs) -> Outside | bytes | None:
        """Runs on any thread."""
        done = self.storage.save(text, sequence)
        if isinstance(done, bytes):
            self.keep_authorship(self.path, done, runs)
            self._recovery.drop(self.path)
        return done

    def _keep_recovery(self, data: bytes, sequence: int) -> bool:
        """Whether the file holds this text already, as after undo; else keep it. Runs on any thread."""
        with self._lock:
            if sequence < self._newest_kept:
                return False
            self._newest_kept = sequence
            return self._keep_text(data.decode("utf-16-le", "surrogatepass"))

    def _keep_text(self, text: str) -> bool:
        if self.undecided is None and not self.storage.is_gone and text == self.storage.text:
            self._recovery.drop(self.path)
            return True
        self._recovery.put(self.path, text, digest(self.storage.data))
        return False

    def _written(self, done: Outside | bytes | None, revision: int) -> None:
        self._busy = False
        if isinstance(done, Outside):
            self._set_state("not saved")
            self._looked(done)
            return
        self._kept = max(self._kept, revision)
        if self._kept == self._revision:
            self._set_state("saved")
        self._go_on()

    def _done(self, revision: int, same: bool) -> None:
        self._busy = False
        if revision != self._revision:
            self._go_on()
        elif same:
            self._kept = revision
            self._set_state("saved")

    def _go_on(self) -> None:
        """Edits came while it was writing."""
        if self._since is not None and not self._timer.isActive():
            self._timer.start(round(_PAUSE * 1000))

    def _refused(self, failure: Failure) -> None:
        """The document could not be written: tell, and try to keep the text in the recovery folder at least."""
        self._busy = False
        self._set_state("not saved")
        self.failed.emit(failure)
        text, sequence = self.area.snapshot(), self._next()
        self._run(lambda: self._keep_recovery(text, sequence), lambda _same: None, lambda _failure: None)

    def _looked(self, outside: Outside | None) -> None:
        """What to do about another program's change."""
        if outside is None:
            return
        if outside.content is not None:
            merged = merge(self.storage.text, self.area.text(), outside.content.text)
            if merged is not None:
                self._bring_in(outside, merged)
                return
        self.undecided = outside
        self._set_state("not saved")
        self._timer.start(0)  # the person's version goes into the recovery folder meanwhile
        self.conflict.emit(outside)

    def _bring_in(self, outside: Outside, text: str) -> None:
        self.storage.accept(outside)
        if text != self.area.text():
            self.area.replace_text(text)
            self.brought_in.emit()
        if text == self.storage.text:
            self._timer.stop()
            self._since = None
            self._kept = self._revision
            self._set_state("saved")
        else:
            self._timer.start(0)

    def _run(self, work: Callable[[], T], done: Callable[[T], None], failed: Callable[[Failure], None]) -> None:
        self._background.run(work, while_alive(self, done), while_alive(self, failed))

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    def _set_state(self, state: State) -> None:
        if state != self._state:
            self._state = state
            self.state_changed.emit(state)
