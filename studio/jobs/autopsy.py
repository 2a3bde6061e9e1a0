"""Why a worker died, in words that a person can act on.

Signals, exit codes and a kill for want of memory are told apart; the last one is only claimed where the
kernel's own counters say so.
"""

from __future__ import annotations

import contextlib
import enum
import signal
from pathlib import Path

import msgspec

from studio.core.boundary import speaks_of_memory
from studio.core.failure import Failure, FailureCode

_AGAIN = "Try again. If it happens with this model each time, choose another one or report it with the details."
_MEMORY_HINT = "Close other programs, or choose a smaller model or a smaller picture, and try again."
_CRASHES = {
    "SIGABRT": "it found an error in itself and gave up",
    "SIGSEGV": "it touched memory that is not its own",
    "SIGBUS": "a file that it was reading changed or vanished, or memory failed",
    "SIGILL": "it used an instruction that this processor does not have",
    "SIGFPE": "it divided by zero",
}
_WINDOWS_CODES = {
    0xC0000005: "it touched memory that is not its own",
    0xC0000017: "not enough memory",
    0xC000001D: "it used an instruction that this processor does not have",
    0xC0000135: "a library file is missing",
    0xC0000409: "it found an error in itself and gave up",
}


class Cause(enum.StrEnum):
    """What ended a worker."""

    ITSELF = "itself"
    CANCELLED = "cancelled"
    SILENT = "silent"
    BROKEN = "broken"
    CLOSED = "closed"


class Death(msgspec.Struct, frozen=True):
    """The facts: `exit_code` is negative for a signal, None where it is not known; `log` is the end of its output."""

    cause: Cause
    exit_code: int | None
    process: int
    stage: str = "idle"
    log: str = ""
    out_of_memory: bool = False
    note: str = ""


def failure_of_death(death: Death) -> Failure:
    """What to tell about a job whose worker died."""
    code, message, hint = _words(death)
    return Failure(code, message, hint=hint, detail=_detail(death))


def _words(death: Death) -> tuple[FailureCode, str, str]:
    if death.cause is Cause.SILENT:
        text = "The worker gave no sign of life any more and was ended."
        return FailureCode.WORKER_SILENT, text, _AGAIN
    if death.cause is Cause.BROKEN:
        return FailureCode.WORKER_DIED, "The worker sent something that can't be understood and was ended.", _AGAIN
    if death.exit_code is not None and death.exit_code < 0:
        return _words_for_signal(death, -death.exit_code)
    if speaks_of_memory(death.log):
        return FailureCode.OUT_OF_MEMORY, "The worker ended because there was not enough memory.", _MEMORY_HINT
    windows = _WINDOWS_CODES.get((death.exit_code or 0) & 0xFFFFFFFF)
    reason = f": {windows}" if windows else ""
    return FailureCode.WORKER_DIED, f"The worker ended by itself (exit code {death.exit_code}{reason}).", _AGAIN


def _words_for_signal(death: Death, number: int) -> tuple[FailureCode, str, str]:
    name = _signal_name(number)
    if death.out_of_memory and name == "SIGKILL":
        text = "The system ended the worker, probably because it ran out of memory."
        return FailureCode.OUT_OF_MEMORY, text, _MEMORY_HINT
    if name in _CRASHES:
        if speaks_of_memory(death.log):
            text = "The model's library gave up because there was not enough memory."
            return FailureCode.OUT_OF_MEMORY, text, _MEMORY_HINT
        return FailureCode.WORKER_DIED, f"The model's library crashed ({name}: {_CRASHES[name]}).", _AGAIN
    if name == "SIGALRM":
        return FailureCode.WORKER_SILENT, "The worker hung and ended itself.", _AGAIN
    text = f"The worker was ended from outside the studio ({name})."
    return FailureCode.WORKER_KILLED, text, "Nothing else was lost; try again."


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _detail(death: Death) -> str:
    lines = [f"worker process {death.process}, {death.stage}"]
    if death.exit_code is not None:
        lines.append(f"exit code {death.exit_code}")
    if death.note:
        lines.append(death.note)
    if death.log:
        lines += ["last output of the worker:", death.log]
    return "\n".join(lines)


class MemoryWitness:
    """The kernel's counters of kills for want of memory: has one risen since this was made?"""

    def __init__(self, root: Path = Path("/")) -> None:
        self._sources = tuple(_sources(root))
        self._before = self._read()

    def saw_kill(self) -> bool:
        """Whether the kernel has killed for memory since. False where nothing can be known."""
        now = self._read()
        return any(now.get(source, 0) > count for source, count in self._before.items())

    def _read(self) -> dict[Path, int]:
        counts = {}
        for source in self._sources:
            with contextlib.suppress(OSError, ValueError):
                for line in source.read_text().splitlines():
                    name, _, value = line.partition(" ")
                    if name == "oom_kill":
                        counts[source] = int(value)
        return counts


def _sources(root: Path) -> list[Path]:
    """The whole machine's counter, and those of the control group (version 2 and 1) that the studio is in."""
    sources = [root / "proc/vmstat"]
    with contextlib.suppress(OSError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if not controllers:
                sources.append(root / "sys/fs/cgroup" / path.lstrip("/") / "memory.events")
            elif "memory" in controllers.split(","):
                sources.append(root / "sys/fs/cgroup/memory" / path.lstrip("/") / "memory.oom_control")
    return sources
