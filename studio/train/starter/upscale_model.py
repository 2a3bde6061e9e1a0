"""The two networks of starter-upscale: a compact generator and a critic that judges cuts of its output.

The generator has the layout and the tensor names of Real-ESRGAN's `SRVGGNetCompact` (Wang et al.,
"Real-ESRGAN", 2021), which upscaling programs know: all work is done at the small size, one pixel
shuffle enlarges, and what is learnt is the difference to the picture enlarged pixel by pixel.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

SCALE = 4


class Generator(nn.Module):
    """(n, 3, h, w) in 0..1 to (n, 3, 4 h, 4 w), about 0..1."""

    def __init__(self, width: int = 48, depth: int = 12) -> None:
        super().__init__()
        body: list[nn.Module] = [nn.Conv2d(3, width, 3, padding=1), nn.PReLU(width)]
        for _ in range(depth):
            body += [nn.Conv2d(width, width, 3, padding=1), nn.PReLU(width)]
        body.append(nn.Conv2d(width, 3 * SCALE * SCALE, 3, padding=1))
        self.body = nn.ModuleList(body)
        nn.init.normal_(body[-1].weight, std=1e-3)  # type: ignore[arg-type]  # begins as plain enlargement
        nn.init.zeros_(body[-1].bias)  # type: ignore[arg-type]

    def forward(self, small: Tensor) -> Tensor:
        """Enlarge a batch."""
        hidden = small
        for layer in self.body:
            hidden = layer(hidden)
        return functional.pixel_shuffle(hidden, SCALE) + functional.interpolate(small, scale_factor=SCALE)


class Critic(nn.Module):
    """(n, 3, h, w) in 0..1 to one score for each patch of about 30 × 30 pixels; spectral norms keep it tame."""

    def __init__(self, widths: Sequence[int] = (32, 64, 96)) -> None:
        super().__init__()
        first, second, third = widths
        self.layers = nn.ModuleList(
            [
                nn.Conv2d(3, first, 4, 2, 1),
                spectral_norm(nn.Conv2d(first, second, 4, 2, 1)),
                spectral_norm(nn.Conv2d(second, third, 3, 1, 1)),
                nn.Conv2d(third, 1, 3, 1, 1),
            ]
        )

    def forward(self, picture: Tensor) -> Tensor:
        """Score each patch: high for what looks drawn, low for what looks enlarged."""
        hidden = picture * 2 - 1
        for layer in self.layers[:-1]:
            hidden = functional.leaky_relu(layer(hidden), 0.2)
        scores: Tensor = self.layers[-1](hidden)
        return scores


class Pair(nn.Module):
    """Generator and critic in one module, for one checkpoint."""

    def __init__(self, generator: Generator, critic: Critic) -> None:
        super().__init__()
        self.generator = generator
        self.critic = critic


def edges(picture: Tensor) -> tuple[Tensor, Tensor]:
    """Differences between neighbouring pixels, downwards and across."""
    return picture.diff(dim=2), picture.diff(dim=3)


def edge_error(made: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute error of the differences between neighbours: blur and halos raise it, shifts of tone do not."""
    down, across = edges(made - truth)
    return (down.abs().mean() + across.abs().mean()) / 2


@torch.no_grad()
def enlarge(generator: nn.Module, small: Tensor, batch: int = 16) -> Tensor:
    """Run the generator over many small pictures; clamped to 0..1."""
    parts = [generator(small[i : i + batch]).float().clamp(0, 1) for i in range(0, len(small), batch)]
    return torch.cat(parts)
