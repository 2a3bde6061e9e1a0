"""Latents of composited pictures, kept on disk so that the denoiser never runs the VAE.

One shard holds one pass over one source: every picture once, on one background, maybe
mirrored. Pass 0 is the plain one (white behind, nothing mirrored); later passes vary.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from studio.train.starter.image_captions import may_mirror
from studio.train.starter.image_data import (
    BACKGROUNDS,
    Picture,
    Pixels,
    composite,
    has_transparency,
)
from studio.train.starter.image_progress import Component
from studio.train.starter.image_vae import encode, to_signal

Latents = npt.NDArray[np.float16]


@dataclass(frozen=True)
class Shard:
    """Latents of one pass: row i shows picture `rows[i]` on `backgrounds[i]`."""

    latents: Latents
    rows: list[int]
    backgrounds: list[str | None]


def _choose(picture: Picture, rgba: Pixels, number: int) -> tuple[str | None, bool]:
    """Background and mirroring of a picture in pass `number`; None: nothing shows behind it."""
    rng = np.random.default_rng((number, picture.index))
    mirrored = number > 0 and may_mirror(picture) and bool(rng.random() < 0.5)
    if picture.source == "gameicons":
        return "black", mirrored
    if not has_transparency(rgba):
        return None, mirrored
    if number == 0:
        return "white", False
    others = [name for name in BACKGROUNDS if name != "white"]
    first = int(np.random.default_rng(picture.index).integers(len(others)))
    step = 1 if picture.index % 2 else 5  # prime to 11: passes walk through all colours
    return others[(first + number * step) % len(others)], mirrored


def write_shard(
    vae: Component,
    pixels: Pixels,
    pictures: Sequence[Picture],
    folder: Path,
    *,
    source: str,
    number: int,
) -> Path:
    """Encode one pass over the training pictures of a source, unless it is there already."""
    path = folder / f"{source}-{number:02d}.npy"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    chosen = [p for p in pictures if p.source == source and not p.held_out]
    parts: list[Latents] = []
    backgrounds: list[str | None] = []
    for start in range(0, len(chosen), 64):
        drawn = []
        for picture in chosen[start : start + 64]:
            rgba = pixels[picture.index]
            name, mirrored = _choose(picture, rgba, number)
            flat = composite(rgba, BACKGROUNDS[name or "white"])
            drawn.append(flat[:, ::-1] if mirrored else flat)
            backgrounds.append(name)
        parts.append(encode(vae, to_signal(np.stack(drawn))).numpy().astype(np.float16))
    about = {"rows": [p.index for p in chosen], "backgrounds": backgrounds}
    path.with_suffix(".json").write_text(json.dumps(about), encoding="utf-8")
    partial = path.with_suffix(".partial.npy")
    np.save(partial, np.concatenate(parts))
    partial.replace(path)
    return path


def load_shards(folder: Path) -> dict[str, list[Shard]]:
    """All finished shards by source, in the order of their passes."""
    shards: dict[str, list[Shard]] = {}
    for path in sorted(folder.glob("*-[0-9][0-9].npy")):
        about = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        latents: Latents = np.load(path, mmap_mode="r")
        source = path.stem.rpartition("-")[0]
        shards.setdefault(source, []).append(Shard(latents, about["rows"], about["backgrounds"]))
    return shards
