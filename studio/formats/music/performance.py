"""A tune as it sounds: repeats played out, tied notes joined, voices kept together at the bar lines."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

import msgspec
from msgspec.structs import replace

from studio.formats.music.tune import Bar, Key, Metre, Note, Tune, Voice

_MOST_BARS = 2000  # when played out; a text of nonsense may ask for more than anybody wants to hear


class Sounding(msgspec.Struct, frozen=True):
    """One note from `start` on for `length`, both in whole notes; `pitch` is MIDI's."""

    start: Fraction
    length: Fraction
    pitch: int

    @property
    def end(self) -> Fraction:
        """When it is over."""
        return self.start + self.length


class Part(msgspec.Struct, frozen=True):
    """What one voice plays, in the order of time."""

    name: str
    notes: tuple[Sounding, ...]


class Change(msgspec.Struct, frozen=True):
    """From `start` on, this metre and this key."""

    start: Fraction
    metre: Metre
    key: Key


class Performance(msgspec.Struct, frozen=True):
    """The whole: `length` in whole notes, `tempo` in quarter notes a minute. `changes` has at least one entry."""

    title: str
    tempo: float
    length: Fraction
    parts: tuple[Part, ...]
    changes: tuple[Change, ...]

    @property
    def seconds(self) -> float:
        """How long it takes."""
        return self.in_seconds(self.length)

    def in_seconds(self, time: Fraction) -> float:
        """`time`, given in whole notes."""
        return float(time) * 4 * 60 / self.tempo


def perform(tune: Tune) -> Performance:
    """Play `tune` on paper. The first voice says where repeats are, the longest bar how long each is."""
    leader = tune.voices[0].bars if tune.voices else ()
    order = list(itertools.islice(_unfolded(leader), _MOST_BARS))
    order += range(len(leader), max((len(voice.bars) for voice in tune.voices), default=0))
    starts: list[Fraction] = []
    time = Fraction(0)
    for at in order:
        starts.append(time)
        time += max(voice.bars[at].length for voice in tune.voices if at < len(voice.bars))
    return Performance(
        title=tune.title,
        tempo=tune.tempo,
        length=time,
        parts=tuple(Part(voice.name, _joined(_timed(voice, order, starts))) for voice in tune.voices),
        changes=_changes(tune, order, starts),
    )


def _unfolded(bars: Sequence[Bar]) -> Iterator[int]:
    """The numbers, from 0, of the bars in the order in which they are played; each repeat is taken once."""
    opened = 0
    place = 0
    taken: set[int] = set()
    turn = 1
    while place < len(bars):
        bar = bars[place]
        leaves_endings = not bar.ending and place > 0 and bool(bars[place - 1].ending)
        if (bar.opens or leaves_endings) and place != opened:
            opened, turn = place, 1
        if not bar.ending or bar.ending == turn:
            yield place
            if bar.closes and place not in taken:
                taken.add(place)
                turn += 1
                place = opened
                continue
        if bar.closes and turn > 1 and not (place + 1 < len(bars) and bars[place + 1].ending):
            opened, turn = place + 1, 1
        place += 1


def _timed(voice: Voice, order: Sequence[int], starts: Sequence[Fraction]) -> Iterator[Note]:
    for at, start in zip(order, starts, strict=True):
        if at < len(voice.bars):
            for note in voice.bars[at].notes:
                if note.length > 0:
                    yield replace(note, start=start + note.start)


def _joined(notes: Iterable[Note]) -> tuple[Sounding, ...]:
    """Tied notes become one; a tie that leads nowhere is none."""
    found: list[Sounding] = []
    held: dict[int, int] = {}
    for note in notes:
        at = held.pop(note.pitch, None)
        if at is not None and found[at].start < note.start:
            end = note.start + note.length
            found[at] = replace(found[at], length=end - found[at].start)
        else:
            at = len(found)
            found.append(Sounding(note.start, note.length, note.pitch))
        held = {pitch: other for pitch, other in held.items() if found[other].end >= note.start}
        if note.tied:
            held[note.pitch] = at
    return tuple(found)


def _changes(tune: Tune, order: Sequence[int], starts: Sequence[Fraction]) -> tuple[Change, ...]:
    changes = [Change(Fraction(0), tune.metre, tune.key)]
    for at, start in zip(order, starts, strict=True):
        bar = next(voice.bars[at] for voice in tune.voices if at < len(voice.bars))
        if (bar.metre, bar.key) != (changes[-1].metre, changes[-1].key):
            new = Change(start, bar.metre, bar.key)
            changes = [new] if start == 0 else [*changes, new]
    return tuple(changes)
