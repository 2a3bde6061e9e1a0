"""Pictures as the upscaling models want them: colour without holes, and transparency as a picture of its own."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageFilter
from torch import Tensor

from studio.core.events import Picture
from studio.engines.diffusion.pictures import open_picture

Pixels = npt.NDArray[np.uint8]
_SPREAD = 8
"""How far colour is carried into what is transparent, in pixels: as far as the models look, and Pillow's blur lasts."""


def read(path: str | None) -> Pixels:
    """(height, width, 3 or 4). Raises `StudioError`: the picture is gone or damaged."""
    shown = open_picture(path, "picture")
    return np.asarray(shown.convert("RGBA" if shown.has_transparency_data else "RGB"))


def layers(pixels: Pixels) -> list[Tensor]:
    """What is enlarged one after the other, each (1, 3, h, w) in 0..1: the colour and, if there is any, the opacity."""
    if pixels.shape[2] == 3 or pixels[..., 3].min() == 255:
        return [_tensor(pixels[..., :3])]
    alpha = pixels[..., 3]
    return [_tensor(_carried_outwards(pixels)), _tensor(np.repeat(alpha[..., None], 3, axis=2))]


def _carried_outwards(pixels: Pixels) -> Pixels:
    """The colour, carried on from the drawing into what is transparent: what lies there would bleed into its edge."""
    image = Image.fromarray(pixels)
    spread = image.convert("RGBa").filter(ImageFilter.GaussianBlur(_SPREAD)).convert("RGBA")
    spread.putalpha(255)
    spread.alpha_composite(image)
    return np.asarray(spread.convert("RGB"))


def _tensor(pixels: Pixels) -> Tensor:
    return torch.tensor(pixels).permute(2, 0, 1)[None].float() / 255


def joined(made: list[Tensor], size: tuple[int, int]) -> Picture:
    """The enlarged layers as one picture of `size` (width, height)."""
    parts = [(part[0].clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy() for part in made]
    if len(parts) > 1:
        parts = [np.concatenate([parts[0], parts[1].mean(axis=2, keepdims=True).round().astype(np.uint8)], axis=2)]
    image = Image.fromarray(np.ascontiguousarray(parts[0]))
    if image.size != size:
        image = image.resize(size, Image.Resampling.LANCZOS)
    return Picture(image.width, image.height, len(image.getbands()), image.tobytes())
