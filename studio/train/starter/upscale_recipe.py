"""Recipe of starter-upscale: a small GAN that enlarges emoji, icons and pixel art four times."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from studio.train.starter.image_data import load_pictures, open_pixels
from studio.train.starter.upscale_pairs import Pairs
from studio.train.starter.upscale_train import STEPS, start_stage, train_pair

log = logging.getLogger(__name__)


class UpscaleRecipe:
    """Trains generator and critic, writes the generator as upscaling programs know it, measures it."""

    def train(self, data: Path, work: Path, minutes: float | None) -> None:
        """Continue wherever the work folder stands."""
        pictures = load_pictures(data)
        stage = start_stage()
        stage.load(work / "pair.pt")
        log.info("Step %d of %d.", stage.step, STEPS)
        train_pair(stage, Pairs(open_pixels(data, work, pictures), pictures), work / "pair.pt", minutes=minutes)

    def export(self, data: Path, work: Path, out: Path) -> None:
        """Write the averaged generator, the sheet, the curves and the card."""
        from studio.train.starter.upscale_card import export_upscale

        export_upscale(data, work, out)

    def evaluate(self, data: Path, work: Path, model: Path) -> Mapping[str, object]:
        """Fidelity of the exported generator on held-out pictures, against plain enlargement."""
        from studio.train.starter.upscale_evaluate import evaluate_upscale

        return evaluate_upscale(data, work, model)


UPSCALE = UpscaleRecipe()
