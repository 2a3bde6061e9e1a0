"""Safetensors files: what is in them, whether they are whole, and their tensors straight from the disk.

The header is checked here and not left to the libraries, because they differ in what they let pass (one
accepts offsets beyond the end of the file) and none says it in a person's words. Layout of the format:
8 bytes little-endian header length, JSON header, then the tensors without gaps.
"""

from __future__ import annotations

import functools
import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open

from studio.engines.diffusion.failures import damaged, in_words, missing, refused_pickle, unsupported

PICKLE_SUFFIXES = (".ckpt", ".bin", ".pt", ".pth", ".pkl")
# A zip archive (torch.save), a bare pickle of protocol 2 to 5, an old torch tar.
_PICKLE_STARTS = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"././@PaxHeader")
_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "I16": 16, "U16": 16, "F16": 16,
    "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
    "C64": 64,
}  # fmt: skip
_HEADER_LIMIT = 100_000_000


class Entry(NamedTuple):
    """One tensor of a file: its format's name (`BF16`), shape, and size in bytes."""

    dtype: str
    shape: tuple[int, ...]
    size: int


def header(path: Path) -> dict[str, Entry]:
    """The tensors in the safetensors file at `path`, checked against each other and against the file's size.

    Raises `StudioError`: missing, refused (a pickle, whatever its name), unsupported (another format), damaged.
    """
    try:
        status = path.stat()
        return _header(path, status.st_size, status.st_mtime_ns)
    except FileNotFoundError as error:
        raise missing(path) from error
    except OSError as error:
        raise in_words(error, path, "read the model") from error


@functools.lru_cache(maxsize=64)
def _header(path: Path, size: int, _changed: int) -> dict[str, Entry]:
    with path.open("rb") as file:
        start = file.read(16)
        _check_format(path, start)
        length = int.from_bytes(start[:8], "little")
        if size < 8 or length > min(size - 8, _HEADER_LIMIT):
            raise damaged(path, "its beginning does not fit its size, so it is cut off or not a safetensors file")
        file.seek(8)
        text = file.read(length)
    return _entries(path, text, size - 8 - length)


def _check_format(path: Path, start: bytes) -> None:
    # The length may read like a pickle's beginning (640 does); what follows it tells the two apart.
    begins_like_one = start.startswith(_PICKLE_STARTS) or path.suffix.lower() in PICKLE_SUFFIXES
    if begins_like_one and start[8:9] != b"{":
        raise refused_pickle(path)
    if start.startswith(b"GGUF"):
        raise unsupported(
            f"{path.name} is a GGUF file, which holds no complete picture model.",
            "Choose a .safetensors file or a diffusers folder.",
        )


def _entries(path: Path, text: bytes, body: int) -> dict[str, Entry]:
    try:
        table: dict[str, Any] = json.loads(text)
        table.pop("__metadata__", None)
        entries: dict[str, Entry] = {}
        spans: list[tuple[int, int]] = []
        for name, value in table.items():
            begin, end = value["data_offsets"]
            shape = tuple(int(length) for length in value["shape"])
            if (end - begin) * 8 != math.prod(shape) * _BITS[value["dtype"]] or min(shape, default=0) < 0:
                raise damaged(path, f"the size of {name} contradicts its shape")
            entries[name] = Entry(value["dtype"], shape, end - begin)
            spans.append((begin, end))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise damaged(path, "its table of contents cannot be read", f"{type(error).__name__}: {error}") from error
    _check_spans(path, sorted(spans), body)
    return entries


def _check_spans(path: Path, spans: list[tuple[int, int]], body: int) -> None:
    position = 0
    for begin, end in spans:
        if begin != position:
            raise damaged(path, "its tensors overlap or leave gaps")
        position = end
    if position > body:
        raise damaged(path, f"it is cut off: {body} of {position} bytes of weights are there")
    if position < body:
        raise damaged(path, "it is longer than its table of contents says")


def tensors(path: Path) -> dict[str, torch.Tensor]:
    """All tensors of the file at `path`, mapped from the disk: bytes are read when they are used.

    Raises `StudioError` as `header` does.
    """
    header(path)
    try:
        with safe_open(str(path), framework="pt", device="cpu") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except SafetensorError as error:
        if "memory" in str(error).lower():
            raise in_words(error, path, "load the model") from error
        raise damaged(path, "it cannot be read as safetensors", str(error)) from error
    except (OSError, RuntimeError, MemoryError) as error:
        raise in_words(error, path, "load the model") from error
