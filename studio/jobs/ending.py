"""How jobs end: results are stored first, then the queue is told, then the listeners."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from studio.core.boundary import attempt
from studio.core.events import Event, JobCancelled, JobCompleted, JobFailed
from studio.core.failure import Failure, FailureCode, StudioError
from studio.core.jobs import Family, Job, JobState, family_of
from studio.jobs.queue import Queue
from studio.jobs.turn import Turn

_log = logging.getLogger(__name__)

Finish = Callable[[Job, JobCompleted], JobCompleted]


class Ending:
    """Writes down what became of a job, and passes events on. Used from the lanes' threads."""

    def __init__(self, queue: Queue, finish: Finish | None, tell: Callable[[Job, Event], None]) -> None:
        self._queue = queue
        self._finish = finish
        self.tell = tell

    def settle(self, turn: Turn, event: Event, *, interrupted: bool) -> tuple[Job, Event]:
        """Store the result, record the end; the job and the event to tell.

        A result that can't be stored makes the job a failed one. With `interrupted`, a cancelled job goes
        back into the queue instead, to be offered at the next start.
        """
        if isinstance(event, JobCompleted):
            event = self._store(turn.job, event)
        if isinstance(event, JobCancelled) and not event.text:
            event = replace(event, text=turn.text)
        event = replace(event, job=turn.job.id)
        if interrupted and isinstance(event, JobCancelled):
            return self._interrupt(turn.job, event.text), event
        return self.record(turn.job, ended=time.time(), **_outcome(event, turn)), event

    def record(self, job: Job, **changes: Any) -> Job:  # noqa: ANN401 - the fields of Job, checked by the queue
        """Write down a change; where even memory can't take it, the session goes on without the record."""
        try:
            return self._queue.record(job.id, **changes)
        except StudioError:
            _log.warning("the queue could not record job %s", job.id, exc_info=True)
            return replace(job, **changes)

    def hold_others(self, family: Family, failure: Failure, deaths: int) -> Failure:
        """Put the family's waiting jobs on hold; the failure that says so."""
        held = 0
        try:
            for job in self._queue.jobs():
                if job.state is JobState.QUEUED and not job.held and family_of(job.request) is family:
                    self._queue.hold(job.id)
                    held += 1
        except StudioError:
            _log.warning("the queue could not be put on hold", exc_info=True)
        others = f" The {held} other jobs of this kind were put on hold." if held else ""
        return Failure(
            FailureCode.WORKER_DIED if failure.code is FailureCode.INTERNAL else failure.code,
            f"{failure.message} That was {deaths} times in a row while loading.{others}",
            hint="Choose another model, or check this one's file; then resume the jobs that wait.",
            detail=failure.detail,
        )

    def _store(self, job: Job, event: JobCompleted) -> Event:
        finish = self._finish
        if finish is None:
            return event
        stored = attempt(lambda: finish(job, event))
        return JobFailed(sequence=event.sequence, failure=stored) if isinstance(stored, Failure) else stored

    def _interrupt(self, job: Job, text: str) -> Job:
        try:
            return self._queue.interrupt(job.id, text)
        except StudioError:
            _log.warning("the queue could not record job %s", job.id, exc_info=True)
            return job


def _outcome(event: Event, turn: Turn) -> dict[str, Any]:
    match event:
        case JobCompleted(assets=assets, text=text):
            return {"state": JobState.COMPLETED, "assets": assets, "text": text or turn.text}
        case JobFailed(failure=failure):
            return {"state": JobState.FAILED, "failure": failure, "text": turn.text}
        case JobCancelled(text=text):
            return {"state": JobState.CANCELLED, "text": text}
        case _:
            raise AssertionError(event)
