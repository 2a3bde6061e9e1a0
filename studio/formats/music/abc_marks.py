"""The marks of ABC notation (standard 2.1, abcnotation.com) that are read: as text, and what their numbers mean."""

from __future__ import annotations

import re
from fractions import Fraction

from studio.formats.music.tune import Key, Metre

MARK = re.compile(
    r"\[(?P<ending>\d)(?:[,\-]\d)*|\[(?P<field>[A-Za-z]):(?P<value>[^\]\n]*)\]"
    r"|(?P<bar>:*\|+[\]:]*|::+|\[\|+)(?P<pass>\d)?(?:[,\-]\d)*"
    r"|(?P<chord>\[(?:[_^=]*[A-Ga-g][,']*[\d/]*-?)+\])|(?P<note>[_^=]*[A-Ga-g][,']*)|(?P<rest>[zx])"
    r"|\((?P<many>[1-9]\d?)(?::(?P<time>\d{0,2})(?::(?P<span>\d{0,2}))?)?"
    r"|(?P<broken>>{1,3}|<{1,3})|(?P<tie>-)"
    r"|(?P<silent>\{[^}\n]*\}|\"[^\"\n]*\"|![^!\n]*!|[().~`\s&\\vuTHJLMOPS])"
)
LENGTH = re.compile(r"(\d{0,3})(/{0,6})(\d{0,3})")
PITCH = re.compile(
    r"(?P<accidental>[_^=]*)(?P<letter>[A-Ga-g])(?P<octave>[,']*)"
    r"(?P<length>\d{0,3})(?P<slashes>/{0,6})(?P<under>\d{0,3})(?P<tie>-?)"
)
FIELD = re.compile(r"([A-Za-z]):(?![|:])\s*(.*)")

USUAL_TIME = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}
"""How many notes' time a tuplet takes where it does not say so (section 4.13); 5, 7 and 9 depend on the metre."""
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SHARPS = "FCGDAEB"
_MODES = {"maj": 0, "ion": 0, "mix": -1, "dor": -2, "m": -3, "min": -3, "aeo": -3, "phr": -4, "loc": -5, "lyd": 1}
_KEY = re.compile(r"(?P<tonic>[A-G])(?P<shift>[#b]?)\s*(?P<mode>[A-Za-z]*)")
_TEMPO = re.compile(r"(?<!\d)(?:(?P<over>\d{1,2})/(?P<under>\d{1,2})\s*=\s*)?(?P<rate>\d{1,3})(?![\d/])")
_SLOWEST, _FASTEST = 10, 1000  # quarter notes a minute
_LOWEST, _HIGHEST = 0, 127  # MIDI's


def read_metre(text: str) -> Metre | None:
    """The metre of an `M:` field, or None."""
    text = {"C": "4/4", "C|": "2/2"}.get(text.strip(), text.strip())
    found = re.fullmatch(r"([1-9]\d?)/(1|2|4|8|16|32|64)", text)
    return Metre(int(found[1]), int(found[2])) if found else None


def read_unit(text: str) -> Fraction | None:
    """The unit length of an `L:` field, or None."""
    found = re.fullmatch(r"([1-9]\d?)/([1-9]\d{0,2})", text.strip())
    return Fraction(int(found[1]), int(found[2])) if found else None


def read_key(text: str) -> Key | None:
    """The key of a `K:` field, or None; what follows tonic and mode (clefs) has no sound."""
    found = _KEY.match(text.strip())
    if found is None:
        return Key(0) if text.strip().lower().startswith(("none", "hp")) else None
    mode = found["mode"].lower()
    mode = "m" if mode == "m" else mode[:3]
    offset = _MODES.get(mode, 0)
    fifths = _SHARPS.index(found["tonic"]) - 1 + {"#": 7, "b": -7, "": 0}[found["shift"]]
    return Key(fifths + offset, minor=offset == -3)


def read_tempo(text: str, unit: Fraction) -> float | None:
    """The quarter notes a minute of a `Q:` field, or None."""
    found = _TEMPO.search(re.sub(r'"[^"]*"', "", text))
    if found is None:
        return None
    under = int(found["under"] or 0)
    beat = Fraction(int(found["over"]), under) if under else unit
    tempo = float(beat * 4 * int(found["rate"]))
    return tempo if _SLOWEST <= tempo <= _FASTEST else None


def multiple(over: str, slashes: str, under: str) -> Fraction:
    """How many unit lengths `over` `slashes` `under` behind a note mean: `3`, `/`, `3/2`, `//`."""
    top = int(over or 1)
    if not slashes:
        return Fraction(top)
    return Fraction(top, int(under) if under and int(under) else 2 ** len(slashes))


def key_alteration(key: Key, letter: str) -> int:
    """By how many semitones `key` raises the notes called `letter`."""
    return (key.fifths + 6 - _SHARPS.index(letter)) // 7


def written_alteration(accidental: str) -> int:
    """By how many semitones an accidental raises: `^^` two, `_` minus one, `=` none."""
    return max(-2, min(2, accidental.count("^") - accidental.count("_")))


def midi_pitch(letter: str, octave: int, alteration: int) -> int:
    """The MIDI number; `octave` 0 begins at middle C."""
    return max(_LOWEST, min(_HIGHEST, 60 + _STEPS[letter] + 12 * octave + alteration))
