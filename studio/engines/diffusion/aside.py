"""A job's work in a thread of its own, so that whoever waits for it can walk away in the middle of a long sum.

At the size that large models draw, a single convolution or attention takes up to a second on a processor, and
building a model's objects a fraction of one; nothing can interrupt either. So the job ends at once for the studio,
and its last sum comes to its end beside the next job, which may already start.
"""

from __future__ import annotations

import threading
from collections.abc import Generator

from studio.core.engine import Cancel
from studio.core.events import Event
from studio.core.failure import Cancelled
from studio.core.room import room_for_thread
from studio.engines.diffusion.gate import Gate, Pass

_LOOK_SECONDS = 0.01


class Aside:
    """Drives `work` in a thread, one event at a time: the thread rests while nobody asks for the next one.

    Calls of the libraries behave the same there as in the main thread; the pipelines have one of their own anyway.
    """

    def __init__(self, work: Generator[Event, None, None], gate: Gate, cancel: Cancel) -> None:
        self._work, self._gate = work, gate
        self._pass = Pass(cancel)
        self._wanted, self._ready = threading.Semaphore(0), threading.Semaphore(0)
        self._event: Event | None = None
        self._error: BaseException | None = None
        room_for_thread()
        self._thread = threading.Thread(target=self._body, name="picture", daemon=True)
        self._thread.start()

    @property
    def over(self) -> bool:
        """Whether the thread has ended."""
        return not self._thread.is_alive()

    def wait(self) -> None:
        """Wait for the end of the thread."""
        self._thread.join()

    def events(self) -> Generator[Event, None, None]:
        """The work's events. Raises what the work raises, and `Cancelled` as soon as the job is to end."""
        try:
            while True:
                self._wanted.release()
                while not self._ready.acquire(timeout=_LOOK_SECONDS):
                    self._look()
                if self._error is not None:
                    raise self._error
                event = self._event
                if event is None:
                    return
                yield event
        finally:
            # Where the thread is not at its end yet, it finds out at its next question and ends by itself.
            self._pass.stop()
            self._wanted.release()
            self._event = self._error = None

    def _look(self) -> None:
        """While there is no event: see whether there will ever be one."""
        if self._pass.cancel.is_set():
            raise Cancelled
        if self.over:
            if not self._ready.acquire(blocking=False):
                raise MemoryError("the thread ended without a word; that is how it looks where words find no memory")
            self._ready.release()

    def _body(self) -> None:
        try:
            with self._gate.admit(self._pass):
                self._wanted.acquire()
                while not self._pass.stopped:
                    self._event = next(self._work, None)
                    self._ready.release()
                    if self._event is None:
                        break
                    self._wanted.acquire()
        except BaseException as error:  # noqa: BLE001 - the thread's boundary: raised again in `events`
            self._error = error
            self._ready.release()
        finally:
            self._work.close()
