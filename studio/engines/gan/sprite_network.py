"""The generator of little sprites: a latent and a kind in, 32 × 32 pixels with transparency out.

Its folder holds `config.json` (a `SpriteShape`), `generator.safetensors` and, for those who want to train
it on, `discriminator.safetensors`.
"""

from __future__ import annotations

import itertools
from typing import cast

import msgspec
import torch
from torch import Tensor, nn
from torch.nn import functional

SIDE = 32
CHANNELS = 4
GROUP = 4


class SpriteShape(msgspec.Struct, frozen=True):
    """Sizes of both networks; `kinds` are the words that a picture can be asked for by."""

    kinds: tuple[str, ...]
    latent: int = 96
    style: int = 128
    widths: tuple[int, int, int, int] = (128, 96, 64, 32)
    """Channels at 4 × 4, 8 × 8, 16 × 16 and 32 × 32 pixels."""


class StyledConvolution(nn.Module):
    """A convolution whose output is levelled at each pixel, then scaled and shifted as the style says."""

    def __init__(self, convolution: nn.Module, channels: int, style: int) -> None:
        super().__init__()
        self.convolution = convolution
        self.styling = nn.Linear(style, 2 * channels)
        nn.init.normal_(self.styling.weight, std=0.5 * style**-0.5)
        nn.init.zeros_(self.styling.bias)

    def forward(self, hidden: Tensor, style: Tensor) -> Tensor:
        """(n, c, h, w) and (n, style) to (n, c', h', w')."""
        hidden = self.convolution(hidden)
        hidden = hidden * torch.rsqrt(hidden.square().mean(dim=1, keepdim=True) + 1e-6)
        scale, shift = self.styling(style)[:, :, None, None].chunk(2, dim=1)
        return functional.leaky_relu(hidden * (1 + scale) + shift, 0.2)


class SpriteGenerator(nn.Module):
    """(n, latent) and (n,) kinds to (n, 4, 32, 32) in -1..1: colour on black, and opacity."""

    def __init__(self, shape: SpriteShape) -> None:
        super().__init__()
        self.shape = shape
        style, widths = shape.style, shape.widths
        self.kinds = nn.Embedding(len(shape.kinds), style)
        self.mapping = nn.Sequential(nn.Linear(shape.latent + style, style), nn.LeakyReLU(0.2), nn.Linear(style, style))
        self.seed = nn.Linear(style, widths[0] * 16)
        blocks: list[nn.Module] = [StyledConvolution(nn.Conv2d(widths[0], widths[0], 3, padding=1), widths[0], style)]
        for before, after in itertools.pairwise(widths):
            rising = nn.ConvTranspose2d(before, after, 4, 2, 1)
            blocks.append(StyledConvolution(rising, after, style))
            blocks.append(StyledConvolution(nn.Conv2d(after, after, 3, padding=1), after, style))
        self.blocks = nn.ModuleList(blocks)
        self.paint = nn.Conv2d(widths[-1], CHANNELS, 3, padding=1)

    def style_of(self, latents: Tensor, kinds: Tensor) -> Tensor:
        """What the latents say, as the layers read it: (n, style)."""
        level = latents * torch.rsqrt(latents.square().mean(dim=1, keepdim=True) + 1e-6)
        return cast(Tensor, self.mapping(torch.cat([level, self.kinds(kinds)], dim=1)))

    def draw(self, style: Tensor) -> Tensor:
        """Pictures of styles."""
        hidden = self.seed(style).view(len(style), -1, 4, 4)
        for block in self.blocks:
            hidden = block(hidden, style)
        return torch.tanh(self.paint(hidden))

    def forward(self, latents: Tensor, kinds: Tensor) -> Tensor:
        """Pictures of latents."""
        return self.draw(self.style_of(latents, kinds))


class SpriteDiscriminator(nn.Module):
    """(n, 4, 32, 32) in -1..1 and (n,) kinds to (n,) scores: high for what looks drawn by a person.

    Batches come as `GROUP` equal parts, and the pictures at the same place in each part are of one kind.
    """

    def __init__(self, shape: SpriteShape) -> None:
        super().__init__()
        top, upper, lower, _ = shape.widths
        self.layers = nn.ModuleList(
            [
                nn.Conv2d(CHANNELS * 4, lower, 3, padding=1),
                nn.Conv2d(lower, lower, 3, padding=1),
                nn.Conv2d(lower, upper, 4, 2, 1),
                nn.Conv2d(upper, upper, 3, padding=1),
                nn.Conv2d(upper, top, 4, 2, 1),
                nn.Conv2d(top + 1, top, 3, padding=1),
            ]
        )
        self.flat = nn.Linear(top * 16, 1)
        self.kinds = nn.Embedding(len(shape.kinds), top)
        self.project = nn.Linear(top, top)
        nn.init.zeros_(self.kinds.weight)

    def forward(self, pictures: Tensor, kinds: Tensor) -> Tensor:
        """One score for each picture, as a picture of its kind."""
        hidden = functional.pixel_unshuffle(pictures, 2)
        for layer in self.layers[:-1]:
            hidden = functional.leaky_relu(layer(hidden), 0.2)
        hidden = torch.cat([hidden, _spread(hidden)], dim=1)
        hidden = functional.leaky_relu(self.layers[-1](hidden), 0.2)
        asked = self.project(hidden.mean(dim=(2, 3))) * self.kinds(kinds)
        scores: Tensor = self.flat(hidden.flatten(1)).squeeze(1) + asked.sum(dim=1)
        return scores


def _spread(hidden: Tensor) -> Tensor:
    """How much the pictures of a group differ, as one more channel: always drawing the same is seen through."""
    count = len(hidden)
    group = GROUP if count % GROUP == 0 else count
    parts = hidden.float().reshape(group, count // group, *hidden.shape[1:])
    spread = (parts.var(dim=0, unbiased=False) + 1e-8).sqrt().mean(dim=(1, 2, 3))
    return spread.to(hidden.dtype).repeat(group)[:, None, None, None].expand(count, 1, *hidden.shape[2:])
