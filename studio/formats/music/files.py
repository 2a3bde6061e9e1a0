"""A tune as a file, by its ending: what was written (`.abc`), notes for other programs (`.mid`), sound (`.wav`)."""

from __future__ import annotations

from studio.core.failure import Failure, FailureCode, StudioError
from studio.formats.music.midi import write_midi
from studio.formats.music.performance import perform
from studio.formats.music.tune import Tune

SUFFIXES = (".abc", ".mid", ".midi", ".wav")


def tune_file(abc: str, tune: Tune, suffix: str) -> bytes:
    """The bytes of the file; `tune` is what was read from `abc`, `suffix` one of `SUFFIXES`.

    Raises `StudioError` where there is nothing to play, or more than anybody wants to hear.
    """
    if suffix == ".abc":
        return f"{abc.rstrip()}\n".encode()
    if not tune.voices:
        raise StudioError(
            Failure(
                FailureCode.INPUT_DAMAGED,
                "There are no notes in this tune, so there is nothing to play.",
                hint="Try another seed, or write it as .abc to see what came.",
            )
        )
    if suffix != ".wav":
        return write_midi(perform(tune))
    from studio.formats.music.sound import write_wav  # numpy takes a tenth of a second, and notes need none

    return write_wav(perform(tune))
