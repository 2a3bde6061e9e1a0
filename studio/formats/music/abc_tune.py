"""ABC notation, as far as songs and chorales need it, read into a tune.

Nothing is refused: unknown marks are counted and skipped, and where the text breaks off, whole bars are kept and it
is said what was left out. Left out of the notation are grace notes, ornaments, words and layout.
"""

from __future__ import annotations

import re
from fractions import Fraction

from msgspec.structs import replace

from studio.formats.music.abc_line import AbcLine
from studio.formats.music.abc_marks import FIELD, read_key, read_metre, read_tempo, read_unit
from studio.formats.music.tune import Key, Metre, Tune, Voice

_VOICE = re.compile(r"\[V:\s*([^\s\]]+)[^\]]*\]")
_BEGUN = re.compile(r"\[[^\]|\n]*\Z")  # a field or a chord whose end was cut off
_HYMN, _SONG, _JIG = 84.0, 100.0, 108.0
"""Usual tempos in quarter notes a minute, where the text gives none: chorales, songs, dotted beats (72 of them)."""


def read_abc(abc: str) -> Tune:
    """The first tune in `abc`. Never raises; a text without music gives a tune without voices."""
    reader = _Reader()
    abc = abc.replace("\r\n", "\n").replace("\r", "\n")
    for line in _BEGUN.sub("", abc).split("\n"):
        reader.read(line)
    return reader.tune()


class _Reader:
    """Sorts lines into fields and music, and music into voices."""

    def __init__(self) -> None:
        self._fields: dict[str, str] = {}
        self._metre: Metre | None = None
        self._key: Key | None = None
        self._unit: Fraction | None = None
        self._lines: dict[str, AbcLine] = {}
        self._current = ""

    def read(self, line: str) -> None:
        """Take in one line."""
        if not line.strip() or line.startswith("%"):
            return
        field = FIELD.match(line)
        if field is not None:
            self._field(field[1], field[2].split("%")[0].strip())
            return
        line = line.split("%", maxsplit=1)[0].removesuffix("\\")
        place = 0
        for found in _VOICE.finditer(line):
            self._music(line[place : found.start()])
            self._current = found[1]
            place = found.end()
        self._music(line[place:])

    def tune(self) -> Tune:
        """All that was read."""
        cut = [line.name for line in self._lines.values() if line.end()]
        voices = [line.voice() for line in self._lines.values()]
        voices, trimmed = _even([voice for voice in voices if voice.bars])
        metre = self._metre or Metre(4, 4)
        tempo = read_tempo(self._fields.get("Q", ""), self._unit or Fraction(1, 8))
        return Tune(
            title=self._fields.get("T", ""),
            metre=metre,
            key=self._key or Key(0),
            tempo=tempo or self._usual_tempo(metre),
            voices=tuple(voices),
            headed=self._metre is not None and self._key is not None,
            unreadable=sum(line.unreadable for line in self._lines.values()),
            dropped=_dropped(cut, trimmed),
        )

    def _field(self, letter: str, value: str) -> None:
        if letter == "V":
            self._current = value.split(maxsplit=1)[0] if value.split() else self._current
        elif self._lines:
            for line in self._lines.values() if letter in "ML" else [self._line()]:
                line.change(letter, value)
        elif letter == "M":
            self._metre = read_metre(value) or self._metre
        elif letter == "L":
            self._unit = read_unit(value) or self._unit
        elif letter == "K":
            self._key = read_key(value) or self._key
            self._current = ""  # the voices that were described before have not begun
        else:
            self._fields.setdefault(letter, value)

    def _music(self, text: str) -> None:
        if text.strip():
            self._line().read(text)

    def _line(self) -> AbcLine:
        if self._current not in self._lines:
            metre = self._metre or Metre(4, 4)
            # The standard's own rule where no unit length is given (section 3.1.7).
            unit = self._unit or Fraction(1, 16 if metre.length < Fraction(3, 4) else 8)
            self._lines[self._current] = AbcLine(self._current, unit, metre, self._key or Key(0))
        return self._lines[self._current]

    def _usual_tempo(self, metre: Metre) -> float:
        if self._fields.get("R", "").lower() == "chorale":
            return _HYMN
        return _JIG if metre.compound else _SONG


def _even(voices: list[Voice]) -> tuple[list[Voice], int]:
    """The voices, and how many bars were taken off: where the end is missing, what only some of them still have."""
    lengths = [len(voice.bars) for voice in voices]
    if len(set(lengths)) < 2 or all(voice.ended for voice in voices):
        return voices, 0
    shortest = min(lengths)
    return [replace(voice, bars=voice.bars[:shortest]) for voice in voices], max(lengths) - shortest


def _dropped(cut: list[str], trimmed: int) -> tuple[str, ...]:
    said: list[str] = []
    if cut:
        whose = f" of voice {cut[-1]}" if cut[-1] else ""
        said.append(f"The text breaks off within a bar{whose}; that bar was left out.")
    if trimmed:
        bars, were = ("bar", "was") if trimmed == 1 else (f"{trimmed} bars", "were")
        said.append(f"The last {bars} had not been written for every voice yet, and {were} left out.")
    return tuple(said)
