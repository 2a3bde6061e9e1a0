"""What this machine's own runs took, so that the next forecast is a measured one."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from pathlib import Path

from studio.core.codec import decode, encode
from studio.core.events import RunReport
from studio.core.failure import InvalidField
from studio.core.references import ModelRef
from studio.core.requests import Request
from studio.models.forecast import Run, work_of

_KEPT = 50
_RECENT = 15
_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
  id INTEGER PRIMARY KEY, model TEXT NOT NULL, work REAL NOT NULL, report BLOB NOT NULL
) STRICT
"""


class RunHistory:
    """Finished runs by model; keeps the newest fifty of each. Thread-safe.

    A forecast is a kindness: where its file can't be read or written, nothing is remembered, and nothing else is lost.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection = _open(path)

    def add(self, request: Request, report: RunReport) -> None:
        """Remember a finished run of `request`."""
        model = str(request.model)
        with self._lock, contextlib.suppress(sqlite3.Error):
            self._connection.execute(
                "INSERT INTO runs (model, work, report) VALUES (?, ?, ?)",
                (model, _work(request, report), encode(report)),
            )
            self._connection.execute(
                "DELETE FROM runs WHERE model = ? AND id NOT IN "
                "(SELECT id FROM runs WHERE model = ? ORDER BY id DESC LIMIT ?)",
                (model, model, _KEPT),
            )

    def of(self, model: ModelRef) -> tuple[Run, ...]:
        """The newest runs of `model`, newest first."""
        with self._lock:
            try:
                rows = self._connection.execute(
                    "SELECT work, report FROM runs WHERE model = ? ORDER BY id DESC LIMIT ?", (str(model), _RECENT)
                ).fetchall()
                return tuple(Run(work, decode(RunReport, report)) for work, report in rows)
            except (sqlite3.Error, InvalidField):
                return ()

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._connection.close()


def _open(path: Path) -> sqlite3.Connection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _prepared(sqlite3.connect(path, check_same_thread=False, isolation_level=None))
    except (sqlite3.Error, OSError):
        return _prepared(sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None))


def _prepared(connection: sqlite3.Connection) -> sqlite3.Connection:
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(_SCHEMA)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _work(request: Request, report: RunReport) -> float:
    """What was really done: a text may have ended early."""
    return float(report.output_tokens) if report.output_tokens else work_of(request)
