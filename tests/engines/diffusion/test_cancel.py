"""Cancelling in every stage, and the engine's use afterwards."""

from __future__ import annotations

import gc
import shutil
import weakref
from pathlib import Path

import pytest
import torch

from studio.core.events import Event, JobProgress, Stage
from studio.core.failure import Cancelled
from studio.engines.diffusion.engine import DiffusionEngine
from tests.engines.diffusion.asking import Flag, assignment, draw, events, request


class _Until:
    """Runs a job until `stage` has begun, then raises the flag from within: at the next question it must end."""

    def __init__(self, engine: DiffusionEngine, folder: Path) -> None:
        self._engine, self._folder = engine, folder

    def cancelled_in(self, stage: Stage) -> tuple[int, list[Event]]:
        """How often the flag was asked in vain after it was raised, and the events."""
        flag = Flag()
        seen: list[Event] = []
        job = self._engine.run(assignment(self._folder, request(steps=500), preview_rate=15), flag)
        with pytest.raises(Cancelled):
            for event in job:
                seen.append(event)
                if isinstance(event, JobProgress) and event.stage is stage and event.step < (event.total or 0):
                    flag.set()
                    asked = flag.checks
        return flag.checks - asked, seen


@pytest.mark.parametrize("stage", [Stage.LOAD, Stage.ENCODE, Stage.DENOISE, Stage.DECODE])
@pytest.mark.parametrize("model", ["sd15", "sd3"])
def test_each_stage_ends_at_the_first_question(
    engine: DiffusionEngine, models: Path, tmp_path: Path, model: str, stage: Stage
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(models / model, folder)  # not loaded yet
    if stage is Stage.DECODE:
        wanted = request(steps=2)
        flag = Flag()
        job = engine.run(assignment(folder, wanted), flag)
        with pytest.raises(Cancelled):
            for event in job:
                if isinstance(event, JobProgress) and event.stage is Stage.DECODE:
                    flag.set()
    else:
        asked, seen = _Until(engine, folder).cancelled_in(stage)
        assert asked == 1
        assert isinstance(seen[-1], JobProgress)
        assert seen[-1].stage is stage
    assert draw(engine, folder).pixels == draw(engine, models / model).pixels


def test_blocks_ask_often_enough(engine: DiffusionEngine, models: Path) -> None:
    """A step of a full-size model takes seconds: the flag is asked at each block, in encoders and decoder too."""
    flags = []
    for steps in (1, 2):
        flags.append(Flag())
        events(engine, assignment(models / "sd15", request(steps=steps, scheduler="ddim")), flags[-1])
    assert flags[1].checks - flags[0].checks > 30
    assert flags[0].checks > 80


def test_leaving_the_generator_stops_the_work(engine: DiffusionEngine, models: Path) -> None:
    for model in ("sd15", "flux"):
        job = engine.run(assignment(models / model, request(steps=500)), Flag())
        for event in job:
            if isinstance(event, JobProgress) and event.stage is Stage.DENOISE and event.step == 2:
                break
        job.close()  # type: ignore[attr-defined] # a generator; the protocol promises an iterator only
        assert draw(engine, models / model).width == 32


def test_nothing_of_a_cancelled_job_keeps_the_model(models: Path) -> None:
    engine = DiffusionEngine()
    for model in ("sd15", "sd3"):
        flag = Flag()
        with pytest.raises(Cancelled):
            for event in engine.run(assignment(models / model, request(steps=500), preview_rate=100), flag):
                if isinstance(event, JobProgress) and event.stage is Stage.DENOISE and event.step == 2:
                    flag.set()
    kept = [weakref.ref(part) for loaded in engine._cache._models.values() for part in loaded.parts.values()]
    assert len(kept) > 4
    assert engine.loaded_bytes() > 100_000
    engine.unload()
    gc.collect()
    assert engine.loaded_bytes() == 0
    assert not [ref() for ref in kept if isinstance(ref(), torch.nn.Module)]
