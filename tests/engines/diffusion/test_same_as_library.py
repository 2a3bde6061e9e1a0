"""Our own loop against the libraries' pipelines: the same pixels.

Tolerance: one step of 255. Our convolutions see another memory layout, whose sums round differently in the
last bit.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from PIL import Image

from studio.core.requests import Scheduler
from studio.engines.diffusion import schedulers
from studio.engines.diffusion.engine import DiffusionEngine
from tests.engines.diffusion.asking import IMAGE, MASK, draw, pixels, request
from tests.engines.diffusion.tiny_models import named

_SIZE = {"width": 32, "height": 32}


def library_pixels(kind: str, folder: Path, **arguments: Any) -> Any:
    """The same picture by a pipeline of diffusers."""
    pipeline = named("diffusers", kind).from_pretrained(folder, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    config = dict(pipeline.scheduler.config)
    pipeline.scheduler = schedulers.make(
        arguments.pop("scheduler", "default"), type(pipeline.scheduler).__name__, config
    )
    values = {"prompt": "a red cat", "num_inference_steps": 3, "guidance_scale": 5.0}
    result = pipeline(**values | arguments, generator=torch.Generator().manual_seed(7), output_type="np")
    return (result.images[0] * 255).round().astype(np.int16)


@pytest.mark.parametrize("scheduler", [name for name in get_args(Scheduler) if name != "flow euler"])
def test_text_to_image_with_each_scheduler(engine: DiffusionEngine, models: Path, scheduler: Scheduler) -> None:
    expected = library_pixels("StableDiffusionPipeline", models / "sd15", scheduler=scheduler, **_SIZE)
    ours = draw(engine, models / "sd15", request(scheduler=scheduler))
    assert expected.std() > 1  # a picture and not a plain colour, or the comparison would say nothing
    assert np.abs(pixels(ours) - expected).max() <= 1


def test_negative_prompt_and_no_guidance(engine: DiffusionEngine, models: Path) -> None:
    folder = models / "sd15"
    expected = library_pixels("StableDiffusionPipeline", folder, negative_prompt="blue", **_SIZE)
    assert np.abs(pixels(draw(engine, folder, request(negative_prompt="blue"))) - expected).max() <= 1
    expected = library_pixels("StableDiffusionPipeline", folder, **_SIZE | {"guidance_scale": 1.0})
    assert np.abs(pixels(draw(engine, folder, request(guidance_scale=1.0))) - expected).max() <= 1


@pytest.mark.parametrize("scheduler", ["default", "euler ancestral", "heun"])
@pytest.mark.parametrize("model", ["sd15", "sdxl", "sdxl-refiner"])
def test_image_to_image(
    engine: DiffusionEngine, models: Path, inputs: dict[str, str], model: str, scheduler: Scheduler
) -> None:
    kind = "StableDiffusionImg2ImgPipeline" if model == "sd15" else "StableDiffusionXLImg2ImgPipeline"
    with Image.open(inputs[IMAGE]) as picture:
        expected = library_pixels(kind, models / model, scheduler=scheduler, image=picture, strength=0.7)
    ours = draw(engine, models / model, request(image=IMAGE, strength=0.7, scheduler=scheduler), inputs=inputs)
    assert np.abs(pixels(ours) - expected).max() <= 1


def test_guidance_as_an_input(engine: DiffusionEngine, models: Path) -> None:
    expected = library_pixels("StableDiffusionPipeline", models / "lcm", scheduler="lcm", **_SIZE)
    assert np.abs(pixels(draw(engine, models / "lcm", request(scheduler="lcm"))) - expected).max() <= 1


def test_sdxl_text_to_image(engine: DiffusionEngine, models: Path) -> None:
    for changes in ({}, {"negative_prompt": "blue"}):
        expected = library_pixels("StableDiffusionXLPipeline", models / "sdxl", **_SIZE, **changes)
        ours = draw(engine, models / "sdxl", request(**changes))
        assert np.abs(pixels(ours) - expected).max() <= 1


@pytest.mark.parametrize("strength", [0.7, 1.0])
@pytest.mark.parametrize("model", ["sd15", "sd15-inpaint"])
def test_inpainting(engine: DiffusionEngine, models: Path, inputs: dict[str, str], model: str, strength: float) -> None:
    kind = "StableDiffusionInpaintPipeline"
    with Image.open(inputs[IMAGE]) as picture, Image.open(inputs[MASK]) as mask:
        expected = library_pixels(kind, models / model, image=picture, mask_image=mask, strength=strength, **_SIZE)
        original = np.asarray(picture).astype(np.int16)
    ours = pixels(draw(engine, models / model, request(image=IMAGE, mask=MASK, strength=strength), inputs=inputs))
    assert np.abs(ours - expected)[:, 16:].max() <= 1
    assert (ours[:, :16] == original[:, :16]).all()
