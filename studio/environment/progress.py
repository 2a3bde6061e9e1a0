"""Progress of set-up in a terminal or a log: which stage, what, how much of how much, how long so far and still.

Everything goes to stderr, so that `main.py generate … > file` stays clean even when it is the first start.
"""

import shutil
import time
from typing import TextIO

_TERMINAL_SECONDS = 0.1
_LOG_SECONDS = 10.0
_BAR = 20


def clock_text(seconds: float) -> str:
    """Write a duration as a person reads it: 42 s, 3:05, 1:02:03."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def size_text(size: float) -> str:
    """Write bytes as MB or GB."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


class Progress:
    """A line that is rewritten in a terminal, and a line every ten seconds in a log."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._terminal = stream.isatty()
        self._begun = time.monotonic()
        self._stage_begun = self._begun
        self._shown = 0.0
        self._stage = ""
        self._text = ""
        self._fraction: float | None = None
        self._open_line = False

    def say(self, text: str) -> None:
        """Print a line that stays."""
        self._clear()
        print(text, file=self._stream, flush=True)

    def stage(self, title: str) -> None:
        """Begin a stage; the remaining time is reckoned within it."""
        self._stage, self._text, self._fraction = title, "", None
        self._stage_begun = self._shown = time.monotonic()
        self.say(f"• {title}")

    def update(self, text: str, fraction: float | None = None) -> None:
        """Set what is being done, and how much of the stage is done (0 to 1, None: unknown)."""
        self._text, self._fraction = text, fraction
        self.tick()

    def tick(self) -> None:
        """Show that it goes on; called several times a second, shown as often as suits the stream."""
        now = time.monotonic()
        if now - self._shown < (_TERMINAL_SECONDS if self._terminal else _LOG_SECONDS):
            return
        self._shown = now
        line = self._line(now - self._stage_begun)
        if not self._terminal:
            print(f"  {line}", file=self._stream, flush=True)
            return
        width = shutil.get_terminal_size().columns - 3
        print(f"\r\x1b[2K  {line[:width]}", end="", file=self._stream, flush=True)
        self._open_line = True

    def finish(self) -> None:
        """Say how long all of it took."""
        self.say(f"Ready after {clock_text(time.monotonic() - self._begun)}.")

    def _line(self, elapsed: float) -> str:
        parts = [self._text or self._stage, f"{clock_text(elapsed)} so far"]
        if self._fraction is not None:
            filled = round(self._fraction * _BAR)
            parts.insert(0, f"{'█' * filled}{'░' * (_BAR - filled)} {self._fraction:4.0%}")
            if self._fraction > 0.03 and elapsed > 2:
                parts.append(f"about {clock_text(elapsed * (1 - self._fraction) / self._fraction)} left")
        return " · ".join(parts)

    def _clear(self) -> None:
        if self._open_line:
            print("\r\x1b[2K", end="", file=self._stream)
            self._open_line = False
