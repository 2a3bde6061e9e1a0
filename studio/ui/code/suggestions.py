"""When a suggestion is asked for, and which one is shown.

One job at most is on its way; a newer wish cancels the older one, and what comes for a cursor that has
moved on is dropped. The last few suggestions are remembered, so that going back costs nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from studio.core.events import Event, JobCompleted, JobFailed, TextDelta, is_terminal
from studio.core.failure import StudioError
from studio.core.references import SUGGESTION, Destination, ModelRef
from studio.core.requests import CodeRequest
from studio.documents.code_folder import comment_mark
from studio.ui.code.asking import Place, suggested
from studio.ui.code.trimming import may_stand_before, offered
from studio.ui.editing.ghost import Ghost
from studio.ui.editing.text_area import Change, TextArea
from studio.ui.room import RoomContext

PAUSE_MILLISECONDS = 150
_REMEMBERED = 64
_BEFORE, _AFTER = 4000, 1000
TITLE = "Suggestion"
Key = tuple[str, str, bool]


class Suggestions(QObject):
    """Suggestions for one editor. `changed` comes when one is shown or goes; `model` gives the model or None."""

    changed = Signal()

    def __init__(
        self, context: RoomContext, area: TextArea, document: str, language: str, model: Callable[[], ModelRef | None]
    ) -> None:
        super().__init__(area)
        self.document = document
        self.automatic: Callable[[], bool] = lambda: True
        self.ghost = Ghost(area, context.theme)
        self._context = context
        self._area = area
        self.language = language
        self._model = model
        self._known: OrderedDict[Key, list[str]] = OrderedDict()
        self._shown: tuple[Key, int] | None = None
        self._job = ""
        self._unfollow: Callable[[], None] = lambda: None
        self._revision = 0
        self._place_asked = -1
        self._broken = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MILLISECONDS)
        self._timer.timeout.connect(self._paused)
        area.edited.connect(self._edited)
        area.cursorPositionChanged.connect(self._moved)
        self.ghost.gone.connect(self._gone)

    @property
    def waiting(self) -> bool:
        """Whether one is on its way or about to be asked for."""
        return bool(self._job) or self._timer.isActive()

    def ask(self) -> None:
        """Suggest something now, as long as it needs to be."""
        self._broken = False
        self._timer.stop()
        self._want(asked=True, other=False)

    def next(self) -> None:
        """Show another suggestion for the same place."""
        if self._shown is None or not self.ghost.text:
            self.ask()
            return
        key, number = self._shown
        known = self._known.get(key, [])
        if number + 1 < len(known):
            self._show(key, number + 1)
        else:
            self._want(asked=key[2], other=True)

    def stop(self) -> None:
        """Neither wait nor show; for closing the file and for other generations."""
        self._timer.stop()
        self._cancel()
        self.ghost.hide()

    def _edited(self, change: Change) -> None:
        self._revision += 1
        self._cancel()
        typed = change.mode == "user" and (change.inserted or change.removed)
        if typed and not self.ghost.text and self.automatic():
            self._timer.start()
        else:
            self._timer.stop()

    def _gone(self) -> None:
        """Sent away, taken or outdated: what is still coming of it is not wanted."""
        self._cancel()
        self.changed.emit()

    def _moved(self) -> None:
        """A move without an edit: whatever was wanted was wanted elsewhere."""
        if self._job and self._area.textCursor().position() != self._place_asked:
            self._cancel()

    def _paused(self) -> None:
        """After a failure, which the window tells once, nothing comes by itself until it is asked for again."""
        busy = self._broken or self._area.composing or bool(self.ghost.text)
        if self._area.hasFocus() and not busy and self._fits_here():
            self._want(asked=False, other=False)

    def _fits_here(self) -> bool:
        """Not before anything but closing brackets and the like, not on an empty page, not beside a selection."""
        cursor = self._area.textCursor()
        after = cursor.block().text()[cursor.positionInBlock() :]
        begun = bool(self._area.between(max(0, cursor.position() - 200), cursor.position()).strip())
        return begun and not cursor.hasSelection() and may_stand_before(after)

    def _want(self, *, asked: bool, other: bool) -> None:
        area = self._area
        model = self._model()
        if model is None or area.composing or area.history.passage is not None or area.textCursor().hasSelection():
            return
        position = area.textCursor().position()
        before = area.between(max(0, position - _BEFORE), position)
        after = area.between(position, min(area.length, position + _AFTER))
        key = (before, after, asked)
        if key in self._known and not other:
            self._known.move_to_end(key)
            self._show(key, 0)
            return
        place = Place(before, after, language=self.language)
        seed = self._context.studio.new_seed() if other else 0
        self._submit(key, suggested(place, model, seed, asked=asked, other=other), position)

    def _submit(self, key: Key, request: CodeRequest, position: int) -> None:
        self._cancel()
        studio = self._context.studio
        destination = Destination(room="code", document=self.document, anchor=SUGGESTION)
        try:
            job = studio.submit(studio.advised(request), destination, TITLE)
        except StudioError as error:
            self._context.notices.fail(error.failure)
            return
        self._job, self._place_asked = job.id, position
        revision = self._revision
        text = ""

        def hear(event: Event) -> None:
            nonlocal text
            if isinstance(event, TextDelta):
                text += event.text
            elif isinstance(event, JobCompleted):
                text = event.text or text
            if is_terminal(event):
                self._job = ""
                self._broken = isinstance(event, JobFailed)
            if revision == self._revision and self._area.textCursor().position() == position:
                self._arrived(key, text, event)

        self._unfollow = self._context.bridge.follow(job.id, hear)

    def _arrived(self, key: Key, text: str, event: Event) -> None:
        done = isinstance(event, JobCompleted)
        cut = isinstance(event, JobCompleted) and event.report.finish == "length"
        shown = offered(text, key[0], key[1], comment=comment_mark(self.language), whole=done, cut=cut)
        if not shown:
            if done:
                self.ghost.hide()
            return
        if done:
            known = self._known.setdefault(key, [])
            if shown not in known:
                known.append(shown)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
            self._show(key, known.index(shown))
        elif self.ghost.text != shown:
            self.ghost.show(shown)
            self.changed.emit()

    def _show(self, key: Key, number: int) -> None:
        self._shown = (key, number)
        text = self._known[key][number]
        if self.ghost.text != text:
            self.ghost.show(text)
        self.changed.emit()

    def place_words(self) -> str:
        """`2 of 3` where there are several suggestions."""
        if self._shown is None or not self.ghost.text:
            return ""
        key, number = self._shown
        count = len(self._known.get(key, ()))
        return f"{number + 1} of {count}" if count > 1 else ""

    def _cancel(self) -> None:
        job, self._job = self._job, ""
        if job:
            self._unfollow()
            self._context.studio.cancel(job)
