"""The job at hand of one lane: sent to the worker, heard out, cancelled, mourned, ended."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

from msgspec.structs import replace

from studio.core.boundary import attempt
from studio.core.codec import validated
from studio.core.engine import Assignment
from studio.core.events import Event, JobCancelled, JobFailed, is_terminal
from studio.core.failure import Failure, FailureCode
from studio.core.jobs import Family, Job, JobState
from studio.core.wire.frames import ChannelClosed, FrameTooLarge
from studio.core.wire.messages import Assign, Cancel
from studio.jobs.autopsy import Death, failure_of_death
from studio.jobs.crew import Crew
from studio.jobs.ending import Ending
from studio.jobs.limits import Limits
from studio.jobs.process import WorkerProcess
from studio.jobs.turn import Turn

_LONGEST_REST = 30.0
_GUARD_SECONDS = 1.0
_ROOM_PATIENCE = 3.0

MakeRoom = Callable[[Family, float], None]


class Turns:
    """One job after the other. Used from the lane's thread, but for `cancel`, `busy` and `idle_since`."""

    def __init__(
        self,
        crew: Crew,
        limits: Limits,
        ending: Ending,
        *,
        assign: Callable[[Job], Assignment],
        make_room: MakeRoom,
    ) -> None:
        self._crew = crew
        self._limits = limits
        self._ending = ending
        self._assign = assign
        self._make_room = make_room
        self._lock = threading.Lock()
        self._wishes: set[tuple[str, int]] = set()
        self._count = 0
        self._load_deaths = 0
        self._turn: Turn | None = None
        self.rest_until = 0.0
        self.idle_since = time.monotonic()
        self.closing = False

    @property
    def busy(self) -> bool:
        """Whether a job is at hand."""
        return self._turn is not None

    def cancel(self, job: Job) -> None:
        """End a job that was claimed: at once in the memory that the worker watches. From any thread."""
        with self._lock:
            turn = self._turn
            if turn is None or _key(turn.job) != _key(job):
                self._wishes.add(_key(job))  # it was claimed a moment ago
            elif not turn.finishing and turn.cancel_asked is None:
                turn.ask_cancel(by_user=True)
                self._write_cancel(turn)
                # For the case that the lane's thread itself is held up, by half a message or a slow listener.
                turn.guard = threading.Timer(self._limits.force_kill_after + _GUARD_SECONDS, self._force, (turn,))
                turn.guard.start()

    def take(self, job: Job) -> None:
        """Bring a claimed job to the worker."""
        with self._lock:
            self._count += 1
            self._turn = turn = Turn(job, self._count)
            if _key(job) in self._wishes:
                turn.ask_cancel(by_user=True)
            self._wishes.clear()
        self._crew.watch_memory()
        # Whatever hinders a job's start is that job's failure alone.
        assignment = attempt(lambda: validated(self._assign(job)))
        if isinstance(assignment, Failure):
            self._finish(turn, JobFailed(failure=assignment))
            return
        if turn.cancel_asked is not None:
            self._finish(turn, JobCancelled())
            return
        self._make_room(self._crew.family, _ROOM_PATIENCE)
        turn.assignment = assignment
        try:
            worker = self._crew.ensure()
        except OSError as error:
            self._finish(turn, JobFailed(failure=_no_start(error)))
            return
        if worker.listening:
            self.send(worker)

    def send(self, worker: WorkerProcess) -> None:
        """The worker listens: it gets the job at hand. Until then a job can be cancelled without touching a worker."""
        turn = self._turn
        if turn is None or turn.assignment is None or turn.sent or worker is not self._crew.current:
            return
        worker.pixels.forget()
        worker.used = True
        try:
            with contextlib.suppress(ChannelClosed):  # a death is told when the worker is listened to
                worker.channel.send(Assign(turn.number, turn.assignment))
        except FrameTooLarge as error:
            self._finish(turn, JobFailed(failure=_too_large(error)))
            return
        with self._lock:
            turn.sent = True
            turn.stage = "loading"
            if turn.cancel_asked is not None:
                self._write_cancel(turn)

    def relay(self, worker: WorkerProcess, event: Event) -> None:
        """An event from a worker: note it, write down what it changes, tell it."""
        turn = self._turn
        if turn is None or worker is not self._crew.current or event.job != turn.job.id:
            return  # the last words of a job that was given up
        if turn.note(event):
            worker.warmed = True
            turn.job = self._ending.record(turn.job, state=JobState.RUNNING)
        if turn.job.state is JobState.RUNNING or is_terminal(event):
            self._load_deaths = 0
        if is_terminal(event):
            self._finish(turn, event)
        else:
            self._ending.tell(turn.job, event)

    def due(self) -> float | None:
        """When force is due, on the monotonic clock; None where nothing is to be cancelled."""
        turn = self._turn
        if turn is None or turn.cancel_asked is None or self.closing:
            return None
        return turn.cancel_asked + (self._limits.force_kill_after if turn.sent else 0.0)

    def press(self) -> bool:
        """See a cancellation through: a message first; says whether it is time for force."""
        turn, worker, due = self._turn, self._crew.current, self.due()
        if turn is None or worker is None or due is None:
            return False
        if not turn.sent:
            self._finish(turn, JobCancelled())
            return False
        if not turn.cancel_sent:
            turn.cancel_sent = True
            with contextlib.suppress(ChannelClosed):
                worker.channel.send(Cancel(turn.number))
        return time.monotonic() >= due

    def let_go(self) -> None:
        """The studio closes: cancel the job at hand; it will be offered again."""
        self.closing = True
        with self._lock:
            turn, worker = self._turn, self._crew.current
            if turn is None or worker is None:
                return
            turn.ask_cancel(by_user=False)
            self._write_cancel(turn)
        with contextlib.suppress(ChannelClosed):
            worker.channel.send(Cancel(turn.number))

    def mourn(self, death: Death) -> None:
        """The worker died: that is the end of the job at hand."""
        turn = self._turn
        if turn is None:
            return
        if turn.cancel_asked is not None:
            self._finish(turn, JobCancelled(sequence=turn.next_sequence))
            return
        failure = self._count_death(turn, failure_of_death(replace(death, stage=turn.stage)))
        self._finish(turn, JobFailed(sequence=turn.next_sequence, failure=failure))

    def give_up(self, failure: Failure) -> None:
        """A fault of the studio itself: that is the end of the job at hand."""
        turn = self._turn
        if turn is not None and not turn.finishing:
            self._finish(turn, JobFailed(sequence=turn.next_sequence, failure=failure))
        self._turn = None

    def hurried(self) -> bool:
        """Whether somebody waits for the worker's end."""
        return self._turn is not None and self._turn.cancel_asked is not None

    def rest(self, seconds: float) -> None:
        """Take no job for a while."""
        self.rest_until = time.monotonic() + seconds

    def _write_cancel(self, turn: Turn) -> None:
        if turn.sent:
            self._crew.cancel(turn.number)

    def _force(self, turn: Turn) -> None:
        with self._lock:
            if self._turn is turn and not turn.finishing:
                self._crew.kill_current()

    def _finish(self, turn: Turn, event: Event) -> None:
        with self._lock:
            turn.finishing = True
            if turn.guard is not None:
                turn.guard.cancel()
        job, last = self._ending.settle(turn, event, interrupted=self.closing and not turn.by_user)
        with self._lock:
            self._turn = None
            self.idle_since = time.monotonic()
        self._ending.tell(job, last)

    def _count_death(self, turn: Turn, failure: Failure) -> Failure:
        """Deaths in a row while loading put the other jobs on hold, instead of killing one worker after another."""
        if turn.job.state is JobState.RUNNING:
            return failure
        self._load_deaths += 1
        excess = self._load_deaths - self._limits.load_deaths
        if excess < 0:
            return failure
        self.rest(min(_LONGEST_REST, 2.0**excess))
        return self._ending.hold_others(self._crew.family, failure, self._load_deaths)


def _key(job: Job) -> tuple[str, int]:
    return job.id, job.attempt


def _no_start(error: OSError) -> Failure:
    return Failure(
        FailureCode.WORKER_DIED,
        "The worker for this job could not be started.",
        hint="Close other programs and try again; if that does not help, run the studio's doctor.",
        detail=str(error),
    )


def _too_large(error: FrameTooLarge) -> Failure:
    return Failure(
        FailureCode.INVALID_REQUEST,
        "The request is too large to be sent to the worker.",
        hint="Shorten its text.",
        detail=str(error),
    )
