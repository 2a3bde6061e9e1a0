"""Stage 2 of starter-image: text encoder and UNet, trained together on stored latents.

The loss is the squared velocity error, which weights every noise level alike; timesteps
are stratified over the batch and lean towards high noise, where shapes are decided.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor
from transformers import CLIPTokenizer

from studio.train.starter.image_captions import common_nouns, vocabulary_lines, weight, write_caption
from studio.train.starter.image_data import Picture, load_pictures, open_pixels
from studio.train.starter.image_latents import Shard, load_shards, write_shard
from studio.train.starter.image_model import (
    TRAIN_STEPS,
    Denoiser,
    ImagePlan,
    make_schedule,
    tokenise,
    train_tokenizer,
)
from studio.train.starter.image_muon import make_optimisers, scale_rates
from studio.train.starter.image_progress import DEVICE, Average, Component, Stage, run_stage, step_rng

BATCH = 32 if DEVICE.type == "cpu" else 256


@dataclass(frozen=True)
class Course:
    """What is drawn from step `first` on: share of each source, stored passes, and how much
    more often the common nouns come (better some things well than all things badly).
    """

    first: int
    mix: Mapping[str, float]
    passes: Mapping[str, int]
    favour: float


COURSES: tuple[Course, ...] = (
    Course(
        0,
        {"noto": 0.4, "fluentflat": 0.47, "dcss": 0.13},
        {"noto": 2, "fluentflat": 2, "dcss": 1},
        6.0,
    ),
    Course(
        4000,
        {"noto": 0.26, "fluentflat": 0.28, "fluent3d": 0.24, "dcss": 0.14, "gameicons": 0.08},
        {"noto": 5, "fluentflat": 5, "fluent3d": 4, "dcss": 3, "gameicons": 2},
        4.0,
    ),
    Course(
        20000,
        {
            "noto": 0.2,
            "fluentflat": 0.22,
            "fluent3d": 0.2,
            "dcss": 0.14,
            "gameicons": 0.1,
            "blob": 0.09,
            "fx": 0.05,
        },
        {"noto": 9, "fluentflat": 9, "fluent3d": 8, "dcss": 5, "gameicons": 2, "blob": 5, "fx": 5},
        2.0,
    ),
)
COOLED = (1250, 4000, 12000, 36000, 108000)
"""Steps at which the learning rate has come down: the good moments to export."""
PROMPT_DROPOUT = 0.1
PLAIN_SHARE = 0.45
_BY_ADAM = ("token_embedding", "position_embedding", "positional_embedding", "conv_in", "conv_out")


@dataclass(frozen=True)
class Batch:
    """One training batch: clean latents (n, 8, 16, 16), prompts, timesteps (n,), noise."""

    latents: Tensor
    prompts: list[str]
    times: Tensor
    noise: Tensor


class Sampler:
    """Draws batches from the stored latents; the same batch for the same step number."""

    def __init__(self, pictures: Sequence[Picture], shards: Mapping[str, list[Shard]], course: Course) -> None:
        mix = course.mix
        self.pictures = pictures
        self.shards = shards
        self.sources = [name for name in mix if name in shards]
        total = sum(mix[name] for name in self.sources)
        self.shares = np.array([mix[name] / total for name in self.sources])
        favourites = frozenset(common_nouns(pictures))
        self.weights: dict[str, np.ndarray] = {}
        for name in self.sources:
            shown = [pictures[row] for row in shards[name][0].rows]
            raw = np.array([weight(p) * (course.favour if p.caption in favourites else 1.0) for p in shown])
            self.weights[name] = np.cumsum(raw / raw.sum())

    def draw(self, step: int, count: int) -> Batch:
        """The batch of this step."""
        rng = step_rng(23, step)
        chosen, prompts = [], []
        for _ in range(count):
            source = self.sources[int(rng.choice(len(self.sources), p=self.shares))]
            shards = self.shards[source]
            plain = len(shards) == 1 or rng.random() < PLAIN_SHARE
            shard = shards[0 if plain else int(rng.integers(1, len(shards)))]
            weights = self.weights[source]
            at = min(int(np.searchsorted(weights, rng.random())), len(weights) - 1)
            chosen.append(shard.latents[at])
            text = write_caption(self.pictures[shard.rows[at]], shard.backgrounds[at], rng)
            prompts.append("" if rng.random() < PROMPT_DROPOUT else text)
        spread = (np.arange(count) + rng.random(count)) / count
        times = np.minimum(spread**0.75 * TRAIN_STEPS, TRAIN_STEPS - 1).astype(np.int64)
        latents = np.stack(chosen).astype(np.float32)
        noise = rng.standard_normal(latents.shape, dtype=np.float32)
        return Batch(torch.from_numpy(latents), prompts, torch.from_numpy(times), torch.from_numpy(noise))


def prepare_tokenizer(work: Path, pictures: Sequence[Picture], plan: ImagePlan) -> CLIPTokenizer:
    """The tokenizer of this work folder, learnt on first use."""
    folder = work / "tokenizer"
    if not (folder / "tokenizer_config.json").exists():
        return train_tokenizer(vocabulary_lines(pictures), folder, plan.vocabulary)
    tokenizer: CLIPTokenizer = CLIPTokenizer.from_pretrained(folder)
    return tokenizer


def prepare_latents(data: Path, work: Path, vae: Component, passes: Mapping[str, int]) -> dict[str, list[Shard]]:
    """Encode what is missing of the wanted number of passes per source, then open these passes."""
    pictures = load_pictures(data)
    pixels = open_pixels(data, work, pictures)
    for number in range(max(passes.values())):
        for source, wanted in passes.items():
            if number < wanted:
                write_shard(vae, pixels, pictures, work / "latents", source=source, number=number)
    found = load_shards(work / "latents")
    return {source: found[source][:wanted] for source, wanted in passes.items()}


def start_stage(plan: ImagePlan, tokenizer: CLIPTokenizer, muon: float, adam: float) -> Stage:
    """A fresh denoiser with its optimisers; plain attention is faster than fused at 64 tokens."""
    torch.manual_seed(2)
    module = Denoiser(plan, tokenizer)
    module.unet.set_attn_processor(AttnProcessor())
    module.text_encoder.set_attn_implementation("eager")
    module.to(DEVICE)
    return Stage(module, make_optimisers(module, muon, adam, _BY_ADAM), Average(module, 0.999))


def learning_rate(step: int) -> float:
    """Part of the full rate: warm-up, slow fall, and a cool-down before each step of `COOLED`.

    A cooled model is much better than one in full swing, so export near the end of a cycle;
    training has no fixed end, so the next cycle warms up again, to a lower rate.
    """
    begun = max((end for end in COOLED if end <= step), default=0)
    end = next((end for end in COOLED if end > step), 3 * COOLED[-1])
    warm = min(1.0, (step - begun + 1) / 100)
    cool = min(1.0, (end - step) / (0.32 * (end - begun)))
    return warm * max(0.05, cool) * float((1.0 + step / 2500) ** -0.5)


@functools.cache
def _alphas() -> Tensor:
    alphas: Tensor = make_schedule().alphas_cumprod
    return alphas


def velocity_loss(module: torch.nn.Module, batch: Batch, tokens: Tensor) -> Tensor:
    """Mean squared velocity error of a batch."""
    alpha = _alphas()[batch.times].view(-1, 1, 1, 1)
    signal, noise = alpha.sqrt(), (1.0 - alpha).sqrt()
    noisy = (signal * batch.latents + noise * batch.noise).to(DEVICE)
    target = (signal * batch.noise - noise * batch.latents).to(DEVICE)
    with torch.autocast(DEVICE.type, dtype=torch.bfloat16):
        output = module(noisy, batch.times.to(DEVICE), tokens.to(DEVICE))
    loss: Tensor = (output.float() - target).square().mean()
    return loss


def train_denoiser(
    stage: Stage,
    sampler: Sampler,
    tokenizer: CLIPTokenizer,
    checkpoint: Path,
    *,
    minutes: float | None,
    last_step: int,
    batch: int = BATCH,
) -> None:
    """Train the stage as it stands, up to `last_step` or for so many minutes."""

    def take_step(step: int) -> Mapping[str, float]:
        scale_rates(stage.optimisers, learning_rate(step))
        drawn = sampler.draw(step, batch)
        loss = velocity_loss(stage.module, drawn, tokenise(tokenizer, drawn.prompts))
        loss.backward()  # type: ignore[no-untyped-call]  # torch ships it untyped
        torch.nn.utils.clip_grad_norm_(stage.module.parameters(), 1.0)
        for optimiser in stage.optimisers:
            optimiser.step()
            optimiser.zero_grad()
        stage.average.update(stage.module, step)
        return {"loss": float(loss.detach())}

    run_stage(stage, checkpoint, last_step, minutes, take_step)
