"""Sprites of Dungeon Crawl Stone Soup at their own 32 × 32 pixels, with the kind of thing that each one shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from studio.train.starter.image_data import Picture, Pixels, load_pictures, open_pixels

BLOCK = 4  # the data holds them enlarged four times
KINDS: dict[str, tuple[str, ...]] = {
    "monster": ("monster", "dragon", "tree"),
    "animal": ("animal",),
    "undead": ("undead monster",),
    "demon": ("demon",),
    "hero": ("hero",),
    "construct": ("construct",),
    "statue": ("statue",),
    "altar": ("altar",),
    "gateway": ("gateway", "dungeon feature", "trap"),
    "wall": ("wall tile",),
    "floor": ("floor tile", "water tile"),
    "weapon": ("weapon", "staff", "rod", "wand"),
    "armour": ("armour",),
    "spell": ("spell icon",),
    "book": ("book", "scroll"),
    "potion": ("potion",),
    "jewel": ("amulet", "ring"),
    "item": ("item", "food", "misc", "gold"),
}
"""Word that the generator is asked by → groups of the data; a group that is not named counts as an item."""


@dataclass(frozen=True)
class Sprites:
    """`pixels` (n, 32, 32, 4) straight RGBA; `kinds` (n,) places in `names`."""

    pixels: Pixels
    kinds: Tensor
    names: tuple[str, ...]

    def signal(self) -> Tensor:
        """(n, 4, 32, 32) in -1..1, colours on black: what lies behind full transparency can't be learnt."""
        return to_signal(self.pixels)


def kind_of(group: str) -> str:
    """The kind that a group of the data belongs to."""
    return next((kind for kind, groups in KINDS.items() if group in groups), "item")


def load_sprites(data: Path, work: Path, *, held_out: bool) -> Sprites:
    """The sprites that training may see, or those that it never sees."""
    pictures = load_pictures(data)
    return choose_sprites(open_pixels(data, work, pictures), pictures, held_out=held_out)


def choose_sprites(pixels: Pixels, pictures: Sequence[Picture], *, held_out: bool) -> Sprites:
    """Sprites out of the store of all pictures."""
    chosen = [p for p in pictures if p.source == "dcss" and p.held_out == held_out]
    names = tuple(KINDS)
    tiles = [pixels[p.index][BLOCK // 2 :: BLOCK, BLOCK // 2 :: BLOCK] for p in chosen]
    kinds = torch.tensor([names.index(kind_of(p.group)) for p in chosen], dtype=torch.long)
    return Sprites(np.stack(tiles) if tiles else np.empty((0, 32, 32, 4), np.uint8), kinds, names)


def to_signal(rgba: Pixels) -> Tensor:
    """(n, h, w, 4) straight RGBA to (n, 4, h, w) in -1..1, the colours multiplied by the opacity."""
    values = torch.from_numpy(np.ascontiguousarray(rgba)).permute(0, 3, 1, 2).float() / 255
    alpha = values[:, 3:]
    return torch.cat([values[:, :3] * alpha, alpha], dim=1) * 2 - 1
