"""What a model is held against: xz, a 5-gram model over bytes, and its own training text."""

from __future__ import annotations

import lzma
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Counts = tuple[NDArray[np.int64], NDArray[np.int64]]

ORDER = 5
PROBE = 24


def xz_bits_per_byte(text: bytes) -> float:
    """Size of ``text`` under xz at its strongest, in bits per byte of text."""
    return 8 * len(lzma.compress(text, preset=9 | lzma.PRESET_EXTREME)) / len(text)


def ngram_bits_per_byte(learn: bytes, measure: bytes, order: int = ORDER) -> float:
    """Bits per byte of ``measure`` under an interpolated byte n-gram model of ``learn``.

    Witten–Bell smoothing (Witten and Bell 1991): the chance of byte c after context h is
    ``(count(hc) + kinds(h) · shorter(c)) / (count(h) + kinds(h))``, down to a uniform 1/256.
    """
    chance = np.full(len(measure), 1 / 256)
    for size in range(1, order + 1):
        grams, counts = _count(_packed(learn, size))
        contexts, first = np.unique(grams >> 8, return_index=True)
        totals = np.add.reduceat(counts, first)
        kinds = np.diff(np.append(first, len(grams)))
        wanted = _packed(measure, size)
        here = _look_up((grams, counts), wanted)
        total = _look_up((contexts, totals), wanted >> 8)
        kind = _look_up((contexts, kinds.astype(np.int64)), wanted >> 8)
        shorter = chance[size - 1 :]
        seen = total > 0
        better = (here + kind * shorter) / np.maximum(total + kind, 1)
        chance[size - 1 :] = np.where(seen, better, shorter)
    return float(-np.log2(chance).mean())


def _packed(text: bytes, size: int) -> NDArray[np.int64]:
    """Every run of ``size`` bytes as one number."""
    values = np.frombuffer(text, np.uint8).astype(np.int64)
    packed = np.zeros(len(values) - size + 1, np.int64)
    for place in range(size):
        packed = (packed << 8) | values[place : place + len(packed)]
    return packed


def _count(values: NDArray[np.int64]) -> Counts:
    found, counts = np.unique(values, return_counts=True)
    return found, counts.astype(np.int64)


def _look_up(table: Counts, wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    keys, values = table
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], 0)


class Memory:
    """Finds the longest passage that a text has in common with the training text."""

    def __init__(self, documents: Sequence[str]) -> None:
        """Hash every run of ``PROBE`` bytes of ``documents``."""
        self._text = "\n\n".join(documents).encode()
        self._known = np.unique(_hashes(self._text))

    def longest_overlap(self, text: str) -> str:
        """The longest span of ``text`` that stands verbatim in the training text; empty below ``PROBE`` bytes."""
        raw = text.encode()
        if len(raw) < PROBE:
            return ""
        hashes = _hashes(raw)
        place = np.minimum(np.searchsorted(self._known, hashes), len(self._known) - 1)
        best = b""
        for start in np.flatnonzero(self._known[place] == hashes):
            begin = int(start)
            while raw[begin : begin + max(PROBE, len(best) + 1)] in self._text:
                longer = raw[begin : begin + max(PROBE, len(best) + 1)]
                if len(longer) <= len(best):
                    break
                best = longer
        return best.decode(errors="replace")


def _hashes(text: bytes) -> NDArray[np.uint64]:
    values = np.frombuffer(text, np.uint8).astype(np.uint64)
    result = np.zeros(len(values) - PROBE + 1, np.uint64)
    for place in range(PROBE):
        result = result * np.uint64(1099511628211) + values[place : place + len(result)]
    return result
