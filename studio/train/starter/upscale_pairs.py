"""Training pairs of starter-upscale: a cut of a picture, and the same cut at a quarter of its size.

Emoji and icons are made smaller in the ways that programs do it (area, bicubic, bilinear, Lanczos), at
times with light JPEG noise. Pixel art is cut at its own 32 × 32 pixels and enlarged by whole numbers, so
that blocks of any size stay blocks.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from studio.train.starter.image_data import BACKGROUNDS, Picture, Pixels, composite
from studio.train.starter.upscale_model import SCALE

SMALL_CUT = 24
CUT = SMALL_CUT * SCALE
BLOCK = 4  # a pixel-art tile's own pixel is a block of 4 × 4 in the data
MIX = {"noto": 0.2, "fluentflat": 0.2, "fluent3d": 0.2, "gameicons": 0.12, "dcss": 0.18, "blob": 0.06, "fx": 0.04}
KERNELS = (
    (Image.Resampling.BOX, 0.3),
    (Image.Resampling.BICUBIC, 0.45),
    (Image.Resampling.BILINEAR, 0.15),
    (Image.Resampling.LANCZOS, 0.1),
)
WHOLE_BLOCKS = 0.6  # how often pixel art is enlarged by whole numbers
NOISY = 0.12


def shrink(large: Pixels, kernel: Image.Resampling) -> Pixels:
    """A quarter of the size, with the kernel widened so that nothing is skipped."""
    height, width = large.shape[0] // SCALE, large.shape[1] // SCALE
    return np.asarray(Image.fromarray(large).resize((width, height), kernel))


def jpeg(picture: Pixels, quality: int) -> Pixels:
    """The picture after a JPEG file of that quality."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=quality, subsampling=0)
    with Image.open(stream) as back:
        return np.asarray(back.convert("RGB"))


class Pairs:
    """Draws batches of pairs from the pictures that training may see."""

    def __init__(self, pixels: Pixels, pictures: Sequence[Picture]) -> None:
        self._pixels = pixels
        rows = {source: [p.index for p in pictures if p.source == source and not p.held_out] for source in MIX}
        self._rows = {source: found for source, found in rows.items() if found}
        shares = np.array([MIX[source] for source in self._rows])
        self._shares = shares / shares.sum()

    def draw(self, rng: np.random.Generator, count: int) -> tuple[Pixels, Pixels]:
        """(n, 24, 24, 3) and (n, 96, 96, 3), small and large."""
        small = np.empty((count, SMALL_CUT, SMALL_CUT, 3), np.uint8)
        large = np.empty((count, CUT, CUT, 3), np.uint8)
        for place in range(count):
            small[place], large[place] = self._pair(rng)
        return small, large

    def _pair(self, rng: np.random.Generator) -> tuple[Pixels, Pixels]:
        source = list(self._rows)[int(rng.choice(len(self._rows), p=self._shares))]
        rows = self._rows[source]
        rgba = self._pixels[rows[int(rng.integers(len(rows)))]]
        colour = _colour(rng)
        if source == "dcss" and rng.random() < WHOLE_BLOCKS:
            small, large = _blocks(rgba, colour, rng)
        else:
            large = _cut(rgba, colour, CUT, rng)
            small = shrink(large, KERNELS[int(rng.choice(len(KERNELS), p=[share for _, share in KERNELS]))][0])
        turn, flip = int(rng.integers(4)), bool(rng.random() < 0.5)
        small, large = np.rot90(small, turn), np.rot90(large, turn)
        if flip:
            small, large = small[:, ::-1], large[:, ::-1]
        if rng.random() < NOISY:
            small = jpeg(np.ascontiguousarray(small), int(rng.integers(70, 96)))
        return small, large


def _colour(rng: np.random.Generator) -> tuple[int, int, int]:
    named = list(BACKGROUNDS.values())[int(rng.integers(len(BACKGROUNDS)))]
    anything = rng.integers(0, 256, 3)
    free = (int(anything[0]), int(anything[1]), int(anything[2]))
    return (named, (255, 255, 255), free)[int(rng.integers(3))]


def _cut(rgba: Pixels, colour: tuple[int, int, int], side: int, rng: np.random.Generator) -> Pixels:
    """A cut on a plain colour, rather one where something is drawn."""
    for _ in range(3):
        top, left = rng.integers(0, rgba.shape[0] - side + 1, 2)
        cut = composite(rgba[top : top + side, left : left + side], colour)
        if cut.std(axis=(0, 1)).max() > 20:
            break
    return cut


def _blocks(rgba: Pixels, colour: tuple[int, int, int], rng: np.random.Generator) -> tuple[Pixels, Pixels]:
    """Pixel art whose pixels are 1, 2, 3, 4 or 6 pixels wide in the small picture."""
    width = int(rng.choice([1, 2, 3, 4, 6], p=[0.25, 0.2, 0.1, 0.35, 0.1]))
    tile = _cut(rgba[BLOCK // 2 :: BLOCK, BLOCK // 2 :: BLOCK], colour, SMALL_CUT // width, rng)
    return _enlarged(tile, width), _enlarged(tile, width * SCALE)


def _enlarged(tile: Pixels, times: int) -> Pixels:
    return tile.repeat(times, axis=0).repeat(times, axis=1)
