"""Closes the window properly when the system asks the studio to end."""

from __future__ import annotations

import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from types import FrameType

from PySide6.QtCore import QObject, QSocketNotifier


@contextlib.contextmanager
def close_on_signals(close: Callable[[], object], parent: QObject) -> Iterator[None]:
    """Call `close` on SIGINT and SIGTERM.

    Python runs its signal handlers between bytecodes, and there may be none while Qt waits; so the
    signal's number goes through a socket that Qt watches.
    """
    read, write = socket.socketpair()
    for end in (read, write):
        end.setblocking(False)
    notifier = QSocketNotifier(read.fileno(), QSocketNotifier.Type.Read, parent)
    notifier.activated.connect(lambda *_: close())
    before = {number: signal.signal(number, _noted) for number in (signal.SIGINT, signal.SIGTERM)}
    wakeup = signal.set_wakeup_fd(write.fileno())
    try:
        yield
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)
        notifier.setEnabled(False)
        read.close()
        write.close()


def _noted(number: int, frame: FrameType | None) -> None:
    """Nothing more to do: the wake-up socket has told Qt."""
