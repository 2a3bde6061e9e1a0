"""Looking before leaping, where memory may be short."""

from __future__ import annotations

import mmap

_A_THREAD = 32 << 20  # its stack, its allocator's first blocks, and what others take in the same moment


def room_for_thread() -> None:
    """Raise `MemoryError` where a thread that is started now might end before its first line.

    Python's `Thread.start` waits for that line without end (seen under a limit of address space, where the stack
    came from the system's cache and nothing else was to be had).
    """
    try:
        mmap.mmap(-1, _A_THREAD).close()
    except OSError as error:
        raise MemoryError("there is not enough memory to start a thread") from error
