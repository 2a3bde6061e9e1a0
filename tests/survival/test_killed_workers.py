"""kill -9 a worker with a real engine, at a random moment of each stage: one job is lost, and nothing else."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from studio.core.events import JobCompleted, Picture, Stage
from studio.core.failure import FailureCode
from studio.core.jobs import Family, JobState
from tests.process.harness import gone
from tests.survival.sessions import (
    LONG_PROMPT,
    OTHER_WORDS,
    Session,
    failure_at_the_end,
    open_session,
    picture,
    words,
)

# Seconds from a stage's first event within which the kill comes; the stages last longer than that.
_PICTURE_WINDOWS = {Stage.LOAD: 0.02, Stage.ENCODE: 0.05, Stage.DENOISE: 0.5, Stage.DECODE: 0.05}
_TEXT_WINDOWS = {Stage.LOAD: 0.005, Stage.PROMPT: 0.2, Stage.GENERATE: 0.3}


def _killed_in(stage: Stage, session: Session, job: str, dice: random.Random) -> None:
    """Kill the worker at a random moment soon after the stage's begin, and see what is said."""
    session.reaches(job, stage)
    worker = session.worker(session.family).process
    windows = _PICTURE_WINDOWS if session.family is Family.DIFFUSION else _TEXT_WINDOWS
    session.kill_within(windows[stage], dice)
    failure = failure_at_the_end(session, job)
    assert failure.code is FailureCode.WORKER_KILLED
    assert "ended from outside" in failure.message
    assert f"in stage {stage.value}" in failure.detail
    assert session.queue.get(job).state is JobState.FAILED
    assert gone(worker)


def _nothing_half_written(folder: Path) -> bool:
    return not [path for path in folder.rglob("*") if path.name.endswith((".part", ".tmp"))]


@pytest.mark.timeout(400)  # five imports of the picture libraries
def test_in_each_stage_of_a_picture(tmp_path: Path, picture_models: Path) -> None:
    dice = random.Random(11)
    with open_session(tmp_path / "Work", picture_models) as session:
        session.family = Family.DIFFUSION
        noise = Picture(768, 768, 3, dice.randbytes(768 * 768 * 3))
        large: dict[str, Any] = {"width": 768, "height": 768, "steps": 1, "guidance_scale": 1.0}
        requests = {
            Stage.LOAD: picture(),
            Stage.ENCODE: picture(image=session.studio.import_pixels(noise, "noise").id, **large),
            Stage.DENOISE: picture(steps=1000),
            Stage.DECODE: picture(**large),
        }
        for stage, request in requests.items():
            job = session.submit(request)
            _killed_in(stage, session, job, dice)
        end = session.run(picture())
        assert isinstance(end, JobCompleted)
        assert session.studio.project.assets.path(end.assets[0].id).is_file()
    assert _nothing_half_written(tmp_path)


def test_in_each_stage_of_a_text(tmp_path: Path, text_models: Path) -> None:
    dice = random.Random(12)
    with open_session(tmp_path / "Work", text_models) as session:
        for stage in _TEXT_WINDOWS:
            for _ in range(2):
                job = session.submit(words(prompt=LONG_PROMPT, max_tokens=2000))
                waiting = session.submit(words(OTHER_WORDS))  # so that the next round loads
                _killed_in(stage, session, job, dice)
                # The next one runs, in a new process, without anybody's doing.
                assert isinstance(session.end_of(waiting), JobCompleted)
                assert bool(session.queue.get(job).text) == (stage is Stage.GENERATE)
    assert _nothing_half_written(tmp_path)
