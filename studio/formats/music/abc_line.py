"""One voice of a tune while it is read: notes gather in a bar, accidentals last to its end, bar lines close it."""

from __future__ import annotations

from fractions import Fraction

from msgspec.structs import replace

from studio.formats.music.abc_marks import (
    LENGTH,
    MARK,
    PITCH,
    USUAL_TIME,
    key_alteration,
    midi_pitch,
    multiple,
    read_key,
    read_metre,
    read_unit,
    written_alteration,
)
from studio.formats.music.tune import Bar, Key, Metre, Note, Voice

Place = tuple[str, int]
"""A line of the staff: letter and octave."""


class AbcLine:
    """Reads the text of one voice, in as many pieces as it comes in."""

    def __init__(self, name: str, unit: Fraction, metre: Metre, key: Key) -> None:
        self.name = name
        self.unreadable = 0
        self.bars: list[Bar] = []
        self._unit, self._metre, self._key = unit, metre, key
        self._notes: list[Note] = []
        self._length = Fraction(0)
        self._last: list[int] = []  # the notes of the last chord or note, as places in `_notes`
        self._last_length = Fraction(0)
        self._accidentals: dict[Place, int] = {}
        self._tied: dict[Place, int] = {}
        self._sounding: dict[Place, int] = {}
        self._tuplet, self._left = Fraction(1), 0
        self._stretch = Fraction(1)  # what a broken rhythm makes of the next note
        self._opens, self._ending = True, 0
        self._final = False

    def read(self, text: str) -> None:
        """Take in `text`; what has no meaning is counted and skipped."""
        place = 0
        while place < len(text):
            found = MARK.match(text, place)
            if found is None:
                self.unreadable += 1
                place += 1
                continue
            place = found.end()
            if found["note"] or found["chord"] or found["rest"]:
                times, place = _length_at(text, place)
                self._sound(found["note"] or found["chord"] or "", times)
            elif found["many"]:
                self._begin_tuplet(int(found["many"]), found["time"], found["span"])
            elif found["field"]:
                self.change(found["field"], found["value"])
            elif found["bar"]:
                self._bar_line(found["bar"], found["pass"])
            elif found["ending"]:
                self._ending = int(found["ending"])
            elif found["broken"]:
                self._break(found["broken"])
            elif found["tie"]:
                self._tie()

    def change(self, field: str, value: str) -> None:
        """A field between the notes: another metre, key or unit length from here on."""
        if field == "M":
            self._metre = read_metre(value) or self._metre
        elif field == "L":
            self._unit = read_unit(value) or self._unit
        elif field == "K":
            self._key = read_key(value) or self._key

    def end(self) -> bool:
        """Nothing more comes. A last bar without its bar line counts if it is full, or the only one; else it is
        dropped. Whether it was.
        """
        if not self._length:
            return False
        keeps = self._length == self._metre.length or not self.bars
        if keeps:
            self._close()
        self._final = False
        return not keeps

    def voice(self) -> Voice:
        """What has been read, in whole bars."""
        return Voice(self.name, tuple(self.bars), ended=self._final)

    # Notes

    def _sound(self, marks: str, times: Fraction) -> None:
        """A note, the notes of a chord, or, without `marks`, a rest; `times` the unit length."""
        times *= self._unit * self._stretch
        if self._left:
            times *= self._tuplet
            self._left -= 1
        self._stretch = Fraction(1)
        tied, self._tied, self._sounding = self._tied, {}, {}
        self._last = []
        self._last_length = times
        for found in PITCH.finditer(marks):
            place = (found["letter"].upper(), _octave(found["letter"], found["octave"]))
            length = times * multiple(found["length"], found["slashes"], found["under"])
            if not self._last:
                self._last_length = length  # a chord is as long as its first note
            self._last.append(len(self._notes))
            pitch = midi_pitch(*place, self._alteration(place, found["accidental"], tied))
            self._notes.append(Note(self._length, length, pitch, tied=bool(found["tie"])))
            if found["tie"]:
                self._tied[place] = self._sounding[place]
        self._length += self._last_length

    def _alteration(self, place: Place, accidental: str, tied: dict[Place, int]) -> int:
        letter, _ = place
        if accidental:
            self._accidentals[place] = written_alteration(accidental)
        elif place in tied:
            self._sounding[place] = tied[place]
            return tied[place]
        found = self._accidentals.get(place)
        self._sounding[place] = key_alteration(self._key, letter) if found is None else found
        return self._sounding[place]

    def _tie(self) -> None:
        """The last note or chord sounds on; an accidental on it lasts over the bar line with it."""
        for at in self._last:
            self._notes[at] = replace(self._notes[at], tied=True)
        self._tied = dict(self._sounding)

    # Rhythm

    def _begin_tuplet(self, many: int, time: str | None, span: str | None) -> None:
        usual = USUAL_TIME.get(many, 3 if self._metre.compound else 2)
        self._tuplet = Fraction(int(time or 0) or usual, many)
        self._left = int(span or 0) or many

    def _break(self, marks: str) -> None:
        """`>` lengthens the last note by half and halves the next one; `<` the other way round."""
        short = Fraction(1, 2 ** len(marks))
        before, self._stretch = (2 - short, short) if marks[0] == ">" else (short, 2 - short)
        for at in self._last:
            self._notes[at] = replace(self._notes[at], length=self._notes[at].length * before)
        self._length += self._last_length * (before - 1)
        self._last_length *= before

    # Bars

    def _bar_line(self, marks: str, played: str | None) -> None:
        if self._length:
            self._close(closes=marks.startswith(":"))
        elif marks.startswith(":") and self.bars:
            self.bars[-1] = replace(self.bars[-1], closes=True)
        self._final = "]" in marks or marks.startswith(":")
        self._opens = self._opens or marks.endswith(":")
        if played:
            self._ending = int(played)
        elif len(marks) > 1:
            self._ending = 0
        self._accidentals.clear()

    def _close(self, *, closes: bool = False) -> None:
        bar = Bar(self._metre, self._key, self._length, tuple(self._notes), self._opens, closes, self._ending)
        self.bars.append(bar)
        self._notes, self._length, self._last = [], Fraction(0), []
        self._last_length = Fraction(0)
        self._opens = False


def _length_at(text: str, place: int) -> tuple[Fraction, int]:
    """The multiple of the unit length that stands at `place`, and where it ends."""
    found = LENGTH.match(text, place)
    return (multiple(found[1], found[2], found[3]), found.end()) if found else (Fraction(1), place)


def _octave(letter: str, marks: str) -> int:
    return (1 if letter.islower() else 0) + marks.count("'") - marks.count(",")
