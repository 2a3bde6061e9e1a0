"""What the picture looks like so far, from latents, for less than a millisecond.

Latents of a picture autoencoder are nearly a linear function of the colours that they stand for, so one small
matrix gives a picture at latent resolution. The full decoder would take longer than a step.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import torch

from studio.core.events import JobPreview
from studio.engines.diffusion.latents import LatentCodec
from studio.engines.diffusion.pictures import Inputs, Pixels, blended, scaled_inputs, to_picture

# (weight per channel and colour, bias), for scaled latents and colours in 0..1. Published measurements for these two
# autoencoders, converted from −1..1 and from 0..255.
_KNOWN: dict[tuple[int, float], tuple[list[list[float]], list[float]]] = {
    (4, 0.18215): (
        [[0.149, 0.1035, 0.104], [0.0935, 0.143, 0.0865], [-0.079, 0.0945, 0.132], [-0.092, -0.1355, -0.2365]],
        [0.5, 0.5, 0.5],
    ),
    (4, 0.13025): (
        [[0.2353, 0.2353, 0.2353], [-0.2353, -0.0196, 0.0392], [0.098, 0.0588, -0.0196], [-0.2745, -0.1961, -0.1373]],
        [0.5882, 0.549, 0.5098],
    ),
}
_SAMPLES = 12  # pictures for the fit
_SAMPLE_SIDE = 8  # latents on each side of one
_DAMPING = 1e-3  # keeps the fit small where a channel says nothing about colour


class LatentColours:
    """The matrix for one model."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor) -> None:
        self._weight = weight
        self._bias = bias

    @torch.inference_mode()
    def pixels(self, latents: torch.Tensor) -> Pixels:
        """(h, w, 3) from scaled latents (1, channels, h, w)."""
        plane = latents[0].float().cpu().permute(1, 2, 0)
        colours = (plane @ self._weight + self._bias).nan_to_num(0.5).clamp(0, 1)
        pixels: Pixels = (colours * 255).round().to(torch.uint8).numpy()
        return pixels


def colours_for(codec: LatentCodec, folder: Path | None) -> LatentColours | None:
    """The matrix from the model's own `latent_rgb.json`, from the known ones, or fitted; None if nothing works."""
    found = _from_file(folder / "latent_rgb.json", codec.channels) if folder else None
    if found is None and (known := _KNOWN.get((codec.channels, codec.scale))):
        found = torch.tensor(known[0]), torch.tensor(known[1])
    if found is None:
        try:
            found = _fitted(codec)
        except (RuntimeError, ValueError, AttributeError, NotImplementedError):
            # Autoencoders of another kind (for moving pictures, say): a picture without previews is still a picture.
            return None
    return LatentColours(*found)


def _from_file(path: Path, channels: int) -> tuple[torch.Tensor, torch.Tensor] | None:
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        weight, bias = torch.tensor(table["weight"]), torch.tensor(table["bias"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return (weight.float(), bias.float()) if weight.shape == (channels, 3) and bias.shape == (3,) else None


@torch.inference_mode()
def _fitted(codec: LatentCodec) -> tuple[torch.Tensor, torch.Tensor]:
    """Least squares over a few soft random pictures that the model's own encoder turns into latents."""
    generator = torch.Generator().manual_seed(0)
    side = _SAMPLE_SIDE * codec.factor
    rows, colours = [], []
    for _ in range(_SAMPLES):
        corners = torch.rand(1, 3, 3, 3, generator=generator)
        picture = torch.nn.functional.interpolate(corners, size=(side, side), mode="bilinear", align_corners=True)
        latents = codec.sample(codec.encode(picture * 2 - 1), None).cpu()
        small = torch.nn.functional.adaptive_avg_pool2d(picture, (latents.shape[-2], latents.shape[-1]))
        rows.append(latents[0].flatten(1).T)
        colours.append(small[0].flatten(1).T)
    known, wanted = torch.cat(rows), torch.cat(colours)
    # Normal equations with a constant column, damped in proportion to the latents' own size.
    design = torch.cat([known, torch.ones(len(known), 1)], dim=1).double()
    square = design.T @ design
    square += torch.eye(len(square)) * _DAMPING * square.diagonal().mean()
    solution = torch.linalg.solve(square, design.T @ wanted.double()).float()
    return solution[:-1], solution[-1]


class PreviewClock:
    """Lets at most `rate` previews through in a second; none at a rate of 0."""

    def __init__(self, rate: float) -> None:
        self._pause = 1.0 / rate if rate > 0 else float("inf")
        self._last = -float("inf") if rate > 0 else float("inf")

    def due(self) -> bool:
        """Whether one may be made now; if so, the next pause begins."""
        now = time.monotonic()
        if now - self._last < self._pause:
            return False
        self._last = now
        return True


def preview(colours: LatentColours, latents: torch.Tensor, inputs: Inputs, step: int) -> JobPreview:
    """A preview event; with a mask the protected surroundings are the input's."""
    pixels = colours.pixels(latents)
    around = scaled_inputs(inputs, pixels.shape[1], pixels.shape[0])
    if around.image is not None and around.mask is not None:
        pixels = blended(pixels, around.image, around.mask)
    return JobPreview(picture=to_picture(pixels), step=step)
