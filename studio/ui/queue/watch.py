"""The queue's present content, read outside the main thread and handed over when it changes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from studio.core.events import Event, is_terminal
from studio.core.jobs import Job, JobState
from studio.core.references import SUGGESTION
from studio.ui.background import Background
from studio.ui.bridge import Bridge
from studio.ui.pace import Pace

if TYPE_CHECKING:
    from studio.jobs.queue import Queue

_MOST_ENDED = 40


class QueueWatch(QObject):
    """`jobs` and `paused` as they were read last, without suggestions at the cursor; `changed` tells.

    `paces` follows the running jobs; `moved` carries the id of a job that got further.
    """

    changed = Signal()
    moved = Signal(str)

    def __init__(self, queue: Queue, bridge: Bridge, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.queue = queue
        self.jobs: tuple[Job, ...] = ()
        self.paused = False
        self.paces: dict[str, Pace] = {}
        self._background = background
        self._reading = False
        self._stale = False
        bridge.queue_changed.connect(self.read)
        bridge.job_event.connect(self._hear)

    @property
    def waiting(self) -> int:
        """How many jobs have not begun; those that were cut short are no longer asked for, only offered."""
        return sum(1 for job in self.jobs if job.state is JobState.QUEUED and not job.interrupted)

    @property
    def open(self) -> int:
        """How many jobs run or wait."""
        return self.waiting + sum(1 for job in self.jobs if job.state.active)

    @property
    def interrupted(self) -> tuple[Job, ...]:
        """Jobs that were cut short when the studio ended."""
        return tuple(job for job in self.jobs if job.interrupted and job.state is JobState.QUEUED)

    def read(self) -> None:
        """Read the queue again soon."""
        if self._reading:
            self._stale = True
            return
        self._reading = True
        self._background.run(self._snapshot, self._take)

    def act(self, operation: Callable[[], object]) -> None:
        """Change the queue outside the main thread, then read it again; a refusal is shown in the bar."""
        self._background.run(operation, lambda _result: self.read())

    def note_stop(self, job_id: str) -> None:
        """Somebody stops a running job: that is seen at once, however long its end takes."""
        job = next((job for job in self.jobs if job.id == job_id and job.state.active), None)
        if job is not None:
            self._pace(job).stopping = True
            self.moved.emit(job_id)

    def _snapshot(self) -> tuple[tuple[Job, ...], bool]:
        jobs = [job for job in self.queue.jobs() if job.destination.anchor != SUGGESTION]
        ended = [job for job in jobs if job.state.ended]
        ended.sort(key=lambda job: job.ended or 0.0, reverse=True)
        going = [job for job in jobs if job.state.active]
        waiting = [job for job in jobs if job.state is JobState.QUEUED]
        return (*going, *waiting, *ended[:_MOST_ENDED]), self.queue.paused

    def _take(self, content: tuple[tuple[Job, ...], bool]) -> None:
        self._reading = False
        if content != (self.jobs, self.paused):
            self.jobs, self.paused = content
            self.changed.emit()
        if self._stale:
            self._stale = False
            self.read()

    def _hear(self, job: Job, event: Event) -> None:
        if is_terminal(event):
            self.paces.pop(job.id, None)
        else:
            self._pace(job).hear(event, time.monotonic())
        self.moved.emit(job.id)

    def _pace(self, job: Job) -> Pace:
        pace = self.paces.get(job.id)
        if not isinstance(pace, Pace):
            pace = self.paces[job.id] = Pace(job)
        return pace
