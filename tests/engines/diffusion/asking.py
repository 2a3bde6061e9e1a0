"""Asking the engine for pictures in tests, and a real flag to cancel with."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from studio.core.engine import Assignment, Engine, LocalModel, Placement
from studio.core.events import Event, JobCompleted, JobNotice, JobProgress, Picture, Stage
from studio.core.failure import Cancelled
from studio.core.references import ModelRef
from studio.core.requests import ImageRequest
from studio.engines.diffusion.engine import DiffusionEngine

# One thread: several of them only wait for each other over models as small as these.
EXACT = Placement(device="cpu", dtype="float32", threads=1)
IMAGE, MASK = "a" * 64, "b" * 64


class Flag:
    """A cancel flag as the worker has one; `at` may raise it at any check."""

    def __init__(self, at: Callable[[], bool] | None = None) -> None:
        self._event = threading.Event()
        self._at = at
        self.checks = 0

    def set(self) -> None:
        """Ask for the job's end."""
        self._event.set()

    def is_set(self) -> bool:
        """Whether the job is to end."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise if the job is to end."""
        self.checks += 1
        if self._event.is_set() or (self._at is not None and self._at()):
            raise Cancelled


def request(**changes: Any) -> ImageRequest:
    """A small request."""
    values: dict[str, Any] = {
        "prompt": "a red cat", "model": ModelRef(repo="local/tiny"), "seed": 7, "width": 32, "height": 32, "steps": 3,
        "guidance_scale": 5.0,
    }  # fmt: skip
    return ImageRequest(**values | changes)


def assignment(model: Path | LocalModel, wanted: ImageRequest | None = None, **changes: Any) -> Assignment:
    """An assignment of `wanted` to the model, computed exactly, without previews."""
    local = model if isinstance(model, LocalModel) else LocalModel(path=str(model))
    values: dict[str, Any] = {"placement": EXACT, "preview_rate": 0.0}
    return Assignment(job="job", request=wanted or request(), model=local, **values | changes)


def events(engine: DiffusionEngine, work: Assignment, flag: Flag | None = None) -> list[Event]:
    """Run to the end."""
    return list(engine.run(work, flag or Flag()))


def cancelled(engine: Engine, work: Assignment, when: Callable[[Event], bool]) -> tuple[int, list[Event]]:
    """Run until `when` is true of an event, raise the flag, let it end: how often it was asked since, the events."""
    flag, found, asked = Flag(), [], 0
    try:
        for event in engine.run(work, flag):
            found.append(event)
            if not flag.is_set() and when(event):
                flag.set()
                asked = flag.checks
    except Cancelled:
        return flag.checks - asked, found
    raise AssertionError


def made(found: list[Event]) -> tuple[Picture, ...]:
    """The pictures of a finished job."""
    last = found[-1]
    assert isinstance(last, JobCompleted)
    return last.pictures


def draw(
    engine: DiffusionEngine, model: Path | LocalModel, wanted: ImageRequest | None = None, **changes: Any
) -> Picture:
    """One picture."""
    return made(events(engine, assignment(model, wanted, **changes)))[0]


def pixels(picture: Picture) -> npt.NDArray[np.int16]:
    """(height, width, 3), signed, so that differences are differences."""
    shape = (picture.height, picture.width, picture.channels)
    return np.frombuffer(picture.pixels, np.uint8).reshape(shape).astype(np.int16)


def notices(found: list[Event]) -> list[str]:
    """What was said to the user."""
    return [event.text for event in found if isinstance(event, JobNotice)]


def stages(found: list[Event]) -> list[Stage]:
    """The stages in the order in which they were entered."""
    seen = [event.stage for event in found if isinstance(event, JobProgress)]
    return [stage for number, stage in enumerate(seen) if number == 0 or seen[number - 1] is not stage]
