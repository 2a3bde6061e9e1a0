"""One job in the worker: its cancel flag, its events numbered and paced, its end."""

from __future__ import annotations

import gc
import os
import time

from msgspec.structs import replace

from studio.core.boundary import attempt, failure_of
from studio.core.engine import Assignment, Engine
from studio.core.events import (
    Event,
    JobCancelled,
    JobCompleted,
    JobFailed,
    JobPreview,
    JobStarted,
    is_terminal,
)
from studio.core.failure import Cancelled, Failure, FailureCode
from studio.core.wire.frames import ChannelClosed, FrameTooLarge
from studio.core.wire.messages import Assign
from studio.core.wire.pixels import CancelWord, PixelSender
from studio.worker import process, threads

_NO_RESULT = Failure(
    FailureCode.INTERNAL,
    "The engine stopped without a result.",
    hint="Try again; if it happens each time, report it with the details.",
)


class SharedCancel:
    """The job's cancel flag, in memory that the studio writes: one word to compare, cheap at each token."""

    def __init__(self, word: CancelWord, turn: int) -> None:
        self._word = word
        self._turn = turn

    def is_set(self) -> bool:
        """Whether the job is to end."""
        return self._word.asked(self._turn)

    def check(self) -> None:
        """Raise `Cancelled` if the job is to end."""
        if self.is_set():
            raise Cancelled


class Performance:
    """Runs one assignment on an engine and sends what it says. The last event is always a terminal one."""

    def __init__(self, assign: Assign, word: CancelWord, pixels: PixelSender, foreign: float) -> None:
        self._assignment = _with_threads(assign.assignment, foreign)
        self._cancel = SharedCancel(word, assign.turn)
        self._pixels = pixels
        self._sequence = 0
        self._started = False
        self._ended = False
        self._next_preview = 0.0

    def run(self, engine: Engine) -> None:
        """Run to the end, whatever happens. Raises `ChannelClosed` alone."""
        process.forget_peak()
        failure = attempt(lambda: self._follow(engine), let_through=(ChannelClosed,))
        if failure is not None:
            # Whatever a library makes of an interrupted call, somebody asked for the end.
            self._end(JobCancelled() if self._cancel.is_set() else JobFailed(failure=failure))
        self.fail(_NO_RESULT)
        gc.collect()

    def _follow(self, engine: Engine) -> None:
        try:
            self._cancel.check()
            for event in engine.run(self._assignment, self._cancel):
                # The engine is heard out, so that it can put its things in order after the result.
                if not self._ended:
                    self._say(event)
        except Cancelled:
            self._end(JobCancelled())

    def fail(self, failure: Failure) -> None:
        """End the job with a failure, unless it has ended."""
        self._end(JobFailed(failure=failure))

    def _say(self, event: Event) -> None:
        if isinstance(event, JobPreview) and event.finished is None and not self._preview_is_due():
            return
        if isinstance(event, JobStarted):
            if self._started:
                return
            event = replace(event, process=os.getpid())
        elif not self._started:
            self._send(JobStarted(device=self._assignment.placement.device, process=os.getpid()))
        self._started = True
        if isinstance(event, JobCompleted) and not event.report.peak_memory:
            event = replace(event, report=replace(event.report, peak_memory=process.peak_bytes()))
        self._send(event)

    def _end(self, event: Event) -> None:
        if not self._ended:
            self._send(event)

    def _send(self, event: Event) -> None:
        stamped = replace(event, job=self._assignment.job, sequence=self._sequence)
        try:
            sent = self._pixels.send(stamped)
        except FrameTooLarge as error:
            self._end(JobFailed(failure=failure_of(error)))
            return
        self._sequence += sent
        self._ended = self._ended or is_terminal(event)

    def _preview_is_due(self) -> bool:
        now = time.monotonic()
        if now < self._next_preview or self._assignment.preview_rate <= 0:
            return False
        self._next_preview = now + 1.0 / self._assignment.preview_rate
        return True


def _with_threads(assignment: Assignment, foreign: float) -> Assignment:
    if assignment.placement.threads:
        return assignment
    chosen = threads.threads_beside(foreign, threads.cores())
    return replace(assignment, placement=replace(assignment.placement, threads=chosen))
