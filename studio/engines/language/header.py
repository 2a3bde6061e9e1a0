"""Looks at GGUF files before llama.cpp does: whole, ours, and able to be what they claim.

Layout (ggml-org/ggml, docs/gguf.md): magic, version, tensor count, pair count, typed key-value pairs,
tensor descriptions, padding, tensor data. Arrays are skipped, so that a vocabulary of 150,000 words
costs milliseconds; weights are never touched.
"""

from __future__ import annotations

import errno
import math
import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

import msgspec

from studio.core.failure import FailureCode, StudioError
from studio.engines.language.trouble import model_trouble, no_memory

Scalar = int | float | bool | str

_FORMATS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<B", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9
_MOST_PAIRS = 1 << 16
_MOST_TENSORS = 1 << 20
_LONGEST_KEY = 1 << 16
_MOST_DIMENSIONS = 4
_ALIGNMENT = 32
_MOST_SUMMED = 4096
_WORDS = "tokenizer.ggml.tokens"

# ggml type → (values per block, bytes per block); ggml.h and ggml-common.h. An unknown type is left to llama.cpp.
_BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 36),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292),
    16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82),
    23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2),
    34: (256, 54), 35: (256, 66), 39: (32, 17),
}  # fmt: skip


class Header(msgspec.Struct, frozen=True):
    """What a GGUF file says of itself.

    `pairs` holds the scalars and strings; short arrays of whole numbers appear as their sum in `sums`.
    `tensor_bytes` is the size of the weights, where all their types are known.
    """

    pairs: dict[str, Scalar]
    sums: dict[str, int]
    tensor_bytes: int

    def number(self, key: str, otherwise: int = 0) -> int:
        """The integer `ARCHITECTURE.key`; the sum where it is an array (one entry per layer)."""
        full = f"{self.pairs.get('general.architecture', '')}.{key}"
        value = self.pairs.get(full, self.sums.get(full, otherwise))
        return int(value) if isinstance(value, int | float) else otherwise


class _Reader:
    """A cursor over the file that refuses to leave it."""

    def __init__(self, data: mmap.mmap, path: Path) -> None:
        self.data = data
        self.path = path
        self.at = 0

    def skip(self, count: int) -> None:
        if count > len(self.data) - self.at:
            raise _damaged(self.path, "its header ends too early or names an impossible length")
        self.at += count

    def number(self, form: str) -> int | float:
        start = self.at
        self.skip(struct.calcsize(form))
        value: int | float = struct.unpack_from(form, self.data, start)[0]
        return value

    def count(self) -> int:
        return int(self.number("<Q"))

    def text(self) -> str:
        length = self.count()
        start = self.at
        self.skip(length)
        return self.data[start : start + length].decode("utf-8", "replace")

    def scalar(self, kind: int) -> Scalar:
        if kind == _STRING:
            return self.text()
        if kind not in _FORMATS:
            raise _damaged(self.path, f"its header has a value of unknown type {kind}")
        return self.number(_FORMATS[kind])

    def array(self, key: str) -> int:
        """Skips the array `key`; the sum of its entries if it is a short one of integers, else 0."""
        kind, count = int(self.number("<I")), self.count()
        if kind == _STRING:
            words = self._strings(count, keep=key == _WORDS)
            if len(set(words)) != len(words):
                raise _damaged(self.path, "its vocabulary has the same word twice")
            return 0
        if kind not in _FORMATS:
            raise _damaged(self.path, f"its header has an array of unknown type {kind}")
        width, start = struct.calcsize(_FORMATS[kind]), self.at
        self.skip(width * count)
        if count > _MOST_SUMMED or kind in (6, 12):
            return 0
        return int(sum(struct.unpack_from(f"<{count}{_FORMATS[kind][1]}", self.data, start)))

    def _strings(self, count: int, *, keep: bool) -> list[bytes]:
        """Skips `count` strings; those that are not empty come back if `keep`. Hundreds of thousands are common."""
        data, at, end, length_at = self.data, self.at, len(self.data) - 8, struct.Struct("<Q").unpack_from
        kept: list[bytes] = []
        for _ in range(count):
            if at > end:
                raise _damaged(self.path, "its header ends too early")
            start = at + 8
            at = start + length_at(data, at)[0]
            if keep and at > start:
                kept.append(data[start:at])
        self.at = at
        self.skip(0)
        return kept


def read_header(path: Path) -> Header:
    """The header of the GGUF file at `path`, after checking that all of its tensors lie inside the file.

    Raises `StudioError`: `MODEL_MISSING`, `MODEL_DAMAGED`, `MODEL_REFUSED` (a pickle) or
    `MODEL_UNSUPPORTED` (some other kind of file).
    """
    try:
        if path.stat().st_size == 0:
            raise _damaged(path, "it is empty")
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            _check_kind(path, data[:64])
            return _read(_Reader(data, path))
    except OSError as error:
        if error.errno == errno.ENOMEM:
            raise no_memory(path.name, str(error)) from error
        raise model_trouble(
            FailureCode.MODEL_MISSING,
            f"{path.name} can't be read.",
            "Check that the file is still there, or get the model again.",
            str(error),
        ) from error


def _check_kind(path: Path, start: bytes) -> None:
    if start[:4] == b"GGUF":
        return
    if start[:1] == b"\x80" or start[:4] == b"PK\x03\x04":
        raise model_trouble(
            FailureCode.MODEL_REFUSED,
            f"{path.name} is a Python pickle, not a GGUF file. A pickle can run any program when it is opened, "
            "so the studio never opens one.",
            "Get this model as GGUF.",
        )
    lowered = start.lstrip().lower()
    if lowered.startswith((b"<!doctype", b"<html", b"version https://git-lfs")):
        raise _damaged(path, "what was saved is a web page or a pointer in its place")
    if start[:4] == b"\0\0\0\0":
        raise _damaged(path, "it begins with zeros, as an unfinished download does")
    raise model_trouble(
        FailureCode.MODEL_UNSUPPORTED,
        f"{path.name} is not a GGUF file.",
        "Get this model again as GGUF, or choose another one.",
    )


def _read(reader: _Reader) -> Header:
    reader.skip(4)
    version, tensors, pairs = int(reader.number("<I")), reader.count(), reader.count()
    if version not in (2, 3):
        big_endian = " (it was made for big-endian machines)" if version in (0x02000000, 0x03000000) else ""
        raise _damaged(reader.path, f"its version is {version}{big_endian}")
    if pairs > _MOST_PAIRS or tensors > _MOST_TENSORS:
        raise _damaged(reader.path, f"its header counts {tensors} tensors and {pairs} entries")
    values: dict[str, Scalar] = {}
    sums: dict[str, int] = {}
    for _ in range(pairs):
        key = reader.text()
        if not key or len(key) > _LONGEST_KEY:
            raise _damaged(reader.path, "its header has an entry without a sensible name")
        kind = int(reader.number("<I"))
        if kind == _ARRAY:
            sums[key] = reader.array(key)
        else:
            values[key] = reader.scalar(kind)
    _check_values(reader.path, values, tensors)
    return Header(values, sums, _tensor_bytes(reader, tensors, values))


def _check_values(path: Path, values: dict[str, Scalar], tensors: int) -> None:
    architecture = values.get("general.architecture")
    later_part = bool(values.get("split.no", 0))
    if not later_part and (not isinstance(architecture, str) or not architecture):
        raise _damaged(path, "its header does not say what architecture it is")
    alignment = values.get("general.alignment", _ALIGNMENT)
    if not isinstance(alignment, int) or alignment <= 0 or alignment & (alignment - 1):
        raise _damaged(path, f"its alignment is {alignment}")
    # Absurd sizes make llama.cpp run out of memory or divide by zero before it looks at the weights.
    for name, most in {"embedding_length": 1 << 20, "block_count": 4096, "context_length": 1 << 28}.items():
        value = values.get(f"{architecture}.{name}")
        if value is not None and (not isinstance(value, int) or not 0 < value <= most):
            raise _damaged(path, f"its {name.replace('_', ' ')} is {value}")
    # A library that checks with assertions dies of these, and the worker with it.
    for name, value in values.items():
        if isinstance(value, float) and not (math.isfinite(value) and ("epsilon" not in name or 0 <= value < 1)):
            raise _damaged(path, f"its {name} is {value}")
    if tensors == 0 and not later_part and int(values.get("split.count", 0) or 0) <= 1:
        raise _damaged(path, "it holds no weights")


def _tensor_bytes(reader: _Reader, tensors: int, values: dict[str, Scalar]) -> int:
    total, end = 0, 0
    for offset, size in _tensors(reader, tensors):
        total += size
        end = max(end, offset + size)
    alignment = int(values.get("general.alignment", _ALIGNMENT))
    start = -(-reader.at // alignment) * alignment
    if tensors and start + end > len(reader.data):
        missing = start + end - len(reader.data)
        raise _damaged(reader.path, f"its last {missing:,} bytes are missing")
    return total


def _tensors(reader: _Reader, count: int) -> Iterator[tuple[int, int]]:
    """Offset and size in bytes of each tensor; size 0 where the type is unknown here."""
    for _ in range(count):
        name = reader.text()
        dimensions = int(reader.number("<I"))
        if not name or not 0 < dimensions <= _MOST_DIMENSIONS:
            raise _damaged(reader.path, "its header describes a tensor that can't be")
        values = 1
        for _ in range(dimensions):
            values *= reader.count()
        kind, offset = int(reader.number("<I")), reader.count()
        if values == 0 or values > 1 << 48:
            raise _damaged(reader.path, f"its tensor {name} has an impossible shape")
        per_block, block = _BLOCKS.get(kind, (1, 0))
        yield offset, -(-values // per_block) * block


def _damaged(path: Path, reason: str) -> StudioError:
    return model_trouble(
        FailureCode.MODEL_DAMAGED,
        f"{path.name} is damaged: {reason}.",
        "Get this model again; the download may have been cut short.",
        f"{path}: {reason}",
    )
