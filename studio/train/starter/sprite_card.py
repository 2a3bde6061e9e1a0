"""The files of starter-gan: both networks, unpicked sprites, walks between latents, curves and card."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import torch
from PIL import Image, ImageDraw
from safetensors.torch import save_file

from studio.core.events import Picture
from studio.core.references import ModelRef
from studio.core.requests import SpriteRequest
from studio.engines.gan import sprites
from studio.engines.gan.sprite_network import SpriteGenerator, SpriteShape
from studio.train.starter.card import Card, write_card
from studio.train.starter.curves import draw_curves
from studio.train.starter.image_card import figures_of
from studio.train.starter.sprite_evaluate import TRUNCATION
from studio.train.starter.sprite_train import BATCH, Rivals, start_stage

DESCRIPTION = (
    "A tiny GAN that ships with Atelier and draws game sprites of 32 × 32 pixels with transparency, each in "
    "milliseconds: monsters, weapons, potions, walls … Ask by kind, walk from one latent to another."
)
_MODEL = ModelRef(repo="starter/gan")
_EDGE, _GAP = 64, 4
_GROUND = (112, 112, 118)
WALKS = (("monster", "demon"), ("potion", "jewel"), ("weapon", "weapon"), ("wall", "floor"))


def export_sprites(data: Path, work: Path, out: Path, shape: SpriteShape) -> None:
    """Write all files of the model into `out`; the figures are those that `evaluate` left in `work`.

    Raises:
        FileNotFoundError: there is no checkpoint in the work folder yet.
    """
    del data  # nothing of it goes into the files
    stage = start_stage(shape)
    if not stage.load(work / "rivals.pt") or not isinstance(stage.module, Rivals):
        raise FileNotFoundError(f"Nothing to export in {work} yet: train first.")
    stage.average.copy_to(stage.module.generator)
    out.mkdir(parents=True, exist_ok=True)
    write_networks(stage.module, shape, out)
    generator = sprites.load(out)
    kind_sheet(generator).quantize(128).save(out / "samples.png", optimize=True)
    walk_sheet(generator).quantize(128).save(out / "walks.png", optimize=True)
    _draw_losses(work / "rivals.jsonl", out)
    write_card(out, make_card(work, out, stage.step))
    with (out / "model.toml").open("a", encoding="utf-8") as description:
        description.write(f"native_size = 128\nstyles = {json.dumps(list(shape.kinds))}\n")


def write_networks(rivals: Rivals, shape: SpriteShape, out: Path) -> None:
    """Generator, discriminator (both in half precision) and their sizes."""
    (out / sprites.CONFIG).write_bytes(msgspec.json.format(msgspec.json.encode(shape)) + b"\n")
    for name, network in ((sprites.GENERATOR, rivals.generator), (sprites.DISCRIMINATOR, rivals.discriminator)):
        state = {key: value.detach().half().contiguous() for key, value in network.state_dict().items()}
        save_file(state, out / name, {"format": "pt"})


@torch.inference_mode()
def drawn(generator: SpriteGenerator, request: SpriteRequest) -> list[Picture]:
    """The pictures of a request."""
    pictures = generator.draw(sprites.styles(request, generator))
    return [sprites.to_picture(picture, request.enlarge) for picture in pictures]


def kind_sheet(generator: SpriteGenerator) -> Image.Image:
    """For each kind the pictures of seeds 1 to 8; two kinds to a row."""
    kinds = generator.shape.kinds
    width, height = 8 * (_EDGE + _GAP) + 64, -(-len(kinds) // 2) * (_EDGE + _GAP)
    sheet = Image.new("RGB", (2 * width, height), _GROUND)
    pen = ImageDraw.Draw(sheet)
    for place, kind in enumerate(kinds):
        left, top = place % 2 * width, place // 2 * (_EDGE + _GAP)
        pen.text((left + 4, top + 26), kind, "#f4f4f4", font_size=12)
        request = SpriteRequest(model=_MODEL, seed=1, kind=kind, batch_size=8, enlarge=2, truncation=TRUNCATION)
        _lay(sheet, drawn(generator, request), left + 64, top)
    return sheet


def walk_sheet(generator: SpriteGenerator) -> Image.Image:
    """Walks from seed 1 to seed 2 in twelve pictures, between the kinds of `WALKS` or the first ones there are."""
    kinds = generator.shape.kinds
    walks = [walk for walk in WALKS if set(walk) <= set(kinds)] or [(kinds[0], kinds[-1])]
    sheet = Image.new("RGB", (12 * (_EDGE + _GAP), len(walks) * (_EDGE + _GAP)), _GROUND)
    for place, (first, last) in enumerate(walks):
        request = SpriteRequest(
            model=_MODEL, seed=1, kind=first, toward=2, toward_kind=last, batch_size=12, enlarge=2,
            truncation=TRUNCATION,
        )  # fmt: skip
        _lay(sheet, drawn(generator, request), 0, place * (_EDGE + _GAP))
    return sheet


def _lay(sheet: Image.Image, pictures: list[Picture], left: int, top: int) -> None:
    for place, picture in enumerate(pictures):
        image = Image.frombytes("RGBA", (picture.width, picture.height), picture.pixels)
        sheet.paste(image, (left + place * (_EDGE + _GAP), top + _GAP // 2), image)


def _draw_losses(log: Path, out: Path) -> None:
    if not log.exists():
        return
    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    last = {row["step"]: row for row in rows}  # a step that was taken again after an interruption counts once
    curves = {name: [(step, last[step][name]) for step in sorted(last)] for name in ("generator", "discriminator")}
    # Both are 0.69 (ln 2) where the discriminator can tell nothing.
    draw_curves(out / "loss.png", "starter-gan: the two rivals", "steps", "relative loss", curves)


def make_card(work: Path, out: Path, steps: int) -> Card:
    """The card, with the figures that `evaluate` left in the work folder."""
    generator = sprites.load(out)
    sizes = [(out / name).stat().st_size for name in (sprites.GENERATOR, sprites.DISCRIMINATOR)]
    return Card(
        id="starter-gan",
        name="Starter sprites",
        task="sprite",
        family="sprite",
        file=".",
        licence="Apache-2.0",
        description=DESCRIPTION,
        architecture="GAN of our own: styled convolutions, 4 × 4 to 32 × 32; discriminator with projected kinds",
        parameters=sum(value.numel() for value in generator.parameters()),
        size_bytes=sum(sizes),
        memory_mb=20,
        attribution=("Dungeon Crawl Stone Soup tiles (CC0)",),
        data=(
            "Dungeon Crawl Stone Soup tiles (CC0) at their own 32 × 32 pixels, 2,628 of them, in 18 kinds by folder",
            "Concepts held out of training by a hash of their name: 3 in 100",
        ),
        figures=figures_of(work / "figures.json"),
        limits=(
            "Draws what looks like a sprite from afar; on a closer look limbs and outlines are often a muddle.",
            "Knows eighteen kinds and no other words. Rare kinds (potion, item, jewel) vary less than common ones.",
            "The less truncation leaves of a latent, the more alike the pictures of a kind; above 1 they fall apart.",
            "Trained for little more than an hour on a share of one core, and still getting better when it ended.",
        ),
        making=(
            "python -m studio.train.starter train gan --data DATA --work WORK",
            "python -m studio.train.starter export gan --data DATA --work WORK --out resources/starter/gan",
            f"{steps} steps of {BATCH} real and {BATCH} drawn sprites on a share of one CPU core.",
            f"`{sprites.DISCRIMINATOR}` is the discriminator, for those who want to train on.",
            f"The sheets show seeds 1 to 8 of each kind, none left out, and walks to seed 2; truncation {TRUNCATION}.",
        ),
        pictures=tuple(name for name in ("samples.png", "walks.png", "loss.png") if (out / name).exists()),
    )
