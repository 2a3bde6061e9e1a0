"""Where pictures are computed, in which number format, and how much memory is free there."""

from __future__ import annotations

import ctypes
import gc
import sys
from dataclasses import dataclass

import psutil
import torch

from studio.core.engine import Placement
from studio.core.failure import Failure, FailureCode, StudioError

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
# torch's names for the processor features that make bfloat16 faster than float32.
_FAST_BFLOAT16 = ("avx512_bf16", "amx_bf16", "bf16")


@dataclass(frozen=True)
class Device:
    """A torch device with the number format of its weights. `note` tells what was changed on the user's behalf."""

    device: torch.device
    dtype: torch.dtype
    note: str = ""

    @property
    def name(self) -> str:
        """The device in the vocabulary's words: `cpu`, `cuda:0`, `mps`."""
        return str(self.device)

    @property
    def vae_dtype(self) -> torch.dtype:
        """For autoencoders that overflow in float16 (their configuration says `force_upcast`)."""
        return torch.float32 if self.dtype is torch.float16 else self.dtype


def choose(placement: Placement) -> Device:
    """The device and dtype for `placement`; `auto` takes the fastest that this machine has.

    Raises `StudioError` for a device that is not there.
    """
    device = _device(placement.device)
    wanted = _DTYPES.get(placement.dtype)
    if wanted is torch.float16 and device.type == "cpu":
        # Measured: one step of a full-size model did not finish in four minutes.
        note = "This processor cannot compute in float16 at a useful speed; another number format is used."
        return Device(device, _automatic(device), note)
    return Device(device, wanted or _automatic(device))


def _device(wanted: str) -> torch.device:
    if wanted == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", 0)
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    kind, _, number = wanted.partition(":")
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and int(number or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there.get(kind, False):
        raise StudioError(
            Failure(
                FailureCode.INVALID_REQUEST,
                f"The device {wanted} is not available on this machine.",
                hint="Choose another device in the settings, or let the studio choose.",
            )
        )
    return torch.device(kind, int(number or 0)) if kind == "cuda" else torch.device(kind)


def _automatic(device: torch.device) -> torch.dtype:
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if device.type == "mps":
        return torch.float16
    # Asked of the processor and not measured: a measurement on a busy machine could decide otherwise tomorrow, and
    # the same request would give other pixels.
    features = torch.cpu.get_capabilities()
    return torch.bfloat16 if any(features.get(name) for name in _FAST_BFLOAT16) else torch.float32


def free_memory(device: torch.device) -> int:
    """Bytes that can still be had on `device`."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


def give_back_memory() -> None:
    """Hand freed memory back to the system; without this the C library keeps most of a model's size."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
