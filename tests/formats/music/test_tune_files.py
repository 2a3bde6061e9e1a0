"""Tunes as files: MIDI bytes read back as a sequencer would, and sound that is long, soft and clean enough."""

from __future__ import annotations

import io
import struct
import wave

import numpy as np
import pytest

from studio.core.failure import StudioError
from studio.formats.music.abc_tune import read_abc
from studio.formats.music.files import credit, tune_file
from studio.formats.music.midi import TICKS
from studio.formats.music.performance import perform
from studio.formats.music.sound import PEAK, RATE, render

MELODY = "X:1\nT:Wälder\nM:6/8\nL:1/8\nQ:1/4=120\nK:Em\nE3 G3|B6-|B3 [GB]3|E6|]\n"
CHORALE = (
    "X:1\nT:Chorale\nR:chorale\nM:4/4\nL:1/8\nK:Bb\n[V:S] f8|d8|]\n[V:A] d8|B8|]\n[V:T] B,8|F8|]\n[V:B] B,,8|B,,8|]\n"
)

Message = tuple[int, bytes]


def midi_of(abc: str) -> tuple[int, list[list[Message]]]:
    """The ticks to the quarter note, and each track as (tick, message)."""
    data = tune_file(abc, read_abc(abc), ".mid")
    length, form, count, ticks = struct.unpack(">IHHH", data[4:14])
    assert (data[:4], length, form) == (b"MThd", 6, 1)
    tracks, place = [], 14
    for _ in range(count):
        assert data[place : place + 4] == b"MTrk"
        (size,) = struct.unpack(">I", data[place + 4 : place + 8])
        tracks.append(messages(data[place + 8 : place + 8 + size]))
        place += 8 + size
    assert place == len(data)
    return ticks, tracks


def messages(data: bytes) -> list[Message]:
    found: list[Message] = []
    place = tick = 0
    while place < len(data):
        step, place = number(data, place)
        tick += step
        if data[place] == 0xFF:
            size, start = number(data, place + 2)
            found.append((tick, data[place : place + 2] + data[start : start + size]))
            place = start + size
        else:
            found.append((tick, data[place : place + 3]))
            place += 3
    assert found[-1][1] == b"\xff\x2f"
    return found


def number(data: bytes, place: int) -> tuple[int, int]:
    value = 0
    while True:
        value = value << 7 | data[place] & 0x7F
        place += 1
        if not data[place - 1] & 0x80:
            return value, place


def test_the_first_track_conducts() -> None:
    ticks, tracks = midi_of(MELODY)
    assert ticks == TICKS
    assert [message for _, message in tracks[0][:-1]] == [
        b"\xff\x03" + "Wälder".encode(),
        b"\xff\x51" + (500_000).to_bytes(3, "big"),
        b"\xff\x58\x06\x03\x24\x08",
        b"\xff\x59\x01\x01",
    ]
    assert tracks[0][-1][0] == 4 * 3 * TICKS


def test_notes_come_and_go_in_time() -> None:
    _, tracks = midi_of(MELODY)
    half = 3 * TICKS // 2
    played = [(tick, message[0] & 0xF0, message[1]) for tick, message in tracks[1] if message[0] < 0xF0]
    assert played == [
        (0, 0x90, 64),
        (half, 0x80, 64),
        (half, 0x90, 67),
        (2 * half, 0x80, 67),
        (2 * half, 0x90, 71),
        (5 * half, 0x80, 71),
        (5 * half, 0x90, 67),
        (5 * half, 0x90, 71),
        (6 * half, 0x80, 67),
        (6 * half, 0x80, 71),
        (6 * half, 0x90, 64),
        (8 * half, 0x80, 64),
    ]


def test_each_voice_has_a_track_and_a_channel() -> None:
    _, tracks = midi_of(CHORALE)
    assert len(tracks) == 5
    assert [track[0][1] for track in tracks[1:]] == [b"\xff\x03" + name for name in (b"S", b"A", b"T", b"B")]
    channels = [{message[0] & 0x0F for _, message in track if message[0] < 0xF0} for track in tracks[1:]]
    assert channels == [{0}, {1}, {2}, {3}]
    many = "M:4/4\nK:C\n" + "".join(f"[V:{number}] C8|]\n" for number in range(20))
    used = {message[0] & 0x0F for track in midi_of(many)[1][1:] for _, message in track if message[0] < 0xF0}
    assert used == set(range(16)) - {9}


@pytest.mark.parametrize("abc", [MELODY, CHORALE])
def test_sound_is_as_long_as_the_tune_and_below_full_scale(abc: str) -> None:
    tune = read_abc(abc)
    with wave.open(io.BytesIO(tune_file(abc, tune, ".wav"))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, RATE)
        frames = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    seconds = len(frames) / RATE
    assert perform(tune).seconds < seconds < perform(tune).seconds + 0.5
    loudest = np.abs(frames).max() / 32767
    assert loudest == pytest.approx(PEAK, abs=0.01)
    assert np.abs(frames[-1]).max() < 50
    assert np.sqrt(np.mean((frames / 32767) ** 2)) > 0.05


def test_sound_has_the_pitch_and_no_clicks() -> None:
    samples = render(perform(read_abc("M:4/4\nL:1/4\nQ:1/4=60\nK:C\nA4|]")))[:, 0]
    spectrum = np.abs(np.fft.rfft(samples[RATE // 2 : RATE // 2 + RATE]))
    assert int(spectrum.argmax()) == 440
    steps = np.abs(np.diff(samples))
    # A click is a step where a note begins or ends: there, the waves are still small or small already.
    steady = steps[RATE // 2 : RATE].max()
    assert steps[: RATE // 200].max() < steady / 2
    assert steps[-RATE // 2 :].max() < steady / 2
    assert steps.max() < 4 * steady
    low = render(perform(read_abc("M:4/4\nL:1/4\nQ:1/4=240\nK:C\nCEGc|c,e,g,c|]")))
    assert np.abs(low).max() <= PEAK + 1e-6


def test_each_file_says_how_it_came_to_be() -> None:
    note = credit("Tiny composer", 7)
    assert "Tiny composer, seed 7" in note
    tune = read_abc(MELODY)
    text, notes, sound = (tune_file(MELODY, tune, suffix, note) for suffix in (".abc", ".mid", ".wav"))
    assert f"\nN:{note}\nK:Em\n".encode() in text
    assert read_abc(text.decode()) == tune
    assert b"\xff\x01" + bytes((len(note),)) + note.encode() in notes
    assert note.encode() in sound
    assert struct.unpack("<I", sound[4:8])[0] == len(sound) - 8
    place, chunks = 12, []
    while place < len(sound):
        (size,) = struct.unpack("<I", sound[place + 4 : place + 8])
        chunks.append(sound[place : place + 4])
        place += 8 + size
    assert (place, chunks) == (len(sound), [b"fmt ", b"data", b"LIST"])


def test_what_cannot_be_played_is_said() -> None:
    nothing = read_abc("X:1\nM:4/4\nK:C\n")
    for suffix in (".mid", ".wav"):
        with pytest.raises(StudioError, match="no notes"):
            tune_file("", nothing, suffix)
    assert tune_file("X:1\nK:C\n", nothing, ".abc") == b"X:1\nK:C\n"
    endless = read_abc("M:4/4\nL:1/1\nQ:1/4=20\nK:C\n" + "C9|" * 30)
    with pytest.raises(StudioError, match="too long"):
        tune_file("", endless, ".wav")
