"""Brings queued jobs to worker processes and their events to listeners. (Surface; being filled in.)"""

from __future__ import annotations

from collections.abc import Callable

from studio.core.engine import Assignment
from studio.core.events import Event, JobCompleted
from studio.core.jobs import Family, Job
from studio.core.references import Destination
from studio.core.requests import Request
from studio.jobs.limits import DeviceMemory, Limits, WorkerCommand, WorkerState
from studio.jobs.queue import Queue

Listener = Callable[[Job, Event], None]
Finish = Callable[[Job, JobCompleted], JobCompleted]


class Dispatcher:
    """Runs the queue's jobs, one at a time per engine family. Thread-safe.

    `assign` resolves a job to this machine; it is called on a background thread and may raise
    `StudioError`, which fails the job. `finish` stores the result on disk before the job counts as completed
    and before listeners hear of it; it returns the event with `assets` filled in (and pictures emptied or kept).
    Listeners are called on background threads, in order per job; they must return quickly and not block.
    """

    def __init__(
        self,
        queue: Queue,
        assign: Callable[[Job], Assignment],
        worker: WorkerCommand | None = None,
        limits: Limits | None = None,
        finish: Finish | None = None,
    ) -> None:
        raise NotImplementedError

    def start(self) -> None:
        """Begin to run jobs. No process is started until there is a job or `warm` is called."""

    def stop(self) -> None:
        """The closing ladder: cancel, grace, terminate, kill, join. A job cut short is kept as interrupted."""

    def submit(self, request: Request, destination: Destination | None = None, title: str = "") -> Job:
        """Put a request at the end of the queue. Raises `StudioError` once the studio is closing."""
        raise NotImplementedError

    def cancel(self, job: str) -> None:
        """Ask for a job's end, wherever it is. Returns at once; listeners hear `JobCancelled`."""

    def retry(self, job: str) -> Job:
        """A new attempt of a job that has ended or was interrupted."""
        raise NotImplementedError

    def warm(self, family: Family) -> None:
        """Start a family's worker and let it import its library, so that the first job is fast."""

    def listen(self, callback: Listener) -> Callable[[], None]:
        """Hear every event of every job; returns the way to unsubscribe."""
        raise NotImplementedError

    def queue_changed(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Hear of every change of the queue; returns the way to unsubscribe."""
        raise NotImplementedError

    def workers(self) -> tuple[WorkerState, ...]:
        """One entry per engine family."""
        raise NotImplementedError

    def device_memory(self) -> DeviceMemory:
        """The machine's memory, for the status strip."""
        raise NotImplementedError
