"""What the databases of documents have in common: changes are made whole or not at all, and errors have words."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from studio.core.failure import Failure, FailureCode, StudioError


@contextlib.contextmanager
def change(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Everything inside is written together at the end, or nothing is.

    For a connection with Python's implicit transactions. Raises `StudioError` as `database_error` says.
    """
    try:
        with connection:
            yield
    except sqlite3.Error as error:
        raise database_error(path, error) from error


def database_error(path: Path, error: sqlite3.Error) -> StudioError:
    """The `StudioError` (`DISK_FULL` or `STORAGE`) for a change that the database at `path` did not take."""
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(code, int) and code & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        # A disk that fills up while SQLite extends its log is an input/output error to it.
        return StudioError(
            Failure(
                FailureCode.DISK_FULL,
                f"“{path.name}” could not be changed: the disk that holds {path.parent} is full or does not answer.",
                hint="Free some space, then try again. Nothing that was there before is lost.",
                detail=f"{path}: {error}",
            )
        )
    return StudioError(
        Failure(
            FailureCode.STORAGE,
            f"“{path.name}” in {path.parent} could not be changed.",
            hint="Check that the file is there, that you may write to it and that no other program holds it.",
            detail=f"{path}: {error}",
        )
    )
