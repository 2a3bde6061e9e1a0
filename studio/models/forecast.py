"""Before the button is pressed: will it fit, and how long will it take.

Memory is the weights plus a working set by task; time comes from this machine's own runs of the same
model, scaled by the work asked for, and is left out until there is one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from studio.core.events import RunReport
from studio.core.requests import CodeRequest, ImageRequest, Request, SpriteRequest, UpscaleRequest, denoising_steps
from studio.models.entry import ShelfEntry
from studio.models.machine import processor

IMAGE_RUNTIME = 450_000_000
"""Resident bytes of torch and diffusers before any weights (measured: 370 MB after import)."""
TEXT_RUNTIME = 60_000_000
"""Resident bytes of the language worker before any weights (measured: 40 MB)."""
TILE_WORK = 350_000_000
"""Working memory of one tile of an upscaling model of the usual width (64 channels, 256 × 256 enlarged four times)."""
BYTES_PER_PIXEL = 2_600
"""Working memory of the VAE's decoder per output pixel in bf16 at SD 1.5's width (128 channels at full
resolution, two live maps and im2col workspace)."""
TOKENS_PER_LINE = 10
"""Of code, on average."""
MARGIN = 1.1
_COUNTED = 8
_FADING = 0.75
"""How many runs say how long the next one takes, and what each of them counts of the one after it."""


class Run(msgspec.Struct, frozen=True):
    """A finished run of a model: how much work it was and what was measured."""

    work: float
    report: RunReport


class Forecast(msgspec.Struct, frozen=True):
    """Bytes needed and free, whether it fits, expected seconds (None: not known yet), one sentence."""

    memory: int
    available: int
    fits: bool
    seconds: float | None
    sentence: str


def work_of(request: Request) -> float:
    """A number that run time is proportional to: pixel-steps of a picture, sprites, tokens of a text."""
    if isinstance(request, ImageRequest):
        steps = denoising_steps(request.steps, request.strength if request.image else 1.0)
        return float(request.width * request.height * steps * request.batch_size)
    if isinstance(request, UpscaleRequest):
        return 1.0  # how large its picture is stands in the asset; without that, the usual run has to do
    if isinstance(request, SpriteRequest):
        return float(request.batch_size)
    if isinstance(request, CodeRequest) and request.max_lines:
        return float(min(request.max_tokens, request.max_lines * TOKENS_PER_LINE))
    return float(request.max_tokens)


def memory_of(entry: ShelfEntry, request: Request) -> int:
    """Bytes that running `request` on `entry` takes, weights included."""
    if isinstance(request, ImageRequest):
        small = entry.size < 200_000_000
        per_pixel = BYTES_PER_PIXEL // 4 if small else BYTES_PER_PIXEL
        working = request.width * request.height * per_pixel
        return int(max(entry.memory, entry.size) * MARGIN) + working + IMAGE_RUNTIME
    if isinstance(request, UpscaleRequest | SpriteRequest):
        working = TILE_WORK if isinstance(request, UpscaleRequest) else 0
        return int(max(entry.memory, entry.size) * MARGIN) + working + IMAGE_RUNTIME
    return int(max(entry.memory, entry.size) * MARGIN) + TEXT_RUNTIME


def forecast(entry: ShelfEntry, request: Request, history: Sequence[Run] = ()) -> Forecast:
    """What to expect of `request` with the model `entry` on this machine."""
    needed, free = memory_of(entry, request), processor().free
    seconds = _seconds(request, history)
    fits = needed <= free
    return Forecast(needed, free, fits, seconds, _sentence(needed, free, fits=fits))


def _seconds(request: Request, history: Sequence[Run]) -> float | None:
    """The middle pace of the newest runs (newest first), so that one bad run counts little.

    A run counts less the older it is, since the last ones alone saw what else the machine does now, and less the
    more its work was another, since a short run is mostly its fixed costs.
    """
    work = work_of(request)
    known = [run for run in history if run.work > 0 and run.report.run_seconds > 0][:_COUNTED]
    paces = sorted(
        (run.report.run_seconds / run.work, _FADING**age / (1.0 + abs(math.log2(run.work / work))) ** 2)
        for age, run in enumerate(known)
    )
    half = sum(weight for _, weight in paces) / 2
    reached = 0.0
    for pace, weight in paces:
        reached += weight
        if reached >= half:
            return work * pace
    return None


def _sentence(needed: int, free: int, *, fits: bool) -> str:
    figures = f"needs {_gigabytes(needed)} of {_gigabytes(free)} free"
    return f"Fits — {figures}" if fits else f"Does not fit — {figures}"


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
