"""Cancel at random moments in each stage: how long until it is acknowledged, and until the device is free again.

Through the whole studio, with the real engines in real workers: a full-size SD 1.5 layout and a text model of some
hundred million parameters, both with random weights. Acknowledged is when a listener hears `JobCancelled`; free is when
the next job, which waits behind, says that it has started.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from studio.app.studio import Studio
from studio.core.events import (
    Event,
    JobCancelled,
    JobFailed,
    JobProgress,
    JobStarted,
    Stage,
    is_terminal,
)
from studio.core.jobs import Job
from studio.core.references import Destination, ModelRef
from studio.core.requests import ImageRequest, Request, Sampling, TextRequest
from studio.documents.project import Project
from studio.jobs.limits import Limits, WorkerCommand
from studio.models.shelf import Shelf
from tests.benchmarks.table import Row
from tests.tiny_gguf import TinyModel, make_tiny_gguf

ACKNOWLEDGED, FREE = 100, 500  # milliseconds
TRIES, QUICK_TRIES = 50, 6
_PATIENCE = 300.0
_SEED = 1
# 135 million parameters, most of them in the layers.
TEXT_MODEL = TinyModel(
    layers=14, width=768, heads=12, feed_forward=2304, context=4096, words=16_000, quantised=True, never_ends=True
)
PROMPT = "Once upon a time there was a fox who read every word of this. " * 55


class _Case(NamedTuple):
    """Cancel within so many seconds of a stage's begin; touching the file `anew` makes the model load once more."""

    what: str
    stage: Stage
    request: Callable[[int], Request]
    within: float
    anew: Path | None = None


class Try(NamedTuple):
    """One try, in seconds from the cancel; `forced` tells whether the worker had to go."""

    acknowledged: float
    free: float
    forced: bool


class _Ear:
    """Hears everything, with the time of hearing."""

    def __init__(self, studio: Studio) -> None:
        self._news = threading.Condition()
        self._heard: list[tuple[float, str, Event]] = []
        studio.listen(self._hear)

    def wait(self, job: str, wanted: Callable[[Event], bool]) -> tuple[float, Event]:
        """The first event of a job that is wanted, or its last one, and when it was heard."""
        deadline = time.perf_counter() + _PATIENCE
        with self._news:
            while True:
                for at, owner, event in self._heard:
                    if owner == job and (wanted(event) or is_terminal(event)):
                        return at, event
                if time.perf_counter() > deadline:
                    raise TimeoutError(job)
                self._news.wait(1.0)

    def last_stage(self, job: str) -> Stage | None:
        """The stage that the job was last heard in."""
        with self._news:
            stages = [event.stage for _, owner, event in self._heard if owner == job and isinstance(event, JobProgress)]
        return stages[-1] if stages else None

    def worker(self, job: str) -> int:
        """The process that the job ran in."""
        with self._news:
            found = [event.process for _, owner, event in self._heard if owner == job and isinstance(event, JobStarted)]
        return found[0] if found else 0

    def forget(self, job: str) -> None:
        """Drop what was heard of a job."""
        with self._news:
            self._heard = [entry for entry in self._heard if entry[1] != job]

    def _hear(self, job: Job, event: Event) -> None:
        at = time.perf_counter()
        with self._news:
            self._heard.append((at, job.id, event))
            self._news.notify_all()


def run(quick: bool) -> list[Row]:
    """The rows of the table."""
    from tests.benchmarks import full_size_model

    with tempfile.TemporaryDirectory(prefix="atelier-") as name:
        models = Path(name) / "models"
        models.mkdir()
        make_tiny_gguf(models / "text.gguf", TEXT_MODEL)
        full_size_model.write(models / "picture")
        with _opened(Path(name), models) as (studio, ear):
            tries = QUICK_TRIES if quick else TRIES
            return [row for case in _cases(models, quick) for row in _rows(case, _measure(case, studio, ear, tries))]


def _text(number: int) -> TextRequest:
    # Each prompt begins in its own way: what was read before need not be read again.
    return TextRequest(
        ModelRef("local/text"), Sampling(seed=number), prompt=f"{number % 10}{number} {PROMPT}", max_tokens=3500
    )


def _story(number: int) -> TextRequest:
    return TextRequest(ModelRef("local/text"), Sampling(seed=number), prompt="Once upon a time", max_tokens=3500)


def _cases(models: Path, quick: bool) -> list[_Case]:
    side = 256 if quick else 512

    def picture(number: int, steps: int = 20, guidance: float = 5.0) -> Request:
        return ImageRequest(
            "a fox", ModelRef("local/picture"), seed=number, width=side, height=side, steps=steps,
            guidance_scale=guidance,
        )  # fmt: skip

    name = f"full-size picture model at {side} px"
    weights = models / "picture" / "unet" / "diffusion_pytorch_model.safetensors"
    return [
        _Case("text model, load", Stage.LOAD, _text, 0.1, models / "text.gguf"),
        _Case("text model, prompt evaluation", Stage.PROMPT, _text, 3.0),
        _Case("text model, generation", Stage.GENERATE, _story, 2.0),
        _Case(f"{name}, load", Stage.LOAD, picture, 0.5, weights),
        _Case(f"{name}, denoise", Stage.DENOISE, picture, 5.0),
        _Case(f"{name}, decode", Stage.DECODE, lambda number: picture(number, 1, 1.0), 1.5 if quick else 4.0),
    ]


@contextlib.contextmanager
def _opened(root: Path, models: Path) -> Iterator[tuple[Studio, _Ear]]:
    shelf = Shelf([models], root / "no-starters")
    studio = Studio(Project.open(root / "Work"), shelf, WorkerCommand(), root / "state", limits=Limits())
    ear = _Ear(studio)
    studio.start()
    try:
        yield studio, ear
    finally:
        studio.stop()


def _measure(case: _Case, studio: Studio, ear: _Ear, tries: int) -> list[Try]:
    dice = random.Random(_SEED)

    def submit() -> str:
        return studio.submit(case.request(next(numbers)), Destination(room="file")).id

    numbers = itertools.count()
    found: list[Try] = []
    job = submit()
    for _ in range(2 * tries):
        following = submit()
        found += _try(case, studio, ear, (job, following), dice.uniform(0.0, case.within))
        job = following
        if len(found) >= tries:
            break
    studio.cancel(job)
    ear.wait(job, is_terminal)
    return found


def _try(case: _Case, studio: Studio, ear: _Ear, jobs: tuple[str, str], delay: float) -> list[Try]:
    """Cancel the first of two jobs once it has been in the stage for `delay` seconds.

    Nothing comes back where it had left the stage by then.
    """
    job, following = jobs
    order = tuple(Stage)
    _, reached = ear.wait(
        job, lambda event: isinstance(event, JobProgress) and order.index(event.stage) >= order.index(case.stage)
    )
    if isinstance(reached, JobProgress) and reached.stage is case.stage:
        time.sleep(delay)
    if case.anew is not None:
        os.utime(case.anew)
    asked = time.perf_counter()
    studio.cancel(job)
    ended, last = ear.wait(job, is_terminal)
    started, first = ear.wait(following, lambda event: isinstance(event, JobStarted))
    if isinstance(last, JobFailed) or not isinstance(first, JobStarted):
        raise RuntimeError(f"{case.what}: {last}, then {first}")  # noqa: TRY004 - what ran went wrong, no argument did
    stage, worker = ear.last_stage(job), ear.worker(job)
    ear.forget(job)
    if stage is not case.stage or not isinstance(last, JobCancelled):
        return []
    return [Try(ended - asked, started - asked, worker != first.process)]


def _rows(case: _Case, tries: list[Try]) -> list[Row]:
    if not tries:
        raise RuntimeError(f"{case.what} was over too soon, each time")
    forced = sum(one.forced for one in tries)
    by_force = f"; {forced} of {len(tries)} by force" if forced else ""
    rows = []
    for what, limit, times in (
        ("acknowledged", ACKNOWLEDGED, [one.acknowledged for one in tries]),
        ("device free", FREE, [one.free for one in tries]),
    ):
        slow, middle = (round(_percentile(times, share) * 1000) for share in (0.95, 0.5))
        rows.append(
            Row(
                f"cancel in {case.what} → {what}",
                f"p95 {slow} ms, median {middle} ms ({len(times)} tries{by_force})",
                f"{limit} ms",
                slow / limit,
                f"≤ {limit} ms",
                slow <= limit,
            )
        )
    return rows


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, math.ceil(share * len(values)) - 1)]
