"""Pictures and captions of starter-image: records, the decoded pixel store, backgrounds.

All pictures are 128 x 128. They are decoded once to an RGBA memory map so that a
training step never touches a PNG again.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

SIDE = 128
HELD_OUT_RESIDUES = range(3, 6)
BACKGROUNDS: dict[str, tuple[int, int, int]] = {
    "white": (255, 255, 255),
    "black": (0, 0, 0),
    "red": (220, 50, 47),
    "orange": (245, 140, 40),
    "yellow": (250, 215, 60),
    "green": (60, 165, 80),
    "teal": (30, 150, 150),
    "blue": (50, 110, 220),
    "purple": (130, 75, 185),
    "pink": (245, 150, 190),
    "brown": (130, 85, 55),
    "grey": (135, 135, 135),
}

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Picture:
    """One captioned picture of the training data; `index` is its row in the pixel store."""

    index: int
    file: str
    caption: str
    keywords: tuple[str, ...]
    group: str
    style: str
    source: str

    @property
    def concept(self) -> str:
        """What the picture shows, whatever its style: code points, icon name or tile name."""
        stem = Path(self.file).stem
        if self.source == "gameicons":
            return stem.partition("__")[2]
        return self.caption if self.source == "dcss" else stem

    @property
    def held_out(self) -> bool:
        """Whether no training may ever see this concept (decided by a hash of its name)."""
        digest = hashlib.sha256(self.concept.encode()).hexdigest()
        return int(digest[:8], 16) % 100 in HELD_OUT_RESIDUES


def load_pictures(data: Path) -> list[Picture]:
    """Read `images/captions.jsonl` below the data folder, in file order."""
    pictures = []
    with (data / "images" / "captions.jsonl").open(encoding="utf-8") as lines:
        for index, line in enumerate(lines):
            row = json.loads(line)
            pictures.append(
                Picture(
                    index,
                    row["file"],
                    row["caption"],
                    tuple(row["keywords"]),
                    row["group"],
                    row["style"],
                    row["source"],
                )
            )
    return pictures


def open_pixels(data: Path, work: Path, pictures: Sequence[Picture]) -> Pixels:
    """Memory map of shape (pictures, 128, 128, 4), decoded from the archive on first use."""
    store = work / "pixels.npy"
    if not store.exists():
        _decode_archive(data / "images" / "images.zip", store, pictures)
    pixels: Pixels = np.load(store, mmap_mode="r")
    return pixels


def _decode_archive(archive: Path, store: Path, pictures: Sequence[Picture]) -> None:
    store.parent.mkdir(parents=True, exist_ok=True)
    partial = store.with_suffix(".partial.npy")
    shape = (len(pictures), SIDE, SIDE, 4)
    pixels = np.lib.format.open_memmap(partial, mode="w+", dtype=np.uint8, shape=shape)
    with zipfile.ZipFile(archive) as bundle:
        for row, picture in enumerate(pictures):
            with Image.open(io.BytesIO(bundle.read(picture.file))) as image:
                pixels[row] = np.asarray(image.convert("RGBA"))
    pixels.flush()
    partial.replace(store)


def composite(rgba: Pixels, colour: tuple[int, int, int]) -> Pixels:
    """Lay pictures of shape (..., 4) on a plain colour; returns (..., 3)."""
    alpha = rgba[..., 3:].astype(np.uint16)
    back = np.asarray(colour, dtype=np.uint16)
    mixed = rgba[..., :3] * alpha + back * (255 - alpha)
    result: Pixels = ((mixed + 127) // 255).astype(np.uint8)
    return result


def has_transparency(rgba: Pixels) -> bool:
    """Whether a background would show: at least 5 % of the picture is see-through."""
    return bool((rgba[..., 3] < 128).mean() > 0.05)
