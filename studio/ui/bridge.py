"""The single way from the workers' threads into Qt.

The dispatcher calls back on background threads. The bridge collects what they say, keeps only the
newest preview and progress of each job, joins text, and hands it over on the main thread through one
queued signal: never more than sixty batches a second, and never longer than a fraction of a frame at a
time, so that the window stays smooth however fast the workers talk.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

import msgspec
from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from studio.core.events import Event, JobPreview, JobProgress, TextDelta, is_terminal
from studio.core.jobs import Job

_INTERVAL = 0.016
_BUDGET = 0.004

Stop = Callable[[], None]


class EventSource(Protocol):
    """What the bridge needs of the dispatcher."""

    def listen(self, callback: Callable[[Job, Event], None]) -> Stop:
        """Call `callback` for each event, on any thread, in order per job."""
        ...

    def queue_changed(self, callback: Callable[[], None]) -> Stop:
        """Call `callback` when the queue has changed, on any thread."""
        ...


class Bridge(QObject):
    """Delivers events and queue changes on the main thread.

    `job_event` carries a `Job` and an `Event`; `queue_changed` says that the queue should be read again.
    """

    job_event = Signal(object, object)
    queue_changed = Signal()
    _wake = Signal()

    def __init__(self, source: EventSource, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = threading.Lock()
        self._pending: dict[str, list[tuple[Job, Event]]] = {}
        self._queue_dirty = False
        self._awake = False
        self._last = 0.0
        self._followers: dict[str, list[Callable[[Event], None]]] = {}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._drain)
        self._wake.connect(self._schedule, Qt.ConnectionType.QueuedConnection)
        self._stops = [source.listen(self._hear), source.queue_changed(self._hear_queue)]

    def follow(self, job_id: str, callback: Callable[[Event], None]) -> Stop:
        """Call `callback` on the main thread with each event of one job, up to its last.

        Call it in the same turn of the event loop as the submission: nothing is missed then. Returns
        how to stop early.
        """
        self._followers.setdefault(job_id, []).append(callback)

        def stop() -> None:
            callbacks = self._followers.get(job_id, [])
            if callback in callbacks:
                callbacks.remove(callback)

        return stop

    def stop(self) -> None:
        """Hear nothing more; what has been heard is dropped."""
        for stop in self._stops:
            stop()
        self._stops.clear()
        self._timer.stop()
        with self._lock:
            self._pending.clear()
            self._queue_dirty = False
        self._followers.clear()

    def flush(self) -> None:
        """Deliver everything that has been heard, now."""
        self._deliver(budget=float("inf"))

    def _hear(self, job: Job, event: Event) -> None:
        with self._lock:
            _merge(self._pending.setdefault(job.id, []), job, event)
            wake, self._awake = not self._awake, True
        if wake:
            self._wake.emit()

    def _hear_queue(self) -> None:
        with self._lock:
            self._queue_dirty = True
            wake, self._awake = not self._awake, True
        if wake:
            self._wake.emit()

    @Slot()
    def _schedule(self) -> None:
        wait = self._last + _INTERVAL - time.monotonic()
        if wait <= 0:
            self._drain()
        elif not self._timer.isActive():
            self._timer.start(max(1, round(wait * 1000)))

    @Slot()
    def _drain(self) -> None:
        self._deliver(_BUDGET)
        self._last = time.monotonic()
        with self._lock:
            left = bool(self._pending) or self._queue_dirty
            self._awake = left
        if left:
            self._timer.start(1)

    def _deliver(self, budget: float) -> None:
        """Hand over what is pending, one event after the other, until `budget` seconds are gone."""
        end = time.monotonic() + budget
        while True:
            with self._lock:
                pair = self._take()
                dirty, self._queue_dirty = self._queue_dirty, False
            if dirty:
                self.queue_changed.emit()
            if pair is None:
                return
            self._tell(*pair)
            if time.monotonic() >= end:
                return

    def _take(self) -> tuple[Job, Event] | None:
        """The oldest pending event of the job that has waited longest; jobs take turns."""
        for job_id, events in self._pending.items():
            del self._pending[job_id]
            pair = events.pop(0)
            if events:
                self._pending[job_id] = events
            return pair
        return None

    def _tell(self, job: Job, event: Event) -> None:
        last = is_terminal(event)
        callbacks = self._followers.pop(job.id, []) if last else self._followers.get(job.id, [])
        for callback in tuple(callbacks):
            callback(event)
        self.job_event.emit(job, event)


def _merge(events: list[tuple[Job, Event]], job: Job, event: Event) -> None:
    """Append `event`, or let it replace or lengthen an older one that nobody has seen yet."""
    if isinstance(event, TextDelta) and events and isinstance(previous := events[-1][1], TextDelta):
        events[-1] = (
            job,
            msgspec.structs.replace(
                event,
                text=previous.text + event.text,
                tokens=previous.tokens + event.tokens,
                logprobs=previous.logprobs + event.logprobs,
            ),
        )
        return
    if isinstance(event, JobPreview | JobProgress):
        for place, (_, older) in enumerate(events):
            if type(older) is type(event) and _replaces(event, older):
                del events[place]
                break
    events.append((job, event))


def _replaces(new: Event, old: Event) -> bool:
    if isinstance(new, JobProgress) and isinstance(old, JobProgress):
        return new.stage == old.stage
    if isinstance(new, JobPreview) and isinstance(old, JobPreview):
        return new.finished == old.finished
    return True
