"""A list of callbacks that may change while it is being called."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable
from typing import Generic, ParamSpec

from studio.core.boundary import attempt

P = ParamSpec("P")
_log = logging.getLogger(__name__)


class Subscribers(Generic[P]):
    """Thread-safe: callbacks are called in the order in which they were added, outside the lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callbacks: dict[int, Callable[P, None]] = {}
        self._next = 0

    def add(self, callback: Callable[P, None]) -> Callable[[], None]:
        """Call `callback` from now on, until the returned function is called."""
        with self._lock:
            key = self._next
            self._next += 1
            self._callbacks[key] = callback

        def remove() -> None:
            with self._lock:
                self._callbacks.pop(key, None)

        return remove

    def call(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Call every callback; one that raises is logged and keeps none of the others from hearing it."""
        with self._lock:
            callbacks = list(self._callbacks.values())
        for callback in callbacks:
            # A listener's fault must not stop the thread that every job depends on.
            failure = attempt(functools.partial(callback, *args, **kwargs))
            if failure is not None:
                _log.error("a listener failed: %s", failure.detail or failure.message)
