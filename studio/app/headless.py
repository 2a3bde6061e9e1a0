"""A session without a window: open it, run one request, hear its events in order."""

from __future__ import annotations

import contextlib
import queue
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from studio.app.studio import Studio
from studio.core.events import Event, JobCancelled, JobCompleted, JobFailed, is_terminal
from studio.core.failure import Cancelled, StudioError
from studio.core.jobs import Job
from studio.core.references import Destination
from studio.core.requests import Request
from studio.documents.project import Project
from studio.jobs.limits import WorkerCommand
from studio.models.shelf import Shelf

_POLL_SECONDS = 0.2


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


def run_request(session: Studio, request: Request, on_event: Callable[[Event], None], title: str = "") -> JobCompleted:
    """Run `request` to its end and hand every event to `on_event` in this thread.

    Raises `StudioError` when the job fails and `Cancelled` when it was cancelled; Ctrl-C cancels the job
    before it goes on its way.
    """
    heard: queue.SimpleQueue[tuple[Job, Event]] = queue.SimpleQueue()
    stop_listening = session.listen(lambda job, event: heard.put((job, event)))
    try:
        job = session.submit(request, Destination(room="file"), title)
        try:
            return _follow(job, heard, on_event)
        except KeyboardInterrupt:
            session.cancel(job.id)
            raise
    finally:
        stop_listening()


def _follow(job: Job, heard: queue.SimpleQueue[tuple[Job, Event]], on_event: Callable[[Event], None]) -> JobCompleted:
    while True:
        try:
            # A bounded wait, since an unbounded one can't be interrupted from the keyboard on Windows.
            owner, event = heard.get(timeout=_POLL_SECONDS)
        except queue.Empty:
            continue
        if owner.id != job.id:
            continue
        on_event(event)
        if not is_terminal(event):
            continue
        match event:
            case JobCompleted():
                return event
            case JobFailed(failure=failure):
                raise StudioError(failure)
            case JobCancelled():
                raise Cancelled
