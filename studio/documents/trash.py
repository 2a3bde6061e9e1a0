"""Deleted files wait in the project's own trash, so that deleting can be taken back."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from studio.documents.atomic import storage_error, write_atomically


def discard(path: Path, trash: Path) -> Path:
    """Move `path` (a file or a folder) into the folder `trash`; returns where it lies now.

    Raises `StudioError` (`STORAGE`, `DISK_FULL`).
    """
    try:
        trash.mkdir(parents=True, exist_ok=True)
        stamp = time.strftime("%Y-%m-%d %H.%M.%S")
        target = trash / f"{stamp} {path.name}"
        number = 2
        while target.exists():
            target = trash / f"{stamp} {number} {path.name}"
            number += 1
        shutil.move(path, target)
    except OSError as error:
        raise storage_error(path, error) from error
    return target


def put_back(discarded: Path, path: Path) -> Path:
    """Move a discarded file back to `path`, beside whatever has taken its name meanwhile.

    Raises `StudioError` (`STORAGE`, `DISK_FULL`).
    """
    target = path
    number = 2
    while target.exists():
        target = path.with_name(f"{path.stem} {number}{path.suffix}")
        number += 1
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(discarded, target)
    except OSError as error:
        raise storage_error(path, error) from error
    return target


def set_aside(name: str, data: bytes, trash: Path) -> Path:
    """Put `data` into the folder `trash` as a file called `name`. Raises `StudioError`."""
    target = trash / name
    number = 2
    while target.exists():
        target = trash / f"{number} {name}"
        number += 1
    write_atomically(target, data)
    return target
