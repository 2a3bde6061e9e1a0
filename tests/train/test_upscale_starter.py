"""Starter-upscale end to end at toy size: pairs, training, resuming, export, figures."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from studio.models.identify import identify
from studio.train.starter import upscale_card
from studio.train.starter.image_data import load_pictures, open_pixels
from studio.train.starter.image_progress import Stage
from studio.train.starter.upscale_evaluate import (
    WAYS,
    WEIGHTS,
    enlarged,
    evaluate_upscale,
    measure,
    open_generator,
    table_of,
)
from studio.train.starter.upscale_model import Critic, Generator, Pair
from studio.train.starter.upscale_pairs import Pairs, jpeg, shrink
from studio.train.starter.upscale_train import relative_loss, start_stage, train_pair
from tests.train.tiny_pictures import make_pictures


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_pictures(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def pairs(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Pairs:
    pictures = load_pictures(data)
    return Pairs(open_pixels(data, tmp_path_factory.mktemp("work"), pictures), pictures)


def small_stage() -> Stage:
    torch.manual_seed(0)
    return start_stage(Generator(8, 1), Critic((4, 8, 8)))


def train_to(pairs: Pairs, checkpoint: Path, last_step: int) -> Stage:
    stage = small_stage()
    stage.load(checkpoint)
    train_pair(stage, pairs, checkpoint, minutes=None, last_step=last_step, steps=6, critic_from=3, batch=4)
    return stage


def test_interrupted_training_equals_uninterrupted(pairs: Pairs, tmp_path: Path) -> None:
    whole = train_to(pairs, tmp_path / "whole.pt", 5)
    train_to(pairs, tmp_path / "parts.pt", 4)  # in the middle of the part with the critic
    parts = train_to(pairs, tmp_path / "parts.pt", 5)
    assert parts.step == 5
    for name, value in whole.module.state_dict().items():
        torch.testing.assert_close(parts.module.state_dict()[name], value, msg=name)
    for name, value in whole.average.values.items():
        torch.testing.assert_close(parts.average.values[name], value, msg=name)


def test_the_critic_learns_only_from_its_time_on(pairs: Pairs, tmp_path: Path) -> None:
    begun = small_stage().module.state_dict()
    before = train_to(pairs, tmp_path / "pair.pt", 3).module.state_dict()
    after = train_to(pairs, tmp_path / "pair.pt", 4).module.state_dict()
    name = "critic.layers.3.weight"
    assert torch.equal(before[name], begun[name])
    assert not torch.equal(after[name], before[name])
    assert not torch.equal(before["generator.body.0.weight"], begun["generator.body.0.weight"])


def test_pixel_art_stays_in_whole_blocks(pairs: Pairs) -> None:
    small, large = pairs.draw(np.random.default_rng(0), 60)
    assert small.shape == (60, 24, 24, 3)
    assert large.shape == (60, 96, 96, 3)
    both = list(zip(small, large, strict=True))
    exact = sum(np.array_equal(big[::4, ::4], little) for little, big in both)
    assert 3 <= exact < 60  # tiles in blocks, and not the rest
    close = [np.abs(shrink(big, Image.Resampling.BOX).astype(int) - little).mean() for little, big in both]
    assert max(close) < 20


def test_an_untrained_generator_enlarges_pixel_by_pixel() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (6, 9, 3), np.uint8)
    made = enlarged(Generator(8, 1), picture)
    assert measure(made["this model"], made["nearest"])["psnr"] > 40
    assert made["bicubic"].shape == (24, 36, 3)


def test_measures_know_equal_from_blurred() -> None:
    truth = np.random.default_rng(2).integers(0, 256, (32, 32, 3), np.uint8)
    assert measure(truth, truth) == {"psnr": pytest.approx(78.13, abs=0.01), "edge": 0}
    brighter = np.minimum(truth.astype(int) + 10, 255).astype(np.uint8)
    assert measure(brighter, truth)["psnr"] < 30
    assert measure(brighter, truth)["edge"] < measure(jpeg(truth, 70), truth)["edge"]


def test_the_relative_loss_prefers_what_it_says() -> None:
    high, low = torch.full((4,), 3.0), torch.full((4,), -3.0)
    assert relative_loss(high, low) < 0.01
    assert relative_loss(low, high) > 5


def test_export_and_figures(data: Path, pairs: Pairs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work, out = tmp_path / "work", tmp_path / "upscale"
    work.mkdir()
    monkeypatch.setattr(upscale_card, "start_stage", small_stage)
    with pytest.raises(FileNotFoundError, match="train first"):
        upscale_card.export_upscale(data, work, out)
    train_to(pairs, work / "pair.pt", 4)
    upscale_card.export_upscale(data, work, out)
    figures = evaluate_upscale(data, work, out)
    upscale_card.export_upscale(data, work, out)  # the card now has them
    assert set(figures) == {"shrunk by bicubic", "shrunk by area", "whole blocks, 128 to 512"}
    assert "better than both" in (out / "README.md").read_text(encoding="utf-8")
    described = tomllib.loads((out / "model.toml").read_text(encoding="utf-8"))
    assert (described["task"], described["file"], described["native_size"]) == ("upscale", WEIGHTS, 128)
    entry = identify(out / WEIGHTS)
    assert entry is not None
    assert entry.task == "upscale"
    with Image.open(out / "samples.png") as sheet:
        assert sheet.width > sheet.height / 3
    truth = np.full((128, 128, 3), 90, np.uint8)
    table = table_of(open_generator(out / WEIGHTS), [("plain", truth)], lambda p: shrink(p, Image.Resampling.BOX))
    assert set(table) == {"plain", "all"}
    assert set(table["all"]) == set(WAYS)


def test_the_pair_is_what_a_checkpoint_holds() -> None:
    names = Pair(Generator(8, 1), Critic((4, 8, 8))).state_dict()
    assert {name.partition(".")[0] for name in names} == {"generator", "critic"}
