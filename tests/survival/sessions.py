"""Whole studios without a window: real queue, real worker processes with the real engines, tiny real weights."""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from studio.app.studio import Studio
from studio.core.engine import Placement
from studio.core.events import JobFailed, JobProgress, Stage
from studio.core.failure import Failure, FailureCode
from studio.core.jobs import Family
from studio.core.references import Destination, ModelRef
from studio.core.requests import ImageRequest, Request, Sampling, TextRequest
from studio.documents.project import Project
from studio.jobs.limits import Limits, WorkerCommand
from studio.models.shelf import Shelf
from tests.process.harness import ROOT, House

# The same numbers on every processor, and no threads that wait for each other over models as small as these.
PLACEMENT = Placement(device="cpu", dtype="float32", threads=1)
WORKER = WorkerCommand((sys.executable, "-m", "tests.survival.eager_worker"), folder=str(ROOT))
LIMITS = Limits(spare=False, idle_unload_seconds=0)
PICTURE, WORDS, OTHER_WORDS = "picture", "words", "other"
LONG_PROMPT = "once upon a time there was " * 60
_TECHNICAL = re.compile(r"Traceback|Error\b|Exception|errno|0x[0-9a-f]+|None|\{|\n")


class Session(House):
    """A studio at work, and everything that its listeners hear."""

    patience = 100.0  # importing the picture libraries takes that long on a machine that is very busy

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio.queue, studio.dispatcher)
        self.studio = studio
        self.family = Family.LANGUAGE

    def submit(self, request: Request) -> str:
        """Through the studio's own door."""
        return self.studio.submit(request, Destination(room="file"), "fox").id

    def reaches(self, job: str, stage: Stage, step: int = 0) -> None:
        """Wait until the job is in `stage`, at `step`."""
        self.wait_for(
            lambda: any(
                isinstance(event, JobProgress) and event.stage is stage and event.step >= step
                for event in self.events(job)
            ),
            stage.value,
        )

    def kill_within(self, seconds: float, dice: random.Random) -> None:
        """kill -9 the worker of `family` at a random moment of the next `seconds`."""
        pid = self.worker(self.family).process
        killer = threading.Timer(dice.uniform(0.0, seconds), os.kill, (pid, signal.SIGKILL))
        killer.start()
        killer.join()

    def told_failure(self, request: Request) -> Failure:
        """Submit; the failure that the job ends with, after checking that a person understands it."""
        return understood(self.failure_of(request))


def understood(failure: Failure) -> Failure:
    """Check that `failure` is made for people, and return it."""
    assert failure.code is not FailureCode.INTERNAL, failure
    assert failure.message.endswith("."), failure
    assert failure.hint, failure
    assert not _TECHNICAL.search(failure.message + failure.hint), failure
    return failure


@contextlib.contextmanager
def open_session(folder: Path, *models: Path) -> Iterator[Session]:
    """A started studio whose project is `folder`, with the models in `models`; all is stopped at the end."""
    state = folder.parent / "state"
    shelf = Shelf(models, folder.parent / "no-starters")
    studio = Studio(Project.open(folder), shelf, WORKER, state, limits=LIMITS, placement=lambda: PLACEMENT)
    session = Session(studio)
    studio.start()
    try:
        yield session
    finally:
        studio.stop()


def failure_at_the_end(session: Session, job: str) -> Failure:
    """Wait for the job's end, which must be a failure for people."""
    end = session.end_of(job)
    assert isinstance(end, JobFailed), end
    return understood(end.failure)


def picture(model: str = PICTURE, **changes: Any) -> ImageRequest:
    """A request for a small picture."""
    values: dict[str, Any] = {"prompt": "a red fox", "seed": 3, "width": 64, "height": 64, "steps": 2}
    return ImageRequest(model=ModelRef(f"local/{model}"), **values | changes)


def words(model: str = WORDS, **changes: Any) -> TextRequest:
    """A request for a few words."""
    values: dict[str, Any] = {"prompt": "a red fox", "max_tokens": 8}
    return TextRequest(ModelRef(f"local/{model}"), Sampling(seed=3), **values | changes)
