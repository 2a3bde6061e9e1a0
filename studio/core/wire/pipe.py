"""How the two ends of a channel find each other.

On POSIX both ends are made by the studio, as a pair of connected Unix sockets, and one is inherited by
the worker: there is no name that anybody else could connect to, and nothing that could be left on disk.
Windows has no such pairs; there the worker connects to a named pipe and both sides prove that they know a
secret key, which travels in the worker's environment.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import sys
import threading
from collections.abc import Callable
from multiprocessing import connection as mp
from typing import Protocol

KEY_VARIABLE = "ATELIER_CHANNEL_KEY"


class PipeEnd(Protocol):
    """What is used of `multiprocessing.connection.Connection` and its Windows sister."""

    @property
    def readable(self) -> bool:
        """False once a frame was longer than allowed."""
        ...

    def fileno(self) -> int:
        """The descriptor or handle to wait for."""
        ...

    def send_bytes(self, buf: bytes) -> None:
        """Send one frame."""
        ...

    def recv_bytes(self, maxlength: int | None = None) -> bytes:
        """Receive one frame."""
        ...

    def poll(self, timeout: float | None = 0.0) -> bool:
        """Whether a frame has come within `timeout` seconds."""
        ...

    def close(self) -> None:
        """Let go."""
        ...


class Invitation:
    """The studio's side before the worker runs: what to pass to it, and how to get the connection."""

    def __init__(self) -> None:
        self.environment: dict[str, str] = {}
        self.inherited: tuple[int, ...] = ()
        self._listener: mp.Listener | None = None
        self._pair: tuple[PipeEnd, socket.socket] | None = None
        if sys.platform == "win32":
            key = secrets.token_bytes(32)
            self._listener = mp.Listener(family="AF_PIPE", authkey=key)
            self.environment = {KEY_VARIABLE: key.hex()}
            self.address = f"pipe:{self._listener.address}"
        else:
            ours, theirs = socket.socketpair()
            self._pair = mp.Connection(ours.detach()), theirs
            self.inherited = (theirs.fileno(),)
            self.address = f"fd:{theirs.fileno()}"

    def accept(self, alive: Callable[[], bool]) -> PipeEnd:
        """The studio's end, once the worker's process exists; `alive` says whether it still does.

        Raises `OSError`, `EOFError` or `AuthenticationError` where the worker never connects.
        """
        if self._listener is not None:
            return self._accept_named(self._listener, alive)
        if self._pair is None:
            raise OSError("withdrawn")
        ours, theirs = self._pair
        theirs.close()
        return ours

    def _accept_named(self, listener: mp.Listener, alive: Callable[[], bool]) -> PipeEnd:
        accepted = threading.Event()

        def unblock() -> None:
            # Nothing else wakes a thread that waits for a process which has died before it connected.
            while not accepted.wait(0.1):
                if not alive():
                    with contextlib.suppress(OSError, EOFError):
                        mp.Client(str(listener.address), family="AF_PIPE").close()
                    return

        watcher = threading.Thread(target=unblock, name="worker-watch")
        watcher.start()
        try:
            return listener.accept()
        finally:
            accepted.set()
            watcher.join()
            listener.close()

    def withdraw(self) -> None:
        """Forget it, where no process could be started."""
        for end in (self._listener, *(self._pair or ())):
            if end is not None:
                end.close()


def join(address: str) -> PipeEnd:
    """The worker's end of an `Invitation.address`. Raises `ValueError` for anything else."""
    kind, _, name = address.partition(":")
    if kind == "fd":
        descriptor = int(name)
        os.set_inheritable(descriptor, False)
        return mp.Connection(descriptor)
    if kind == "pipe":
        key = bytes.fromhex(os.environ.pop(KEY_VARIABLE))
        return mp.Client(name, family="AF_PIPE", authkey=key)
    raise ValueError(address)
