"""Rules under which each bar of a tune adds up to its metre, as a GBNF grammar: one rule for what is left of a bar.

Music is written as the composer learned it: bars apart by ` | `, a chorale in systems of two bars for each voice. The
first bar of a melody may be short, and the last one may then be what it lacks. Where a number of bars was asked for,
the rules know no end (`bars.BarGuard` makes it); elsewhere a few bars have to be there before it: a model that can't
finish a bar well would else rather finish the tune.
"""

from __future__ import annotations

from fractions import Fraction

from studio.core.requests import MusicRequest
from studio.core.tune_header import voice_names

_PARTS = 4  # of a unit length: the shortest note that is written
_LENGTHS = {"/4": 1, "/": 2, "3/4": 3, "": 4, "3/": 6, "2": 8, "3": 12, "7/": 14, "4": 16, "6": 24, "8": 32, "12": 48}
_TUPLETS = {
    "(3": (("/", "/", "/"), ("", "", ""), ("2", "2", "2")),
    "(3:2:2": (("2", ""), ("", "2")),
    "(2:3:2": (("", ""), ("2", "2")),
}
_TUPLET_LENGTHS = {"(3": Fraction(2, 3), "(3:2:2": Fraction(2, 3), "(2:3:2": Fraction(3, 2)}
_LONGEST_BAR = 96
_LEAST_BARS = 8
_LINE = 'line ::= "|" "|"? (" " | "\\n")'
_NOTES = """\
pitch ::= ("^^" | "__" | "^" | "_" | "=")? [A-Ga-g] (","? ","? "," | "'" "'"?)?
sound ::= pitch | "z"
gap ::= " "?
"""


def metre_grammar(request: MusicRequest) -> str | None:
    """The grammar, with the start symbol `root`; None for metres whose bars can't be counted in small steps."""
    full = Fraction(request.metre) / Fraction(request.unit_length) * _PARTS
    if full.denominator != 1 or not _PARTS <= full <= _LONGEST_BAR:
        return None
    bar = int(full)
    rules = [_NOTES, "bar-0 ::= gap"]
    rules += [f"bar-{left} ::= gap ({_next(left)})" for left in range(1, bar + 1)]
    rules.append(_music(request, bar))
    return "\n".join(rules) + "\n"


def _music(request: MusicRequest, bar: int) -> str:
    if request.kind == "chorale":
        return _chorale(bar, request.bars, voice_names(request))
    return _melody(bar, request.bars)


def _next(left: int) -> str:
    """What may come where `left` parts of the bar are still to be filled."""
    lengths = [f'{_literal(suffix)} "-"? bar-{left - length}' for suffix, length in _LENGTHS.items() if length <= left]
    ways = [f"sound ({' | '.join(lengths)})"]
    for mark, patterns in _TUPLETS.items():
        for pattern in patterns:
            length = sum(_LENGTHS[suffix] for suffix in pattern) * _TUPLET_LENGTHS[mark]
            if length.denominator == 1 and length <= left:
                notes = " gap ".join(f'sound {_literal(suffix)} "-"?' for suffix in pattern)
                ways.append(f'"{mark}" {notes} bar-{left - int(length)}')
    return " | ".join(ways)


def _literal(suffix: str) -> str:
    return f'"{suffix}"' if suffix else ""


def _melody(bar: int, bars: int) -> str:
    if bars:
        firsts = " | ".join(f"bar-{left}" for left in range(_PARTS, bar + 1, _PARTS))
        return f"root ::= ({firsts}) more\nmore ::= line bar-{bar} more\n{_LINE}"
    ways = [f'bar-{bar} (line bar-{bar}){{{_LEAST_BARS - 1},}} "|]"']
    ways += [
        f'bar-{left} (line bar-{bar}){{{_LEAST_BARS - 1},}} (line bar-{bar - left})? "|]"'
        for left in range(_PARTS, bar, _PARTS)
    ]
    return f'root ::= ({" | ".join(ways)}) "\\n"?\n{_LINE}'


def _chorale(bar: int, bars: int, voices: tuple[str, ...]) -> str:
    """Systems of two bars; the last one has one or two."""

    def system(first: str, end: str) -> str:
        return "".join(f' "[V:{voice}] " {first} bar-{bar} "{end}\\n"' for voice in voices)

    two = f'bar-{bar} "| "'
    rule = f"system ::={system(two, '|')}\n"
    if bars:
        return f"{rule}root ::= system root"
    return f"{rule}root ::= system{{{_LEAST_BARS // 2 - 1},}} ({system('', '|]')} | {system(two, '|]')})"
