"""Ways in which a file of weights goes bad on somebody's disk."""

from __future__ import annotations

import pickle
import random
import struct
from collections.abc import Callable
from pathlib import Path

Harm = Callable[[Path], None]


def truncate(path: Path) -> None:
    """A download that was cut short."""
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size * 3 // 4)


def empty(path: Path) -> None:
    """Nothing but a name."""
    path.write_bytes(b"")


def delete(path: Path) -> None:
    """Gone."""
    path.unlink()


def become_pickle(path: Path) -> None:
    """A pickle with another name; what it would run, were it opened, would leave a trace."""

    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (path.with_name("exploded"),)

    path.write_bytes(pickle.dumps({"weights": Bomb()}))


def flip_bits(seed: int, begin: int, end: int, count: int = 3) -> Harm:
    """Bits that fell over between two places in the file; a negative place counts from its end."""

    def flip(path: Path) -> None:
        dice, data = random.Random(seed), bytearray(path.read_bytes())
        first, last = begin % len(data), (end % (len(data) + 1)) or len(data)
        for _ in range(count):
            data[dice.randrange(first, last)] ^= 1 << dice.randrange(8)
        path.write_bytes(data)

    return flip


def overwrite(place: int, number: int) -> Harm:
    """An impossible 64-bit number at a place of the header."""

    def write(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[place : place + 8] = struct.pack("<Q", number)
        path.write_bytes(data)

    return write
