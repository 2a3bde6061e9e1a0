"""A job's work in a thread of its own, so that whoever waits for it can walk away in the middle of a long sum.

At the size that large models draw, a single convolution or attention takes up to a second on a processor, and
building a model's objects a fraction of one; nothing can interrupt either. So the job ends at once for the studio,
and its last sum comes to its end beside the next job, which may already start.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator

from studio.core.engine import Cancel
from studio.core.events import Event
from studio.core.failure import Cancelled
from studio.core.room import room_for_thread
from studio.engines.diffusion.failures import out_of_memory
from studio.engines.diffusion.gate import Gate, Pass

_LOOK_SECONDS = 0.01


class PictureThread(threading.Thread):
    """Does one job after the other, and rests in between.

    The libraries keep what they have prepared for a layer, and their own helpers, once per thread: in a new thread
    for each job, the starter's 20 steps took 0.8 s instead of 0.4.
    """

    def __init__(self) -> None:
        super().__init__(name="picture", daemon=True)
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()

    def run(self) -> None:
        """In the thread: until it is told to end."""
        while self._next():
            pass

    def _next(self) -> bool:
        # A function of its own: nothing of a job, and so of its model, is held on to while the thread rests.
        job = self._jobs.get()
        if job is not None:
            job()
        return job is not None

    def take(self, job: Callable[[], None]) -> None:
        """Do `job` when those before it are done."""
        self._jobs.put(job)

    def end(self) -> None:
        """End after the jobs that were taken."""
        self._jobs.put(None)


class Aside:
    """Drives `work` in a thread, one event at a time: the thread rests while nobody asks for the next one.

    Calls of the libraries behave the same there as in the main thread; the pipelines have one of their own anyway.
    """

    def __init__(self, work: Generator[Event, None, None], gate: Gate, cancel: Cancel, thread: PictureThread) -> None:
        self._work, self._gate = work, gate
        self._pass = Pass(cancel)
        self._wanted, self._ready = threading.Semaphore(0), threading.Semaphore(0)
        self._event: Event | None = None
        self._error: BaseException | None = None
        self._done = threading.Event()
        self._thread = thread
        thread.take(self._body)

    @property
    def over(self) -> bool:
        """Whether the thread has nothing to do with this job any more."""
        return self._done.is_set() or not self._thread.is_alive()

    def wait(self) -> None:
        """Wait until the job is over."""
        while not self._done.wait(_LOOK_SECONDS) and self._thread.is_alive():
            pass

    def events(self) -> Generator[Event, None, None]:
        """The work's events. Raises what the work raises, and `Cancelled` as soon as the job is to end."""
        try:
            while True:
                self._wanted.release()
                while not self._ready.acquire(timeout=_LOOK_SECONDS):
                    self._look()
                if self._error is not None:
                    self.wait()
                    raise self._error
                event = self._event
                if event is None:
                    self.wait()
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
            self._perform()
        finally:
            self._done.set()

    def _perform(self) -> None:
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


class Asides:
    """An engine's jobs: in one thread that rests between them, or beside one that a job was left in.

    Such a thread ends by itself when that job does.
    """

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._resting: PictureThread | None = None
        self.left: list[Aside] = []
        """Jobs whose last sum may still be under way."""

    def run(self, work: Generator[Event, None, None], cancel: Cancel) -> Iterator[Event]:
        """The events of `work`; raises what it raises, and `Cancelled` as soon as the job is to end."""
        self.left = [job for job in self.left if not job.over]
        try:
            job = Aside(work, self._gate, cancel, self._thread())
        except (MemoryError, RuntimeError) as error:  # the latter is Python's word for a thread that finds no memory
            raise out_of_memory("begin with this picture", str(error)) from error
        self.left.append(job)
        yield from job.events()

    def end(self) -> None:
        """Wait for what is left, and end the thread, and with it what the libraries keep for it."""
        for job in self.left:
            job.wait()
        self.left.clear()
        thread, self._resting = self._resting, None
        if thread is not None:
            thread.end()
            thread.join()

    def _thread(self) -> PictureThread:
        """A thread with nothing to do."""
        if self.left and self._resting is not None:
            self._resting.end()
            self._resting = None
        if self._resting is None or not self._resting.is_alive():
            room_for_thread()
            made = PictureThread()
            made.start()
            self._resting = made
        return self._resting
