"""Files that are either the old one or the new one, whole, whatever happens in between."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import time
from pathlib import Path

from studio.core.failure import Failure, FailureCode, StudioError

_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{8}\.part")
_ABANDONED_AFTER = 600.0  # seconds
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def write_atomically(path: Path, data: bytes) -> None:
    """Replace `path` by `data`: temporary name beside it, flush, sync, rename.

    Raises `StudioError` with `DISK_FULL` or `STORAGE`; the old file is untouched then and no
    temporary file stays.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise storage_error(path, error) from error
    _sync_folder(path.parent)


def clear_half_written(folder: Path) -> None:
    """Remove from `folder` what `write_atomically` left there when the program or the power ended in its middle.

    Only files that nobody can be writing any more, by their age.
    """
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if _TEMPORARY.fullmatch(path.name) and time.time() - path.stat().st_mtime > _ABANDONED_AFTER:
                path.unlink()


def storage_error(path: Path, error: OSError) -> StudioError:
    """The `StudioError` for an `OSError` while writing `path`."""
    if error.errno in _FULL:
        return StudioError(
            Failure(
                FailureCode.DISK_FULL,
                f"“{path.name}” could not be saved: the disk that holds {path.parent} is full.",
                hint="Free some space or choose another folder, then try again. Nothing that was saved before is lost.",
                detail=str(error),
            )
        )
    return StudioError(
        Failure(
            FailureCode.STORAGE,
            f"“{path.name}” could not be saved in {path.parent}: {error.strerror or error}.",
            hint="Check that the folder exists and that you may write to it, then try again.",
            detail=str(error),
        )
    )


def _sync_folder(folder: Path) -> None:
    """Make the rename durable; systems that can't open a folder do that by themselves."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
