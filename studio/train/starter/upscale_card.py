"""The files of starter-upscale: weights as upscaling programs know them, sheet, curves and card."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from safetensors.torch import save_file

from studio.train.starter.card import Card, write_card
from studio.train.starter.curves import draw_curves
from studio.train.starter.image_card import ATTRIBUTION, figures_of
from studio.train.starter.image_data import Pixels, load_pictures, open_pixels
from studio.train.starter.upscale_evaluate import WAYS, WEIGHTS, enlarged, held_out, open_generator
from studio.train.starter.upscale_model import SCALE, Generator, Pair
from studio.train.starter.upscale_pairs import shrink
from studio.train.starter.upscale_train import CRITIC_FROM, start_stage

CRITIC_FILE = "discriminator.safetensors"
DESCRIPTION = (
    "A small GAN that ships with Atelier and enlarges pictures four times, 128 to 512 pixels: made for emoji, "
    "icons and pixel art, whose edges it keeps clean. Loads wherever models of the ESRGAN family load."
)
_DATA = (
    "Noto, blob, Firefox, Fluent flat and Fluent 3D emoji, game-icons.net icons, Dungeon Crawl Stone Soup tiles",
    "On plain backgrounds; cuts of 96 × 96 pixels, and the same cuts at 24 × 24",
    "Made smaller by area, bicubic, bilinear or Lanczos filters; one in eight through a JPEG of quality 70 to 95",
    "Concepts held out of training by a hash of their name: 3 in 100",
)
_LIMITS = (
    "Made for flat colours and clean outlines. Photographs come out waxy; take another model for them.",
    "Draws no detail that is not there: an eye of two pixels stays a blob, with a cleaner edge.",
    "Pixel art that was blurred by making it smaller comes out a little worse than when enlarged pixel by pixel.",
    "Pixel art in whole blocks, as it usually is kept, comes out all but exact (78 dB stands for equal).",
    "How much it repeats of its training pictures has no meaning here: it only ever redraws its input.",
)


def export_upscale(data: Path, work: Path, out: Path) -> None:
    """Write all files of the model into `out`.

    Raises:
        FileNotFoundError: there is no checkpoint in the work folder yet.
    """
    stage = start_stage()
    if not stage.load(work / "pair.pt") or not isinstance(stage.module, Pair):
        raise FileNotFoundError(f"Nothing to export in {work} yet: train first.")
    stage.average.copy_to(stage.module.generator)
    out.mkdir(parents=True, exist_ok=True)
    write_networks(stage.module, out)
    pictures = load_pictures(data)
    shown = list(held_out(open_pixels(data, work, pictures), pictures))
    sheet = upscale_sheet(open_generator(out / WEIGHTS), spread([p for _, p in shown], 14))
    sheet.quantize(256).save(out / "samples.png", optimize=True)
    _draw_losses(work / "pair.jsonl", out)
    write_card(out, make_card(work, out, stage.step))
    with (out / "model.toml").open("a", encoding="utf-8") as description:
        description.write("native_size = 128\n")


def write_networks(pair: Pair, out: Path) -> None:
    """Both networks in half precision; the generator under the names that ESRGAN programs know."""
    generator = {name: value.detach().half().contiguous() for name, value in pair.generator.state_dict().items()}
    save_file(generator, out / WEIGHTS, {"format": "pt"})
    critic = {name: value.detach().half().contiguous() for name, value in pair.critic.state_dict().items()}
    save_file(critic, out / CRITIC_FILE, {"format": "pt"})


def spread(shown: Sequence[Pixels], count: int) -> list[Pixels]:
    """Every so-manieth picture, so that nobody picks them."""
    return [shown[place] for place in np.linspace(0, len(shown) - 1, min(count, len(shown))).astype(int)]


def upscale_sheet(generator: Generator, shown: Sequence[Pixels]) -> Image.Image:
    """A row for each picture: the small one pixel by pixel, bicubic, this model, the truth; two rows side by side."""
    titles = ("32 by 32, nearest", "bicubic", "this model", "truth, 128 by 128")
    half = -(-len(shown) // 2)
    sheet = Image.new("RGB", (2 * (len(titles) * 132 + 12), 20 + half * 132), "#1e1e22")
    pen = ImageDraw.Draw(sheet)
    for place, truth in enumerate(shown):
        made = enlarged(generator, shrink(truth, Image.Resampling.BICUBIC))
        left, top = place // half * (len(titles) * 132 + 12) + 4, 20 + place % half * 132
        for column, picture in enumerate((made["nearest"], made["bicubic"], made[WAYS[0]], truth)):
            sheet.paste(Image.fromarray(picture), (left + column * 132, top))
            pen.text((left + column * 132, 4), titles[column], "#dcdcdc", font_size=11)
    return sheet


def _draw_losses(log: Path, out: Path) -> None:
    if not log.exists():
        return
    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    names = {"pixel": "pixel error (L1)", "edge": "edge error"}
    curves = {title: [(row["step"], row[name]) for row in rows if name in row] for name, title in names.items()}
    draw_curves(out / "loss.png", "starter-upscale: fidelity", "steps", "error", curves, log=True)
    names = {"adversarial": "generator", "critic": "discriminator"}
    # Both hover around ln 2, where the discriminator can tell nothing.
    curves = {
        title: [(row["step"], row[name]) for row in rows if name in row and row["step"] > CRITIC_FROM]
        for name, title in names.items()
    }
    draw_curves(out / "loss-gan.png", "starter-upscale: the two rivals", "steps", "relative loss", curves)


def make_card(work: Path, out: Path, steps: int) -> Card:
    """The card, with the figures that `evaluate` left in the work folder."""
    generator = open_generator(out / WEIGHTS)
    parameters = sum(value.numel() for value in generator.parameters())
    return Card(
        id="starter-upscale",
        name="Starter upscale",
        task="upscale",
        family="esrgan",
        file=WEIGHTS,
        licence="Apache-2.0",
        description=DESCRIPTION,
        architecture=f"SRVGGNetCompact ×{SCALE} (Real-ESRGAN's compact layout); discriminator: patches, spectral norm",
        parameters=parameters,
        size_bytes=(out / WEIGHTS).stat().st_size,
        memory_mb=200,
        attribution=ATTRIBUTION[:5],
        data=_DATA,
        figures=figures_of(work / "figures.json"),
        limits=_LIMITS,
        making=(
            "python -m studio.train.starter train upscale --data DATA --work WORK",
            "python -m studio.train.starter export upscale --data DATA --work WORK --out resources/starter/upscale",
            f"{steps} steps of 12 cuts on one CPU core; the discriminator joins in at step {CRITIC_FROM}.",
            f"`{CRITIC_FILE}` is the discriminator, for those who want to train on.",
            "The sheet shows held-out pictures at equal distances, none chosen.",
        ),
        pictures=tuple(name for name in ("samples.png", "loss.png", "loss-gan.png") if (out / name).exists()),
    )
