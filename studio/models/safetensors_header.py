"""The header of a safetensors file, read without touching the weights.

Layout (huggingface/safetensors, "Format"): 8 bytes little-endian length N, N bytes of JSON mapping tensor
names to dtype, shape and data offsets, then the tensors' bytes.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import msgspec

from studio.core.failure import Failure, FailureCode, StudioError

LONGEST_HEADER = 100 * 1024 * 1024
_WIDTHS = {
    "F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2, "U16": 2,
    "F8_E4M3": 1, "F8_E5M2": 1, "I8": 1, "U8": 1, "BOOL": 1,
}  # fmt: skip
# A zip archive as torch.save makes it, and bare pickles of protocol 2 to 5.
_PICKLES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


class TensorEntry(msgspec.Struct, frozen=True):
    """One tensor: its dtype in safetensors' words, its shape and its bytes' range."""

    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


def read_safetensors_header(path: Path) -> dict[str, TensorEntry]:
    """The tensors of `path`, checked against the file's length.

    Raises `StudioError` (`MODEL_DAMAGED`, `MODEL_MISSING`, `MODEL_REFUSED`) saying what is wrong.
    """
    try:
        with path.open("rb") as file:
            prefix = file.read(8)
            # A length may read like a pickle's beginning; a sound file's table follows it at once, then.
            refuse_pickle(path, b"" if file.peek(1)[:1] == b"{" else prefix)
            length = int.from_bytes(prefix, "little")
            total = path.stat().st_size
            if len(prefix) < 8 or not 2 <= length <= min(LONGEST_HEADER, total - 8):
                raise damaged(path, "it does not begin like a safetensors file")
            raw = file.read(length)
    except OSError as error:
        raise StudioError(
            Failure(FailureCode.MODEL_MISSING, f"{path.name} can't be read: {error.strerror or error}.",
                    hint="Check that the file is still there, or get the model again.", detail=str(error))
        ) from error  # fmt: skip
    return _checked(path, raw, total - 8 - length)


def _checked(path: Path, raw: bytes, available: int) -> dict[str, TensorEntry]:
    try:
        table = json.loads(raw)
        table.pop("__metadata__", None)
        tensors: dict[str, TensorEntry] = msgspec.convert(table, dict[str, TensorEntry])
    except (ValueError, AttributeError, RecursionError, msgspec.ValidationError) as error:
        raise damaged(path, "its table of contents can't be read") from error
    for name, tensor in tensors.items():
        begin, end = tensor.data_offsets
        if not 0 <= begin <= end or min(tensor.shape, default=0) < 0:
            raise damaged(path, f"the tensor {name} has an impossible place")
        width = _WIDTHS.get(tensor.dtype)
        if width and end - begin != width * math.prod(tensor.shape):
            raise damaged(path, f"the tensor {name} has the wrong size")
        if end > available:
            raise damaged(path, f"it is cut off: {end - available:,} bytes are missing at its end")
    return tensors


def refuse_pickle(path: Path, start: bytes) -> None:
    """Raise `StudioError` (`MODEL_REFUSED`) if a file that begins with `start` is a Python pickle."""
    if start.startswith(_PICKLES):
        raise StudioError(
            Failure(
                FailureCode.MODEL_REFUSED,
                f"{path.name} is a Python pickle. Opening one can run hidden programs; the studio never does.",
                hint="Get the same model as .safetensors or .gguf.",
                detail=str(path),
            )
        )


def damaged(path: Path, reason: str) -> StudioError:
    """The error for weights that are not what they should be."""
    return StudioError(
        Failure(
            FailureCode.MODEL_DAMAGED,
            f"{path.name} is damaged: {reason}.",
            hint="Get this file again; the other models are not affected.",
            detail=str(path),
        )
    )
