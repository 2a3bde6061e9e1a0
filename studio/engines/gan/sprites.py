"""Sprites from the generator of our own: latents from seeds, walks between them, pixels with transparency."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import msgspec
import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from studio.core.events import Event, JobProgress, Picture, Stage
from studio.core.failure import InvalidField
from studio.core.requests import SpriteRequest
from studio.engines.diffusion import weights_file
from studio.engines.diffusion.failures import damaged, missing
from studio.engines.diffusion.gate import Gate
from studio.engines.gan.sprite_network import SpriteGenerator, SpriteShape

CONFIG, GENERATOR, DISCRIMINATOR = "config.json", "generator.safetensors", "discriminator.safetensors"


def load(folder: Path) -> SpriteGenerator:
    """The generator in `folder`, in float32 on the processor, where it takes milliseconds.

    Raises `StudioError`: missing or damaged.
    """
    try:
        shape = msgspec.json.decode((folder / CONFIG).read_bytes(), type=SpriteShape)
    except OSError as error:
        raise missing(folder) from error
    except msgspec.DecodeError as error:
        raise damaged(folder / CONFIG, "it is no description of a sprite generator", str(error)) from error
    weights = folder / GENERATOR
    weights_file.header(weights)
    generator = SpriteGenerator(shape)
    try:
        generator.load_state_dict({name: value.float() for name, value in load_file(weights).items()})
    except (RuntimeError, SafetensorError) as error:  # torch's word for tensors that are missing or of another size
        raise damaged(weights, "it does not fit its description", str(error)) from error
    return generator.eval()


def draw(request: SpriteRequest, generator: SpriteGenerator, gate: Gate) -> Generator[Event, None, list[Picture]]:
    """Yields progress; the answer are the pictures, in the order of their seeds or along the walk."""
    made: list[Picture] = []
    for place, style in enumerate(styles(request, generator)):
        yield JobProgress(stage=Stage.GENERATE, step=place, total=request.batch_size)
        gate.check()
        with torch.inference_mode():
            drawn = generator.draw(style[None])[0]
        seed = request.seed if request.toward is not None else (request.seed + place) % 2**32
        made.append(to_picture(drawn, request.enlarge, seed))
    yield JobProgress(stage=Stage.GENERATE, step=request.batch_size, total=request.batch_size)
    return made


@torch.inference_mode()
def styles(request: SpriteRequest, generator: SpriteGenerator) -> Tensor:
    """(batch_size, style): what each picture of the request is drawn from."""
    shape = generator.shape
    if request.toward is None:
        seeds = [(request.seed + place) % 2**32 for place in range(request.batch_size)]
        drawn = [(latent_of(seed, shape), kind_of(request.kind, seed, shape)) for seed in seeds]
        return torch.cat([style_of(generator, latent, kind, request.truncation) for latent, kind in drawn])
    shares = torch.linspace(0, 1, request.batch_size)[:, None]
    begin = kind_of(request.kind, request.seed, shape)
    end = kind_of(request.toward_kind or request.kind, request.toward, shape)
    # On a great circle, since latents lie on a sphere: straight between two of them there is nothing that was trained.
    path = between(latent_of(request.seed, shape), latent_of(request.toward, shape), shares)
    first = style_of(generator, path, begin, request.truncation)
    return first + (style_of(generator, path, end, request.truncation) - first) * shares


def style_of(generator: SpriteGenerator, latents: Tensor, kind: int, truncation: float) -> Tensor:
    """(n, style) for latents (n, latent) of one kind, pulled towards the middle of that kind."""
    chance = torch.Generator().manual_seed(0)  # always the same middle
    crowd = torch.randn(256, generator.shape.latent, generator=chance)
    middle = generator.style_of(crowd, torch.full((len(crowd),), kind)).mean(dim=0)
    full = generator.style_of(latents, torch.full((len(latents),), kind))
    return middle + (full - middle) * truncation


def latent_of(seed: int, shape: SpriteShape) -> Tensor:
    """(1, latent): the latent that a seed stands for, the same on every machine."""
    return torch.tensor(np.random.default_rng(seed).standard_normal((1, shape.latent)), dtype=torch.float32)


def between(first: Tensor, last: Tensor, shares: Tensor) -> Tensor:
    """(n, latent): on the great circle from `first` to `last` (each (1, latent)), at the shares (n, 1) of the way."""
    cosine = torch.nn.functional.cosine_similarity(first, last).clamp(-1, 1)
    angle = torch.acos(cosine)
    if float(angle.sin()) < 1e-4:
        return first + (last - first) * shares
    return (torch.sin((1 - shares) * angle) * first + torch.sin(shares * angle) * last) / angle.sin()


def kind_of(word: str, seed: int, shape: SpriteShape) -> int:
    """The number of a kind; of any, as the seed has it, where no word was given."""
    if not word:
        return int(np.random.default_rng((seed, 1)).integers(len(shape.kinds)))
    if word not in shape.kinds:
        raise InvalidField("kind", f"this model draws {', '.join(shape.kinds)}; not “{word}”")
    return shape.kinds.index(word)


def to_picture(drawn: Tensor, enlarge: int, seed: int | None = None) -> Picture:
    """The vocabulary's `Picture` of one (4, h, w) drawing: straight RGBA, each pixel a block."""
    values = ((drawn + 1) / 2).clamp(0, 1)
    colour = (values[:3] / values[3:].clamp(min=1 / 255)).clamp(0, 1)
    # Sprites are there or not, with hardly anything between: what is vague is drawn to the nearer side.
    alpha = ((values[3:] - 0.25) * 2).clamp(0, 1)
    rgba = (torch.cat([colour, alpha]) * 255).round().to(torch.uint8).permute(1, 2, 0)
    rgba[rgba[..., 3] == 0] = 0
    blocks = rgba.repeat_interleave(enlarge, 0).repeat_interleave(enlarge, 1).contiguous().numpy()
    return Picture(blocks.shape[1], blocks.shape[0], 4, blocks.tobytes(), seed)
