"""Training of starter-upscale: first pixels and edges alone, then the critic joins in.

The critic compares (a relativistic average loss, Jolicoeur-Martineau 2018, as in ESRGAN): it asks which
of two patches looks more drawn than the other. Its weight is small, so that sharpness is not bought
with invented detail: fidelity has to stay above that of a plain bicubic enlargement.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from studio.train.starter.image_data import Pixels
from studio.train.starter.image_muon import make_optimisers, scale_rates
from studio.train.starter.image_progress import DEVICE, Average, Stage, run_stage, step_rng
from studio.train.starter.upscale_model import Critic, Generator, Pair, edge_error
from studio.train.starter.upscale_pairs import Pairs

BATCH = 12
STEPS = 5600
CRITIC_FROM = 3400
EDGE_WEIGHT, CRITIC_WEIGHT = 0.5, 0.004
MUON_RATE, ADAM_RATE, CRITIC_RATE = 0.01, 1.5e-3, 4e-4


def start_stage(generator: Generator | None = None, critic: Critic | None = None) -> Stage:
    """Fresh networks with their optimisers: two for the generator, one for the critic."""
    torch.manual_seed(4)
    pair = Pair(generator or Generator(), critic or Critic()).to(DEVICE)
    for weight in pair.parameters():
        if weight.ndim == 4:
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)
    last = f"body.{len(pair.generator.body) - 1}."
    own = make_optimisers(pair.generator, MUON_RATE, ADAM_RATE, ("body.0.", last))
    judge = torch.optim.Adam(pair.critic.parameters(), CRITIC_RATE, betas=(0.5, 0.99))
    return Stage(pair, [*own, judge], Average(pair.generator, 0.998))


def learning_rate(step: int, steps: int) -> float:
    """Part of the full rate: warm-up, then a half cosine down to a twentieth."""
    return min(1.0, (step + 1) / 100) * (0.05 + 0.95 * math.cos(0.5 * math.pi * min(1.0, step / steps)) ** 2)


def as_tensor(pixels: Pixels) -> Tensor:
    """(n, h, w, 3) bytes to (n, 3, h, w) in 0..1, laid out as convolutions like it."""
    signal = torch.tensor(pixels).permute(0, 3, 1, 2).float() / 255
    return signal.contiguous(memory_format=torch.channels_last)


def relative_loss(preferred: Tensor, other: Tensor) -> Tensor:
    """Small when each score of `preferred` is above the mean of `other`, and the other way round."""
    above = functional.softplus(-(preferred - other.mean())).mean()
    below = functional.softplus(other - preferred.mean()).mean()
    return (above + below) / 2


class Trainer:
    """Takes the steps of a stage that holds a `Pair`."""

    def __init__(self, stage: Stage, pairs: Pairs, *, steps: int, critic_from: int, batch: int) -> None:
        if not isinstance(stage.module, Pair):
            raise TypeError("the stage must hold a Pair")
        self._stage, self._pairs = stage, pairs
        self._networks = stage.module
        self._steps, self._critic_from, self._batch = steps, critic_from, batch

    def step(self, step: int) -> Mapping[str, float]:
        """One step of the generator and, from its time on, one of the critic."""
        scale_rates(self._stage.optimisers, learning_rate(step, self._steps))
        small, large = (as_tensor(p).to(DEVICE) for p in self._pairs.draw(step_rng(31, step), self._batch))
        with torch.autocast(DEVICE.type, dtype=torch.bfloat16):
            made = self._networks.generator(small)
        made = made.float()
        figures = self._improve_generator(made, large, judged=step >= self._critic_from)
        if step >= self._critic_from:
            figures["critic"] = self._improve_critic(made.detach(), large)
        self._stage.average.update(self._networks.generator, step)
        return figures

    def _improve_generator(self, made: Tensor, truth: Tensor, *, judged: bool) -> dict[str, float]:
        parts = {"pixel": (made - truth).abs().mean(), "edge": edge_error(made, truth)}
        loss = parts["pixel"] + EDGE_WEIGHT * parts["edge"] + (made - truth).square().mean()
        if judged:
            self._networks.critic.requires_grad_(requires_grad=False)
            with torch.autocast(DEVICE.type, dtype=torch.bfloat16):
                real, drawn = self._networks.critic(truth), self._networks.critic(made)
            parts["adversarial"] = relative_loss(drawn.float(), real.float())
            loss = loss + CRITIC_WEIGHT * parts["adversarial"]
            self._networks.critic.requires_grad_(requires_grad=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch ships it untyped
        _apply(self._networks.generator, self._stage.optimisers[:-1])
        return {name: float(part.detach()) for name, part in parts.items()}

    def _improve_critic(self, made: Tensor, truth: Tensor) -> float:
        with torch.autocast(DEVICE.type, dtype=torch.bfloat16):
            real, drawn = self._networks.critic(truth), self._networks.critic(made)
        loss = relative_loss(real.float(), drawn.float())
        loss.backward()  # type: ignore[no-untyped-call]  # torch ships it untyped
        _apply(self._networks.critic, self._stage.optimisers[-1:])
        return float(loss.detach())


def _apply(module: nn.Module, optimisers: list[torch.optim.Optimizer]) -> None:
    torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
    for optimiser in optimisers:
        optimiser.step()
        optimiser.zero_grad()


def train_pair(
    stage: Stage,
    pairs: Pairs,
    checkpoint: Path,
    *,
    minutes: float | None,
    last_step: int = STEPS,
    steps: int = STEPS,
    critic_from: int = CRITIC_FROM,
    batch: int = BATCH,
) -> None:
    """Train the stage as it stands, up to `last_step` of a plan of `steps`, or for so many minutes."""
    trainer = Trainer(stage, pairs, steps=steps, critic_from=critic_from, batch=batch)
    run_stage(stage, checkpoint, last_step, minutes, trainer.step)
