"""A tune as a file, by its ending: what was written (`.abc`), notes for other programs (`.mid`), sound (`.wav`)."""

from __future__ import annotations

import re

import studio
from studio.core.failure import Failure, FailureCode, StudioError
from studio.formats.music.midi import write_midi
from studio.formats.music.performance import perform
from studio.formats.music.tune import Tune

SUFFIXES = (".abc", ".mid", ".midi", ".wav")


def credit(model: str, seed: int) -> str:
    """The line that says how a tune came to be; every kind of file has a place for it."""
    return f"Composed with Atelier {studio.__version__} by the model {model}, seed {seed} (trained algorithmic media)"


def tune_file(abc: str, tune: Tune, suffix: str, note: str = "") -> bytes:
    """The bytes of the file; `tune` is what was read from `abc`, `suffix` one of `SUFFIXES`, `note` a line for it.

    Raises `StudioError` where there is nothing to play, or more than anybody wants to hear.
    """
    if suffix == ".abc":
        return f"{_with_note(abc, note).rstrip()}\n".encode()
    if not tune.voices:
        raise StudioError(
            Failure(
                FailureCode.INPUT_DAMAGED,
                "There are no notes in this tune, so there is nothing to play.",
                hint="Try another seed, or write it as .abc to see what came.",
            )
        )
    if suffix != ".wav":
        return write_midi(perform(tune), note)
    from studio.formats.music.sound import write_wav  # numpy takes a tenth of a second, and notes need none

    return write_wav(perform(tune), note)


def _with_note(abc: str, note: str) -> str:
    """A note's field stands before the key, which is a header's last."""
    found = re.search(r"^K:", abc, re.MULTILINE)
    return f"{abc[: found.start()]}N:{note}\n{abc[found.start() :]}" if note and found else abc
