"""Enlarging one picture with one model, part by part."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import torch

from studio.core.events import Event, JobNotice, JobProgress, Picture, Stage
from studio.core.failure import InvalidField
from studio.core.requests import UpscaleRequest
from studio.engines.diffusion.device import Device
from studio.engines.diffusion.gate import Gate
from studio.engines.gan import pixels
from studio.engines.gan.library import Component, open_upscaler
from studio.engines.gan.tiles import Tile, blank, tiles

LARGEST_EDGE = 16384
_USUAL_TILE = 192
"""A part of a usual ESRGAN takes a few seconds on a processor at this size, and a compact one a fraction of one."""


def load(path: Path, device: Device, gate: Gate) -> Component:
    """The model at `path`, ready on `device`, in a number format that it bears."""
    found = open_upscaler(path)
    found.to(device.device, _format(found, device))
    found.eval()
    gate.watch(found.model)
    return found


def _format(found: Component, device: Device) -> torch.dtype:
    # bfloat16 has eight bits for a tone, as many as the picture: on a processor the last one is worth the time.
    half = device.device.type != "cpu" and (
        (device.dtype is torch.float16 and found.supports_half)
        or (device.dtype is torch.bfloat16 and found.supports_bfloat16)
    )
    return device.dtype if half else torch.float32


def enlarge(
    request: UpscaleRequest, model: Component, source: str | None, gate: Gate
) -> Generator[Event, None, Picture]:
    """Yields progress; the answer is the picture, `request.scale` times as large as the file `source`."""
    taken = pixels.read(source)
    height, width = taken.shape[:2]
    if max(height, width) * max(request.scale, model.scale) > LARGEST_EDGE:
        raise InvalidField("scale", f"{width} × {height} pixels would become larger than {LARGEST_EDGE} on an edge")
    if request.scale != model.scale:
        yield JobNotice(text=f"This model enlarges ×{model.scale}; the result was resized to ×{request.scale}.")
    layers = pixels.layers(taken)
    # A model that looks at the picture as a whole says so; cut apart, it would draw each part in another light.
    usual = _USUAL_TILE if model.tiling.name == "SUPPORTED" else max(height, width)
    edge = request.tile or usual
    parts = tiles(height, width, edge)
    total, done = len(parts) * len(layers), 0
    made = []
    for layer in layers:
        large = blank(layer, model.scale)
        for part in parts:
            yield JobProgress(stage=Stage.GENERATE, step=done, total=total)
            gate.check()
            part.lay(_drawn(model, part, layer), large, model.scale)
            done += 1
        made.append(large)
    yield JobProgress(stage=Stage.GENERATE, step=total, total=total)
    return pixels.joined(made, (width * request.scale, height * request.scale))


@torch.inference_mode()
def _drawn(model: Component, part: Tile, layer: torch.Tensor) -> torch.Tensor:
    seen = part.cut(layer).to(model.device, model.dtype)
    # A model of one channel draws each colour as a picture of its own.
    apart = model.input_channels == 1
    drawn: torch.Tensor = (model(seen.transpose(0, 1)).transpose(0, 1) if apart else model(seen)).float().cpu()
    return drawn
