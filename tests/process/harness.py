"""A queue and a dispatcher with real worker processes, and a listener that can be waited for."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from studio.core.engine import Assignment, LocalModel
from studio.core.events import Event, JobCompleted, JobFailed, is_terminal
from studio.core.failure import Failure
from studio.core.jobs import Family, Job
from studio.core.requests import Request
from studio.jobs.dispatcher import Dispatcher, Finish, Limits, WorkerCommand, WorkerState
from studio.jobs.queue import Queue
from tests.fakes import PROGRAM

PATIENCE = 30.0
ROOT = Path(__file__).resolve().parents[2]
COMMAND = WorkerCommand(engines=dict.fromkeys(Family, PROGRAM), folder=str(ROOT))
LIMITS = Limits(spare=False, idle_unload_seconds=0)


def assignment(job: Job) -> Assignment:
    """What the studio would resolve."""
    return Assignment(job=job.id, request=job.request, model=LocalModel(path="fake"), preview_rate=1e9)


class House:
    """The dispatcher, and everything that listeners have heard, with the time of hearing."""

    patience = PATIENCE

    def __init__(self, queue: Queue, dispatcher: Dispatcher) -> None:
        self.queue = queue
        self.dispatcher = dispatcher
        self.heard: list[tuple[float, Job, Event]] = []
        self._news = threading.Condition()
        dispatcher.listen(self._hear)

    def submit(self, request: Request) -> str:
        """Queue a request; the job's id."""
        return self.dispatcher.submit(request).id

    def events(self, job: str) -> list[Event]:
        """What was heard of a job."""
        with self._news:
            return [event for _, owner, event in self.heard if owner.id == job]

    def wait_for(self, condition: Callable[[], bool], what: str = "it") -> None:
        """Wait until something is true, looking again at each event and now and then."""
        deadline = time.monotonic() + self.patience
        with self._news:
            while not condition():
                if time.monotonic() > deadline:
                    raise AssertionError(f"waited in vain for {what}; heard {[event for _, _, event in self.heard]}")
                self._news.wait(0.02)

    def seen(self, job: str, kind: type[Event]) -> None:
        """Wait for an event of this kind."""
        self.wait_for(lambda: any(isinstance(event, kind) for event in self.events(job)), kind.__name__)

    def end_of(self, job: str) -> Event:
        """Wait for the job's last event; there must be exactly one, and numbers must rise."""
        self.wait_for(lambda: any(is_terminal(event) for event in self.events(job)), "the end")
        events = self.events(job)
        assert [is_terminal(event) for event in events].count(True) == 1
        assert is_terminal(events[-1])
        assert [event.sequence for event in events] == sorted({event.sequence for event in events})
        return events[-1]

    def run(self, request: Request) -> Event:
        """Submit and wait for the end."""
        return self.end_of(self.submit(request))

    def text_of(self, request: Request) -> str:
        """Submit and wait; what the job said."""
        job = self.submit(request)
        end = self.end_of(job)
        assert isinstance(end, JobCompleted), end
        return self.queue.get(job).text

    def worker(self, family: Family = Family.LANGUAGE) -> WorkerState:
        """The state of a family's worker."""
        return next(state for state in self.dispatcher.workers() if state.family is family)

    def failure_of(self, request: Request) -> Failure:
        """Submit and wait; why the job failed."""
        end = self.run(request)
        assert isinstance(end, JobFailed), end
        return end.failure

    def _hear(self, job: Job, event: Event) -> None:
        with self._news:
            self.heard.append((time.monotonic(), job, event))
            self._news.notify_all()


@contextlib.contextmanager
def open_house(
    path: Path,
    limits: Limits = LIMITS,
    *,
    command: WorkerCommand = COMMAND,
    finish: Finish | None = None,
    assign: Callable[[Job], Assignment] = assignment,
) -> Iterator[House]:
    """A started house; everything is stopped at the end."""
    with Queue(path) as queue:
        dispatcher = Dispatcher(queue, assign, command, limits, finish)
        house = House(queue, dispatcher)
        dispatcher.start()
        try:
            yield house
        finally:
            dispatcher.stop()


def gone(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
