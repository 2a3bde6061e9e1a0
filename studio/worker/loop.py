"""The worker's two threads: one listens to the studio and shows signs of life, one runs the engine.

The engine is used from the main thread only. Everything that it raises becomes a `JobFailed` here, and
nowhere else; a job always ends with exactly one terminal event.
"""

from __future__ import annotations

import gc
import importlib
import os
import queue
import sys
import threading
import time
from typing import cast

from studio.core.boundary import attempt
from studio.core.engine import Engine
from studio.core.events import JobCancelled
from studio.core.failure import Failure
from studio.core.wire.block import SharedBlock
from studio.core.wire.frames import BrokenFrame, Channel, ChannelClosed
from studio.core.wire.messages import (
    Assign,
    Cancel,
    FromWorker,
    Hello,
    Pulse,
    Shutdown,
    SlotFree,
    ToWorker,
    Unload,
    Unloaded,
    Warm,
    Warmed,
)
from studio.core.wire.pixels import CancelWord, PixelSender
from studio.worker import process
from studio.worker.performance import Performance
from studio.worker.threads import ForeignLoad

PULSE_SECONDS = 1.0


class Worker:
    """Runs assignments one after the other until it is told to end or the studio is gone."""

    def __init__(self, channel: Channel[ToWorker, FromWorker], block: SharedBlock, engine: str) -> None:
        self._channel = channel
        self._word = CancelWord(block)
        self._pixels = PixelSender(block, channel.send, lambda event: channel.send(cast(FromWorker, event)))
        self._engine_name = engine
        self._engine: Engine | None = None
        self._loaded = 0
        self._load = ForeignLoad()
        self._lock = threading.Lock()
        self._waiting: dict[int, Assign] = {}
        self._performing = False
        self._inbox: queue.SimpleQueue[ToWorker] = queue.SimpleQueue()

    def run(self) -> None:
        """The main thread's loop."""
        threading.Thread(target=self._listen, name="channel", daemon=True).start()
        try:
            self._channel.send(Hello(os.getpid()))
            while True:
                match self._inbox.get():
                    case Shutdown():
                        return
                    case Assign() as assign:
                        self._perform(assign)
                    case Warm():
                        self._warm()
                    case Unload():
                        self._unload()
        except ChannelClosed:
            process.leave_with_children()

    def _listen(self) -> None:
        """The reading thread; the end of the channel is the end of the process."""
        pulse_at = time.monotonic()
        try:
            while True:
                if time.monotonic() >= pulse_at:
                    pulse_at = time.monotonic() + PULSE_SECONDS
                    self._pulse()
                if not self._channel.connection.poll(max(0.0, pulse_at - time.monotonic())):
                    continue
                match self._channel.receive():
                    case SlotFree(slot=slot):
                        self._pixels.slot_is_free(slot)
                    case Cancel(turn=turn):
                        self._cancel_waiting(turn)
                    case message:
                        self._accept(message)
        except (ChannelClosed, BrokenFrame, OSError):
            process.leave_with_children()

    def _accept(self, message: ToWorker) -> None:
        if isinstance(message, Assign):
            with self._lock:
                self._waiting[message.turn] = message
        elif isinstance(message, Shutdown) and not self._performing:
            process.leave(0)  # there is nothing to lose in an import that nobody waits for
        self._inbox.put(message)

    def _cancel_waiting(self, turn: int) -> None:
        """End a job whose engine is still being imported: the import goes on, for the next job."""
        with self._lock:
            assign = self._waiting.pop(turn, None)
            if assign is not None:
                self._channel.send(JobCancelled(job=assign.assignment.job))

    def _begin(self, turn: int) -> bool:
        with self._lock:
            self._performing = self._waiting.pop(turn, None) is not None
            return self._performing

    def _pulse(self) -> None:
        process.still_awake()
        self._load.update()
        self._channel.send_unless_busy(Pulse(process.resident_bytes(), self._loaded))

    def _perform(self, assign: Assign) -> None:
        engine = attempt(self._ready)
        if not self._begin(assign.turn):
            return
        performance = Performance(assign, self._word, self._pixels, self._load.cores())
        if isinstance(engine, Failure):
            performance.fail(engine)
        else:
            performance.run(engine)
            self._measure(engine)
        self._performing = False

    def _ready(self) -> Engine:
        """The engine, imported at its first use. Importing a library may raise anything."""
        if self._engine is None:
            module, _, name = self._engine_name.partition(":")
            self._engine = cast(Engine, getattr(importlib.import_module(module), name)())
            # What the libraries are made of stays; looking through it for garbage after each job takes 0.3 s.
            gc.freeze()
        return self._engine

    def _warm(self) -> None:
        start = time.monotonic()
        failure = attempt(self._warm_engine)
        self._channel.send(Warmed(time.monotonic() - start, failure))

    def _warm_engine(self) -> None:
        warm = getattr(self._ready(), "warm", None)
        if callable(warm):
            warm()

    def _unload(self) -> None:
        if self._engine is not None:
            failure = attempt(self._engine.unload)
            if failure is not None:  # what can't be unloaded ends with the process
                sys.stderr.write(failure.detail)
                process.leave(1)
            self._measure(self._engine)
        gc.collect()
        process.give_memory_back()
        self._channel.send(Unloaded(process.resident_bytes()))

    def _measure(self, engine: Engine) -> None:
        loaded = attempt(engine.loaded_bytes)
        self._loaded = 0 if isinstance(loaded, Failure) else max(0, int(loaded))
        self._channel.send(Pulse(process.resident_bytes(), self._loaded))
