"""Opening the file of a canvas document: made new, brought up to date, or refused and left as it is."""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
from pathlib import Path

from studio.core.failure import Failure, FailureCode, StudioError

_VERSION = 2  # 2: steps of the journal may move the frame
_SCHEMA = """
CREATE TABLE placements (id TEXT PRIMARY KEY, json BLOB NOT NULL) STRICT;
CREATE TABLE journal (step INTEGER PRIMARY KEY, json BLOB NOT NULL) STRICT;
CREATE TABLE landed (job TEXT PRIMARY KEY) STRICT;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""


def open_canvas(path: Path) -> sqlite3.Connection:
    """A connection to the canvas at `path`. Raises `StudioError` (`STORAGE`) where it is none or a newer one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as undo:
            connection = undo.enter_context(contextlib.closing(sqlite3.connect(path, check_same_thread=False)))
            _prepare(connection, path)
            undo.pop_all()
    except (sqlite3.Error, OSError) as error:
        raise _unopenable(path, str(error)) from error
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > _VERSION:
        raise _unopenable(path, "a newer Atelier made it")
    if version == 1:
        with connection:
            connection.execute(f"PRAGMA user_version={_VERSION}")  # the tables are the same
    if version == 0:
        with connection:
            # A script would commit each statement by itself, and a kill between two leave half a document.
            connection.execute("BEGIN IMMEDIATE")
            for statement in _SCHEMA.strip().splitlines():
                connection.execute(statement)
            connection.execute("INSERT INTO meta VALUES ('id', ?)", (secrets.token_hex(16),))
            connection.execute(f"PRAGMA user_version={_VERSION}")


def _unopenable(path: Path, reason: str) -> StudioError:
    return StudioError(
        Failure(
            FailureCode.STORAGE,
            f"The canvas “{path.name}” can't be opened: {reason}.",
            hint="Open another one, or put a copy of the file from a backup in its place. The file was not changed.",
            detail=str(path),
        )
    )
