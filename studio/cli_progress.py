"""A job's progress in a terminal: one line that moves, or plain lines where nothing can move."""

from __future__ import annotations

import shutil
import time
from types import TracebackType
from typing import Self, TextIO

from studio.core.events import Event, JobCompleted, JobNotice, JobProgress, TextDelta, is_terminal

_BAR = 24
_REDRAW_SECONDS = 0.05
_LINE_SECONDS = 10.0
"""Where no line can move: how long a stage goes on before another one says how far it is."""


class Progress:
    """Shows events on `stream`; streamed words go to `text` where it is given."""

    def __init__(self, stream: TextIO, *, text: TextIO | None = None, quiet: bool = False) -> None:
        self._stream = stream
        self._text = text
        self._quiet = quiet
        self._moving = stream.isatty()
        self._title = ""
        self._drawn = False
        self._writing = False
        self._began = time.monotonic()
        self._last_drawn = 0.0
        self._last_stage = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clear()
        if self._writing and self._text is not None:
            self._text.write("\n")
            self._text.flush()

    def begin(self, title: str) -> None:
        """A new job begins."""
        self._title = title
        self._began = time.monotonic()
        self._last_stage = ""

    def show(self, event: Event) -> None:
        """Show what `event` says."""
        match event:
            case TextDelta(text=text) if self._text is not None:
                self._clear()
                self._writing = True
                self._text.write(text)
                self._text.flush()
            case JobProgress() if not self._writing:
                self._draw(event)
            case JobNotice(text=text):
                self._line(text)
            case JobCompleted(report=report):
                self._line(f"{self._title}: done in {time.monotonic() - self._began:.1f} s on {report.device or 'cpu'}")
            case _ if is_terminal(event):
                self._clear()

    def _draw(self, event: JobProgress) -> None:
        now = time.monotonic()
        if self._quiet:
            return
        if not self._moving:
            if event.stage != self._last_stage or now - self._last_drawn > _LINE_SECONDS:
                counted = f" {event.step} of {event.total}" if event.stage == self._last_stage and event.total else ""
                self._last_stage, self._last_drawn = event.stage, now
                self._line(f"{self._title}: {event.stage}{counted}")
            return
        whole = event.total is not None and event.step >= event.total
        if now - self._last_drawn < _REDRAW_SECONDS and not whole:
            return
        self._last_drawn, self._drawn = now, True
        width = shutil.get_terminal_size().columns - 1
        share = event.step / event.total if event.total else 0.0
        bar = "█" * round(share * _BAR) + "░" * (_BAR - round(share * _BAR))
        count = f"{event.step}/{event.total}" if event.total else str(event.step)
        self._stream.write(f"\r\x1b[K{f'{self._title}  {bar}  {event.stage} {count}'[:width]}")
        self._stream.flush()

    def _line(self, text: str) -> None:
        if self._quiet:
            return
        self._clear()
        if self._writing and self._text is not None:
            self._text.write("\n")
            self._text.flush()
            self._writing = False
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def _clear(self) -> None:
        if self._drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._drawn = False
