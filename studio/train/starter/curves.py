"""Draws loss curves as a picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

Points = Sequence[tuple[float, float]]

SIZE = (960, 540)
MARGIN = (76, 44, 24, 52)  # left, top, right, bottom
INK, GRID, PAPER = "#2b2b2b", "#dddddd", "#ffffff"
COLOURS = ("#3b6fb6", "#c8553d", "#3f8f5f", "#8a5fb0", "#b58a1d", "#4a9aa5")


def draw_curves(
    path: Path, title: str, across: str, up: str, curves: Mapping[str, Points], *, log: bool = False
) -> None:
    """Write a PNG with one line for each of ``curves``; ``across`` and ``up`` name the axes.

    With ``log`` the upright axis is logarithmic. Points that are not finite are left out.
    """
    finite = {name: [(x, y) for x, y in line if math.isfinite(x + y)] for name, line in curves.items()}
    shown = {name: line for name, line in finite.items() if line}
    picture = Image.new("RGB", SIZE, PAPER)
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(14)
    pen.text((MARGIN[0], 12), title, INK, ImageFont.load_default(18))
    if shown:
        frame = _Frame([point for points in shown.values() for point in points], log=log)
        frame.grid(pen, font)
        for place, (name, points) in enumerate(shown.items()):
            colour = COLOURS[place % len(COLOURS)]
            pen.line([frame.at(x, y) for x, y in points], fill=colour, width=2, joint="curve")
            left, top = SIZE[0] - 270, MARGIN[1] + 8 + 20 * place
            pen.rectangle((left, top + 4, left + 10, top + 14), fill=colour)
            pen.text((left + 18, top), name, colour, font)
    pen.text((SIZE[0] // 2, SIZE[1] - 24), across, INK, font)
    pen.text((8, MARGIN[1] - 22), up, INK, font)
    picture.save(path, optimize=True)


class _Frame:
    """Where a point lies on the picture."""

    def __init__(self, points: Points, *, log: bool) -> None:
        self._log = log
        self._left, self._right = min(x for x, _ in points), max(x for x, _ in points)
        heights = [self._height(y) for _, y in points]
        self._low, self._high = min(heights), max(heights)
        self._right += (self._right == self._left) * 1.0
        self._high += (self._high == self._low) * 1.0

    def _height(self, y: float) -> float:
        return math.log10(max(y, 1e-9)) if self._log else y

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Pixel of the point."""
        width, height = SIZE[0] - MARGIN[0] - MARGIN[2], SIZE[1] - MARGIN[1] - MARGIN[3]
        right = MARGIN[0] + width * (x - self._left) / (self._right - self._left)
        return right, MARGIN[1] + height * (self._high - self._height(y)) / (self._high - self._low)

    def grid(self, pen: ImageDraw.ImageDraw, font: ImageFont.ImageFont | ImageFont.FreeTypeFont) -> None:
        """Five lines each way, with their numbers."""
        for place in range(6):
            share = place / 5
            height = self._low + (self._high - self._low) * share
            y = 10**height if self._log else height
            x = self._left + (self._right - self._left) * share
            across, up = self.at(x, y)
            pen.line([(MARGIN[0], up), (SIZE[0] - MARGIN[2], up)], fill=GRID)
            pen.line([(across, MARGIN[1]), (across, SIZE[1] - MARGIN[3])], fill=GRID)
            pen.text((12, up - 8), f"{y:.3g}", INK, font)
            pen.text((across - 12, SIZE[1] - MARGIN[3] + 6), f"{x:.3g}", INK, font)
