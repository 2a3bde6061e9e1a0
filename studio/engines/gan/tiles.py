"""Large pictures in parts: where they are cut, and how the parts are laid together without a seam."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

OVERLAP = 16
"""Pixels that a part sees beyond its own on each side: more than half of what compact networks look at."""


@dataclass(frozen=True)
class Tile:
    """A part of a picture: its own pixels and, with the prefix `seen_`, all that it sees."""

    top: int
    bottom: int
    left: int
    right: int
    seen_top: int
    seen_bottom: int
    seen_left: int
    seen_right: int

    def cut(self, picture: Tensor) -> Tensor:
        """What it sees of a (1, c, h, w) picture."""
        return picture[:, :, self.seen_top : self.seen_bottom, self.seen_left : self.seen_right]

    def lay(self, made: Tensor, whole: Tensor, scale: int) -> None:
        """Put its own pixels of the enlarged part into the enlarged whole."""
        top, left = (self.top - self.seen_top) * scale, (self.left - self.seen_left) * scale
        height, width = (self.bottom - self.top) * scale, (self.right - self.left) * scale
        own = made[:, :, top : top + height, left : left + width]
        whole[:, :, self.top * scale : self.bottom * scale, self.left * scale : self.right * scale] = own


def tiles(height: int, width: int, edge: int, overlap: int = OVERLAP) -> list[Tile]:
    """Parts of at most `edge` × `edge` own pixels, of about equal size, row by row; one where the picture is small."""
    return [
        Tile(
            top, bottom, left, right,
            max(0, top - overlap), min(height, bottom + overlap), max(0, left - overlap), min(width, right + overlap),
        )
        for top, bottom in _spans(height, edge)
        for left, right in _spans(width, edge)
    ]  # fmt: skip


def _spans(length: int, edge: int) -> Iterator[tuple[int, int]]:
    count = max(1, -(-length // edge))
    for number in range(count):
        yield length * number // count, length * (number + 1) // count


def blank(picture: Tensor, scale: int) -> Tensor:
    """The empty enlarged whole for a (1, c, h, w) picture."""
    _, channels, height, width = picture.shape
    return torch.empty(1, channels, height * scale, width * scale)
