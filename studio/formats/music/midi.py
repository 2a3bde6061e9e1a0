"""Standard MIDI files of format 1: a first track with tempo, metre and key, then one track for each voice.

Written by hand from the specification (Standard MIDI Files 1.0, MIDI Association): what is needed of it is shorter than
the use of a library would be.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from fractions import Fraction

from studio.formats.music.performance import Part, Performance

TICKS = 480
"""Ticks to the quarter note: triplets and 64th notes come out whole."""
_LOUDNESS = 80
_TEXT, _NAME, _TEMPO, _METRE, _KEY, _END = 0x01, 0x03, 0x51, 0x58, 0x59, 0x2F
_DRUMS = 9  # the channel that General MIDI keeps for them
_LONGEST_TEMPO = 0xFFFFFF

_Timed = tuple[int, int, bytes]
"""Tick, order within the tick, message."""


def write_midi(performance: Performance, note: str = "") -> bytes:
    """`performance` as the bytes of a MIDI file; `note` is kept in it as text."""
    tracks = [_conductor(performance, note)]
    tracks += [_track(part, number) for number, part in enumerate(performance.parts)]
    return b"MThd" + struct.pack(">IHHH", 6, 1, len(tracks), TICKS) + b"".join(tracks)


def _conductor(performance: Performance, note: str) -> bytes:
    microseconds = min(_LONGEST_TEMPO, round(60_000_000 / performance.tempo))
    messages = [
        (0, 0, _meta(_NAME, performance.title.encode())),
        *([(0, 0, _meta(_TEXT, note.encode()))] if note else []),
        (0, 1, _meta(_TEMPO, microseconds.to_bytes(3, "big"))),
    ]
    for change in performance.changes:
        tick = _tick(change.start)
        power = change.metre.unit.bit_length() - 1
        click = 36 if change.metre.compound else 24
        messages.append((tick, 2, _meta(_METRE, bytes((change.metre.beats, power, click, 8)))))
        if -7 <= change.key.fifths <= 7:  # more sharps than there are lines can't be written down
            messages.append((tick, 3, _meta(_KEY, struct.pack(">bB", change.key.fifths, change.key.minor))))
    return _chunk(messages, _tick(performance.length))


def _track(part: Part, number: int) -> bytes:
    channel = number % 15
    channel += channel >= _DRUMS
    messages: list[_Timed] = [(0, 0, _meta(_NAME, (part.name or "Melody").encode()))]
    end = 0
    for note in part.notes:
        start, stop = _tick(note.start), _tick(note.end)
        if stop > start:
            # Within a tick what ends comes before what begins, so that a repeated note is struck anew.
            messages.append((start, 2, bytes((0x90 | channel, note.pitch, _LOUDNESS))))
            messages.append((stop, 1, bytes((0x80 | channel, note.pitch, 0))))
            end = max(end, stop)
    return _chunk(messages, end)


def _chunk(messages: Sequence[_Timed], end: int) -> bytes:
    body = b"".join(_with_times([*messages, (end, 9, _meta(_END, b""))]))
    return b"MTrk" + struct.pack(">I", len(body)) + body


def _with_times(messages: Iterable[_Timed]) -> Iterable[bytes]:
    before = 0
    for tick, _, message in sorted(messages, key=lambda timed: timed[:2]):
        yield _variable(tick - before) + message
        before = tick


def _meta(kind: int, data: bytes) -> bytes:
    return bytes((0xFF, kind)) + _variable(len(data)) + data


def _variable(number: int) -> bytes:
    """`number` in groups of seven bits, all but the last one marked."""
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F | 0x80)
    return bytes(reversed(groups))


def _tick(time: Fraction) -> int:
    return round(time * 4 * TICKS)
