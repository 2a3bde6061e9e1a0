"""A data folder with a dozen pictures in the layout of the real one."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from studio.train.starter.image_data import Picture

GROUPS = ("monster", "weapon", "potion")


def make_pictures(folder: Path, count: int = 8) -> Path:
    """Write `count` emoji and `count` tiles of each group, and of each source one that is held out."""
    (folder / "images").mkdir()
    rows = []
    with zipfile.ZipFile(folder / "images" / "images.zip", "w") as bundle:
        for row, image in [*_emoji(count), *_tiles(count)]:
            stream = io.BytesIO()
            image.save(stream, "PNG")
            bundle.writestr(str(row["file"]), stream.getvalue())
            rows.append(row)
    (folder / "images" / "captions.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return folder


def _row(source: str, name: str, group: str, style: str) -> dict[str, object]:
    named = {"file": f"{source}/{name}.png", "caption": name, "keywords": []}
    return {**named, "group": group, "style": style, "source": source}


def _names(source: str, group: str, style: str, count: int) -> list[dict[str, object]]:
    """Rows for training, and one whose concept the split holds back."""
    chosen: list[dict[str, object]] = []
    held_out: list[dict[str, object]] = []
    number = 0
    while len(chosen) < count or not held_out:
        row = _row(source, f"{group.replace(' ', '')}{number}", group, style)
        picture = Picture(0, str(row["file"]), str(row["caption"]), (), group, style, source)
        (held_out if picture.held_out else chosen).append(row)
        number += 1
    return [*chosen[:count], held_out[0]]


def _emoji(count: int) -> list[tuple[dict[str, object], Image.Image]]:
    found = []
    for place, row in enumerate(_names("noto", "objects", "noto emoji", count)):
        image = Image.new("RGBA", (128, 128))
        ImageDraw.Draw(image).ellipse((10, 20, 60 + 6 * place, 110), fill=(250 - 20 * place, 25 * place, 90, 255))
        found.append((row, image))
    return found


def _tiles(count: int) -> list[tuple[dict[str, object], Image.Image]]:
    chance = np.random.default_rng(6)
    found = []
    for group in GROUPS:
        for row in _names("dcss", group, "pixel art", count):
            tile = np.zeros((32, 32, 4), np.uint8)
            tile[4:28, 4:28, :3] = chance.integers(0, 256, (24, 24, 3))
            tile[4:28, 4:28, 3] = 255
            found.append((row, Image.fromarray(tile.repeat(4, axis=0).repeat(4, axis=1))))
    return found
