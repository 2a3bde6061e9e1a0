"""One engine family's lane: a thread that brings jobs to the family's worker, one after the other.

The thread alone talks to the worker, waits for it, judges its silence and its death, and tells the
listeners, so that a job's events are in order whatever happens. Others only leave wishes and ring the bell.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from studio.core.boundary import attempt
from studio.core.engine import Assignment
from studio.core.events import Event
from studio.core.failure import Failure, StudioError
from studio.core.jobs import Family, Job
from studio.core.wire.frames import BrokenFrame, ChannelClosed
from studio.core.wire.messages import FromWorker, Hello, Pixels, Pulse, Shutdown, Unload, Unloaded, Warmed
from studio.jobs.autopsy import Cause
from studio.jobs.bell import Bell
from studio.jobs.crew import Crew
from studio.jobs.ending import Ending
from studio.jobs.limits import Limits, WorkerCommand, WorkerState
from studio.jobs.process import WorkerProcess
from studio.jobs.queue import Queue
from studio.jobs.turns import MakeRoom, Turns

_log = logging.getLogger(__name__)
_TICK = 1.0
_REST_AFTER_TROUBLE = 5.0
_BURIAL_PATIENCE = 2.0


class Lane:
    """Thread-safe outside; everything with an underscore runs on the lane's own thread."""

    def __init__(
        self,
        family: Family,
        queue: Queue,
        ending: Ending,
        *,
        assign: Callable[[Job], Assignment],
        command: WorkerCommand,
        limits: Limits,
        make_room: MakeRoom,
    ) -> None:
        self.family = family
        self.most_loaded = 0
        self._queue = queue
        self._make_room = make_room
        self._limits = limits
        self._crew = Crew(family, command, limits)
        self._turns = Turns(self._crew, limits, ending, assign=assign, make_room=make_room)
        self._bell = Bell()
        self._errands: deque[Callable[[], None]] = deque()
        self._unloads: list[threading.Event] = []
        self._look = True
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"lane-{family.value}", daemon=True)

    # -- from any thread

    def set_limits(self, limits: Limits) -> None:
        """Take over new limits for idling and closing, from the next decision on."""
        self._limits = limits
        self.wake()

    def start(self) -> None:
        """Begin to take jobs."""
        self._thread.start()

    def wake(self) -> None:
        """Look at the queue again."""
        self._look = True
        self._bell.ring()

    def cancel(self, job: Job) -> None:
        """End a job that this lane has claimed."""
        self._turns.cancel(job)
        self._bell.ring()

    def do(self, errand: Callable[[], None]) -> None:
        """Run something on the lane's thread."""
        self._errands.append(errand)
        self._bell.ring()

    def warm(self) -> None:
        """Start the worker and let it import its library."""
        self.do(self._warm)

    def unload(self) -> threading.Event:
        """Ask an idle worker to give its models back; the event is set when it has, or when it can't."""
        done = threading.Event()
        self.do(lambda: self._unload(done))
        return done

    def state(self) -> WorkerState:
        """A snapshot for the status strip."""
        worker, busy = self._crew.current, self._turns.busy
        return WorkerState(
            family=self.family,
            process=0 if worker is None else worker.pid,
            state=_state_word(worker, busy=busy),
            loaded_bytes=0 if worker is None else worker.loaded,
            resident_bytes=sum(member.resident for member in self._crew.members),
            idle_seconds=0.0 if busy else time.monotonic() - self._turns.idle_since,
            has_spare=self._crew.spare is not None,
        )

    def stop(self) -> None:
        """Begin the closing ladder; `join` waits for its end."""
        self._closing = True
        self._bell.ring()

    def join(self, seconds: float) -> bool:
        """Wait for the thread's end; says whether it came."""
        if self._thread.ident is not None:
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def kill(self) -> None:
        """End the processes from outside, where the thread itself is stuck in somebody's callback."""
        for worker in self._crew.members:
            worker.kill()

    def dispose(self) -> None:
        """Give back what a lane needs besides its processes; after `join`."""
        self._bell.close()

    # -- the lane's thread

    def _run(self) -> None:
        while not self._closing:
            # A fault of the studio's own costs one job, not the lane.
            failure = attempt(self._step)
            if failure is not None:
                _log.error("the %s lane stumbled: %s", self.family.value, failure.detail or failure.message)
                self._stumble(failure)
        self._close()

    def _step(self) -> None:
        self._run_errands()
        if self._look and not self._turns.busy and time.monotonic() >= self._turns.rest_until:
            self._take_next()
        self._tend()
        for worker in self._crew.wait(self._bell, self._patience()):
            self._hear(worker)

    def _run_errands(self) -> None:
        while self._errands:
            self._errands.popleft()()

    def _take_next(self) -> None:
        self._look = False
        try:
            job = self._queue.claim(self.family)
        except StudioError:
            _log.warning("the queue could not be read", exc_info=True)
            self._look = True
            self._turns.rest(_REST_AFTER_TROUBLE)
            return
        if job is not None:
            self._look = True
            self._turns.take(job)

    def _patience(self) -> float | None:
        """How long to wait for something to happen, in seconds."""
        waits = [_TICK] if self._crew.members else []
        now, force = time.monotonic(), self._turns.due()
        if force is not None:
            waits.append(force - now)
        if self._look and not self._turns.busy:
            waits.append(self._turns.rest_until - now)
        return max(0.0, min(waits)) if waits else None

    def _hear(self, worker: WorkerProcess) -> None:
        try:
            self._understand(worker, worker.channel.receive())
        except ChannelClosed:
            self._bury(worker, Cause.ITSELF)
        except BrokenFrame as error:
            self._bury(worker, Cause.BROKEN, str(error))

    def _understand(self, worker: WorkerProcess, message: FromWorker) -> None:
        match message:
            case Hello():
                worker.listening = True
                self._turns.send(worker)
            case Pulse(resident=resident, loaded=loaded):
                grown = loaded > worker.loaded
                worker.resident, worker.loaded = resident, loaded
                self.most_loaded = max(self.most_loaded, loaded)
                if grown:
                    self._make_room(self.family, 0.0)
            case Warmed(failure=failure):
                worker.warmed = failure is None
                worker.warming = False
            case Unloaded(resident=resident):
                worker.resident, worker.loaded = resident, 0
                self._answer_unloads()
            case Pixels():
                worker.channel.send(worker.pixels.take(message))
            case Event():
                self._turns.relay(worker, worker.pixels.complete(message))

    def _tend(self) -> None:
        """What is due by the clock."""
        worker = self._crew.current
        if worker is not None and self._turns.press():
            self._bury(worker, Cause.CANCELLED)
            self._warm()  # whoever cancelled will go on soon
        for lost, cause in tuple(self._crew.lost()):
            self._bury(lost, cause)
        if not self._turns.busy:
            self._tend_idle(time.monotonic() - self._turns.idle_since)

    def _tend_idle(self, idle: float) -> None:
        limit = self._limits.idle_unload_seconds
        if limit and idle >= limit:
            self._unload(threading.Event())
        self._crew.want_spare(idle)

    def _warm(self) -> None:
        if self._closing:
            return
        try:
            self._crew.warm()
        except OSError:
            _log.warning("the %s worker could not be started", self.family.value, exc_info=True)

    def _unload(self, done: threading.Event) -> None:
        worker = self._crew.current
        if worker is None or self._turns.busy or not worker.used:
            done.set()
            return
        worker.used = False
        self._unloads.append(done)
        try:
            worker.channel.send(Unload())
        except ChannelClosed:
            self._answer_unloads()

    def _answer_unloads(self) -> None:
        for done in self._unloads:
            done.set()
        self._unloads.clear()

    def _bury(self, worker: WorkerProcess, cause: Cause, note: str = "") -> None:
        """A worker is dead or is to be: find out why, free what it held, and tell the job that it had."""
        was_current = worker is self._crew.current
        hurried = was_current and self._turns.hurried()
        death = self._crew.bury(worker, cause, 0.0 if hurried else _BURIAL_PATIENCE, note)
        if was_current:
            self._answer_unloads()
            self._turns.mourn(death)

    def _stumble(self, failure: Failure) -> None:
        if self._crew.current is not None:
            self._crew.bury(self._crew.current, Cause.CLOSED, 0.0)
        self._turns.give_up(failure)
        self._look = True
        self._turns.rest(_REST_AFTER_TROUBLE)

    def _close(self) -> None:
        """The closing ladder: cancel, grace, terminate, kill; whatever fails on it, no process is left."""
        try:
            self._run_errands()
            self._let_go()
            for worker in self._crew.members:
                worker.terminate()
            deadline = time.monotonic() + self._limits.terminate_grace
            for worker in self._crew.members:
                worker.wait(deadline - time.monotonic())
        finally:
            for worker in self._crew.members:
                self._bury(worker, Cause.CLOSED)
            self._answer_unloads()

    def _let_go(self) -> None:
        """Cancel the job, ask the processes to end, and listen to them until they have or the grace is over."""
        deadline = time.monotonic() + self._limits.close_grace
        self._turns.let_go()
        self._crew.tell_all(Shutdown())
        while self._crew.members and (left := deadline - time.monotonic()) > 0:
            for speaker in self._crew.wait(self._bell, left):
                self._hear(speaker)


def _state_word(worker: WorkerProcess | None, *, busy: bool) -> str:
    if worker is None:
        return "starting" if busy else "stopped"
    if busy:
        return "busy"
    return "idle" if worker.listening and not worker.warming else "starting"
