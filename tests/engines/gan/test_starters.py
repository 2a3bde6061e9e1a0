"""The GANs that ship: they open through the engine, and do what their cards say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from studio.engines.gan.engine import GanEngine
from studio.models.shelf import Shelf
from tests.engines.gan.making import assignment, events, made, pixels, sprite, upscale


def test_the_starter_enlarges_better_than_a_filter(engine: GanEngine, tmp_path: Path) -> None:
    entry = Shelf().default("upscale")
    assert entry is not None
    truth = Image.new("RGB", (1024, 1024), (250, 215, 60))
    ImageDraw.Draw(truth).ellipse((120, 200, 800, 900), fill=(50, 110, 220))
    ImageDraw.Draw(truth).polygon([(300, 300), (700, 350), (420, 820)], fill=(255, 255, 255))
    truth = truth.resize((256, 256), Image.Resampling.BOX)
    small = truth.resize((64, 64), Image.Resampling.BICUBIC)
    small.save(tmp_path / "disc.png")
    (large,) = made(events(engine, assignment(entry.path, upscale(), tmp_path / "disc.png")))
    filtered = np.asarray(small.resize((256, 256), Image.Resampling.BICUBIC)).astype(np.int16)
    wanted = np.asarray(truth).astype(np.int16)
    assert np.square(pixels(large) - wanted).mean() < 0.75 * np.square(filtered - wanted).mean()


def test_the_starter_draws_each_of_its_kinds(engine: GanEngine) -> None:
    entry = Shelf().default("sprite")
    assert entry is not None
    assert len(entry.styles) == 18
    for kind in entry.styles:
        drawn = [pixels(p) for p in made(events(engine, assignment(entry.path, sprite(kind=kind, batch_size=2))))]
        assert min((picture[..., 3] > 128).mean() for picture in drawn) > 0.02, kind
        assert np.abs(drawn[0] - drawn[1]).mean() > 3, kind
    tile = pixels(made(events(engine, assignment(entry.path, sprite(kind="floor"))))[0])
    assert (tile[..., 3] > 128).mean() == pytest.approx(1, abs=0.35)  # floors cover their square
