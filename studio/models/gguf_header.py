"""The metadata of a GGUF file, read fast: arrays are skipped, weights are never touched.

Layout (ggml-org/ggml, docs/gguf.md): magic `GGUF`, version, tensor count, key-value count, then typed
key-values and tensor descriptions.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

from studio.core.failure import Failure, FailureCode, StudioError
from studio.models.safetensors_header import damaged, refuse_pickle

Scalar = int | float | bool | str

_FORMATS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9
_MOST_ENTRIES = 1 << 16
_LONGEST_STRING = 1 << 24


class _Reader:
    """A cursor over the file that refuses to leave it."""

    def __init__(self, data: mmap.mmap, path: Path) -> None:
        self._data = data
        self._path = path
        self._at = 0

    def skip(self, count: int) -> None:
        if count < 0 or self._at + count > len(self._data):
            raise damaged(self._path, "its header ends too early")
        self._at += count

    def number(self, form: str) -> int | float | bool:
        start = self._at
        self.skip(struct.calcsize(form))
        value: int | float | bool = struct.unpack_from(form, self._data, start)[0]
        return value

    def text(self) -> str:
        length = int(self.number("<Q"))
        if length > _LONGEST_STRING:
            raise damaged(self._path, "its header has an impossible length")
        start = self._at
        self.skip(length)
        return self._data[start : start + length].decode("utf-8", "replace")

    def value(self, kind: int) -> Scalar | None:
        """A scalar or a string; an array is skipped and comes back as its length."""
        if kind == _STRING:
            return self.text()
        if kind == _ARRAY:
            return self._array()
        if kind not in _FORMATS:
            raise damaged(self._path, "its header has a value of unknown type")
        return self.number(_FORMATS[kind])

    def _array(self) -> int:
        kind, count = int(self.number("<I")), int(self.number("<Q"))
        if kind in _FORMATS:
            self.skip(struct.calcsize(_FORMATS[kind]) * count)
        elif kind == _STRING:
            for _ in range(count):
                self.skip(int(self.number("<Q")))
        else:
            raise damaged(self._path, "its header has an array of unknown type")
        return count


def read_gguf_header(path: Path) -> dict[str, Scalar]:
    """Key → value of the GGUF file `path`; arrays appear as their lengths.

    Raises `StudioError` (`MODEL_DAMAGED`, `MODEL_MISSING`, `MODEL_REFUSED`).
    """
    try:
        if path.stat().st_size == 0:
            raise damaged(path, "it is empty")
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _read(_Reader(data, path), path, data[:4])
    except (OSError, ValueError) as error:
        raise StudioError(
            Failure(FailureCode.MODEL_MISSING, f"{path.name} can't be read: {error}.",
                    hint="Check that the file is still there and not empty, or get the model again.", detail=str(error))
        ) from error  # fmt: skip


def _read(reader: _Reader, path: Path, magic: bytes) -> dict[str, Scalar]:
    refuse_pickle(path, magic)
    if magic != b"GGUF":
        raise damaged(path, "it does not begin like a GGUF file")
    reader.skip(4)
    version, _tensors, pairs = reader.number("<I"), reader.number("<Q"), reader.number("<Q")
    if version not in (2, 3) or pairs > _MOST_ENTRIES:
        raise damaged(path, "its header has an unknown version or an impossible count")
    table: dict[str, Scalar] = {}
    for _ in range(int(pairs)):
        key = reader.text()
        value = reader.value(int(reader.number("<I")))
        if value is not None:
            table[key] = value
    return table
