"""Running another program during set-up: line by line, with a log, and with signs of life while it is silent."""

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

_TICK_SECONDS = 0.2
_KEPT_LINES = 60


@dataclass(frozen=True)
class Outcome:
    """How a program ended: its exit code and its last lines."""

    exit_code: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The last lines as one text."""
        return "\n".join(self.lines)


@dataclass(frozen=True)
class Runner:
    """Runs programs into one log; `tick` is called while they are silent, `inherited` descriptors live on in them."""

    log: Path
    tick: Callable[[], None]
    inherited: tuple[int, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(
        self,
        command: list[str],
        on_line: Callable[[str], None] = lambda _line: None,
        environment: Mapping[str, str] | None = None,
    ) -> Outcome:
        """Run a program to its end; raises OSError where it cannot be started or the log cannot be written."""
        with self.log.open("a", encoding="utf-8", errors="replace") as log:
            log.write(f"$ {' '.join(command)}\n")
            log.flush()
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
                env={**os.environ, **self.environment, **(environment or {})},
                pass_fds=self.inherited if os.name == "posix" else (),
                process_group=0 if os.name == "posix" else None,  # so that the compilers below pip can be ended too
            )
            try:
                return self._follow(process, log, on_line)
            finally:
                _stop(process)

    def _follow(self, process: subprocess.Popen[str], log: IO[str], on_line: Callable[[str], None]) -> Outcome:
        lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        reader = threading.Thread(target=_read, args=(process, lines), name="set-up output", daemon=True)
        reader.start()
        kept: list[str] = []
        while True:
            try:
                line = lines.get(timeout=_TICK_SECONDS)
            except queue.Empty:
                self.tick()
                continue
            if line is None:
                break
            log.write(line + "\n")
            if not line.startswith("Progress "):
                kept = [*kept[1 - _KEPT_LINES :], line]
            on_line(line)
        reader.join()
        return Outcome(process.wait(), tuple(kept))


def _read(process: subprocess.Popen[str], lines: "queue.SimpleQueue[str | None]") -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line.rstrip())
    lines.put(None)


def _signal(process: subprocess.Popen[str], name: str) -> None:
    """Send a signal to the program and all that it started (on Windows: end the program)."""
    if sys.platform == "win32":
        process.terminate()
    else:
        os.killpg(process.pid, getattr(signal, name))


def _stop(process: subprocess.Popen[str]) -> None:
    """End the program if it is still there (Ctrl-C, a failed write): nothing of set-up stays behind."""
    if process.poll() is None:
        _signal(process, "SIGTERM")
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            _signal(process, "SIGKILL")
            process.wait()
    if process.stdout is not None:
        process.stdout.close()
