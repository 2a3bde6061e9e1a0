"""What a test may not leave behind: log records, threads, processes, shared memory, temporary files, widgets, timers.

Rule 14 of the house. Each `…_left` function looks at one kind of thing and returns what is there; the conftest
compares before with after, and waits a little, since ending takes a moment.
"""

import gc
import logging
import os
import re
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import psutil

RUN_VARIABLE = "ATELIER_TEST_RUN"
RUN = uuid4().hex
_PATIENCE_SECONDS = 3.0
_SHARED_MEMORY = Path("/dev/shm")
# tqdm's monitor and multiprocessing's tracker are made once per process by those libraries, and meant to stay.
# The picture thread rests between jobs; the tests of the engine see to it that it ends.
_LASTING_THREADS = {"TMonitor", "PictureThread"}
_LASTING_PROCESS = "multiprocessing.resource_tracker"
_LASTING_FILES = ("torchinductor_",)


@dataclass
class LogWatch:
    """Sees every log record of the process, whatever logger and handler it belongs to."""

    records: list[logging.LogRecord] = field(default_factory=list)

    def install(self) -> None:
        """Watch from now on."""
        make = logging.getLogRecordFactory()

        def watched(*arguments: object, **named: object) -> logging.LogRecord:
            record = make(*arguments, **named)
            if record.levelno >= logging.WARNING:
                self.records.append(record)
            return record

        logging.setLogRecordFactory(watched)

    def unexpected(self, patterns: Iterable[str]) -> list[str]:
        """Return the records seen since the last call that no pattern expects."""
        lines = [f"{record.name}: {record.getMessage()}" for record in self.records]
        self.records.clear()
        return [line for line in lines if not any(re.search(pattern, line) for pattern in patterns)]


def threads_left() -> set[str]:
    """Return this process's Python threads, those apart that Python only heard of (Qt's own, say)."""
    return {
        f"{thread.name} ({thread.ident})"
        for thread in threading.enumerate()
        if not isinstance(thread, threading._DummyThread) and type(thread).__name__ not in _LASTING_THREADS
    }


def _of_this_run(process: psutil.Process) -> bool:
    if process.pid == os.getpid():
        return True  # the system keeps a process's first environment, which this one's mark came too late for
    with suppress(psutil.Error, OSError):
        return process.environ().get(RUN_VARIABLE) == RUN
    return False


def processes_left() -> dict[int, str]:
    """Return this run's other processes, those that a dead child left to init included."""
    found = {}
    ours = os.getpid()
    children = {child.pid for child in psutil.Process().children(recursive=True)}
    for process in psutil.process_iter():
        if process.pid == ours or not (process.pid in children or _of_this_run(process)):
            continue
        with suppress(psutil.Error):
            line = " ".join(process.cmdline())
            if _LASTING_PROCESS not in line:
                found[process.pid] = f"{process.pid} {process.status()}: {line or process.name()}"
    return found


def _held_by_others(path: Path) -> bool:
    """Tell whether a process outside this run has the file open or mapped (another program's shared memory)."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, psutil.Error):
            if str(path) in (folder / "maps").read_text() and not _of_this_run(psutil.Process(int(folder.name))):
                return True
    return False


def shared_memory_left() -> set[str]:
    """Return the names of shared memory segments (Linux shows them as files)."""
    return {entry.name for entry in _SHARED_MEMORY.iterdir()} if _SHARED_MEMORY.is_dir() else set()


def temporary_files_left() -> set[str]:
    """Return what lies in the run's own folder for temporary files; multiprocessing's own folder may stay, empty."""
    return {
        entry.name
        for entry in Path(tempfile.gettempdir()).iterdir()
        if not entry.name.startswith(_LASTING_FILES)
        and not (entry.name.startswith("pymp-") and not any(entry.iterdir()))
    }


def _settled(find: Callable[[], set[str]], before: set[str]) -> set[str]:
    """Return what is new, once it has had time to go away."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while (new := find() - before) and time.monotonic() < end:
        gc.collect()
        time.sleep(0.02)
    return new


@dataclass(frozen=True)
class Surroundings:
    """What was there before a test."""

    threads: set[str]
    processes: dict[int, str]
    memory: set[str]
    files: set[str]

    @classmethod
    def now(cls) -> "Surroundings":
        """Look around."""
        return cls(threads_left(), processes_left(), shared_memory_left(), temporary_files_left())

    def left_behind(self) -> list[str]:
        """Return a line for each thing that is new, having ended or removed it, so that it spoils no other test."""
        processes = _settled(lambda: {str(pid) for pid in processes_left()}, {str(pid) for pid in self.processes})
        lines = [f"process {processes_left().get(int(pid), pid)}" for pid in processes]
        for pid in processes:
            with suppress(psutil.Error):
                psutil.Process(int(pid)).kill()
        lines += [f"thread {name}" for name in _settled(threads_left, self.threads)]
        memory = _settled(shared_memory_left, self.memory)
        for name in [name for name in memory if not _held_by_others(_SHARED_MEMORY / name)]:
            lines.append(f"shared memory {_SHARED_MEMORY / name}")
            (_SHARED_MEMORY / name).unlink(missing_ok=True)
        for name in _settled(temporary_files_left, self.files):
            path = Path(tempfile.gettempdir()) / name
            lines.append(f"temporary file {name}")
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        return lines


def widgets_left() -> list[str]:
    """Return visible windows and running timers of Qt; closes the windows and stops the timers."""
    if "PySide6.QtWidgets" not in sys.modules:
        return []
    from PySide6.QtCore import QCoreApplication, QEvent, QTimer
    from PySide6.QtWidgets import QApplication
    from shiboken6 import isValid

    if QApplication.instance() is None:
        return []
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    gc.collect()
    lines = []
    for widget in QApplication.topLevelWidgets():
        if widget.isVisible():
            lines.append(f"visible window {type(widget).__name__} {widget.windowTitle()!r}")
            widget.close()
            widget.deleteLater()
    # By type(), since isinstance() asks objects for their __class__, and some of the libraries' answer with a warning.
    for timer in [thing for thing in gc.get_objects() if issubclass(type(thing), QTimer) and isValid(thing)]:
        if timer.isActive():
            lines.append(f"running timer of {type(timer.parent()).__name__}, every {timer.interval()} ms")
            timer.stop()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    return lines
