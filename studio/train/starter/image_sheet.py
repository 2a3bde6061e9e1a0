"""Pictures about starter-image: contact sheets of prompts and loss curves."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image, ImageDraw

from studio.train.starter.curves import draw_curves
from studio.train.starter.image_progress import Component

SHEET_PROMPTS: tuple[str, ...] = (
    "a cat, flat emoji",
    "a fox, flat emoji, on a blue background",
    "a banana, flat emoji",
    "an airplane, flat emoji, on a yellow background",
    "a rose, flat emoji",
    "a tiger, flat emoji",
    "a house, flat emoji, on a green background",
    "a guitar, flat emoji, on a pink background",
    "a dog, noto emoji",
    "a fish, noto emoji, on a black background",
    "a pizza, noto emoji",
    "a rocket, noto emoji, on a purple background",
    "a mushroom, noto emoji",
    "a penguin, noto emoji, on an orange background",
    "a key, noto emoji",
    "a frog, noto emoji, on a teal background",
    "a sword, pixel art",
    "a dragon, pixel art, on a black background",
    "a potion, pixel art",
    "a shield, pixel art, on a grey background",
    "an orc, pixel art",
    "a stone wall, pixel art",
    "a ring, pixel art, on a red background",
    "a book, pixel art",
)


def draw_prompts(
    pipeline: Component,
    prompts: Sequence[str],
    seeds: Sequence[int],
    steps: int = 20,
    guidance: float = 4.0,
) -> list[Image.Image]:
    """One 128 x 128 picture for each prompt with the seed beside it."""
    pipeline.set_progress_bar_config(disable=True)
    pictures: list[Image.Image] = []
    for start in range(0, len(prompts), 16):
        generators = [torch.Generator().manual_seed(s) for s in seeds[start : start + 16]]
        with torch.autocast(pipeline.device.type, dtype=torch.bfloat16):
            made = pipeline(
                list(prompts[start : start + 16]),
                width=128,
                height=128,
                num_inference_steps=steps,
                guidance_scale=guidance,
                generator=generators,
            )
        pictures += made.images
    return pictures


def contact_sheet(pictures: Sequence[Image.Image], labels: Sequence[str], columns: int = 8) -> Image.Image:
    """Pictures in rows with their labels below."""
    rows = math.ceil(len(pictures) / columns)
    sheet = Image.new("RGB", (columns * 136, rows * 164), (30, 30, 34))
    draw = ImageDraw.Draw(sheet)
    for i, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        x, y = (i % columns) * 136 + 4, (i // columns) * 164 + 4
        sheet.paste(picture.convert("RGB"), (x, y))
        half = label.rfind(" ", 0, 23) if len(label) > 22 else len(label)
        draw.text((x, y + 129), label[:half] + "\n" + label[half + 1 :][:22], fill=(220, 220, 220), font_size=10)
    return sheet


def save_curve(log: Path, name: str, title: str, target: Path) -> None:
    """Draw the loss of a stage over its steps, if it has written a log."""
    if not log.exists():
        return
    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    points = [(float(row["step"]), float(row[name])) for row in rows]
    draw_curves(target, title, "steps", name, {name: points}, log=True)
