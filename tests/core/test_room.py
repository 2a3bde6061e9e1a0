"""Whether a thread can be started is found out before it is tried."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from studio.core.room import room_for_thread

_LIMITED = """
import resource
from studio.core.room import room_for_thread
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (8 << 20), resource.RLIM_INFINITY))
try:
    room_for_thread()
except MemoryError as error:
    print("no:", error)
"""


def test_there_is_room_as_a_rule() -> None:
    before = len(threading.enumerate())
    room_for_thread()
    assert len(threading.enumerate()) == before  # it only looks


@pytest.mark.skipif(sys.platform != "linux", reason="address-space limits are a matter of the system")
def test_there_is_none_under_a_limit() -> None:
    said = subprocess.run(
        [sys.executable, "-c", _LIMITED], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    assert said == "no: there is not enough memory to start a thread\n"
