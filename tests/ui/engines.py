"""An engine for the window's tests: takes its time, shows previews, streams words, and can be stopped anywhere.

A prompt is words to draw or say; `steps=N` and `pause=SECONDS` in it set the pace.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

from studio.core.engine import Assignment, Cancel
from studio.core.events import (
    Event,
    JobCompleted,
    JobPreview,
    JobProgress,
    JobStarted,
    Picture,
    RunReport,
    Stage,
    TextDelta,
)
from studio.core.requests import CodeRequest, ImageRequest, TextRequest

PROGRAM = "tests.ui.engines:PacedEngine"
_EDGE = 64


class PacedEngine:
    """Pictures are gradients that grow clearer; texts are the prompt's own words again and again."""

    def run(self, assignment: Assignment, cancel: Cancel) -> Iterator[Event]:
        """Load, make, complete."""
        request = assignment.request
        yield JobStarted(device="cpu")
        yield JobProgress(stage=Stage.LOAD, step=1, total=1)
        if isinstance(request, ImageRequest):
            yield from self._draw(request, cancel)
        elif isinstance(request, TextRequest | CodeRequest):
            yield from self._say(request, cancel)
        else:
            yield JobCompleted(pictures=(_gradient(1, 1.0),), report=RunReport(device="cpu", library="paced"))

    def unload(self) -> None:
        """Nothing is held."""

    def loaded_bytes(self) -> int:
        """Nothing is held."""
        return 0

    def _draw(self, request: ImageRequest, cancel: Cancel) -> Iterator[Event]:
        steps, pause = _pace(request.prompt, request.steps)
        for step in range(1, steps + 1):
            _rest(pause, cancel)
            yield JobProgress(stage=Stage.DENOISE, step=step, total=steps)
            yield JobPreview(picture=_gradient(request.seed, step / steps), step=step)
        yield JobCompleted(pictures=(_gradient(request.seed, 1.0),), report=RunReport(device="cpu", library="paced"))

    def _say(self, request: TextRequest | CodeRequest, cancel: Cancel) -> Iterator[Event]:
        prompt = request.prompt if isinstance(request, TextRequest) else request.prefix
        count, pause = _pace(prompt, 20)
        words = [word for word in prompt.split() if "=" not in word] or ["word"]
        said = ""
        for index in range(count):
            _rest(pause, cancel)
            piece = f"{words[index % len(words)]} "
            said += piece
            yield TextDelta(text=piece)
        yield JobCompleted(text=said, report=RunReport(device="cpu", library="paced", output_tokens=count))


def _pace(prompt: str, steps: int) -> tuple[int, float]:
    found = dict(re.findall(r"(steps|pause)=([\d.]+)", prompt))
    return int(found.get("steps", steps)), float(found.get("pause", 0.0))


def _rest(pause: float, cancel: Cancel) -> None:
    waited = threading.Event()
    rounds = max(1, round(pause / 0.005))
    for _ in range(rounds):
        cancel.check()
        if pause:
            waited.wait(pause / rounds)


def _gradient(seed: int, clear: float) -> Picture:
    rows = bytearray()
    for y in range(_EDGE):
        for x in range(_EDGE):
            grey = 128 * (1 - clear)
            rows += bytes((int(grey + x * 4 * clear) % 256, int(grey + y * 4 * clear) % 256, int(seed * 40) % 256))
    return Picture(_EDGE, _EDGE, 3, bytes(rows), seed)
