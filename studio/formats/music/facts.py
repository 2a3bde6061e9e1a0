"""What can be said of a tune at a glance: how long it is, which bars don't add up, what was left out."""

from __future__ import annotations

import msgspec

from studio.formats.music.performance import perform
from studio.formats.music.tune import Tune

_MOST_NAMED = 8


class TuneFacts(msgspec.Struct, frozen=True):
    """`odd_bars` has the numbers of the bars that don't add up to the metre, by voice; `seconds` with all repeats."""

    voices: int
    bars: int
    seconds: float
    odd_bars: dict[str, tuple[int, ...]]
    unreadable: int
    dropped: tuple[str, ...]


def facts_of(tune: Tune) -> TuneFacts:
    """The facts of `tune`."""
    return TuneFacts(
        voices=len(tune.voices),
        bars=max((len(voice.bars) for voice in tune.voices), default=0),
        seconds=round(perform(tune).seconds, 2),
        odd_bars={voice.name: voice.odd_bars for voice in tune.voices if voice.odd_bars},
        unreadable=tune.unreadable,
        dropped=tune.dropped,
    )


def in_words(facts: TuneFacts) -> tuple[str, ...]:
    """The same as sentences; nothing is said of what is in order."""
    if not facts.voices:
        return ("No notes were written.",)
    voices = "" if facts.voices == 1 else f" for {facts.voices} voices"
    said = [f"{_count(facts.bars, 'bar')}{voices}, {facts.seconds:.0f} seconds."]
    for name, numbers in facts.odd_bars.items():
        whose = f" in voice {name}" if name else ""
        shown = ", ".join(str(number) for number in numbers[:_MOST_NAMED])
        more = f" and {len(numbers) - _MOST_NAMED} more" if len(numbers) > _MOST_NAMED else ""
        said.append(f"Longer or shorter than the metre{whose}: {'bar' if len(numbers) == 1 else 'bars'} {shown}{more}.")
    if facts.unreadable:
        said.append(f"Passed over, since it has no meaning in music: {_count(facts.unreadable, 'character')}.")
    return (*said, *facts.dropped)


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
