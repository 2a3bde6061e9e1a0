"""Sprites: the same seed the same picture, kinds by word, walks between two of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from studio.core.failure import FailureCode, InvalidField, StudioError
from studio.engines.gan.engine import GanEngine
from studio.engines.gan.sprite_network import GROUP, SpriteDiscriminator
from studio.engines.gan.sprites import CONFIG, GENERATOR, between, to_picture
from studio.models.identify import identify
from tests.engines.gan.making import SHAPE, assignment, events, made, pixels, sprite, sprites


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return sprites(tmp_path / "sprites")


def test_seeds_number_the_pictures(engine: GanEngine, model: Path) -> None:
    first = made(events(engine, assignment(model, sprite(batch_size=3, kind="orc"))))
    again = made(events(engine, assignment(model, sprite(seed=6, batch_size=2, kind="orc"))))
    assert [picture.seed for picture in first] == [5, 6, 7]
    assert first[1] == again[0]
    assert first[2] == again[1]
    assert first[0].pixels != first[1].pixels
    assert (first[0].width, first[0].height, first[0].channels) == (32, 32, 4)
    other = made(events(engine, assignment(model, sprite(kind="potion"))))
    assert other[0].pixels != first[0].pixels


def test_enlarged_sprites_are_the_same_in_blocks(engine: GanEngine, model: Path) -> None:
    small, large = (made(events(engine, assignment(model, sprite(enlarge=edge))))[0] for edge in (1, 4))
    assert (large.width, large.height) == (128, 128)
    assert np.array_equal(pixels(large)[1::4, 2::4], pixels(small))


def test_a_walk_begins_and_ends_at_its_seeds(engine: GanEngine, model: Path) -> None:
    walk = made(events(engine, assignment(model, sprite(kind="orc", toward=9, toward_kind="potion", batch_size=5))))
    (begin,) = made(events(engine, assignment(model, sprite(kind="orc"))))
    (end,) = made(events(engine, assignment(model, sprite(seed=9, kind="potion"))))
    assert np.abs(pixels(walk[0]) - pixels(begin)).max() <= 1
    assert np.abs(pixels(walk[-1]) - pixels(end)).max() <= 1
    assert len({picture.pixels for picture in walk}) == 5


def test_without_truncation_left_all_are_alike(engine: GanEngine, model: Path) -> None:
    tame = made(events(engine, assignment(model, sprite(kind="orc", truncation=0.0, batch_size=2))))
    assert tame[0].pixels == tame[1].pixels


def test_the_way_between_latents_keeps_their_length() -> None:
    first, last = torch.tensor([[3.0, 0.0]]), torch.tensor([[0.0, 3.0]])
    path = between(first, last, torch.tensor([[0.0], [0.5], [1.0]]))
    assert torch.allclose(path.norm(dim=1), torch.full((3,), 3.0), atol=1e-5)
    assert torch.equal(between(first, first, torch.tensor([[0.3]])), first)


def test_colours_come_back_from_under_the_opacity() -> None:
    drawn = torch.full((4, 2, 2), -1.0)
    drawn[:, 0, 0] = torch.tensor([0.0, -0.5, -1.0, 0.0])  # half opaque; colour already multiplied by that
    picture = pixels(to_picture(drawn, 1))
    assert picture[0, 0].tolist() == pytest.approx([255, 128, 0, 128], abs=1)
    assert not picture[1].any()


def test_what_is_wrong_is_said(engine: GanEngine, model: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidField, match="orc, potion"):
        events(engine, assignment(model, sprite(kind="spoon")))
    with pytest.raises(StudioError) as gone:
        events(engine, assignment(tmp_path / "nowhere", sprite()))
    assert gone.value.failure.code is FailureCode.MODEL_MISSING
    entry = identify(model)
    assert entry is not None
    assert entry.task == "sprite"
    (model / CONFIG).write_text('{"kinds": ["orc", "potion", "third"], "latent": 8, "widths": [8, 8, 8, 8]}')
    (model / GENERATOR).touch()
    with pytest.raises(StudioError) as damaged:
        events(engine, assignment(model, sprite()))
    assert damaged.value.failure.code is FailureCode.MODEL_DAMAGED


def test_the_discriminator_sees_whether_a_group_is_alike() -> None:
    torch.manual_seed(0)
    judge = SpriteDiscriminator(SHAPE)
    kinds = torch.zeros(2 * GROUP, dtype=torch.long)
    different = torch.rand(2 * GROUP, 4, 32, 32) * 2 - 1
    alike = different[:2].repeat(GROUP, 1, 1, 1)  # two groups, the same picture all through each
    assert not torch.allclose(judge(different, kinds)[:2], judge(alike, kinds)[:2])
