"""README.md and model.toml of starter-image, with its unpicked pictures and loss curves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from studio.train.starter.card import Card, Figure, write_card
from studio.train.starter.image_model import parameters_of
from studio.train.starter.image_progress import Component
from studio.train.starter.image_sheet import (
    SHEET_PROMPTS,
    contact_sheet,
    draw_prompts,
    save_curve,
)
from studio.train.starter.image_train import COURSES

ATTRIBUTION = (
    "Noto emoji by Google (Apache-2.0)",
    "Fluent emoji by Microsoft (MIT)",
    "Firefox emoji by Mozilla (CC BY 4.0)",
    "Icons by the game-icons.net authors (CC BY 3.0)",
    "Dungeon Crawl Stone Soup tiles (CC0)",
    "Names and keywords from Unicode CLDR (Unicode License V3)",
)
_DATA = (
    "Noto emoji (Apache-2.0), 1,587 pictures, and the older blob emoji (Apache-2.0), 1,155",
    "Fluent emoji, flat and 3D (MIT, Microsoft), 1,496 each",
    "Firefox emoji (CC BY 4.0, Mozilla), 859",
    "game-icons.net icons (CC BY 3.0, a few CC0; by their authors), 4,024",
    "Dungeon Crawl Stone Soup tiles (CC0), 2,707",
    "Captions: CLDR short names and keywords (Unicode License V3); icon and tile file names",
    "Concepts held out of training by a hash of their name: 3 in 100",
)
_LIMITS = (
    "Draws single things in the styles it was trained on; no scenes, no counting, no writing.",
    "Small (about 12 million values) and trained for hours on two CPU cores: pictures are often rough.",
    "Knows only the words of its captions; other words are guessed from their letters and often ignored.",
    (
        "Safety: there is no safety filter. The training pictures are emoji, icons and game tiles without "
        "photographs of people; among them are weapons, skulls and cartoon monsters, and it can draw those."
    ),
    "Pictures can come close to a training picture; their licences ask for the attributions above.",
)
DESCRIPTION = (
    "A small picture model that ships with Atelier: emoji, stickers, icons and pixel-art tiles of 128 × 128 "
    "pixels. Write a thing, a style and a background: “a fox, flat emoji, on a blue background”."
)
GUIDANCE = 3.0
_STYLE_OF = {
    "fluentflat": "flat emoji",
    "noto": "noto emoji",
    "dcss": "pixel art",
    "gameicons": "white on black icon",
    "fluent3d": "3d emoji",
    "blob": "blob emoji",
    "fx": "firefox emoji",
}


def trained_styles(log: Path) -> list[str]:
    """The styles that were drawn from up to the last step in the training log, in the order of `_STYLE_OF`."""
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    step = int(json.loads(lines[-1])["step"]) if lines else 0
    seen = {source for course in COURSES if course.first <= step for source in course.mix}
    return [style for source, style in _STYLE_OF.items() if source in seen]


def write_image_card(folder: Path, work: Path, pipeline: Component) -> None:
    """Draw the sheet and curves into `folder` and write the card and the description."""
    seeds = [7 + i for i in range(len(SHEET_PROMPTS))]
    pictures = draw_prompts(pipeline, SHEET_PROMPTS, seeds, guidance=GUIDANCE)
    contact_sheet(pictures, SHEET_PROMPTS).quantize(128).save(folder / "samples.png", optimize=True)
    save_curve(work / "denoiser.jsonl", "loss", "starter-image: velocity error", folder / "loss.png")
    save_curve(work / "vae.jsonl", "l1", "starter-image VAE: L1 error", folder / "loss-vae.png")
    curves = [name for name in ("loss.png", "loss-vae.png") if (folder / name).exists()]
    weights = sum(f.stat().st_size for f in folder.rglob("*.safetensors"))
    card = Card(
        id="starter-image",
        name="Starter image",
        task="image",
        family="sd15",
        file=".",
        licence="Apache-2.0",
        description=DESCRIPTION,
        architecture="StableDiffusionPipeline: AutoencoderKL (8 × 16 × 16 latents), CLIP text encoder, UNet",
        parameters=sum(parameters_of(m) for m in (pipeline.vae, pipeline.text_encoder, pipeline.unet)),
        size_bytes=weights,
        memory_mb=max(1, round(weights * 3 / 1e6)),
        attribution=ATTRIBUTION,
        data=_DATA,
        figures=figures_of(work / "figures.json"),
        limits=_LIMITS,
        making=(
            "python -m studio.train.starter train image --data DATA --work WORK --minutes 60",
            "python -m studio.train.starter export image --data DATA --work WORK --out resources/starter/image",
            "The sheet shows the first picture of each prompt, seeds 7, 8, 9 …, none left out; 20 steps, guidance 3.",
        ),
        pictures=("samples.png", *curves),
    )
    write_card(folder, card)
    extra = {
        "folder": ".",
        "native_size": 128,
        "styles": trained_styles(work / "denoiser.jsonl"),
        "prediction_type": "v_prediction",
        "guidance": GUIDANCE,
        "steps": 20,
    }
    with (folder / "model.toml").open("a", encoding="utf-8") as out:
        out.writelines(f"{k} = {json.dumps(v, ensure_ascii=False)}\n" for k, v in extra.items())


def figures_of(path: Path) -> list[Figure]:
    """Figures that `evaluate` left in the work folder; none before it has run."""
    if not path.exists():
        return []
    rows: list[Mapping[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    return [Figure(**row) for row in rows]
