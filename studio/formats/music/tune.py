"""A tune as it is written: voices of bars of notes. Times are exact fractions of a whole note."""

from __future__ import annotations

from fractions import Fraction

import msgspec


class Metre(msgspec.Struct, frozen=True):
    """`beats` notes of 1/`unit` to the bar: 6/8 is not 3/4."""

    beats: int
    unit: int

    @property
    def length(self) -> Fraction:
        """How long a bar is."""
        return Fraction(self.beats, self.unit)

    @property
    def compound(self) -> bool:
        """Whether its beats are dotted: 6/8, 9/8, 12/8."""
        return self.beats > 3 and self.beats % 3 == 0 and self.unit >= 8


class Key(msgspec.Struct, frozen=True):
    """`fifths` sharps (below 0: flats); `minor` tells Em from G."""

    fifths: int
    minor: bool = False


class Note(msgspec.Struct, frozen=True):
    """One note in a bar: `start` counts from the bar line, `pitch` is MIDI's (60 is middle C).

    A `tied` note sounds on into the next one of its pitch.
    """

    start: Fraction
    length: Fraction
    pitch: int
    tied: bool = False


class Bar(msgspec.Struct, frozen=True):
    """From bar line to bar line. `opens` and `closes` mark repeats; `ending` is the pass that it is played in, or 0."""

    metre: Metre
    key: Key
    length: Fraction
    notes: tuple[Note, ...]
    opens: bool = False
    closes: bool = False
    ending: int = 0

    @property
    def fits(self) -> bool:
        """Whether it is as long as its metre wants."""
        return self.length == self.metre.length


class Voice(msgspec.Struct, frozen=True):
    """One line of the music. `ended`: it comes to a final bar line."""

    name: str
    bars: tuple[Bar, ...]
    ended: bool = True

    @property
    def odd_bars(self) -> tuple[int, ...]:
        """The numbers, from 1, of the bars that don't add up; the first and the last may be short (upbeats)."""
        inner = enumerate(self.bars[1:-1], start=2)
        return tuple(number for number, bar in inner if not bar.fits)


class Tune(msgspec.Struct, frozen=True):
    """What an ABC text holds. `tempo` is in quarter notes a minute.

    `headed`: metre and key are there, as a tune needs. `unreadable` counts characters without a meaning.
    `dropped` says in sentences what was left out.
    """

    title: str
    metre: Metre
    key: Key
    tempo: float
    voices: tuple[Voice, ...]
    headed: bool = True
    unreadable: int = 0
    dropped: tuple[str, ...] = ()
