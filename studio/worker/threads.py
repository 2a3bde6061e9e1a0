"""How many threads a job may use, by what else is going on in the machine.

Measured: beside one busy foreign process, two threads on two cores took 5–9.6 s a step and one thread 2.5–3.1 s,
since each layer waits for its slowest thread. So cores that others keep busy are left to them.
"""

from __future__ import annotations

import os
import time

import psutil

_WINDOW = 0.5
"""Seconds; shorter stretches say too little, since the system counts in hundredths."""


def cores() -> int:
    """Physical cores that this process may run on."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    physical = psutil.cpu_count(logical=False) or allowed
    return max(1, min(allowed, physical))


def threads_beside(foreign: float, available: int) -> int:
    """Threads to use where others keep `foreign` cores busy on average."""
    return max(1, available - int(foreign + 0.5))


class ForeignLoad:
    """How many cores other processes keep busy, over the last stretch of time."""

    def __init__(self) -> None:
        self._then = _reading()
        self._load = 0.0

    def update(self) -> None:
        """Look again; call it from time to time."""
        now = _reading()
        elapsed = now[0] - self._then[0]
        if elapsed < _WINDOW:
            return
        busy, own = now[1] - self._then[1], now[2] - self._then[2]
        self._load = max(0.0, (busy - own) / elapsed)
        self._then = now

    def cores(self) -> float:
        """Busy cores, not counting this process."""
        return self._load


def _reading() -> tuple[float, float, float]:
    machine = psutil.cpu_times()
    idle = machine.idle + getattr(machine, "iowait", 0.0)
    # A guest's time is contained in its user's time already.
    guest = getattr(machine, "guest", 0.0) + getattr(machine, "guest_nice", 0.0)
    own = os.times()
    return time.monotonic(), sum(machine) - idle - guest, own.user + own.system
