"""A session without a window: open it, run one request, hear its events in order."""

from __future__ import annotations

import contextlib
import queue
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from studio.app.studio import Studio
from studio.core.events import Event, JobCancelled, JobCompleted, JobFailed
from studio.core.failure import Cancelled, StudioError
from studio.core.jobs import Job
from studio.core.references import Destination
from studio.core.requests import Request
from studio.documents.project import Project
from studio.jobs.limits import WorkerCommand
from studio.models.shelf import Shelf

_POLL_SECONDS = 0.05


@contextlib.contextmanager
def headless_studio(shelf: Shelf, worker: WorkerCommand, state_folder: Path) -> Iterator[Studio]:
    """A session with a project of its own in a temporary folder, so that it disturbs no open one."""
    with tempfile.TemporaryDirectory(prefix="atelier-") as folder:
        session = Studio(Project.open(Path(folder)), shelf, worker, state_folder)
        session.start()
        try:
            yield session
        finally:
            session.stop()


def run_request(
    session: Studio,
    request: Request,
    on_event: Callable[[Event], None],
    title: str = "",
    stop: threading.Event | None = None,
) -> JobCompleted:
    """Run `request` to its end and hand every event to `on_event` in this thread; `stop` cancels it.

    Raises `StudioError` when the job fails and `Cancelled` when it was cancelled.
    """
    heard: queue.SimpleQueue[tuple[Job, Event]] = queue.SimpleQueue()
    stop_listening = session.listen(lambda job, event: heard.put((job, event)))
    try:
        job = session.submit(request, Destination(room="file"), title)
        return _follow(session, job, heard, on_event, stop or threading.Event())
    finally:
        stop_listening()


def _follow(
    session: Studio,
    job: Job,
    heard: queue.SimpleQueue[tuple[Job, Event]],
    on_event: Callable[[Event], None],
    stop: threading.Event,
) -> JobCompleted:
    cancelled = False
    while True:
        if stop.is_set() and not cancelled:
            cancelled = True
            session.cancel(job.id)
        try:
            owner, event = heard.get(timeout=_POLL_SECONDS)
        except queue.Empty:
            continue
        if owner.id != job.id:
            continue
        on_event(event)
        match event:
            case JobCompleted():
                return event
            case JobFailed(failure=failure):
                raise StudioError(failure)
            case JobCancelled():
                raise Cancelled
            case _:
                pass
