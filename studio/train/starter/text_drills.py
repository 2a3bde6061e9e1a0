"""Copying drills: a tiny model must learn first of all to carry a word over from the question into the answer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

_COMMON = 12_000
"""How many of the commonest words are drilled; the rare ones are those that only copying gets right."""


def drills(documents: Sequence[str], count: int, seed: int) -> list[tuple[str, str]]:
    """``count`` question and answer pairs with words of ``documents``; the same for the same seed."""
    found = Counter(word for text in documents for word in re.findall(r"\b[a-z]{3,14}\b", text))
    words = [word for word, _ in found.most_common(_COMMON)]
    rng = np.random.default_rng(seed)
    return [_drill(rng, words) for _ in range(count)]


def _drill(rng: np.random.Generator, words: Sequence[str]) -> tuple[str, str]:
    chosen = [words[int(place)] for place in rng.integers(len(words), size=int(rng.integers(2, 12)))]
    word, line = chosen[0], " ".join(chosen)
    forms = (
        (f'Write the word "{word}" with a capital letter.', f'"{word.capitalize()}"'),
        (f'Which word stands in quotation marks: {line} "{chosen[-1]}"?', f'The word is "{chosen[-1]}".'),
        (f'Repeat the word "{word}".', f'The word is "{word}".'),
        (f"Repeat: {line}", line),
        (f"Write as a sentence: {line}", line.capitalize() + "."),
        (f"Say these words again: {line}", line),
        (f'What is the last word of "{line}"?', f'The last word is "{chosen[-1]}".'),
        (f'What is the first word of "{line}"?', f'The first word is "{word}".'),
    )
    return forms[int(rng.integers(len(forms)))]
