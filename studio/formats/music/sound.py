"""A tune as sound: each note a few sines that die away, played softly in, and written as a WAV file.

A small instrument of our own, between a harp and an organ: enough to hear what was written, offline, on any machine.
"""

from __future__ import annotations

import io
import struct
import wave

import numpy as np
import numpy.typing as npt

from studio.core.failure import Failure, FailureCode, StudioError
from studio.formats.music.performance import Performance, Sounding

RATE = 44_100
PEAK = 0.7
"""The loudest sample, of full scale 1."""
LONGEST_SECONDS = 15 * 60
_HARMONICS = ((1, 1.0), (2, 0.42), (3, 0.22), (4, 0.10), (5, 0.06), (6, 0.03))
"""Multiple of the pitch, loudness. Higher ones die away sooner."""
_DECAY, _LEFT = 1.1, 0.35
"""How fast the first harmonic falls, in 1/s, and to which share: what remains sings on under long notes."""
_ATTACK, _RELEASE, _TAIL = 0.018, 0.14, 0.4  # seconds
_HIGHEST = 0.45  # of the rate; what is above would come back as another pitch
_WIDTH = 0.5  # how far apart the voices sit: 0 in the middle, 1 hard left to hard right

Samples = npt.NDArray[np.float32]


def write_wav(performance: Performance, note: str = "") -> bytes:
    """`performance` as a WAV file: stereo, 16 bits, with its title and `note`.

    Raises `StudioError` where it would be too long.
    """
    samples = np.round(render(performance) * 32767).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    data = buffer.getvalue() + _information({b"INAM": performance.title, b"ICMT": note})
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:]


def _information(texts: dict[bytes, str]) -> bytes:
    """The chunk of a RIFF file that players show words from (RIFF specification, `LIST` of type `INFO`)."""
    body = b"INFO"
    for name, text in texts.items():
        raw = text.encode() + b"\0"
        body += name + struct.pack("<I", len(raw)) + raw + b"\0" * (len(raw) % 2)
    return b"LIST" + struct.pack("<I", len(body)) + body


def render(performance: Performance) -> Samples:
    """The samples, frames by two, none beyond `PEAK`."""
    if performance.seconds > LONGEST_SECONDS:
        raise StudioError(
            Failure(
                FailureCode.INPUT_DAMAGED,
                f"This tune would sound for {performance.seconds / 60:.0f} minutes, too long for a WAV file.",
                hint="Write it as MIDI or ABC, or ask for fewer bars.",
            )
        )
    frames = round((performance.seconds + _TAIL) * RATE)
    mixed = np.zeros((frames, 2), np.float32)
    count = len(performance.parts)
    for number, part in enumerate(performance.parts):
        side = _WIDTH * (2 * number / (count - 1) - 1) if count > 1 else 0.0
        gains = np.array([np.cos((side + 1) * np.pi / 4), np.sin((side + 1) * np.pi / 4)], np.float32)
        for note in part.notes:
            start = round(performance.in_seconds(note.start) * RATE)
            sound = _sound(note, performance.in_seconds(note.length))[: frames - start]
            mixed[start : start + len(sound)] += sound[:, None] * gains
    loudest = float(np.abs(mixed).max(initial=0.0))
    return mixed * np.float32(PEAK / loudest) if loudest > 0 else mixed


def _sound(note: Sounding, seconds: float) -> Samples:
    """One note, which fades after its end for the time of a release."""
    pitch = 440.0 * 2 ** ((note.pitch - 69) / 12)
    time = np.arange(round((seconds + _RELEASE) * RATE), dtype=np.float32) / np.float32(RATE)
    total = np.zeros_like(time)
    phase = (2 * np.pi * pitch) * time.astype(np.float64)
    for number, loudness in _HARMONICS:
        if pitch * number < _HIGHEST * RATE:
            fall = _LEFT / number + (1 - _LEFT / number) * np.exp(-_DECAY * number * time)
            total += (loudness * fall * np.sin(phase * number)).astype(np.float32)
    # Low strings are heard less at the same height of the wave.
    return total * _envelope(len(time)) * np.float32((440.0 / pitch) ** 0.25)


def _envelope(frames: int) -> Samples:
    """Rises and falls as a cosine does, without a corner that could be heard as a click."""
    shape = np.ones(frames, np.float32)
    attack, release = min(frames // 2, round(_ATTACK * RATE)), min(frames // 2, round(_RELEASE * RATE))
    shape[:attack] = 0.5 - 0.5 * np.cos(np.pi * np.arange(attack) / attack)
    shape[frames - release :] = 0.5 + 0.5 * np.cos(np.pi * np.arange(1, release + 1) / release)
    return shape
