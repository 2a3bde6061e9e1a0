"""Probabilities of tokens from the logits of one position."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from studio.core.events import TokenLogprob
from studio.engines.language.vocabulary import Vocabulary

Logits = npt.NDArray[np.float32]


def token_logprob(vocabulary: Vocabulary, logits: Logits, token: int, count: int) -> TokenLogprob:
    """`token` with its natural-log probability before any sampling step, and the `count` likeliest tokens.

    log softmax: logit − max − ln Σ exp(logit − max).
    """
    values = logits.astype(np.float64)
    top = values.max()
    base = top + np.log(np.exp(values - top).sum())
    count = min(count, len(values))
    likely = np.argpartition(values, len(values) - count)[-count:] if count else np.empty(0, np.int64)
    ranked = likely[np.argsort(values[likely])[::-1]]
    alternatives = tuple((_shown(vocabulary, int(each)), float(values[each] - base)) for each in ranked)
    return TokenLogprob(_shown(vocabulary, token), float(values[token] - base), alternatives)


def _shown(vocabulary: Vocabulary, token: int) -> str:
    return vocabulary.spelling(token, markup=True).decode("utf-8", "replace")
