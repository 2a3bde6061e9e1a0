"""Training of starter-gan on a few thousand sprites.

The loss compares each real sprite with a generated one of its kind, with zero-centred gradient penalties
on both (Huang et al., "The GAN is dead; long live the GAN!", 2024): stable without any normalisation of the
discriminator. Both only ever see changed pictures (Zhao et al., "Differentiable augmentation", 2020),
without which so small a set would be learnt by heart.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from studio.engines.gan.sprite_network import GROUP, SIDE, SpriteDiscriminator, SpriteGenerator, SpriteShape
from studio.train.starter.image_progress import DEVICE, Average, Stage, run_stage
from studio.train.starter.sprite_data import Sprites

BATCH = 32
STEPS = 5600
GENERATOR_RATE, DISCRIMINATOR_RATE = 2e-4, 6e-4  # the judge has to keep up with the painter
PENALTY, PENALTY_EVERY = 0.03, 8
SHIFT = 4
CUT = 14


class Rivals(nn.Module):
    """Generator and discriminator in one module, for one checkpoint."""

    def __init__(self, shape: SpriteShape) -> None:
        super().__init__()
        self.generator = SpriteGenerator(shape)
        self.discriminator = SpriteDiscriminator(shape)


def start_stage(shape: SpriteShape) -> Stage:
    """Fresh networks with an optimiser each."""
    torch.manual_seed(6)
    rivals = Rivals(shape).to(DEVICE)
    optimisers: list[torch.optim.Optimizer] = [
        torch.optim.Adam(part.parameters(), rate, betas=(0.0, 0.99))
        for part, rate in ((rivals.generator, GENERATOR_RATE), (rivals.discriminator, DISCRIMINATOR_RATE))
    ]
    return Stage(rivals, optimisers, Average(rivals.generator, 0.999))


def learning_rate(step: int, steps: int) -> float:
    """Part of the full rate: warm-up, steady, and a fall to a twentieth over the last half."""
    late = max(0.0, 2 * min(1.0, step / steps) - 1)
    return min(1.0, (step + 1) / 200) * (0.05 + 0.95 * math.cos(0.5 * math.pi * late) ** 2)


def disturbed(signal: Tensor, generator: torch.Generator) -> Tensor:
    """Each picture in other light, flipped or not, shifted by a few pixels, and half of them with a hole."""
    count = len(signal)

    def draw() -> Tensor:
        return torch.rand(count, 1, 1, 1, generator=generator).to(signal)

    values = (signal + 1) / 2
    colour, alpha = values[:, :3], values[:, 3:]
    grey = colour.mean(dim=1, keepdim=True)
    colour = grey + (colour - grey) * (0.5 + draw())
    colour = colour * (0.75 + 0.5 * draw()) + alpha * (0.3 * draw() - 0.15)
    values = torch.cat([colour, alpha], dim=1)
    values = torch.where(draw() < 0.5, values, values.flip(3))
    window, rows, columns = (part.to(signal.device) for part in _places(count, generator))
    padded = functional.pad(values * window, (SHIFT,) * 4).permute(0, 2, 3, 1)
    batch = torch.arange(count, device=signal.device)[:, None, None]
    return padded[batch, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2) * 2 - 1


def _places(count: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """What stays of each picture (n, 1, 32, 32), and which padded rows and columns (n, 32) are shown."""
    places = torch.arange(SIDE)
    corners = torch.randint(-CUT // 2, SIDE - CUT // 2, (count, 2), generator=generator)
    holed = torch.rand(count, generator=generator) < 0.5
    inside = (places >= corners[:, :, None]) & (places < corners[:, :, None] + CUT)
    hole = inside[:, 0, :, None] & inside[:, 1, None, :] & holed[:, None, None]
    rows, columns = torch.randint(0, 2 * SHIFT + 1, (2, count, 1), generator=generator) + places
    return (~hole)[:, None].float(), rows, columns


class Draw:
    """Which real sprites come in a step, and the latents beside them; the same for the same step number."""

    def __init__(self, sprites: Sprites) -> None:
        self._signal, self._kinds = sprites.signal(), sprites.kinds
        counts = torch.bincount(sprites.kinds, minlength=len(sprites.names)).float()
        # Rare kinds come more often than they are, common ones less: by the root of their number.
        self._weights = counts.clamp(min=1)[sprites.kinds] ** -0.5
        self._rows = [(sprites.kinds == kind).nonzero()[:, 0] for kind in range(len(sprites.names))]

    def at(self, generator: torch.Generator, count: int) -> tuple[Tensor, Tensor]:
        """Real sprites (n, 4, 32, 32) and their kinds (n,): `GROUP` parts with the same kinds in the same order."""
        firsts = torch.multinomial(self._weights, count // GROUP, replacement=True, generator=generator)
        rows = torch.stack([self._others(int(self._kinds[row]), generator) for row in firsts], dim=1).flatten()
        return self._signal[rows].to(DEVICE), self._kinds[rows].to(DEVICE)

    def _others(self, kind: int, generator: torch.Generator) -> Tensor:
        """A group of one kind, without a sprite coming twice where there are enough."""
        rows = self._rows[kind]
        if len(rows) < GROUP:
            return rows[torch.randint(len(rows), (GROUP,), generator=generator)]
        return rows[torch.randperm(len(rows), generator=generator)[:GROUP]]


class Trainer:
    """Takes the steps of a stage that holds `Rivals`."""

    def __init__(self, stage: Stage, sprites: Sprites, *, steps: int, batch: int) -> None:
        if not isinstance(stage.module, Rivals):
            raise TypeError("the stage must hold Rivals")
        self._stage, self._rivals = stage, stage.module
        self._draw = Draw(sprites)
        self._steps, self._batch = steps, batch

    def step(self, step: int) -> Mapping[str, float]:
        """One step of the discriminator, then one of the generator."""
        chance = torch.Generator().manual_seed(41_000_003 * 7 + step)
        share = learning_rate(step, self._steps)
        for optimiser, rate in zip(self._stage.optimisers, (GENERATOR_RATE, DISCRIMINATOR_RATE), strict=True):
            optimiser.param_groups[0]["lr"] = rate * share
        real, kinds = self._draw.at(chance, self._batch)
        latents = torch.randn(self._batch, self._rivals.generator.shape.latent, generator=chance).to(DEVICE)
        with torch.autocast(DEVICE.type, dtype=torch.bfloat16):
            made = self._rivals.generator(latents, kinds)
        made = made.float()
        figures = self._improve_discriminator(real, made.detach(), kinds, chance, punish=step % PENALTY_EVERY == 0)
        figures["generator"] = self._improve_generator(real, made, kinds, chance)
        self._stage.average.update(self._rivals.generator, step)
        return figures

    def _scores(self, pictures: Tensor, kinds: Tensor) -> Tensor:
        with torch.autocast(DEVICE.type, dtype=torch.bfloat16):
            scores: Tensor = self._rivals.discriminator(pictures, kinds)
        return scores.float()

    def _improve_discriminator(
        self, real: Tensor, made: Tensor, kinds: Tensor, chance: torch.Generator, *, punish: bool
    ) -> dict[str, float]:
        real, made = disturbed(real, chance), disturbed(made, chance)
        if punish:
            penalty = self._penalty(real, kinds) + self._penalty(made, kinds)
            (penalty * (PENALTY / 2 * PENALTY_EVERY)).backward()  # type: ignore[no-untyped-call]  # torch: untyped
        loss = functional.softplus(self._scores(made, kinds) - self._scores(real, kinds)).mean()
        loss.backward()  # type: ignore[no-untyped-call]  # torch ships it untyped
        _apply(self._stage.optimisers[1])
        return {"discriminator": float(loss.detach())}

    def _penalty(self, pictures: Tensor, kinds: Tensor) -> Tensor:
        """Mean squared gradient of the scores, in full precision since it is differentiated again."""
        pictures = pictures.detach().requires_grad_()
        scores = self._rivals.discriminator(pictures, kinds)
        (gradient,) = torch.autograd.grad(scores.sum(), pictures, create_graph=True)
        return gradient.square().sum(dim=(1, 2, 3)).mean()

    def _improve_generator(self, real: Tensor, made: Tensor, kinds: Tensor, chance: torch.Generator) -> float:
        self._rivals.discriminator.requires_grad_(requires_grad=False)
        with torch.no_grad():
            theirs = self._scores(disturbed(real, chance), kinds)
        loss = functional.softplus(theirs - self._scores(disturbed(made, chance), kinds)).mean()
        loss.backward()  # type: ignore[no-untyped-call]  # torch ships it untyped
        self._rivals.discriminator.requires_grad_(requires_grad=True)
        _apply(self._stage.optimisers[0])
        return float(loss.detach())


def _apply(optimiser: torch.optim.Optimizer) -> None:
    optimiser.step()
    optimiser.zero_grad()


def train_rivals(
    stage: Stage,
    sprites: Sprites,
    checkpoint: Path,
    *,
    minutes: float | None,
    last_step: int = STEPS,
    steps: int = STEPS,
    batch: int = BATCH,
) -> None:
    """Train the stage as it stands, up to `last_step` of a plan of `steps`, or for so many minutes."""
    trainer = Trainer(stage, sprites, steps=steps, batch=batch)
    run_stage(stage, checkpoint, last_step, minutes, trainer.step)
