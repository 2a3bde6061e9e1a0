"""One job's time with a worker, as the studio sees it."""

from __future__ import annotations

import threading
import time

from studio.core.engine import Assignment
from studio.core.events import Event, JobNotice, JobProgress, JobStarted, Stage, TextDelta
from studio.core.jobs import Job, JobState


class Turn:
    """The running job: how far it is, what it has written, and whether its end was asked for."""

    def __init__(self, job: Job, number: int) -> None:
        self.job = job
        self.number = number
        self.assignment: Assignment | None = None
        self.sent = False
        self.finishing = False
        self.cancel_asked: float | None = None
        self.cancel_sent = False
        self.by_user = False
        self.guard: threading.Timer | None = None
        self.stage = "before it reached the worker"
        self._next_sequence = 0
        self._text: list[str] = []

    @property
    def text(self) -> str:
        """What has been written so far."""
        return "".join(self._text)

    def ask_cancel(self, *, by_user: bool) -> None:
        """Remember that the end is wanted, and since when."""
        if self.cancel_asked is None:
            self.cancel_asked = time.monotonic()
        self.by_user = self.by_user or by_user

    def note(self, event: Event) -> bool:
        """Take an event in; says whether with it the job has passed from loading to running."""
        self._next_sequence = max(self._next_sequence, event.sequence + 1)
        if isinstance(event, TextDelta):
            self._text.append(event.text)
        if isinstance(event, JobProgress):
            self.stage = f"in stage {event.stage.value}, step {event.step}"
        elif isinstance(event, JobStarted):
            self.stage = "at the start"
        preparing = isinstance(event, JobStarted | JobNotice) or (
            isinstance(event, JobProgress) and event.stage is Stage.LOAD
        )
        return not preparing and self.job.state is JobState.LOADING

    @property
    def next_sequence(self) -> int:
        """The number for an event that the worker can't send any more."""
        return self._next_sequence
