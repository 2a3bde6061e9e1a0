"""Figures of starter-image: VAE fidelity, right thing drawn, right background, nearness to training.

Held-out pictures measure the VAE. What is drawn is judged by a matcher that is trained on
real pairs here (and measured on real pictures too, so that its own errors are known).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from diffusers import DiffusionPipeline

from studio.train.starter.image_captions import NOUNS, STYLES_JUDGED, common_nouns
from studio.train.starter.image_card import GUIDANCE
from studio.train.starter.image_data import (
    BACKGROUNDS,
    Picture,
    Pixels,
    composite,
    load_pictures,
    open_pixels,
)
from studio.train.starter.image_matcher import Matcher, disturbed, ranks, train_matcher
from studio.train.starter.image_progress import Component
from studio.train.starter.image_sheet import draw_prompts
from studio.train.starter.image_vae import psnr


def nearest_background(picture: Pixels) -> str:
    """Name of the colour closest to the median of a (128, 128, 3) picture's 6-pixel rim."""
    rim = np.concatenate([picture[:6].reshape(-1, 3), picture[-6:].reshape(-1, 3)])
    sides = np.concatenate([picture[:, :6].reshape(-1, 3), picture[:, -6:].reshape(-1, 3)])
    middle = np.median(np.concatenate([rim, sides]), axis=0)
    return min(BACKGROUNDS, key=lambda n: float(np.square(middle - np.array(BACKGROUNDS[n])).sum()))


def vae_figures(pipeline: Component, pixels: Pixels, pictures: Sequence[Picture]) -> dict[str, float]:
    """Mean PSNR in dB over held-out pictures, by source and over all."""
    colours = list(BACKGROUNDS.values())
    every: list[float] = []
    figures: dict[str, float] = {}
    for source in sorted({p.source for p in pictures}):
        rows = [p.index for p in pictures if p.held_out and p.source == source]
        if rows:
            flat = np.stack([composite(pixels[r], colours[i % 3 if i % 2 else 0]) for i, r in enumerate(rows)])
            found = psnr(pipeline.vae, flat)
            every += found
            figures[source] = round(float(np.mean(found)), 2)
    return figures | {"all": round(float(np.mean(every)), 2)}


def matcher_on_real(
    matcher: Matcher, pixels: Pixels, pictures: Sequence[Picture], nouns: Sequence[str]
) -> dict[str, float]:
    """Share of real pictures of the nouns, freshly shifted and backed, ranked in the first 5."""
    places: dict[str, list[int]] = {}
    rng = np.random.default_rng(77)
    for source in STYLES_JUDGED:
        found = [p for p in pictures if p.source == source and p.caption in nouns]
        drawn = np.stack([disturbed(pixels[p.index], rng) for p in found])
        places[source] = ranks(matcher, drawn, [nouns.index(p.caption) for p in found], nouns)
    return {s: round(float(np.mean([r < 5 for r in p])), 3) for s, p in places.items()}


def draw_nouns(pipeline: Component, nouns: Sequence[str], style: str, first_seed: int) -> tuple[Pixels, list[str]]:
    """One picture of each noun in a style, on backgrounds in turn; with their colours' names."""
    names = [list(BACKGROUNDS)[i % len(BACKGROUNDS)] for i in range(len(nouns))]
    prompts = [f"{noun}, {style}, on a {name} background" for noun, name in zip(nouns, names, strict=True)]
    seeds = [first_seed + i for i in range(len(nouns))]
    made = draw_prompts(pipeline, prompts, seeds, guidance=GUIDANCE)
    return np.stack([np.asarray(m.convert("RGB")) for m in made]), names


def nearness(drawn: Pixels, pixels: Pixels, pictures: Sequence[Picture], source: str) -> list[float]:
    """RMS distance (0..255) of each drawing to the nearest training picture of its source, at 32 x 32.

    Transparent training pixels are compared as nothing, so the background does not count.
    """
    rows = [p.index for p in pictures if p.source == source and not p.held_out]
    known = np.asarray(pixels[rows])[:, ::4, ::4].astype(np.float32)
    alpha = known[..., 3:] / 255
    distances = []
    for picture in drawn[:, ::4, ::4].astype(np.float32):
        error = (np.square(known[..., :3] - picture) * alpha).sum(axis=(1, 2, 3))
        distances.append(float(np.sqrt((error / (3 * alpha.sum(axis=(1, 2, 3)) + 1)).min())))
    return distances


def evaluate_image(data: Path, work: Path, model: Path, count: int = NOUNS) -> Mapping[str, object]:
    """All figures of the exported folder; also kept in the work folder for the card."""
    pictures = load_pictures(data)
    pixels = open_pixels(data, work, pictures)
    pipeline = DiffusionPipeline.from_pretrained(model, dtype=torch.float32)
    fidelity = vae_figures(pipeline, pixels, pictures)
    matcher = train_matcher(pixels, pictures, work / "matcher.pt")
    nouns = common_nouns(pictures)
    real = matcher_on_real(matcher, pixels, pictures, nouns)
    first_five: dict[str, float] = {}
    right_colour: list[bool] = []
    near: list[float] = []
    for source, style in STYLES_JUDGED.items():
        drawn, names = draw_nouns(pipeline, nouns[:count], style, first_seed=1000)
        places = ranks(matcher, drawn, list(range(len(drawn))), nouns)
        first_five[style] = round(float(np.mean([p < 5 for p in places])), 3)
        right_colour += [nearest_background(d) == n for d, n in zip(drawn, names, strict=True)]
        near += nearness(drawn, pixels, pictures, source)
    figures: dict[str, object] = {
        "vae_psnr_db": fidelity,
        "matcher_on_real_pictures": real,
        "noun_in_first_5_of_200": first_five,
        "background_right": round(float(np.mean(right_colour)), 3),
        "nearest_training_rms": {"median": round(float(np.median(near)), 1), "least": round(min(near), 1)},
    }
    _keep_for_card(work / "figures.json", figures, fidelity, real, first_five)
    return figures


def _keep_for_card(
    path: Path,
    figures: Mapping[str, object],
    fidelity: Mapping[str, float],
    real: Mapping[str, float],
    first_five: Mapping[str, float],
) -> None:
    def shares(values: Mapping[str, float]) -> str:
        return ", ".join(f"{name} {100 * value:.0f} %" for name, value in values.items())

    rows = [
        {
            "measure": "noun among the matcher's first 5 of 200",
            "value": shares(first_five),
            "baseline": f"chance 2.5 %; real pictures: {shares(real)}",
            "wanted": "≥ 75 % with a GPU, ≥ 40 % without",
        },
        {
            "measure": "background colour asked for is drawn",
            "value": f"{100 * float(str(figures['background_right'])):.0f} %",
            "baseline": f"chance {100 / len(BACKGROUNDS):.0f} %",
            "wanted": "≥ 95 % (≥ 80 %)",
        },
        {
            "measure": "VAE reconstruction of held-out pictures, PSNR",
            "value": ", ".join(f"{name} {value} dB" for name, value in fidelity.items()),
            "wanted": "≥ 28 dB",
        },
        {
            "measure": "nearest training picture, RMS of 255 at 32 × 32",
            "value": str(figures["nearest_training_rms"]),
            "baseline": "0 is a copy",
        },
    ]
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")
