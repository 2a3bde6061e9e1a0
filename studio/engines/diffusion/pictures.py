"""Pixels in and out: input pictures and masks at the size of the request, and results of exactly that size."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageOps, UnidentifiedImageError

from studio.core.events import Picture
from studio.core.failure import Failure, FailureCode, StudioError
from studio.core.requests import ImageRequest

Pixels = npt.NDArray[np.uint8]

_GREY = (128, 128, 128)


@dataclass(frozen=True)
class Inputs:
    """`image` is (height, width, 3), `mask` (height, width), white to be made anew; both of the request's size."""

    image: Pixels | None = None
    mask: Pixels | None = None


def read_inputs(request: ImageRequest, paths: dict[str, str]) -> Inputs:
    """The request's picture and mask. Raises `StudioError`: missing, damaged, or a mask without a picture."""
    if request.image is None:
        if request.mask is not None:
            raise StudioError(
                Failure(
                    FailureCode.INVALID_REQUEST,
                    "There is a mask but no picture that it belongs to.",
                    hint="Choose the picture to repaint, or remove the mask.",
                )
            )
        return Inputs()
    size = (request.width, request.height)
    opened = open_picture(paths.get(request.image), "picture")
    image = np.asarray(_fitted(_rgb(opened), size))
    if request.mask is None:
        return Inputs(image)
    mask = _fitted(open_picture(paths.get(request.mask), "mask").convert("L"), size)
    return Inputs(image, np.asarray(mask))


def open_picture(path: str | None, what: str) -> Image.Image:
    """The file `path`, turned as its camera was held; `what` it is called. Raises `StudioError`: gone or damaged."""
    if path is None or not Path(path).is_file():
        raise StudioError(
            Failure(
                FailureCode.INPUT_MISSING,
                f"The {what} for this job is not there any more.",
                hint=f"Choose the {what} again.",
                detail=path or "",
            )
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as file:
                file.load()
                return ImageOps.exif_transpose(file)
    except (
        UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError,
        Image.DecompressionBombWarning, Image.DecompressionBombError,
    ) as error:  # fmt: skip
        raise StudioError(
            Failure(
                FailureCode.INPUT_DAMAGED,
                f"The {what} {Path(path).name} cannot be read as an image.",
                hint=f"Open it in another program and save it again, or choose another {what}.",
                detail=f"{type(error).__name__}: {error}",
            )
        ) from error


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        # 16 bits a channel: keep the upper eight.
        return Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        ground = Image.new("RGBA", image.size, (*_GREY, 255))
        return Image.alpha_composite(ground, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")


def _fitted(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Scaled to cover `size` and cropped around the middle; untouched where it has the size already."""
    return image if image.size == size else ImageOps.fit(image, size, Image.Resampling.LANCZOS)


def padded_size(width: int, height: int, multiple: int) -> tuple[int, int]:
    """The smallest size that holds `width` × `height` in steps of `multiple`."""
    return -(-width // multiple) * multiple, -(-height // multiple) * multiple


def to_tensor(image: Pixels, size: tuple[int, int]) -> torch.Tensor:
    """(1, 3, height, width), float32 in −1..1, of `size` (width, height): its right and lower edges repeated."""
    scaled = grown(image, size).astype(np.float32) / 255.0
    return 2.0 * torch.from_numpy(scaled).permute(2, 0, 1)[None] - 1.0


def mask_tensor(mask: Pixels, size: tuple[int, int]) -> torch.Tensor:
    """(1, 1, height, width), float32, 1 where the picture is to be made anew and 0 elsewhere."""
    return torch.from_numpy((grown(mask, size) >= 128).astype(np.float32))[None, None]


def grown(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """`pixels` enlarged to `size` (width, height) by repeating the right and lower edges."""
    height, width = pixels.shape[:2]
    edges = [(0, size[1] - height), (0, size[0] - width)] + [(0, 0)] * (pixels.ndim - 2)
    return np.pad(pixels, edges, mode="edge")


def to_pixels(decoded: torch.Tensor) -> Pixels:
    """(height, width, 3) from one decoded picture (1, 3, height, width), nominally in 0..1."""
    scaled = decoded.float().clamp(0, 1)[0].permute(1, 2, 0).cpu().numpy()
    rounded: Pixels = (scaled * 255).round().astype(np.uint8)
    return rounded


def finished(made: Pixels, request: ImageRequest, inputs: Inputs, seed: int) -> Picture:
    """The result: cropped to the request's size; what the mask protects is the input's own pixels, bit for bit."""
    cropped = made[: request.height, : request.width]
    if inputs.image is not None and inputs.mask is not None:
        cropped = blended(cropped, inputs.image, inputs.mask)
    return to_picture(cropped, seed)


def unchanged(request: ImageRequest, inputs: Inputs) -> tuple[Picture, ...]:
    """The input as the result, for a strength of 0; empty where something is to be made."""
    if inputs.image is None or request.strength > 0:
        return ()
    return tuple(to_picture(inputs.image, request.seed + number) for number in range(request.batch_size))


def blended(made: Pixels, original: Pixels, mask: Pixels) -> Pixels:
    """`made` where `mask` is white, `original` where it is black, a mixture between."""
    weight = mask.astype(np.uint32)[..., None]
    mixed: Pixels = ((made * weight + original * (255 - weight) + 127) // 255).astype(np.uint8)
    return mixed


def to_picture(pixels: Pixels, seed: int | None = None) -> Picture:
    """The vocabulary's `Picture` of (height, width, 3) pixels."""
    return Picture(pixels.shape[1], pixels.shape[0], 3, np.ascontiguousarray(pixels).tobytes(), seed)


def resized(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """`pixels` scaled to `size` (width, height)."""
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


def scaled_inputs(inputs: Inputs, width: int, height: int) -> Inputs:
    """`inputs` at the size of a preview."""
    if inputs.image is None or inputs.mask is None:
        return Inputs()
    sized = [
        Image.fromarray(part).resize((width, height), Image.Resampling.BOX) for part in (inputs.image, inputs.mask)
    ]
    return Inputs(np.asarray(sized[0]), np.asarray(sized[1]))
