"""What stays loaded, what is put out, and what is tried when memory runs out."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from studio.core.engine import Placement
from studio.core.events import JobCompleted, JobProgress, Stage
from studio.core.failure import FailureCode, StudioError
from studio.engines.diffusion.engine import DiffusionEngine
from tests.engines.diffusion.asking import EXACT, assignment, draw, events, made, notices, pixels, request, stages
from tests.engines.diffusion.tiny_models import named


def test_a_model_is_loaded_once(engine: DiffusionEngine, models: Path) -> None:
    engine.unload()
    first = events(engine, assignment(models / "sd15"))
    again = events(engine, assignment(models / "sd15"))
    assert Stage.LOAD in stages(first)
    assert Stage.LOAD not in stages(again)
    assert made(first) == made(again)
    loading = [event for event in first if isinstance(event, JobProgress) and event.stage is Stage.LOAD]
    assert loading[-1].step == loading[-1].total
    report = again[-1]
    assert isinstance(report, JobCompleted)
    assert report.report.load_seconds < 1


def test_the_budget_puts_the_oldest_out(engine: DiffusionEngine, models: Path) -> None:
    engine.unload()
    draw(engine, models / "sd15")
    held = engine.loaded_bytes()
    assert held > 100_000
    draw(engine, models / "sdxl")
    assert engine.loaded_bytes() > held
    small = Placement(device="cpu", dtype="float32", threads=1, memory_budget=1)
    found = events(engine, assignment(models / "sd3", placement=small))
    assert any("sd15, sdxl" in text for text in notices(found))
    assert len(engine._cache._models) == 1


def test_tiles_where_memory_is_short(engine: DiffusionEngine, models: Path) -> None:
    whole = draw(engine, models / "sd15", request(width=96, height=96))
    short = Placement(device="cpu", dtype="float32", threads=1, memory_budget=1)
    found = events(engine, assignment(models / "sd15", request(width=96, height=96), placement=short))
    assert any("tiles" in text for text in notices(found))
    pipeline = named("diffusers", "StableDiffusionPipeline").from_pretrained(models / "sd15", dtype=torch.float32)
    pipeline.vae.enable_tiling()
    pipeline.set_progress_bar_config(disable=True)
    result = pipeline("a red cat", width=96, height=96, num_inference_steps=3, guidance_scale=5.0, output_type="np",
                      generator=torch.Generator().manual_seed(7))  # fmt: skip
    assert np.abs(pixels(made(found)[0]) - (result.images[0] * 255).round()).max() <= 1
    assert draw(engine, models / "sd15", request(width=96, height=96)).pixels == whole.pixels


class _Hungry:
    """Asks the allocator for more memory than any machine has, in front of a module, as often as told."""

    def __init__(self, times: int) -> None:
        self.times = times

    def __call__(self, _module: torch.nn.Module, _inputs: object) -> None:
        if self.times:
            self.times -= 1
            torch.empty(1 << 56, dtype=torch.uint8)


def test_the_ladder_when_memory_runs_out(engine: DiffusionEngine, models: Path) -> None:
    engine.unload()
    draw(engine, models / "sdxl")
    draw(engine, models / "sd15")
    parts = next(model.parts for model in engine._cache._models.values() if model.plan.path.name == "sd15")
    for part, words in ((parts["unet"], "other models"), (parts["vae"].decoder, "again in tiles")):
        hook = part.register_forward_pre_hook(_Hungry(1))
        found = events(engine, assignment(models / "sd15", placement=EXACT))
        hook.remove()
        assert any(words in text for text in notices(found))
        assert made(found)[0].width == 32
    hook = parts["unet"].register_forward_pre_hook(_Hungry(9))
    with pytest.raises(StudioError) as caught:
        draw(engine, models / "sd15")
    hook.remove()
    assert caught.value.failure.code is FailureCode.OUT_OF_MEMORY
    assert caught.value.failure.hint
    assert draw(engine, models / "sd15").width == 32


@pytest.mark.skipif(sys.platform != "linux", reason="reads the system's table of mapped files")
def test_weights_in_their_own_format_are_not_copied(engine: DiffusionEngine, models: Path) -> None:
    """Such a tensor lies where the file is mapped."""
    engine.unload()
    draw(engine, models / "sd15")
    unet = next(iter(engine._cache._models.values())).parts["unet"]
    lines = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    mapped = [line.split()[0].split("-") for line in lines if str(models / "sd15/unet") in line]
    spans = [range(int(begin, 16), int(end, 16)) for begin, end in mapped]
    assert all(any(value.data_ptr() in span for span in spans) for value in unet.parameters())
