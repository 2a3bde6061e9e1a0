"""Recipe of starter-gan: draws little sprites out of nothing but a latent and a kind."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from studio.engines.gan.sprite_network import SpriteShape
from studio.train.starter.sprite_data import KINDS, load_sprites
from studio.train.starter.sprite_train import STEPS, start_stage, train_rivals

log = logging.getLogger(__name__)
SHAPE = SpriteShape(kinds=tuple(KINDS))


class SpriteRecipe:
    """Trains generator and discriminator, ships both, measures them."""

    def train(self, data: Path, work: Path, minutes: float | None) -> None:
        """Continue wherever the work folder stands."""
        stage = start_stage(SHAPE)
        stage.load(work / "rivals.pt")
        log.info("Step %d of %d.", stage.step, STEPS)
        train_rivals(stage, load_sprites(data, work, held_out=False), work / "rivals.pt", minutes=minutes)

    def export(self, data: Path, work: Path, out: Path) -> None:
        """Write both networks, the sheets, the curves and the card."""
        from studio.train.starter.sprite_card import export_sprites

        export_sprites(data, work, out, SHAPE)

    def evaluate(self, data: Path, work: Path, model: Path) -> Mapping[str, object]:
        """How near the drawings are to real sprites as a crowd, and how far from each single one."""
        from studio.train.starter.sprite_evaluate import evaluate_sprites

        return evaluate_sprites(data, work, model)


GAN = SpriteRecipe()
