"""The worker's place in the system: its priority, its end when the studio ends, its memory."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

import psutil

NICENESS = 10
"""Measured: with the worker at 10, the window's timer stays within 0.9–4.4 ms (p99) while it computes."""
GROUP_NICENESS = 4
"""The same for the session's group, on a machine with four other busy sessions per core: the window's timer stays
within 4–6 ms (p99) instead of 9, without stalls; a larger value would starve the worker beside such neighbours."""

STUCK_SECONDS = 45
_PR_SET_PDEATHSIG = 1
_ME = psutil.Process()


def yield_to_window() -> None:
    """Run below the window's priority."""
    if sys.platform == "win32":
        _ME.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
    else:
        with contextlib.suppress(OSError):  # a system that forbids it is no reason not to work
            os.nice(NICENESS)
        # Where Linux groups processes by session, niceness counts within the session only, and a worker has
        # one of its own: the group must step back as well.
        with contextlib.suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(GROUP_NICENESS), encoding="ascii")


def die_with_parent() -> None:
    """Be told by the kernel when the studio is gone, besides the end of the channel; children go along.

    Not SIGKILL: that would end this process before it can take its own children with it.
    """
    if sys.platform == "win32":
        return
    signal.signal(signal.SIGTERM, lambda _number, _frame: leave_with_children())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)


def leave_no_core() -> None:
    """No core dump after a crash: writing gigabytes of weights to disk would hold up the next job."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def still_awake() -> None:
    """Wind up the kernel's own alarm clock: it ends this process where nothing calls this for `STUCK_SECONDS`.

    It works even when a library holds the interpreter for ever and the studio is gone.
    """
    if sys.platform != "win32":
        signal.alarm(STUCK_SECONDS)


def leave(code: int) -> NoReturn:
    """End now, without the interpreter's farewell: libraries with threads of their own may crash or hang in it."""
    os._exit(code)


def leave_with_children() -> NoReturn:
    """End now, and all processes that this one has started; for when nobody is left to do it."""
    with contextlib.suppress(psutil.Error):
        for child in _ME.children(recursive=True):
            child.kill()
    if sys.platform != "win32" and os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


def resident_bytes() -> int:
    """The memory that this process holds, in bytes."""
    return int(_ME.memory_info().rss)


def forget_peak() -> None:
    """Let `peak_bytes` count from now, where the system can do that."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_bytes() -> int:
    """The most memory that this process has held, in bytes; 0 where the system does not say."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return int(getattr(_ME.memory_info(), "peak_wset", 0))


def give_memory_back() -> None:
    """Return what the allocator keeps for later to the system (measured: 0.7–0.85 GB after a model)."""
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError, OSError):  # a C library without malloc_trim keeps it
            ctypes.CDLL(None).malloc_trim(0)
