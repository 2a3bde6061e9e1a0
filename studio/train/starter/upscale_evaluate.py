"""Figures of starter-upscale on pictures that training never saw, against enlargement without a model.

Every held-out picture is made smaller by a bicubic filter, as the field does it, and by area averaging;
then it is enlarged four times in three ways and held against the original. Pixel art is also taken as
people have it, in whole blocks: there, enlarging pixel by pixel is right by construction.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file

from studio.train.starter.image_data import BACKGROUNDS, Picture, Pixels, composite, load_pictures, open_pixels
from studio.train.starter.upscale_model import SCALE, Generator, edge_error, enlarge
from studio.train.starter.upscale_pairs import shrink
from studio.train.starter.upscale_train import as_tensor

WEIGHTS = "starter-upscale.safetensors"
WAYS = ("this model", "bicubic", "nearest")
Table = dict[str, dict[str, dict[str, float]]]
"""Style → way of enlarging → measure → value."""


def open_generator(path: Path) -> Generator:
    """The exported generator; its sizes are read off its tensors."""
    state = load_file(path)
    convolutions = [name for name, tensor in state.items() if tensor.ndim == 4]
    generator = Generator(state["body.0.weight"].shape[0], len(convolutions) - 2)
    generator.load_state_dict({name: tensor.float() for name, tensor in state.items()})
    return generator.eval()


def held_out(pixels: Pixels, pictures: Sequence[Picture]) -> Iterator[tuple[str, Pixels]]:
    """Style and picture (128, 128, 3), on the known backgrounds in turn."""
    colours = list(BACKGROUNDS.values())
    for place, picture in enumerate(p for p in pictures if p.held_out):
        yield picture.style, composite(pixels[picture.index], colours[place % len(colours)])


def enlarged(generator: Generator, small: Pixels) -> dict[str, Pixels]:
    """One small picture, enlarged in each of the ways."""
    made = enlarge(generator, as_tensor(small[None]))[0].permute(1, 2, 0).numpy()
    size = (small.shape[1] * SCALE, small.shape[0] * SCALE)
    plain = Image.fromarray(small)
    return {
        "this model": np.round(made * 255).astype(np.uint8),
        "bicubic": np.asarray(plain.resize(size, Image.Resampling.BICUBIC)),
        "nearest": np.asarray(plain.resize(size, Image.Resampling.NEAREST)),
    }


def measure(made: Pixels, truth: Pixels) -> dict[str, float]:
    """PSNR in dB (at most 78, which stands for equal) and edge error in levels of 255."""
    error = float(np.square(made.astype(np.float64) - truth).mean())
    edge = float(edge_error(as_tensor(made[None]), as_tensor(truth[None]))) * 255
    return {"psnr": 10 * float(np.log10(255**2 / max(error, 1e-3))), "edge": edge}


def table_of(
    generator: Generator, shown: Sequence[tuple[str, Pixels]], make_small: Callable[[Pixels], Pixels]
) -> Table:
    """Mean of each measure for each style and way, and over all styles as "all"."""
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    for style, truth in shown:
        for way, made in enlarged(generator, make_small(truth)).items():
            figures = measure(made, truth)
            for name in (style, "all"):
                found.setdefault((name, way), []).append(figures)
    table: Table = {}
    for (style, way), rows in found.items():
        means = {key: round(float(np.mean([row[key] for row in rows])), 2) for key in rows[0]}
        table.setdefault(style, {})[way] = means
    return table


def evaluate_upscale(data: Path, work: Path, model: Path) -> Mapping[str, object]:
    """All figures of the exported folder; also kept in the work folder for the card."""
    pictures = load_pictures(data)
    shown = list(held_out(open_pixels(data, work, pictures), pictures))
    generator = open_generator(model / WEIGHTS)
    with torch.no_grad():
        figures: dict[str, Table] = {
            "shrunk by bicubic": table_of(generator, shown, lambda p: shrink(p, Image.Resampling.BICUBIC)),
            "shrunk by area": table_of(
                generator, [s for s in shown if s[0] != "pixel art"], lambda p: shrink(p, Image.Resampling.BOX)
            ),
        }
        blocks = [(style, p.repeat(SCALE, axis=0).repeat(SCALE, axis=1)) for style, p in shown if style == "pixel art"]
        figures["whole blocks, 128 to 512"] = table_of(generator, blocks, lambda p: p[::SCALE, ::SCALE])
    rows = [row for title, table in figures.items() for row in _rows(title, table)]
    (work / "figures.json").write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")
    return figures


def _rows(title: str, table: Table) -> Iterator[dict[str, str]]:
    """Lines for the card: all styles first."""
    for style in sorted(table, key=lambda name: (name != "all", name)):
        if style == "all" and len(table) == 2:
            continue  # one style alone is its own mean
        ours, *others = (table[style].get(way, {}) for way in WAYS)
        beside = zip(WAYS[1:], others, strict=True)
        yield {
            "measure": f"{title}: {style}, PSNR · edge error",
            "value": f"{ours['psnr']:.2f} dB · {ours['edge']:.2f}",
            "baseline": "; ".join(f"{way} {other['psnr']:.2f} dB · {other['edge']:.2f}" for way, other in beside),
            "wanted": "better than both" if style == "all" else "",
        }
