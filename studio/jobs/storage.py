"""The queue's SQLite file: one row per job, whole transactions, and clear words where the disk refuses."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from studio.core import codec
from studio.core.failure import Failure, FailureCode, InvalidField, StudioError
from studio.core.jobs import Family, Job, JobState, family_of

VERSION = 1
_SMALLEST_GAP = 1e-6
_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS jobs (
        id TEXT PRIMARY KEY, position REAL NOT NULL, state TEXT NOT NULL, family TEXT NOT NULL,
        held INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS jobs_by_position ON jobs (position)",
    "CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
)


class Storage:
    """The rows. Thread-safe; changes belong inside `transaction`, which nests."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.lock = threading.RLock()
        self._depth = 0
        self._unsaved: dict[str, Job] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=0.5, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise _storage_error(path, error) from error
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        """Write what memory kept, and let go of the file; closing again does nothing."""
        with self.lock:
            if self._unsaved:
                # Where the disk refuses still, these jobs count as interrupted at the next start.
                with contextlib.suppress(StudioError), self.transaction():
                    pass
            self._db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; other threads wait. Raises `StudioError` where the disk refuses."""
        with self.lock:
            self._depth += 1
            outermost = self._depth == 1
            try:
                if outermost:
                    self._db.execute("BEGIN IMMEDIATE")
                    self._write_unsaved()
                yield
                if outermost:
                    self._db.execute("COMMIT")
                    self._unsaved.clear()
            except sqlite3.Error as error:
                raise _storage_error(self._path, error) from error
            finally:
                self._depth -= 1
                if outermost:
                    self._roll_back()

    def all(self) -> list[Job]:
        """All readable jobs by position."""
        rows = self._query("SELECT body, position FROM jobs ORDER BY position, id")
        return [self._current(job) for body, position in rows if (job := _job(body, position)) is not None]

    def unreadable(self) -> int:
        """How many rows can't be understood."""
        rows = self._query("SELECT body, position FROM jobs")
        return sum(_job(body, position) is None for body, position in rows)

    def get(self, job: str) -> Job | None:
        """The job, or None."""
        for body, position in self._query("SELECT body, position FROM jobs WHERE id = ?", job):
            found = _job(body, position)
            return None if found is None else self._current(found)
        return None

    def first_waiting(self, family: Family) -> Job | None:
        """The first queued job of a family that is not held."""
        rows = self._query(
            "SELECT body, position FROM jobs WHERE state = ? AND family = ? AND held = 0 ORDER BY position, id",
            JobState.QUEUED.value,
            family.value,
        )
        readable = (_job(body, position) for body, position in rows)
        return next((job for job in readable if job is not None), None)

    def last_position(self) -> float:
        """The largest position, 0 for an empty queue."""
        for (position,) in self._query("SELECT max(position) FROM jobs"):
            return float(position or 0.0)
        return 0.0

    def insert(self, job: Job) -> None:
        """Add a row."""
        self._db.execute(
            "INSERT INTO jobs (id, position, state, family, held, body) VALUES (?, ?, ?, ?, ?, ?)", _row(job)
        )

    def write(self, job: Job) -> None:
        """Replace a row."""
        row = _row(job)
        self._db.execute(
            "UPDATE jobs SET position = ?, state = ?, family = ?, held = ?, body = ? WHERE id = ?", (*row[1:], row[0])
        )
        self._unsaved.pop(job.id, None)

    def keep(self, job: Job) -> None:
        """Write a job; where the disk refuses, keep it in memory for the next transaction."""
        with self.lock:
            self._unsaved[job.id] = job
            try:
                with self.transaction():
                    pass
            except StudioError as error:
                if error.failure.code is not FailureCode.DISK_FULL:
                    raise

    def delete(self, jobs: list[str]) -> None:
        """Remove rows."""
        self._db.executemany("DELETE FROM jobs WHERE id = ?", [(job,) for job in jobs])

    def place(self, job: Job, others: list[Job], index: int) -> None:
        """Give `job` a position between `others[index - 1]` and `others[index]`."""
        low = others[index - 1].position if index > 0 else None
        high = others[index].position if index < len(others) else None
        if low is not None and high is not None and high - low < _SMALLEST_GAP:
            for number, other in enumerate(others):
                self.write(msgspec.structs.replace(other, position=float(number)))
            low, high = float(index - 1), float(index)
        if low is None:
            position = 0.0 if high is None else high - 1.0
        else:
            position = low + 1.0 if high is None else (low + high) / 2.0
        self.write(msgspec.structs.replace(job, position=position))

    def setting(self, name: str) -> str | None:
        """A remembered value."""
        for (value,) in self._query("SELECT value FROM settings WHERE name = ?", name):
            return str(value)
        return None

    def set_setting(self, name: str, value: str) -> None:
        """Remember a value."""
        self._db.execute("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)", (name, value))

    def _current(self, job: Job) -> Job:
        return self._unsaved.get(job.id, job)

    def _query(self, sql: str, *values: str) -> list[tuple[Any, ...]]:
        with self.lock:
            try:
                return self._db.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise _storage_error(self._path, error) from error

    def _write_unsaved(self) -> None:
        for job in list(self._unsaved.values()):
            row = _row(job)
            self._db.execute(
                "UPDATE jobs SET state = ?, held = ?, body = ? WHERE id = ?", (row[2], row[4], row[5], row[0])
            )

    def _roll_back(self) -> None:
        with contextlib.suppress(sqlite3.ProgrammingError):  # closed meanwhile, which rolls back too
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def _prepare(self) -> None:
        try:
            # A lock that lasts as long as the file is open; the system lifts it even after kill -9.
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version > VERSION:
                raise _newer(self._path)
            with self.transaction():
                for statement in _SCHEMA:
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {VERSION}")
        except sqlite3.Error as error:
            raise _storage_error(self._path, error) from error


def _row(job: Job) -> tuple[str, float, str, str, int, bytes]:
    family = family_of(job.request)
    return job.id, job.position, job.state.value, family.value, int(job.held), codec.encode(job)


def _job(body: object, position: object) -> Job | None:
    if not isinstance(body, bytes | str) or not isinstance(position, float | int):
        return None
    try:
        return msgspec.structs.replace(codec.decode(Job, body), position=float(position))
    except InvalidField:
        return None


def _newer(path: Path) -> StudioError:
    return StudioError(
        Failure(
            FailureCode.STORAGE,
            "The queue of this project was written by a newer version of the studio.",
            hint="Update the studio; nothing in the queue was changed.",
            detail=str(path),
        )
    )


def _storage_error(path: Path, error: Exception) -> StudioError:
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else None
    detail = f"{path}: {type(error).__name__}: {error}"
    if primary == sqlite3.SQLITE_FULL:
        text = "The disk is full, so the queue could not be saved."
        return StudioError(Failure(FailureCode.DISK_FULL, text, hint="Free some space and try again.", detail=detail))
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        text = "This project's queue is open in another window of the studio."
        hint = "Close the other window, or open another project."
    elif primary in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        text = "This project's queue is damaged and could not be read. It was left as it is."
        hint = "Restore the file from a backup, or move it away to start with an empty queue."
    else:
        text = "This project's queue could not be read or written."
        hint = "Check that the folder exists and that you may write to it."
    return StudioError(Failure(FailureCode.STORAGE, text, hint=hint, detail=detail))
