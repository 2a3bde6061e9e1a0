"""Brings queued jobs to worker processes, and their events to listeners: one lane per engine family."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import psutil

from studio.core.engine import Assignment
from studio.core.events import Event, JobCancelled
from studio.core.failure import Failure, FailureCode, StudioError
from studio.core.jobs import Family, Job, family_of
from studio.core.references import Destination
from studio.core.requests import Request
from studio.jobs.ending import Ending, Finish
from studio.jobs.lane import Lane
from studio.jobs.limits import DeviceMemory, Limits, WorkerCommand, WorkerState
from studio.jobs.queue import Queue
from studio.jobs.subscribers import Subscribers

__all__ = ["DeviceMemory", "Dispatcher", "Finish", "Limits", "Listener", "WorkerCommand", "WorkerState"]

_log = logging.getLogger(__name__)
_JOIN_PATIENCE = 5.0

Listener = Callable[[Job, Event], None]


class Dispatcher:
    """Runs the queue's jobs, one at a time per engine family. Thread-safe.

    `assign` resolves a job to this machine; it is called on a background thread and may raise
    `StudioError`, which fails the job. `finish` stores the result on disk, on a background thread, before the job
    counts as completed and before listeners hear of it; it returns the event with `assets` filled in. What it
    raises fails the job. Listeners are called on background threads, in order per job; they must return
    quickly. The queue belongs to the caller and stays open.
    """

    def __init__(
        self,
        queue: Queue,
        assign: Callable[[Job], Assignment],
        worker: WorkerCommand | None = None,
        limits: Limits | None = None,
        finish: Finish | None = None,
    ) -> None:
        self._queue = queue
        self._limits = limits or Limits()
        self._listeners: Subscribers[[Job, Event]] = Subscribers()
        self._started = False
        self._closing = False
        ending = Ending(queue, finish, self._listeners.call)
        command = worker or WorkerCommand()
        self._lanes = {
            family: Lane(
                family,
                queue,
                ending,
                assign=assign,
                command=command,
                limits=self._limits,
                make_room=self._make_room,
            )
            for family in Family
        }
        self._unsubscribe = queue.subscribe(self._wake)

    def start(self) -> None:
        """Begin to run jobs. No process is started until there is a job or `warm` is called."""
        self._started = True
        for lane in self._lanes.values():
            lane.start()

    def stop(self) -> None:
        """The closing ladder: refuse, cancel, grace, terminate, kill, join. May be called more than once.

        A job that is cut short goes back into the queue, held and interrupted, and is offered at the next start.
        """
        if self._closing:
            return
        self._closing = True
        self._unsubscribe()
        for lane in self._lanes.values():
            lane.stop()
        patience = self._limits.close_grace + self._limits.terminate_grace + _JOIN_PATIENCE
        deadline = time.monotonic() + patience
        for lane in self._lanes.values():
            if not lane.join(max(0.0, deadline - time.monotonic())):
                lane.kill()
                if not lane.join(_JOIN_PATIENCE):
                    _log.error("the %s lane is stuck in a callback", lane.family.value)
                    continue
            lane.dispose()

    def submit(self, request: Request, destination: Destination | None = None, title: str = "") -> Job:
        """Put a request at the end of the queue. Raises `StudioError` once the studio is closing."""
        self._refuse_when_closing()
        return self._queue.add(request, destination, title)

    def retry(self, job: str) -> Job:
        """A new attempt of a job that has ended or was interrupted. Raises `StudioError`."""
        self._refuse_when_closing()
        return self._queue.retry(job)

    def cancel(self, job: str) -> None:
        """Ask for a job's end, wherever it is. Returns at once; listeners hear `JobCancelled`.

        Nothing happens to a job that has ended. Raises `NoSuchJob`.
        """
        cancelled = self._queue.cancel_queued(job)
        found = cancelled or self._queue.get(job)
        lane = self._lanes[family_of(found.request)]
        if cancelled is None:
            if found.state.active:
                lane.cancel(found)
            return
        event = JobCancelled(job=job, text=cancelled.text)
        if self._started:
            lane.do(lambda: self._listeners.call(cancelled, event))
        else:
            self._listeners.call(cancelled, event)

    def warm(self, family: Family) -> None:
        """Start a family's worker and let it import its library, so that the first job is fast."""
        if not self._closing:
            self._lanes[family].warm()

    def set_limits(self, limits: Limits) -> None:
        """Take over another idle time and memory budget while running."""
        self._limits = limits
        for lane in self._lanes.values():
            lane.set_limits(limits)

    def listen(self, callback: Listener) -> Callable[[], None]:
        """Hear every event of every job; returns the way to unsubscribe."""
        return self._listeners.add(callback)

    def queue_changed(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Hear of every change of the queue; returns the way to unsubscribe."""
        return self._queue.subscribe(callback)

    def workers(self) -> tuple[WorkerState, ...]:
        """One entry per engine family."""
        return tuple(lane.state() for lane in self._lanes.values())

    def device_memory(self) -> DeviceMemory:
        """The machine's memory, for the status strip."""
        memory = psutil.virtual_memory()
        workers = sum(state.resident_bytes for state in self.workers())
        return DeviceMemory(int(memory.total), int(memory.available), workers)

    def _wake(self) -> None:
        for lane in self._lanes.values():
            lane.wake()

    def _make_room(self, family: Family, patience: float) -> None:
        """For a job of `family`: let the others that have been idle longest unload, until the budget holds.

        Waits up to `patience` seconds for each to have done so.
        """
        budget = self._limits.memory_budget_bytes
        if budget <= 0 or self._closing:
            return
        states = {state.family: state for state in self.workers()}
        # What the family itself will load is known from its earlier jobs, if at all.
        total = sum(state.loaded_bytes for state in states.values() if state.family is not family)
        total += max(self._lanes[family].most_loaded, states[family].loaded_bytes)
        others = [state for state in states.values() if state.family is not family and state.state == "idle"]
        for state in sorted(others, key=lambda other: other.idle_seconds, reverse=True):
            if total <= budget:
                return
            if state.loaded_bytes:
                self._lanes[state.family].unload().wait(patience)
                total -= state.loaded_bytes

    def _refuse_when_closing(self) -> None:
        if self._closing:
            raise StudioError(
                Failure(
                    FailureCode.INTERRUPTED,
                    "The studio is closing and takes no more jobs.",
                    hint="Start it again and make the request then.",
                )
            )
