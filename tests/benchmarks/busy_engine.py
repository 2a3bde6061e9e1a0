"""Work for every core in a worker: stands for the model libraries where the starter models are not there yet.

Importing torch belongs to it, since that is the heaviest part of a real first job.
"""

from __future__ import annotations

import time
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
from studio.core.requests import ImageRequest

PROGRAM = "tests.benchmarks.busy_engine:BusyEngine"
SECONDS = 60.0
_EDGE = 512
_PREVIEWS_PER_SECOND = 15.0


class BusyEngine:
    """Multiplies matrices until it is cancelled, and shows previews or says words meanwhile."""

    def run(self, assignment: Assignment, cancel: Cancel) -> Iterator[Event]:
        """Load torch, then be busy."""
        import torch

        yield JobStarted(device="cpu")
        yield JobProgress(stage=Stage.LOAD, step=1, total=1)
        drawing = isinstance(assignment.request, ImageRequest)
        matrix = torch.rand(512, 512)
        pixels = bytes(_EDGE * _EDGE * 3)
        begun = shown = time.monotonic()
        step = 0
        while time.monotonic() - begun < SECONDS:
            cancel.check()
            matrix = (matrix @ matrix).tanh()
            step += 1
            if not drawing:
                yield TextDelta(text="word ")
            elif time.monotonic() - shown > 1 / _PREVIEWS_PER_SECOND:
                shown = time.monotonic()
                yield JobProgress(stage=Stage.DENOISE, step=step, total=None)
                yield JobPreview(picture=Picture(_EDGE, _EDGE, 3, pixels), step=step)
        yield JobCompleted(text="", report=RunReport(device="cpu", library="busy"))

    def unload(self) -> None:
        """Nothing is held."""

    def loaded_bytes(self) -> int:
        """Nothing is held."""
        return 0
