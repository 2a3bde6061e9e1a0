"""Where a model goes, how many threads it gets, and how long its context may be."""

from __future__ import annotations

import os
import sys

import msgspec
import psutil

from studio.core.engine import Placement
from studio.core.failure import FailureCode
from studio.engines.language.header import Header
from studio.engines.language.library import Device, Library
from studio.engines.language.trouble import bad_request, gigabytes, model_trouble

if sys.platform != "win32":
    import resource

_SHARE_FOR_CONTEXT = 1 / 3  # of the memory that is left once the weights are in
_COMPUTE_BYTES = 192 << 20  # llama.cpp's scratch buffers, measured on models of 0.1 to 8 billion weights
_GPU_MARGIN = 2 << 30  # left free on an accelerator: drivers and other programs need it
_LEAST_CONTEXT = 256
_CACHE_BYTES = 2  # the key-value cache is float16


class Seat(msgspec.Struct, frozen=True):
    """Where a model sits: `place` is the studio's word (`cpu`, `cuda:0`, `mps`), `layers` go to `device`."""

    place: str
    layers: int
    index: int
    threads: int
    notice: str = ""


class Window(msgspec.Struct, frozen=True):
    """How many tokens a context may have, what each of them costs in bytes, and the notice that says why
    there are fewer than the model was trained for.
    """

    length: int
    token_bytes: int
    notice: str = ""


def thread_count(placement: Placement) -> int:
    """Threads to compute with: what was asked for, else one per physical core that this process may use."""
    if placement.threads > 0:
        return placement.threads
    affinity = getattr(os, "sched_getaffinity", None)
    allowed = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    return max(1, min(allowed, psutil.cpu_count(logical=False) or allowed))


def choose_seat(library: Library, placement: Placement, header: Header, weights: int) -> Seat:
    """The accelerator that was asked for, or the processor, with as many layers as fit.

    Raises `StudioError` (`OUT_OF_MEMORY`) where the weights fit nowhere.
    """
    threads = thread_count(placement)
    layers = header.number("block_count", 1) + 1
    wanted = placement.device
    devices = [] if wanted == "cpu" else library.devices()
    device = _pick(devices, wanted)
    if device is None:
        _check_host_memory(placement, weights)
        notice = ""
        if wanted not in ("auto", "cpu"):
            notice = f"This build of llama.cpp can't use {wanted}, so the text is written on the processor."
        return Seat("cpu", 0, 0, threads, notice)
    room = device.free - _GPU_MARGIN
    if placement.memory_budget:
        room = min(room, placement.memory_budget)
    fitting = layers if weights <= room else max(0, int(layers * room / weights))
    if fitting == layers:
        return Seat(device.place, layers, device.index, threads)
    _check_host_memory(placement, int(weights * (1 - fitting / layers)))
    notice = f"{fitting} of {layers} layers fit on {device.name}; the rest is computed on the processor, more slowly."
    return Seat(device.place if fitting else "cpu", fitting, device.index, threads, notice)


def _pick(devices: list[Device], wanted: str) -> Device | None:
    for device in devices:
        if wanted in ("auto", device.place):
            return device
    return None


def _check_host_memory(placement: Placement, weights: int) -> None:
    available = _available()
    if placement.memory_budget:
        available = min(available, placement.memory_budget)
    if weights > available:
        raise model_trouble(
            FailureCode.OUT_OF_MEMORY,
            f"This model needs {gigabytes(weights)} for its weights alone; {gigabytes(available)} can be used.",
            "Close other programs, raise the memory budget in the settings, or choose a smaller model.",
        )


def _available() -> int:
    """Bytes that this process may still take: of the machine's, or of its own limit of address space."""
    available = int(psutil.virtual_memory().available)
    if sys.platform == "win32":
        return available
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        return available
    # Threads and allocators reserve address space; a library that gets none of it ends the process.
    return max(min(available, limit - int(psutil.Process().memory_info().vms) - _COMPUTE_BYTES), 0)


def choose_window(header: Header, wanted: int, placement: Placement, weights: int, trained: int) -> Window:
    """The context's length for a request that asks for `wanted` tokens (0: as many as it was trained for).

    Raises `StudioError`: `INVALID_REQUEST` for more than the model was trained for, `OUT_OF_MEMORY` where
    the length that was asked for does not fit.
    """
    if wanted > trained:
        raise bad_request(
            f"A context of {wanted:,} tokens was asked for; this model was trained for {trained:,}.",
            f"Ask for at most {trained:,}.",
        )
    per_token = max(cache_bytes_per_token(header), 1)
    room = _available() - _COMPUTE_BYTES
    if placement.memory_budget:
        room = min(room, placement.memory_budget - weights - _COMPUTE_BYTES)
    if wanted:
        if wanted * per_token > room:
            raise model_trouble(
                FailureCode.OUT_OF_MEMORY,
                f"A context of {wanted:,} tokens needs {gigabytes(wanted * per_token)} beside the weights; "
                f"{gigabytes(max(room, 0))} can be used.",
                "Choose a shorter context length or raise the memory budget.",
            )
        return Window(wanted, per_token)
    affordable = int(max(room, 0) * _SHARE_FOR_CONTEXT) // per_token
    length = min(trained, max(_LEAST_CONTEXT, affordable // _LEAST_CONTEXT * _LEAST_CONTEXT))
    notice = ""
    if length < trained:
        notice = f"To fit into memory, this model reads {length:,} tokens at once instead of {trained:,}."
    return Window(length, per_token, notice)


def cache_bytes_per_token(header: Header) -> int:
    """Bytes of key-value cache per token: Σ over layers of KV heads × (key + value length) × 2.

    Sliding windows and compressed attention need less; this is the upper bound.
    """
    layers = header.number("block_count", 1)
    heads = header.number("attention.head_count", 1)
    architecture = str(header.pairs.get("general.architecture", ""))
    per_layer = f"{architecture}.attention.head_count_kv" in header.sums
    kv_heads = header.number("attention.head_count_kv", heads)
    if f"{architecture}.attention.head_count" in header.sums:
        heads = heads // max(layers, 1)
    width = header.number("embedding_length", 1) // max(heads, 1)
    key, value = header.number("attention.key_length", width), header.number("attention.value_length", width)
    total = kv_heads * (key + value) * _CACHE_BYTES
    return total if per_layer else total * layers
