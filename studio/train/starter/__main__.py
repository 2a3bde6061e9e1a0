"""Make the starter models again: ``python -m studio.train.starter train|export|evaluate NAME``.

A model is made in three steps, each of which can be stopped at any second and started again:

    python -m studio.train.starter train writer --data DATA --work WORK --minutes 60
    python -m studio.train.starter export writer --data DATA --work WORK --out resources/starter/writer
    python -m studio.train.starter evaluate writer --data DATA --work WORK --out resources/starter/writer

DATA is the folder with PROVENANCE.md; WORK holds checkpoints and may be deleted afterwards.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Annotated

import typer

from studio.train.starter.recipe import RECIPES, Recipe, find_recipe

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

Name = Annotated[str, typer.Argument(help=f"Which model: {', '.join(sorted(RECIPES))}.")]
Data = Annotated[Path, typer.Option(help="The folder with the training data and its PROVENANCE.md.", file_okay=False)]
Work = Annotated[Path, typer.Option(help="Where checkpoints, tokenizers and logs go; training goes on from here.")]
Out = Annotated[Path, typer.Option(help="The folder of the finished model.")]
Threads = Annotated[int, typer.Option(help="CPU threads; 0 leaves the choice to torch.", min=0)]


def _prepare(name: str, data: Path, work: Path, threads: int) -> Recipe:
    """Check what was typed before torch, which takes seconds to import, is asked for."""
    if name not in RECIPES:
        raise typer.BadParameter(f"There is no starter model {name!r}. There are: {', '.join(sorted(RECIPES))}.")
    if not data.is_dir():
        raise typer.BadParameter(f"The data folder {data} does not exist. Name the folder that holds PROVENANCE.md.")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    work.mkdir(parents=True, exist_ok=True)
    if threads:
        import torch

        torch.set_num_threads(threads)
    return find_recipe(name)


@app.command()
def train(
    name: Name,
    data: Data,
    work: Work,
    minutes: Annotated[float | None, typer.Option(help="Stop after so long; default: when the plan is done.")] = None,
    threads: Threads = 0,
) -> None:
    """Train a model, or go on training it."""
    _prepare(name, data, work, threads).train(data, work, minutes)


@app.command()
def export(name: Name, data: Data, work: Work, out: Out, threads: Threads = 0) -> None:
    """Write the finished files of a model with card, loss curve and samples."""
    _prepare(name, data, work, threads).export(data, work, out)


@app.command()
def evaluate(name: Name, data: Data, work: Work, out: Out, threads: Threads = 0) -> None:
    """Measure an exported model on held-out data; print the figures as JSON."""
    figures = _prepare(name, data, work, threads).evaluate(data, work, out)
    typer.echo(json.dumps(figures, indent=2))


if __name__ == "__main__":
    app()
