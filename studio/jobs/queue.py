"""The durable queue: every job lies in SQLite before anybody is told that it exists.

The file is the queue's alone and is locked while it is open, so that two studios can't run the same
jobs. Commits are synchronous (`synchronous=FULL`): a queue changes at the speed of a person, a few times per
job, so that the price of one fsync buys that nothing is lost even when the power fails.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from studio.core.codec import validated
from studio.core.failure import Failure, FailureCode, StudioError
from studio.core.jobs import Family, Job, JobState
from studio.core.references import Destination
from studio.core.requests import Request
from studio.jobs.storage import Storage
from studio.jobs.subscribers import Subscribers

_INTERRUPTED: dict[str, Any] = {"state": JobState.QUEUED, "held": True, "interrupted": True, "started": None}


class NoSuchJob(StudioError):
    """There is no job with this id."""

    def __init__(self, job: str) -> None:
        super().__init__(
            Failure(
                FailureCode.INVALID_REQUEST,
                f"There is no job {job} in the queue.",
                hint="It may have been cleared already.",
            )
        )


class WrongState(StudioError):
    """The job is not in a state in which this can be done."""

    def __init__(self, job: Job, wish: str) -> None:
        super().__init__(
            Failure(
                FailureCode.INVALID_REQUEST,
                f"A job that is {job.state.value} can't be {wish}.",
                hint="Wait until it has ended, or cancel it first." if job.state.active else "",
            )
        )


class Queue:
    """An ordered, durable list of jobs. Thread-safe. Close it, or use it as a context manager.

    Opening puts jobs that were with a worker back as QUEUED, held and `interrupted`.
    Raises `StudioError` (`STORAGE`, `DISK_FULL`) where the file can't be read or written.
    """

    def __init__(self, path: Path) -> None:
        self._storage = Storage(path)
        self._changed: Subscribers[[]] = Subscribers()
        try:
            self._offer_interrupted()
        except StudioError:
            self._storage.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was recorded stays."""
        self._storage.close()

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each change, on the thread that made it. Returns the way to unsubscribe."""
        return self._changed.add(callback)

    def jobs(self) -> list[Job]:
        """All jobs in the queue's order, ended ones included."""
        return self._storage.all()

    def get(self, job: str) -> Job:
        """The job with this id. Raises `NoSuchJob`."""
        found = self._storage.get(job)
        if found is None:
            raise NoSuchJob(job)
        return found

    def unreadable(self) -> int:
        """How many entries were written by a newer studio or are damaged; they are kept and left alone."""
        return self._storage.unreadable()

    def add(self, request: Request, destination: Destination | None = None, title: str = "") -> Job:
        """Put a request at the end of the queue. Raises `InvalidField` for a request that breaks the vocabulary."""
        with self._change():
            job = Job(
                id=uuid.uuid4().hex,
                request=request,
                destination=destination or Destination(room="file"),
                title=title,
                position=self._storage.last_position() + 1.0,
                created=time.time(),
            )
            self._storage.insert(validated(job))
        return job

    def move(self, job: str, before: str | None) -> None:
        """Put a job before another one, or at the end. Raises `NoSuchJob`."""
        with self._change():
            order = [entry for entry in self.jobs() if entry.id != job]
            moved = self.get(job)
            if before == job:
                return
            index = len(order) if before is None else order.index(self.get(before))
            self._storage.place(moved, order, index)

    def hold(self, job: str) -> Job:
        """Let a queued job wait until it is resumed. Raises `WrongState`."""
        with self._change():
            found = self.get(job)
            if found.state is not JobState.QUEUED:
                raise WrongState(found, "held back")
            return self._replace(found, held=True)

    def resume(self, job: str) -> Job:
        """Let a held job take its turn again. Raises `WrongState`."""
        with self._change():
            found = self.get(job)
            if found.state is not JobState.QUEUED:
                raise WrongState(found, "resumed")
            return self._replace(found, held=False, interrupted=False)

    @property
    def paused(self) -> bool:
        """Whether no job is handed out; remembered across restarts."""
        return self._storage.setting("paused") == "yes"

    def set_paused(self, paused: bool) -> None:  # noqa: FBT001 - a property's setter, one value and no flag
        """Stop or go on handing out jobs; running ones are left alone."""
        with self._change():
            self._storage.set_setting("paused", "yes" if paused else "no")

    def retry(self, job: str) -> Job:
        """A new attempt of a job that has ended or was interrupted, at the end of the queue. Raises `WrongState`."""
        with self._change():
            found = self.get(job)
            if not (found.state.ended or found.interrupted):
                raise WrongState(found, "tried again")
            return self._replace(
                found,
                state=JobState.QUEUED,
                position=self._storage.last_position() + 1.0,
                held=False,
                interrupted=False,
                attempt=found.attempt + 1,
                started=None,
                ended=None,
                failure=None,
                assets=(),
                text="",
            )

    def cancel_queued(self, job: str) -> Job | None:
        """Cancel a job that no worker has; None where a worker has it or it has ended."""
        with self._change():
            found = self.get(job)
            if found.state is not JobState.QUEUED:
                return None
            return self._replace(found, state=JobState.CANCELLED, ended=time.time(), held=False, interrupted=False)

    def remove(self, job: str) -> None:
        """Take a job out of the list for good. Raises `WrongState` while a worker has it."""
        with self._change():
            found = self.get(job)
            if found.state.active:
                raise WrongState(found, "removed")
            self._storage.delete([job])

    def clear_ended(self) -> int:
        """Remove all completed, failed and cancelled jobs; returns how many they were."""
        with self._change():
            ended = [job.id for job in self.jobs() if job.state.ended]
            self._storage.delete(ended)
            return len(ended)

    def update(self, job: str, **changes: Any) -> Job:  # noqa: ANN401 - the fields of Job, checked by `validated`
        """Change fields of a job. Raises `NoSuchJob`, and `InvalidField` for a value that does not fit."""
        with self._change():
            return self._replace(self.get(job), **changes)

    def claim(self, family: Family) -> Job | None:
        """Take the first job of a family that is neither held nor paused: QUEUED becomes LOADING, atomically."""
        with self._storage.transaction():
            waiting = None if self.paused else self._storage.first_waiting(family)
            if waiting is None:
                return None
            claimed = self._replace(waiting, state=JobState.LOADING, started=time.time())
        self._changed.call()
        return claimed

    def record(self, job: str, **changes: Any) -> Job:  # noqa: ANN401 - see `update`
        """Like `update`, for what has happened already: on a full disk memory keeps it until it can be written."""
        with self._storage.lock:
            changed = validated(msgspec.structs.replace(self.get(job), **changes))
            self._storage.keep(changed)
        self._changed.call()
        return changed

    def interrupt(self, job: str, text: str = "") -> Job:
        """Put a job that a worker had back as held and interrupted, to be offered again."""
        return self.record(job, **_INTERRUPTED, text=text or self.get(job).text)

    def _offer_interrupted(self) -> None:
        with self._storage.transaction():
            for job in self.jobs():
                if job.state.active:
                    self._replace(job, **_INTERRUPTED)

    def _replace(self, job: Job, **changes: Any) -> Job:  # noqa: ANN401 - see `update`
        changed = validated(msgspec.structs.replace(job, **changes))
        self._storage.write(changed)
        return changed

    @contextmanager
    def _change(self) -> Iterator[None]:
        with self._storage.transaction():
            yield
        self._changed.call()
