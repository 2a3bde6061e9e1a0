"""One set-up at a time in one folder: an operating-system lock, which ends with the process that holds it.

The lock's descriptor is inherited by pip. If main.py is killed while its pip lives on, the folder stays locked until
that pip has gone too, so that two of them never write into one environment.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

_POLL_SECONDS = 0.2


class Waiting(Protocol):
    """Called again and again while another start holds the lock."""

    def __call__(self, process: str, *, first: bool) -> None:
        """Show that this start waits for that process."""


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _holder(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip() or "?"
    except OSError:
        return "?"


@contextmanager
def held(folder: Path, waiting: Waiting) -> Iterator[int]:
    """Hold the folder's lock; yields its descriptor, for children to inherit.

    `waiting` is called while another start holds it.
    """
    folder.mkdir(exist_ok=True)
    holder = folder / "atelier.pid"
    descriptor = os.open(folder / "atelier.lock", os.O_RDWR | os.O_CREAT)
    try:
        first = True
        while not _try_lock(descriptor):
            waiting(_holder(holder), first=first)
            first = False
            time.sleep(_POLL_SECONDS)
        holder.write_text(str(os.getpid()), encoding="ascii")
        yield descriptor
    finally:
        os.close(descriptor)
