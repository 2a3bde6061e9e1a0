"""Checks ABC notation: does it parse, and do its bars add up to the metre?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from studio.train.starter.text_play import Player

_TOKEN = re.compile(
    r"(?P<chord>\[[^\]|:]*\])|(?P<note>[_^=]*[A-Ga-gzx][,']*)|(?P<tuplet>\((?P<many>[2-9])(?::\d*(?::\d*)?)?)"
    r"|(?P<grace>\{[^}]*\})|(?P<quoted>\"[^\"]*\"|![^!]*!)|(?P<bar>\|\]|\|\||:\||\|:|::|\|)|(?P<broken>[<>]+)"
    r"|(?P<mark>[()~.\-\s&\\vuTHJLMOPS])|(?P<length>\d*/*\d*)"
)
_LENGTH = re.compile(r"(\d*)(/*)(\d*)")
_TUPLETS = {2: Fraction(3, 2), 3: Fraction(2, 3), 4: Fraction(3, 4), 5: Fraction(2, 5), 6: Fraction(1, 3)}


class Bars:
    """What was found: ``parsed``, and how many full bars there are and fit."""

    def __init__(self, *, parsed: bool, bars: int, fitting: int) -> None:
        self.parsed, self.bars, self.fitting = parsed, bars, fitting


def check_tune(abc: str) -> Bars:
    """Read ``abc``; first and last bar of each voice may be short (upbeats)."""
    fields = dict(re.findall(r"^([A-Z]):\s*(.*)$", abc, re.MULTILINE))
    metre, unit = _fraction(fields.get("M", "")), _fraction(fields.get("L", "1/8"))
    if metre is None or unit is None or "K" not in fields:
        return Bars(parsed=False, bars=0, fitting=0)
    voices: dict[str, list[Fraction]] = {}
    for line in abc.split("\n"):
        if re.match(r"^[A-Za-z]:|^%|^\s*$", line):
            continue
        voice = re.match(r"\[V:(\w+)\]", line)
        body = line[voice.end() :] if voice else line
        lengths = _bar_lengths(body, unit)
        if lengths is None:
            return Bars(parsed=False, bars=0, fitting=0)
        voices.setdefault(voice.group(1) if voice else "", []).extend(lengths)
    inner = [length for lengths in voices.values() for length in lengths[1:-1]]
    fitting = sum(length == metre for length in inner)
    return Bars(parsed=bool(voices), bars=len(inner), fitting=fitting)


def _fraction(text: str) -> Fraction | None:
    text = {"C": "4/4", "C|": "2/2"}.get(text.strip(), text.strip())
    return Fraction(text) if re.fullmatch(r"[1-9]\d*/[1-9]\d*", text) else None


def _bar_lengths(line: str, unit: Fraction) -> list[Fraction] | None:
    """Lengths of the bars of one line, None where a character has no meaning."""
    bars, current, place = [], Fraction(0), 0
    tuplet, left = Fraction(1), 0
    while place < len(line):
        found = _TOKEN.match(line, place)
        if found is None or found.end() == place:
            return None
        place = found.end()
        if found["note"] or (found["chord"] and not found["chord"].startswith("[K")):
            span = _LENGTH.match(line, place)
            place = span.end() if span else place
            current += unit * _multiple(span.groups() if span else ("", "", "")) * (tuplet if left else 1)
            left = max(0, left - 1)
        elif found["tuplet"]:
            left = int(found["many"])
            tuplet = _TUPLETS.get(left, Fraction(1))
        elif found["bar"] and current:
            bars.append(current)
            current = Fraction(0)
    return [*bars, current] if current else bars


def _multiple(parts: Sequence[str]) -> Fraction:
    over, slashes, under = parts
    if not slashes:
        return Fraction(int(over or 1))
    return Fraction(int(over or 1), int(under) if under and int(under) else 2 ** len(slashes))


def evaluate_tunes(player: Player, documents: Sequence[str], count: int) -> dict[str, object]:
    """Tunes written from held-out headers: share that parses, share of inner bars that add up to the metre."""
    parsed = bars = fitting = 0
    chosen = [text for text in documents if "K:" in text][:count]
    for seed, text in enumerate(chosen):
        key = re.search(r"^K:.*$", text, re.MULTILINE)
        head = text[: key.end() + 1] if key else text
        reply = player.write([player.end, *player.tokens(head)], 600, temperature=0.8, seed=seed)
        body = reply.text if reply.ended else reply.text[: reply.text.rfind("\n") + 1]
        result = check_tune(head + body)
        parsed, bars, fitting = parsed + result.parsed, bars + result.bars, fitting + result.fitting
    return {
        "tunes_parse": round(parsed / max(1, len(chosen)), 3),
        "bars_add_up": round(fitting / max(1, bars), 3),
        "tunes_counted": len(chosen),
    }
