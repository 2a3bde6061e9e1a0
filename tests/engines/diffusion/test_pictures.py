"""Sizes, batches, seeds, masks, previews and notices."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from studio.core.engine import Placement
from studio.core.events import JobCompleted, JobPreview, JobStarted, Stage
from studio.core.failure import FailureCode, InvalidField, StudioError
from studio.core.references import ModelRef
from studio.core.requests import Sampling, TextRequest
from studio.engines.diffusion.device import choose
from studio.engines.diffusion.engine import DiffusionEngine
from tests.engines.diffusion import tiny_models
from tests.engines.diffusion.asking import (
    EXACT,
    IMAGE,
    MASK,
    Flag,
    assignment,
    draw,
    events,
    made,
    notices,
    pixels,
    request,
    stages,
)  # fmt: skip


@pytest.mark.parametrize(("width", "height"), [(8, 8), (37, 61), (64, 24)])
def test_the_size_asked_for_comes_out(engine: DiffusionEngine, models: Path, width: int, height: int) -> None:
    picture = draw(engine, models / "sd15", request(width=width, height=height))
    assert (picture.width, picture.height, picture.channels) == (width, height, 3)
    assert len(picture.pixels) == width * height * 3


def test_pictures_of_a_batch_can_be_made_again_alone(engine: DiffusionEngine, models: Path) -> None:
    for scheduler in ("default", "euler ancestral"):
        batch = made(events(engine, assignment(models / "sd15", request(batch_size=3, scheduler=scheduler))))
        assert [picture.seed for picture in batch] == [7, 8, 9]
        assert batch[0].pixels != batch[1].pixels
        assert draw(engine, models / "sd15", request(seed=9, scheduler=scheduler)) == batch[2]


def test_events_of_a_job(engine: DiffusionEngine, models: Path) -> None:
    engine.unload()
    found = events(engine, assignment(models / "sd15", request(steps=4, scheduler="ddim"), preview_rate=1e9))
    assert isinstance(found[0], JobStarted)
    assert found[0].device == "cpu"
    assert stages(found) == [Stage.LOAD, Stage.ENCODE, Stage.DENOISE, Stage.DECODE]
    previews = [event for event in found if isinstance(event, JobPreview)]
    assert [event.step for event in previews] == [1, 2, 3, 4]
    assert (previews[0].picture.width, previews[0].picture.height) == (4, 4)
    report = found[-1]
    assert isinstance(report, JobCompleted)
    assert report.report.device == "cpu"
    assert report.report.load_seconds > 0
    assert "diffusers" in report.report.library


def test_previews_keep_to_their_rate(engine: DiffusionEngine, models: Path) -> None:
    for rate, most in ((0.0, 0), (0.001, 1)):
        found = events(engine, assignment(models / "sd15", request(steps=6), preview_rate=rate))
        assert sum(isinstance(event, JobPreview) for event in found) == most


@pytest.mark.parametrize("model", ["sd15", "flux"])
def test_each_picture_of_a_batch_is_shown_whole_when_it_is_done(
    engine: DiffusionEngine, models: Path, model: str
) -> None:
    found = events(engine, assignment(models / model, request(batch_size=3), preview_rate=0.001))
    done = [event for event in found if isinstance(event, JobPreview) and event.finished is not None]
    assert [event.finished for event in done] == [0, 1], "the last one is in the result"
    assert [event.picture for event in done] == list(made(found)[:2])


def test_previews_by_the_models_own_table_or_a_fit(engine: DiffusionEngine, tmp_path: Path) -> None:
    """Eight latent channels and forty tokens: nothing of SD 1.5's sizes is taken for granted."""
    folder = tiny_models.unusual(tmp_path / "eight")
    fitted = events(engine, assignment(folder, preview_rate=1e9))
    assert any(isinstance(event, JobPreview) for event in fitted)
    engine.unload()
    red = {"weight": [[0.0, 0.0, 0.0]] * 8, "bias": [1.0, 0.0, 0.0]}
    (folder / "latent_rgb.json").write_text(json.dumps(red), encoding="utf-8")
    found = events(engine, assignment(folder, preview_rate=1e9))
    shown = [event.picture for event in found if isinstance(event, JobPreview)]
    assert shown
    assert all((pixels(picture) == [255, 0, 0]).all() for picture in shown)


def test_the_last_preview_looks_like_the_picture(engine: DiffusionEngine, models: Path, tmp_path: Path) -> None:
    """With an autoencoder whose latents are averaged colours, the fit must find exactly those colours."""
    from studio.engines.diffusion.preview import colours_for

    class Averages:
        channels, factor, scale = 3, 8, 0.5

        def encode(self, picture: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.avg_pool2d(picture, 8)

        def sample(self, encoded: torch.Tensor, _generator: object) -> torch.Tensor:
            return encoded.roll(1, dims=1) * 0.5

    colours = colours_for(Averages(), None)  # type: ignore[arg-type] # has what is used of a codec
    assert colours is not None
    latents = torch.tensor([-0.5, 0.5, 0.0]).view(1, 3, 1, 1) * torch.ones(1, 3, 2, 2)
    assert np.abs(colours.pixels(latents).astype(int) - [255, 128, 0]).max() <= 3


def test_protected_pixels_are_the_inputs_own(engine: DiffusionEngine, models: Path, inputs: dict[str, str]) -> None:
    soft = np.zeros((32, 32), np.uint8)
    soft[8:, 8:] = np.linspace(0, 255, 24, dtype=np.uint8)
    Image.fromarray(soft).save(inputs[MASK])
    with Image.open(inputs[IMAGE]) as picture:
        original = np.asarray(picture).astype(np.int16)
    for model in ("sd15", "sd15-inpaint", "sdxl"):
        ours = pixels(draw(engine, models / model, request(image=IMAGE, mask=MASK, strength=1.0), inputs=inputs))
        assert (ours[soft == 0] == original[soft == 0]).all()
        assert (ours[soft == 255] != original[soft == 255]).any()


def test_strength_nothing_and_strength_little(engine: DiffusionEngine, models: Path, inputs: dict[str, str]) -> None:
    with Image.open(inputs[IMAGE]) as picture:
        original = np.asarray(picture).astype(np.int16)
    found = events(engine, assignment(models / "sd15", request(image=IMAGE, strength=0.0, batch_size=2), inputs=inputs))
    assert [bool((pixels(picture) == original).all()) for picture in made(found)] == [True, True]
    assert notices(found)
    little = draw(engine, models / "sd15", request(image=IMAGE, strength=0.01), inputs=inputs)
    assert (pixels(little) != original).any()


def test_inputs_of_every_kind_fit(engine: DiffusionEngine, models: Path, inputs: dict[str, str]) -> None:
    random = np.random.default_rng(2)
    kinds = [
        Image.fromarray(random.integers(0, 65536, (40, 50), np.uint16)),
        Image.fromarray(random.integers(0, 256, (20, 50, 4), np.uint8)),
        Image.fromarray(random.integers(0, 256, (50, 50), np.uint8)).convert("P"),
    ]
    for image in kinds:
        image.save(inputs[IMAGE], format="PNG")
        assert draw(engine, models / "sd15", request(image=IMAGE, width=24, height=40), inputs=inputs).width == 24


def test_a_long_prompt_is_told(engine: DiffusionEngine, models: Path) -> None:
    found = events(engine, assignment(models / "sd15", request(prompt="cat " * 40)))
    assert any("too long" in text for text in notices(found))


def test_a_black_picture_is_told(engine: DiffusionEngine, models: Path, tmp_path: Path) -> None:
    folder = tmp_path / "black"
    shutil.copytree(models / "sd15", folder)
    path = folder / "vae/diffusion_pytorch_model.safetensors"
    save_file(load_file(path) | {"decoder.conv_out.bias": torch.full((3,), -100.0)}, path)
    assert any("black" in text for text in notices(events(engine, assignment(folder))))


def test_too_many_steps_for_a_scheduler(engine: DiffusionEngine, models: Path) -> None:
    with pytest.raises(StudioError) as caught:
        draw(engine, models / "sd15", request(scheduler="lcm", steps=900))
    assert caught.value.failure.code is FailureCode.INVALID_REQUEST


def test_refiners_want_a_picture_and_the_engine_wants_pictures(engine: DiffusionEngine, models: Path) -> None:
    with pytest.raises(StudioError, match="refiner"):
        draw(engine, models / "sdxl-refiner")
    text = TextRequest(model=ModelRef(repo="local/x"), sampling=Sampling(seed=1))
    with pytest.raises(InvalidField):
        list(
            engine.run(
                assignment(models / "sd15").__class__(job="j", request=text, model=assignment(models).model), Flag()
            )
        )


def test_devices_and_formats() -> None:
    automatic = choose(Placement(device="cpu"))
    assert automatic.dtype in (torch.bfloat16, torch.float32)
    half = choose(Placement(device="cpu", dtype="float16"))
    assert half.dtype is automatic.dtype
    assert half.note
    with pytest.raises(StudioError, match="cuda:99 is not available"):
        choose(Placement(device="cuda:99"))


def test_every_format_makes_pictures(engine: DiffusionEngine, models: Path) -> None:
    exact = pixels(draw(engine, models / "sd15"))
    for placement in (
        Placement(device="cpu", dtype="bfloat16", threads=1),
        Placement(device="cpu", dtype="float16", threads=1),
    ):
        near = pixels(draw(engine, models / "sd15", placement=placement))
        assert np.abs(near - exact).mean() < 16
    draw(engine, models / "sd15", placement=EXACT)
