"""A family's processes: the one that works and, behind it, a warm spare. Their signs of life and their deaths."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator
from multiprocessing import connection
from typing import Any

import psutil

from studio.core.jobs import Family
from studio.core.wire.frames import ChannelClosed
from studio.core.wire.messages import ToWorker, Warm
from studio.jobs.autopsy import Cause, Death, MemoryWitness
from studio.jobs.bell import Bell
from studio.jobs.limits import Limits, WorkerCommand
from studio.jobs.process import WorkerProcess

_log = logging.getLogger(__name__)
_SPARE_TRIES = 2
_LONGEST_WAIT = 1.0


class Crew:
    """Starts, hears and buries processes. Used from the lane's thread; `current` is read from others too."""

    def __init__(self, family: Family, command: WorkerCommand, limits: Limits) -> None:
        self.family = family
        self._command = command
        self._limits = limits
        self._lock = threading.Lock()
        self._spare_deaths = 0
        self._witness = MemoryWitness()
        self.current: WorkerProcess | None = None
        self.spare: WorkerProcess | None = None

    @property
    def members(self) -> tuple[WorkerProcess, ...]:
        """All processes."""
        return tuple(worker for worker in (self.current, self.spare) if worker is not None)

    def ensure(self) -> WorkerProcess:
        """The working process: the one there is, the spare, or a new one. Raises `OSError`."""
        current = self.current or self.spare or WorkerProcess(self._command, self.family)
        with self._lock:
            if current is self.spare:
                self.spare = None
            self.current = current
        return current

    def warm(self) -> None:
        """Have a working process that has imported its library, or is about to. Raises `OSError`."""
        _warm(self.ensure())

    def want_spare(self, idle_seconds: float) -> None:
        """Make a spare once the first process has worked or warmed up and rests, if memory allows it."""
        current = self.current
        if not self._limits.spare or self.spare is not None or self._spare_deaths >= _SPARE_TRIES:
            return
        if current is None or not current.warmed or idle_seconds < self._limits.spare_after_seconds:
            return
        if psutil.virtual_memory().available < self._limits.spare_memory_floor:
            return
        try:
            self.spare = WorkerProcess(self._command, self.family)
        except OSError:
            self._spare_deaths += 1
            _log.warning("no spare worker for %s", self.family.value, exc_info=True)
            return
        _warm(self.spare)

    def watch_memory(self) -> None:
        """From now on a kill for want of memory counts as evidence."""
        self._witness = MemoryWitness()

    def wait(self, bell: Bell, patience: float | None) -> list[WorkerProcess]:
        """Wait for the bell or a message, `patience` seconds at most; the processes that have something to say."""
        began = time.monotonic()
        speakers: dict[Any, WorkerProcess] = {worker.channel.connection: worker for worker in self.members}
        ready = connection.wait([bell.reader, *speakers], patience)
        # Counted here alone: neither a slow listener nor a machine that slept is the worker's silence.
        silence = min(time.monotonic() - began, _LONGEST_WAIT)
        for pipe, worker in speakers.items():
            worker.quiet = 0.0 if pipe in ready else worker.quiet + silence
        if bell.reader in ready:
            bell.silence()
        return [worker for pipe, worker in speakers.items() if pipe in ready]

    def lost(self) -> Iterator[tuple[WorkerProcess, Cause]]:
        """The processes that are silent for too long, or dead without the channel telling it."""
        for worker in self.members:
            worker.trim_output()
            if worker.quiet >= self._limits.silent_after:
                yield worker, Cause.SILENT
            elif worker.quiet > 0 and worker.has_exited() and not worker.channel.connection.poll():
                # A child of its own may hold the channel open after its death.
                yield worker, Cause.ITSELF

    def bury(self, worker: WorkerProcess, cause: Cause, patience: float, note: str = "") -> Death:
        """See to it that a process has ended, within `patience` seconds by itself, and free what it held.

        Returns what is known of its death.
        """
        if cause is not Cause.ITSELF:
            worker.kill()
        death = Death(
            cause=cause,
            exit_code=worker.bury(patience),
            process=worker.pid,
            log=worker.output(),
            out_of_memory=self._witness.saw_kill(),
            note=note,
        )
        with self._lock:
            if worker is self.spare:
                self.spare = None
                self._spare_deaths += 1
            else:
                self.current = None
            worker.close()
        return death

    def cancel(self, turn: int) -> None:
        """Write the cancel word of the working process, if there is one. From any thread."""
        with self._lock:
            if self.current is not None:
                self.current.word.ask(turn)

    def kill_current(self) -> None:
        """End the working process, so that the lane's thread finds it dead. From any thread."""
        with self._lock:
            if self.current is not None:
                self.current.kill()

    def tell_all(self, message: ToWorker) -> None:
        """Send to all; the dead don't hear it."""
        for worker in self.members:
            with contextlib.suppress(ChannelClosed):
                worker.channel.send(message)


def _warm(worker: WorkerProcess) -> None:
    if not worker.warming:
        worker.warming = True
        with contextlib.suppress(ChannelClosed):  # its death is noticed where it is listened to
            worker.channel.send(Warm())
