"""The headless commands for pictures that come of no prompt: `generate upscale` and `generate sprite`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from studio.app.studio import Studio
from studio.cli_session import (
    Json,
    Model,
    Output,
    SeedOption,
    choose,
    chosen_seed,
    refusals,
    run,
    target_for,
    this_shelf,
    write_pictures,
)
from studio.core.requests import SpriteRequest, UpscaleRequest


def add_to(group: typer.Typer) -> None:
    """Add the commands to a group of commands."""
    group.command("upscale")(generate_upscale)
    group.command("sprite")(generate_sprite)


def generate_upscale(
    picture: Annotated[Path, typer.Argument(help="The picture to enlarge.")],
    *,
    output: Output = None,
    model: Model = None,
    scale: Annotated[int, typer.Option(min=1, max=16, help="How many times as wide and high.")] = 4,
    tile: Annotated[int, typer.Option(min=0, max=4096, help="Edge of the parts in pixels; 0: as it fits.")] = 0,
    as_json: Json = False,
) -> None:
    """Enlarge a picture and write it as a PNG."""
    with refusals(as_json=as_json):
        shelf = this_shelf()
        entry = choose(shelf, "upscale", model)

        def request(session: Studio) -> UpscaleRequest:
            asset = session.import_picture(picture)
            return UpscaleRequest(image=asset.id, model=entry.ref, scale=scale, tile=tile)

        target = target_for(output, str(picture.with_name(f"{picture.stem}-x{scale}.png")), (".png",))
        run(shelf, request, lambda result, data: write_pictures(result, data, target), as_json=as_json)


def generate_sprite(
    kind: Annotated[str, typer.Argument(help="A kind that the model knows, such as monster; without it any.")] = "",
    *,
    output: Output = None,
    model: Model = None,
    seed: SeedOption = None,
    truncation: Annotated[float, typer.Option(min=0.0, max=2.0, help="Less is tamer, more is wilder.")] = 0.8,
    batch: Annotated[int, typer.Option(min=1, max=64, help="How many.")] = 1,
    toward: Annotated[
        int | None, typer.Option(min=0, max=2**32 - 1, help="Walk from --seed to this seed, in --batch pictures.")
    ] = None,
    toward_kind: Annotated[str, typer.Option(help="The kind at the end of the walk.")] = "",
    enlarge: Annotated[int, typer.Option(min=1, max=32, help="Each pixel becomes a block so wide.")] = 4,
    as_json: Json = False,
) -> None:
    """Draw little sprites, with transparency, and write them as PNGs."""
    with refusals(as_json=as_json):
        shelf = this_shelf()
        entry = choose(shelf, "sprite", model)
        request = SpriteRequest(
            model=entry.ref,
            seed=chosen_seed(seed),
            kind=kind,
            truncation=truncation,
            batch_size=batch,
            toward=toward,
            toward_kind=toward_kind,
            enlarge=enlarge,
        )
        target = target_for(output, f"{kind or 'sprite'}.png", (".png",))
        run(shelf, request, lambda result, data: write_pictures(result, data, target), as_json=as_json)
