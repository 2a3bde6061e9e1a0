"""One request from an editor: submitted, streamed to its place, stopped at once when asked."""

from __future__ import annotations

import dataclasses

from PySide6.QtCore import QObject, Signal

from studio.core.events import (
    ContextUse,
    Event,
    JobCancelled,
    JobCompleted,
    JobFailed,
    JobProgress,
    JobStarted,
    Stage,
    TextDelta,
)
from studio.core.references import Destination
from studio.core.requests import CodeRequest, TextRequest
from studio.ui.editing.cleaning import Cleaner
from studio.ui.editing.stream import Stream, Target
from studio.ui.editing.text_area import TextArea
from studio.ui.room import RoomContext

_STAGES = {Stage.LOAD: "Loading the model…", Stage.PROMPT: "Reading…", Stage.GENERATE: "Writing…"}


@dataclasses.dataclass(frozen=True)
class Order:
    """What is asked for, where it lands, what the queue calls it, and how the text is corrected on its way."""

    request: TextRequest | CodeRequest
    destination: Destination
    title: str
    cleaner: Cleaner | None = None


class Generation(QObject):
    """A running generation in one document.

    `told` carries a word on what happens now; `context_used` a `ContextUse`; `ended` comes once, with how the
    stream ended. Raises `StudioError` from the constructor where the request can't be submitted; nothing
    has been touched then.
    """

    told = Signal(str)
    context_used = Signal(object)
    ended = Signal(str)

    def __init__(self, context: RoomContext, area: TextArea, target: Target, order: Order) -> None:
        super().__init__(area)
        self._studio = context.studio
        self.words = "Waiting its turn…"
        request = context.studio.advised(order.request)
        self.job = context.studio.submit(request, order.destination, order.title)
        self.stream = Stream(area, target, context.theme, order.cleaner)
        self.stream.ended.connect(self._stream_ended)
        self._unfollow = context.bridge.follow(self.job.id, self._event)
        self._over = False
        self._arrived = False

    @property
    def area(self) -> TextArea:
        """The editor that the text goes to."""
        return self.stream.area

    def stop(self) -> None:
        """End it now, in the window and in the worker."""
        self.stream.stop()

    def _stream_ended(self, how: str) -> None:
        """Whatever ended the stream, the job must not go on."""
        if not self._over:
            self._over = True
            self._unfollow()
            self._studio.cancel(self.job.id)
        self.ended.emit(how)

    def _event(self, event: Event) -> None:
        match event:
            case TextDelta():
                self._arrived = True
                self.stream.add(event.text)
                self._tell(_STAGES[Stage.GENERATE])
            case JobStarted():
                self._tell("Starting…")
            case JobProgress():
                self._tell(_STAGES.get(event.stage, self.words))
            case ContextUse():
                self.context_used.emit(event)
            case JobCompleted():
                self._over = True
                if not self._arrived:
                    self.stream.add(event.text)
                # What the length cut off in the middle of a line of code is no code.
                cut = event.report.finish == "length" and isinstance(self.job.request, CodeRequest)
                self.stream.finish(whole_lines=cut)
            case JobCancelled() | JobFailed():
                self._over = True
                self.stream.stop()

    def _tell(self, words: str) -> None:
        if words != self.words:
            self.words = words
            self.told.emit(words)
