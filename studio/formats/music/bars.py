"""Whether ABC notation parses, and whether its bars add up to the metre."""

from __future__ import annotations

import msgspec

from studio.formats.music.abc_tune import read_abc
from studio.formats.music.tune import Tune


class Bars(msgspec.Struct, frozen=True):
    """What was found: `parsed`, and how many inner bars there are and fit."""

    parsed: bool
    bars: int
    fitting: int


def check_tune(abc: str) -> Bars:
    """Read `abc` strictly: each mark must have a meaning, and metre and key must be there."""
    return check_bars(read_abc(abc))


def check_bars(tune: Tune) -> Bars:
    """The bars of `tune`; first and last bar of each voice may be short (upbeats)."""
    if not tune.headed or tune.unreadable or not tune.voices:
        return Bars(parsed=False, bars=0, fitting=0)
    inner = sum(max(0, len(voice.bars) - 2) for voice in tune.voices)
    return Bars(parsed=True, bars=inner, fitting=inner - sum(len(voice.odd_bars) for voice in tune.voices))
