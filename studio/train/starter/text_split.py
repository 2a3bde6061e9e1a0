"""Which records are for training, which for validation, and which were held back altogether."""

from __future__ import annotations

import hashlib
import lzma
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

Record = TypeVar("Record", bound=msgspec.Struct)

HELD_BACK = range(3)
"""Buckets that are not in the training data at all."""
VALIDATION = range(3, 6)
"""Buckets that the training leaves alone, to measure itself on."""


def bucket(key: str) -> int:
    """The bucket 0–99 of a record's key, by the rule in PROVENANCE.md."""
    return int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) % 100


def text_bucket(text: str) -> int:
    """The bucket of a record whose key is the SHA-256 of its text: prose, code, music."""
    return bucket(hashlib.sha256(text.encode()).hexdigest())


def read_records(path: Path, kind: type[Record]) -> list[Record]:
    """All records of a ``.jsonl.xz`` file.

    Raises:
        FileNotFoundError: the data folder lacks the file; the message names it.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing. The data folder must hold the files that PROVENANCE.md lists.")
    decoder = msgspec.json.Decoder(kind)
    with lzma.open(path, "rb") as stream:
        return [decoder.decode(line) for line in stream if line.strip()]


class Split(msgspec.Struct, frozen=True):
    """Which buckets to learn from and which to measure on, for one data folder."""

    measured: range

    def learns(self, number: int) -> bool:
        """Whether records of this bucket are for training."""
        return number not in HELD_BACK and number not in VALIDATION

    def measures(self, number: int) -> bool:
        """Whether records of this bucket are for measuring."""
        return number in self.measured


def find_split(buckets: Sequence[int]) -> Split:
    """A folder that holds nothing but held-back buckets is measured whole; else its validation buckets are."""
    if buckets and all(number in HELD_BACK for number in buckets):
        return Split(range(100))
    return Split(VALIDATION)
