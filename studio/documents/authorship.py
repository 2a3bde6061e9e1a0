"""Who wrote which words: an interval list beside the text.

A text-format property would be lost on copy and inherited by typing, so each document keeps runs of
(length, source) that follow every edit. Lengths are UTF-16 code units. No Qt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Literal

import msgspec

from studio.core.codec import decode, encode
from studio.core.failure import StudioError

Source = Literal["you", "generated"]
Runs = tuple[tuple[int, Source], ...]


class Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What lies on disk; `digest` is the SHA-256 of the text that the runs belong to."""

    digest: str
    runs: Runs


class Authorship:
    """The runs of one document."""

    def __init__(self, length: int = 0) -> None:
        self._runs: list[tuple[int, Source]] = [(length, "you")] if length else []

    @property
    def runs(self) -> Runs:
        """The runs, from the start of the text to its end."""
        return tuple(self._runs)

    def splice(self, position: int, removed: int, inserted: Iterable[tuple[int, Source]]) -> Runs:
        """Follow an edit; returns the runs of what was removed."""
        before, rest = _split(self._runs, position)
        gone, after = _split(rest, removed)
        self._runs = _joined([*before, *inserted, *after])
        return tuple(gone)

    def between(self, start: int, end: int) -> Runs:
        """The runs of a part of the text."""
        _, rest = _split(self._runs, start)
        part, _ = _split(rest, end - start)
        return tuple(part)

    def generated_share(self) -> float:
        """The generated part of the text, 0 to 1."""
        total = sum(length for length, _ in self._runs)
        generated = sum(length for length, source in self._runs if source == "generated")
        return generated / total if total else 0.0

    def replace(self, runs: Runs) -> None:
        """Take over stored runs."""
        self._runs = _joined(runs)


def encode_runs(text: bytes, runs: Runs) -> bytes:
    """The file beside the document whose bytes are `text`."""
    return encode(Stored(hashlib.sha256(text).hexdigest(), runs))


def decode_runs(text: bytes, stored: bytes) -> Runs | None:
    """The runs in `stored`, or None if they are damaged or belong to another state of the document."""
    try:
        found = decode(Stored, stored)
    except StudioError:
        return None
    return found.runs if found.digest == hashlib.sha256(text).hexdigest() else None


def _split(runs: Iterable[tuple[int, Source]], at: int) -> tuple[list[tuple[int, Source]], list[tuple[int, Source]]]:
    left: list[tuple[int, Source]] = []
    right: list[tuple[int, Source]] = []
    for length, source in runs:
        taken = max(0, min(length, at))
        if taken:
            left.append((taken, source))
        if length > taken:
            right.append((length - taken, source))
        at -= length
    return left, right


def _joined(runs: Iterable[tuple[int, Source]]) -> list[tuple[int, Source]]:
    joined: list[tuple[int, Source]] = []
    for length, source in runs:
        if length <= 0:
            continue
        if joined and joined[-1][1] == source:
            joined[-1] = (joined[-1][0] + length, source)
        else:
            joined.append((length, source))
    return joined
