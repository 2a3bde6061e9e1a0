"""Calls into the library that can't be interrupted, made by a thread so that nobody has to wait for them.

Making a long context clears gigabytes; reading a vocabulary takes a third of a second. Whoever asked may walk
away at once; what the call then brings is thrown away when it comes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from studio.core.engine import Cancel
from studio.core.failure import Cancelled
from studio.core.room import room_for_thread

_LOOK = 0.01


class Errand:
    """One call under way: `work` gives a handle of the library (0 for none), `discard` frees an unwanted one."""

    def __init__(self, work: Callable[[], int], discard: Callable[[int], None]) -> None:
        self._work = work
        self._discard = discard
        self._lock = threading.Lock()
        self._left = False
        self._handle = 0
        self._error: Exception | None = None
        self._done = threading.Event()
        room_for_thread()
        self.thread = threading.Thread(target=self._run, name="llama-errand")
        self.thread.start()

    def finished(self, seconds: float = _LOOK) -> bool:
        """Whether the call has come back, after waiting up to `seconds`."""
        return self._done.wait(seconds)

    def leave(self) -> None:
        """Nobody wants the result any more."""
        with self._lock:
            self._left = True
            if self._handle:
                self._discard(self._handle)
                self._handle = 0

    def result(self, cancel: Cancel) -> int:
        """The handle, now the caller's. Raises `Cancelled` at once, having left, if the job is to end."""
        while not self.finished():
            if cancel.is_set():
                self.leave()
                raise Cancelled
        if self._error is not None:
            raise self._error
        handle, self._handle = self._handle, 0
        return handle

    def _run(self) -> None:
        try:
            handle = self._work()
            with self._lock:
                if self._left and handle:
                    self._discard(handle)
                else:
                    self._handle = handle
        except Exception as error:  # noqa: BLE001 - a thread's boundary: raised again in `result`
            self._error = error
        finally:
            self._done.set()


class Errands:
    """All errands of one engine. They must be over before what they use is freed."""

    def __init__(self) -> None:
        self._out: list[Errand] = []

    def send(self, work: Callable[[], int], discard: Callable[[int], None]) -> Errand:
        """Begin one; see `Errand`."""
        self._out = [errand for errand in self._out if errand.thread.is_alive()]
        errand = Errand(work, discard)
        self._out.append(errand)
        return errand

    def settle(self) -> None:
        """Wait for those that were left."""
        for errand in self._out:
            errand.thread.join()
        self._out.clear()
