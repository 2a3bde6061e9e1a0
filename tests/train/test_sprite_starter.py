"""Starter-gan end to end at toy size: groups of kinds, training, resuming, export, figures."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from studio.engines.gan.sprite_network import GROUP, SpriteShape
from studio.engines.gan.sprites import DISCRIMINATOR, GENERATOR
from studio.models.starter import starter_entries
from studio.train.starter.image_progress import Stage
from studio.train.starter.sprite_card import export_sprites
from studio.train.starter.sprite_data import KINDS, Sprites, kind_of, load_sprites, to_signal
from studio.train.starter.sprite_evaluate import evaluate_sprites, frechet, nearest
from studio.train.starter.sprite_train import Draw, disturbed, start_stage, train_rivals
from tests.train.tiny_pictures import GROUPS, make_pictures

SHAPE = SpriteShape(kinds=tuple(KINDS), latent=8, style=16, widths=(8, 8, 8, 8))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_pictures(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def sprites(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Sprites:
    return load_sprites(data, tmp_path_factory.mktemp("work"), held_out=False)


def train_to(sprites: Sprites, checkpoint: Path, last_step: int) -> Stage:
    stage = start_stage(SHAPE)
    stage.load(checkpoint)
    train_rivals(stage, sprites, checkpoint, minutes=None, last_step=last_step, steps=8, batch=2 * GROUP)
    return stage


def test_interrupted_training_equals_uninterrupted(sprites: Sprites, tmp_path: Path) -> None:
    whole = train_to(sprites, tmp_path / "whole.pt", 3)
    train_to(sprites, tmp_path / "parts.pt", 1)
    parts = train_to(sprites, tmp_path / "parts.pt", 3)
    for name, value in whole.module.state_dict().items():
        torch.testing.assert_close(parts.module.state_dict()[name], value, msg=name)
    for name, value in whole.average.values.items():
        torch.testing.assert_close(parts.average.values[name], value, msg=name)


def test_both_networks_learn(sprites: Sprites, tmp_path: Path) -> None:
    begun = {name: value.clone() for name, value in start_stage(SHAPE).module.state_dict().items()}
    after = train_to(sprites, tmp_path / "rivals.pt", 2).module.state_dict()
    for name in ("generator.paint.weight", "generator.kinds.weight", "discriminator.layers.0.weight"):
        assert not torch.equal(begun[name], after[name]), name


def test_sprites_come_at_their_own_size_with_their_kind(sprites: Sprites) -> None:
    assert sprites.pixels.shape == (24, 32, 32, 4)
    assert {sprites.names[kind] for kind in sprites.kinds.tolist()} == set(GROUPS)
    assert kind_of("undead monster") == "undead"
    assert kind_of("something new") == "item"
    signal = sprites.signal()
    assert bool((signal[:, :, 0, 0] == -1).all())  # nothing, where nothing is drawn


def test_groups_hold_one_kind_each(sprites: Sprites) -> None:
    _, kinds = Draw(sprites).at(torch.Generator().manual_seed(1), 4 * GROUP)
    parts = kinds.view(GROUP, 4)
    assert (parts == parts[0]).all()


def test_disturbed_pictures_stay_pictures(sprites: Sprites) -> None:
    signal = sprites.signal()
    changed = disturbed(signal, torch.Generator().manual_seed(2))
    assert changed.shape == signal.shape
    hidden = changed[:, 3:] < -0.999
    assert (changed[:, :3][hidden.expand(-1, 3, -1, -1)] < -0.99).all()  # no colour where nothing is
    assert not torch.equal(changed, disturbed(signal, torch.Generator().manual_seed(3)))
    moved = signal.clone().requires_grad_()
    disturbed(moved, torch.Generator().manual_seed(2)).sum().backward()  # type: ignore[no-untyped-call]  # torch's own
    assert moved.grad is not None
    assert moved.grad.abs().sum() > 0


def test_distances_know_near_from_far() -> None:
    chance = torch.Generator().manual_seed(5)
    one, same, far = (torch.randn(400, 6, generator=chance, dtype=torch.float64) + shift for shift in (0, 0, 2))
    assert frechet(one, one) == pytest.approx(0, abs=1e-6)
    assert frechet(one, same) < 0.3
    assert frechet(one, far) == pytest.approx(24, abs=3)
    pictures = torch.rand(5, 4, 32, 32, generator=chance) * 2 - 1
    assert nearest(pictures[:2].flip(3), pictures).max() < 0.5  # a mirrored copy is a copy
    assert nearest(pictures[:1], pictures[1:]).min() > 30


def test_opacity_is_multiplied_in() -> None:
    rgba = np.array([[[[255, 0, 128, 0], [255, 0, 128, 255]]]], np.uint8)
    assert to_signal(rgba)[0, :, 0, 0].tolist() == [-1, -1, -1, -1]
    assert to_signal(rgba)[0, :, 0, 1].tolist() == pytest.approx([1, -1, 0, 1], abs=0.01)


def test_export_and_figures(data: Path, sprites: Sprites, tmp_path: Path) -> None:
    work, out = tmp_path / "work", tmp_path / "starter" / "gan"
    with pytest.raises(FileNotFoundError, match="train first"):
        export_sprites(data, work, out, SHAPE)
    train_to(sprites, work / "rivals.pt", 1)
    export_sprites(data, work, out, SHAPE)
    figures = evaluate_sprites(data, work, out, count=12, lessons=3)
    assert set(figures) == {"frechet", "kind_told", "nearest", "milliseconds"}
    export_sprites(data, work, out, SHAPE)
    assert "15 ms" in (out / "README.md").read_text(encoding="utf-8")
    assert (out / GENERATOR).stat().st_size + (out / DISCRIMINATOR).stat().st_size < 200_000
    (entry,) = starter_entries(tmp_path / "starter")
    assert (entry.task, entry.path) == ("sprite", out)
    assert tomllib.loads((out / "model.toml").read_text(encoding="utf-8"))["styles"] == list(KINDS)
    with Image.open(out / "samples.png") as sheet:
        assert sheet.size[0] > 900
