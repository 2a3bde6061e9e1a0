"""Sizes, durations and keys as people read them."""

from __future__ import annotations

import sys

from PySide6.QtGui import QKeySequence

_SIGNS = {"Return": "⏎", "Enter": "⏎", "Up": "↑", "Down": "↓", "Left": "←", "Right": "→", "Comma": ","}


def size_words(size: float) -> str:
    """Bytes in decimal units: `24 MB`, `2.5 GB`."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale * 0.9995:
            value = size / scale
            return f"{value:.1f} {unit}" if value < 9.95 and unit == "GB" else f"{value:.0f} {unit}"
    return f"{size:.0f} bytes"


def duration_words(seconds: float) -> str:
    """A duration with the precision that fits it: `0.4 s`, `12 s`, `3 min`, `1 h 20 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def count_words(count: int, one: str, many: str = "") -> str:
    """`1 job`, `3 jobs`; thousands get a comma."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def keys_words(shortcut: str) -> str:
    """A shortcut in portable notation as the window shows it: `Ctrl+Return` is `Ctrl ⏎`."""
    if not shortcut:
        return ""
    if sys.platform == "darwin":
        return QKeySequence(shortcut).toString(QKeySequence.SequenceFormat.NativeText)
    names = shortcut.replace("++", "+Plus").split("+")
    return " ".join(_SIGNS.get(name, name.replace("Plus", "+")) for name in names)


def tip(text: str, shortcut: str = "") -> str:
    """A tooltip: what it does and its shortcut."""
    return f"{text} ({keys_words(shortcut)})" if shortcut else text
