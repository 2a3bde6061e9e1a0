"""Bringing together a text that was changed here and, at the same time, by another program."""

from __future__ import annotations

import msgspec


class Change(msgspec.Struct, frozen=True):
    """The lines `start` to `end` of the old text became `lines`."""

    start: int
    end: int
    lines: tuple[str, ...]


def single_change(old: str, new: str) -> Change:
    """The smallest run of whole lines whose replacement turns `old` into `new`."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    tail = 0
    while tail < min(len(before), len(after)) - start and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    return Change(start, len(before) - tail, tuple(after[start : len(after) - tail]))


def merge(base: str, ours: str, theirs: str) -> str | None:
    """Both changes in one text, or None where they touch the same lines.

    `base` is what both started from.
    """
    if theirs in (ours, base):
        return ours
    if ours == base:
        return theirs
    one, other = single_change(base, ours), single_change(base, theirs)
    first, second = (one, other) if (one.start, one.end) <= (other.start, other.end) else (other, one)
    if first.end > second.start or first.start == second.start:
        return None
    lines = base.splitlines(keepends=True)
    merged = [
        *lines[: first.start],
        *first.lines,
        *lines[first.end : second.start],
        *second.lines,
        *lines[second.end :],
    ]
    return "".join(merged)
