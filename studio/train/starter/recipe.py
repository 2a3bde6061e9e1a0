"""What every starter model knows how to do, and where each one lives."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, cast, runtime_checkable

RECIPES: dict[str, str] = {
    "writer": "studio.train.starter.text_recipe:WRITER",
    "coder": "studio.train.starter.text_recipe:CODER",
    "composer": "studio.train.starter.text_recipe:COMPOSER",
    "image": "studio.train.starter.image_recipe:IMAGE",
    "upscale": "studio.train.starter.upscale_recipe:UPSCALE",
    "gan": "studio.train.starter.sprite_recipe:GAN",
}
"""Name on the command line → ``module:object``; imported only when asked for, since each one needs torch."""


@runtime_checkable
class Recipe(Protocol):
    """One starter model, from the data to the files that ship."""

    def train(self, data: Path, work: Path, minutes: float | None) -> None:
        """Train, going on from the last checkpoint in ``work``; stop after ``minutes`` or when the plan is done."""

    def export(self, data: Path, work: Path, out: Path) -> None:
        """Write the model, its card, loss curve and samples from the last checkpoint in ``work`` to ``out``."""

    def evaluate(self, data: Path, work: Path, model: Path) -> Mapping[str, object]:
        """Measure the exported folder ``model`` on the held-out part of ``data``; figures with their baselines."""


def find_recipe(name: str) -> Recipe:
    """Import and return the recipe called ``name``.

    Raises:
        KeyError: there is no such recipe; the message lists those that exist.
        TypeError: the registry names something that is no recipe.
    """
    if name not in RECIPES:
        raise KeyError(f"There is no starter model {name!r}. There are: {', '.join(sorted(RECIPES))}.")
    module, _, attribute = RECIPES[name].partition(":")
    found = cast(object, getattr(importlib.import_module(module), attribute))
    if not isinstance(found, Recipe):
        raise TypeError(f"{RECIPES[name]} is no recipe: it lacks train, export or evaluate.")
    return found
