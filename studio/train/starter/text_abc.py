"""Checks ABC notation: does it parse, and do its bars add up to the metre?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from studio.train.starter.text_play import Player

_TOKEN = re.compile(
    r"\[(?P<ending>\d(?:[,\-]\d)*)|\[(?P<field>[A-Z]):(?P<value>[^\]]*)\]"
    r"|(?P<chord>\[[^\]|:]*\])|(?P<note>[_^=]*[A-Ga-gzx][,']*)"
    r"|\((?P<many>[2-9])(?::(?P<time>\d*)(?::(?P<span>\d*))?)?"
    r"|(?P<grace>\{[^}]*\})|(?P<quoted>\"[^\"]*\"|![^!]*!)|(?P<bar>\|\]|\|\||:\||\|:|::|\|)"
    r"|(?P<mark>[()~.\-\s&\\vuTHJLMOPS])"
)
_LENGTH = re.compile(r"(\d*)(/*)(\d*)")
_USUAL_TIME = {2: 3, 3: 2, 4: 3, 5: 2, 6: 2, 7: 2, 8: 3, 9: 2}
"""How many notes' time a tuplet takes where it does not say so (ABC standard 2.1, section 4.13)."""


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
    voices: dict[str, _Voice] = {}
    for line in abc.split("\n"):
        if re.match(r"^[A-Za-z]:|^%|^\s*$", line):
            continue
        named = re.match(r"\[V:(\w+)\]", line)
        voice = voices.setdefault(named.group(1) if named else "", _Voice(unit, metre))
        if not voice.read(line[named.end() :] if named else line):
            return Bars(parsed=False, bars=0, fitting=0)
    inner = [fits for voice in voices.values() for fits in voice.fits[1:-1]]
    return Bars(parsed=bool(voices), bars=len(inner), fitting=sum(inner))


def _fraction(text: str) -> Fraction | None:
    text = {"C": "4/4", "C|": "2/2"}.get(text.strip(), text.strip())
    return Fraction(text) if re.fullmatch(r"[1-9]\d*/[1-9]\d*", text) else None


class _Voice:
    """Adds up one voice, bar by bar; ``fits`` tells for each bar whether it is as long as the metre."""

    def __init__(self, unit: Fraction, metre: Fraction) -> None:
        self.fits: list[bool] = []
        self._unit, self._metre = unit, metre
        self._length = Fraction(0)
        self._tuplet, self._left = Fraction(1), 0

    def read(self, line: str) -> bool:
        """Read one line; False where a character has no meaning."""
        place = 0
        while place < len(line):
            found = _TOKEN.match(line, place)
            if found is None:
                return False
            place = found.end()
            if found["note"] or found["chord"]:
                length = _LENGTH.match(line, place)
                place = length.end() if length else place
                self._add(_multiple(length.groups() if length else ("", "", "")))
            elif found["many"]:
                many = int(found["many"])
                self._tuplet = Fraction(int(found["time"] or _USUAL_TIME[many]), many)
                self._left = int(found["span"] or many)
            elif found["field"]:
                self._change(found["field"], found["value"])
            elif found["bar"]:
                self._close()
        self._close()
        return True

    def _add(self, multiple: Fraction) -> None:
        self._length += self._unit * multiple * (self._tuplet if self._left else 1)
        self._left = max(0, self._left - 1)

    def _change(self, field: str, value: str) -> None:
        if field == "M":
            self._metre = _fraction(value) or self._metre
        elif field == "L":
            self._unit = _fraction(value) or self._unit

    def _close(self) -> None:
        if self._length:
            self.fits.append(self._length == self._metre)
        self._length = Fraction(0)


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
