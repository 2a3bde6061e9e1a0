"""Cancelling in every stage, and the engine's use afterwards."""

from __future__ import annotations

import gc
import shutil
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from studio.core.events import Event, JobProgress, Stage
from studio.engines.diffusion import library, plan
from studio.engines.diffusion.engine import DiffusionEngine
from studio.engines.diffusion.gate import Gate, Pass
from studio.engines.diffusion.pipeline_run import _Call
from tests.engines.diffusion.asking import Flag, assignment, cancelled, draw, events, request, stages


def _unfinished(stage: Stage) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, JobProgress) and event.stage is stage and event.step < (event.total or 0)


def _in_step_two(event: Event) -> bool:
    return isinstance(event, JobProgress) and event.stage is Stage.DENOISE and event.step == 2


@pytest.mark.parametrize("stage", [Stage.LOAD, Stage.ENCODE, Stage.DENOISE, Stage.DECODE])
@pytest.mark.parametrize("model", ["sd15", "sd3"])
def test_each_stage_ends_at_the_first_question(
    engine: DiffusionEngine, models: Path, tmp_path: Path, model: str, stage: Stage
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(models / model, folder)  # not loaded yet
    work = assignment(folder, request(steps=2 if stage is Stage.DECODE else 500), preview_rate=15)
    asked, seen = cancelled(engine, work, _unfinished(stage))
    assert stages(seen)[-1] is stage
    # The waiting side may see the flag before the thread asks; a pipeline in its own thread may have asked once more.
    assert asked <= 1 or model == "sd3"
    assert draw(engine, folder).pixels == draw(engine, models / model).pixels


def test_blocks_ask_often_enough(engine: DiffusionEngine, models: Path) -> None:
    """In each step, and in encoders and decoder too."""
    flags = []
    for steps in (1, 2):
        flags.append(Flag())
        events(engine, assignment(models / "sd15", request(steps=steps, scheduler="ddim")), flags[-1])
    assert flags[1].checks - flags[0].checks >= 10
    assert flags[0].checks >= 30


def test_layers_of_large_models_ask_one_by_one() -> None:
    """A step of a full-size model takes seconds, and a block of it longer than anybody wants to wait."""
    config = plan.read_json(Path(__file__).parents[3] / "resources/configs/sd15/unet/config.json")
    with library.without_weights():
        unet = library.named("diffusers", "UNet2DConditionModel").from_config(config)
    Gate().watch(unet)
    assert sum(bool(module._forward_pre_hooks) for module in unet.modules()) > 150


def test_leaving_the_generator_stops_the_work(engine: DiffusionEngine, models: Path) -> None:
    for model in ("sd15", "flux"):
        job = engine.run(assignment(models / model, request(steps=500)), Flag())
        for event in job:
            if _in_step_two(event):
                break
        job.close()  # type: ignore[attr-defined] # a generator; the protocol promises an iterator only
        assert draw(engine, models / model).width == 32


def test_nothing_of_a_cancelled_job_keeps_the_model(models: Path) -> None:
    engine = DiffusionEngine()
    for model in ("sd15", "sd3"):
        cancelled(engine, assignment(models / model, request(steps=500), preview_rate=100), _in_step_two)
    kept = [weakref.ref(part) for loaded in engine._cache._models.values() for part in loaded.parts.values()]
    assert len(kept) > 4
    assert engine.loaded_bytes() > 100_000
    engine.unload()
    gc.collect()
    assert engine.loaded_bytes() == 0
    assert not [ref() for ref in kept if isinstance(ref(), torch.nn.Module)]


class _Lingering(Gate):
    """Lets a thread go only once it has been told that it is over."""

    @contextmanager
    def admit(self, leave: Pass | None) -> Iterator[None]:
        """As always, and then wait."""
        with super().admit(leave):
            yield
        pause = threading.Event()
        while leave is not None and not leave.stopped:
            pause.wait(0.001)


def test_a_picture_that_is_done_ends_its_call_and_not_the_job() -> None:
    """The thread may be alive for a moment after its last word."""
    gate, whole = _Lingering(), Pass(Flag())
    with Gate.admit(gate, whole):
        call = _Call(gate, lambda _report: torch.ones(1))
        assert call.next() == torch.ones(1)
        call.end()
    assert not whole.stopped
