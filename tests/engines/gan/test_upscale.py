"""Enlarging: through spandrel, in parts without seams, with transparency, cancelled in each part."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from studio.core.events import JobNotice, JobProgress, JobStarted, Stage
from studio.core.failure import FailureCode, StudioError
from studio.engines.gan.engine import GanEngine
from studio.engines.gan.tiles import blank, tiles
from studio.models.identify import identify
from studio.train.starter.upscale_model import Generator
from tests.engines.diffusion.asking import cancelled
from tests.engines.gan.making import assignment, compact, esrgan, events, made, pixels, upscale


@pytest.mark.parametrize("make", [compact, esrgan])
def test_shared_layouts_enlarge_four_times(engine: GanEngine, picture: Path, tmp_path: Path, make: object) -> None:
    assert callable(make)
    model = make(tmp_path / "x4.safetensors")
    entry = identify(model)
    assert entry is not None
    assert (entry.task, entry.family) == ("upscale", "esrgan")
    found = events(engine, assignment(model, upscale(), picture))
    assert isinstance(found[0], JobStarted)
    (large,) = made(found)
    assert (large.width, large.height, large.channels) == (160, 96, 3)


def test_it_computes_what_the_network_computes(engine: GanEngine, picture: Path, tmp_path: Path) -> None:
    model = compact(tmp_path / "x4.safetensors")
    own = Generator(12, 2)
    own.load_state_dict(load_file(model))
    with Image.open(picture) as image, torch.no_grad():
        wanted = own(torch.tensor(np.asarray(image)).permute(2, 0, 1)[None].float() / 255)
    (large,) = made(events(engine, assignment(model, upscale(), picture)))
    expected = (wanted[0].clamp(0, 1) * 255).round().permute(1, 2, 0).numpy()
    assert np.abs(pixels(large) - expected).max() <= 1


def test_parts_leave_no_seam(engine: GanEngine, picture: Path, tmp_path: Path) -> None:
    model = compact(tmp_path / "x4.safetensors")  # looks 4 pixels far, parts see 16 beyond their own
    whole, parts = (events(engine, assignment(model, upscale(tile=tile), picture)) for tile in (0, 16))
    steps = [event.step for event in parts if isinstance(event, JobProgress) and event.stage is Stage.GENERATE]
    assert steps == list(range(7))  # three across, two down
    assert np.abs(pixels(made(whole)[0]) - pixels(made(parts)[0])).max() <= 1


def test_tiles_cover_each_pixel_once() -> None:
    layer = torch.rand(1, 3, 37, 90)
    large = blank(layer, 2).fill_(-1)
    for part in tiles(37, 90, 32, overlap=5):
        seen = part.cut(layer)
        assert seen.shape[2] <= 32 + 10
        part.lay(seen.repeat_interleave(2, 2).repeat_interleave(2, 3), large, 2)
    assert torch.equal(large, layer.repeat_interleave(2, 2).repeat_interleave(2, 3))


def test_transparency_is_enlarged_too(engine: GanEngine, tmp_path: Path) -> None:
    drawn = np.zeros((20, 20, 4), np.uint8)
    drawn[5:15, 5:15] = (250, 200, 10, 255)
    Image.fromarray(drawn).save(tmp_path / "square.png")
    save_file(Generator(4, 0).state_dict(), tmp_path / "x4.safetensors")  # as it begins: pixel by pixel
    (large,) = made(events(engine, assignment(tmp_path / "x4.safetensors", upscale(), tmp_path / "square.png")))
    found = pixels(large)
    assert found.shape == (80, 80, 4)
    assert found[40, 40].tolist() == pytest.approx([250, 200, 10, 255], abs=3)
    assert found[2, 2, 3] <= 3
    # No black from the transparent side comes into the colour at the edge.
    assert found[21, 40, :3].tolist() == pytest.approx([250, 200, 10], abs=12)


def test_another_scale_is_made_of_the_models_own(engine: GanEngine, picture: Path, tmp_path: Path) -> None:
    found = events(engine, assignment(compact(tmp_path / "x4.safetensors"), upscale(scale=2), picture))
    (large,) = made(found)
    assert (large.width, large.height) == (80, 48)
    assert any(isinstance(event, JobNotice) and "×4" in event.text for event in found)


@pytest.mark.parametrize("stage", [Stage.LOAD, Stage.GENERATE])
def test_cancel_ends_the_job_and_the_engine_goes_on(
    engine: GanEngine, picture: Path, tmp_path: Path, stage: Stage
) -> None:
    work = assignment(compact(tmp_path / "x4.safetensors"), upscale(tile=16), picture)
    asked, seen = cancelled(
        engine, work, lambda event: isinstance(event, JobProgress) and event.stage is stage and event.step == 1
    )
    assert asked <= 1  # none where the waiting side saw the flag first
    assert not any(isinstance(event, JobProgress) and event.step > 1 for event in seen)
    assert made(events(engine, work))


def test_what_is_wrong_is_said(engine: GanEngine, picture: Path, tmp_path: Path) -> None:
    sound = compact(tmp_path / "x4.safetensors")
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(sound.read_bytes()[:-100])
    other = tmp_path / "other.safetensors"
    save_file({"some.weight": torch.zeros(3)}, other)
    mixed = tmp_path / "mixed.safetensors"
    state = load_file(sound)
    save_file(state | {"body.2.weight": torch.zeros(7, 7, 3, 3)}, mixed)
    pickle = tmp_path / "x4.pth"
    torch.save(state, pickle)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG no more")
    cases = [
        (cut, picture, FailureCode.MODEL_DAMAGED),
        (other, picture, FailureCode.MODEL_UNSUPPORTED),
        (mixed, picture, FailureCode.MODEL_DAMAGED),
        (pickle, picture, FailureCode.MODEL_REFUSED),
        (tmp_path / "gone.safetensors", picture, FailureCode.MODEL_MISSING),
        (sound, tmp_path / "gone.png", FailureCode.INPUT_MISSING),
        (sound, broken, FailureCode.INPUT_DAMAGED),
    ]
    for model, source, code in cases:
        with pytest.raises(StudioError) as refused:
            events(engine, assignment(model, upscale(), source))
        assert refused.value.failure.code is code, model
        assert refused.value.failure.hint


def test_nobody_sees_the_stand_in_for_torchvision(engine: GanEngine, picture: Path, tmp_path: Path) -> None:
    made(events(engine, assignment(compact(tmp_path / "x4.safetensors"), upscale(), picture)))
    assert "spandrel" in sys.modules
    assert "torchvision" not in sys.modules
    assert importlib.util.find_spec("torchvision") is None
