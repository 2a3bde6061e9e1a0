"""Whether an answer has fallen into saying one thing again and again, as small models do.

What counts is exact repetition of one unit of tokens without a gap, long enough that nobody means it. Words may
come back: the refrain of a song does a few times, a row of a table or a line of a test does with other values in
it. A unit without letters (zeros of a matrix, a ruled line, empty cells) must go on for much longer.
"""

from __future__ import annotations

from collections.abc import Callable

LOOK_EVERY = 16
"""Tokens between two looks. A fixed number: the same request has to end at the same token on every machine."""
_LONGEST_UNIT = 64
_LEAST_TOKENS = 96
_WANTED_TIMES, _LONG_TIMES = 8, 5
_MANY_TOKENS = 160  # from here on a unit need not come eight times, but five
_WORDLESS_TOKENS, _WORDLESS_TIMES = 512, 32
_MOST_TOKENS = max(_WORDLESS_TOKENS, _WORDLESS_TIMES * _LONGEST_UNIT)

Words = Callable[[list[int]], bytes]


def is_endless(tokens: list[int], written: int, words: Words) -> bool:
    """Whether the last `written` of `tokens` end in such a repetition; `words` gives the bytes of tokens."""
    tail = tokens[-min(written, _MOST_TOKENS) :] if written >= _LEAST_TOKENS else []
    for unit in range(1, min(_LONGEST_UNIT, len(tail) // _LONG_TIMES) + 1):
        if tail[-1] != tail[-1 - unit]:
            continue
        if _repeats(tail, unit, _needed(unit)) and (
            _says_something(words(tail[-unit:])) or _repeats(tail, unit, _needed_without_words(unit))
        ):
            return True
    return False


def _needed(unit: int) -> int:
    return max(_LEAST_TOKENS, min(_WANTED_TIMES * unit, max(_MANY_TOKENS, _LONG_TIMES * unit)))


def _needed_without_words(unit: int) -> int:
    return max(_WORDLESS_TOKENS, _WORDLESS_TIMES * unit)


def _repeats(tail: list[int], unit: int, needed: int) -> bool:
    """Whether the last `needed` tokens have the period `unit`."""
    return len(tail) >= needed and tail[-needed:-unit] == tail[len(tail) - needed + unit :]


def _says_something(piece: bytes) -> bool:
    """Whether there are letters in it, or nothing to be seen at all."""
    text = piece.decode("utf-8", "ignore")
    return not text.strip() or any(letter.isalpha() for letter in text)
