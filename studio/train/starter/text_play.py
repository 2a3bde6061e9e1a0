"""Runs an exported text model through llama.cpp, as the studio does, for figures and samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import llama_cpp
import numpy as np
from numpy.typing import NDArray

from studio.engines.language.library import library
from studio.train.starter.text_tokenizer import END, MIDDLE, PREFIX, SUFFIX, TURN, TURN_END

CONTEXT = 1024


class Reply:
    """What the model wrote: ``text``, and whether it ended by itself."""

    def __init__(self, text: str, *, ended: bool) -> None:
        self.text = text
        self.ended = ended


class Player:
    """One loaded model. Not for threads."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        """Load ``path``.

        Raises:
            ValueError: llama.cpp cannot load the file.
        """
        library()  # a portable build finds its processor parts through it
        self._llama = llama_cpp.Llama(
            str(path),
            n_ctx=CONTEXT,
            n_batch=512,
            n_threads=threads,
            n_threads_batch=threads,
            logits_all=True,
            verbose=False,
        )
        self.end, self.turn, self.turn_end, self.prefix, self.suffix, self.middle = (
            self.tokens(word, special=True)[0] for word in (END, TURN, TURN_END, PREFIX, SUFFIX, MIDDLE)
        )

    def close(self) -> None:
        """Free the model."""
        self._llama.close()

    def tokens(self, text: str, *, special: bool = False) -> list[int]:
        """Token numbers of ``text``; special tokens are recognised only when asked for."""
        return list(self._llama.tokenize(text.encode(), add_bos=False, special=special))

    def bytes_of(self, tokens: Sequence[int]) -> bytes:
        """The text of ``tokens``, as bytes."""
        return b"".join(bytes(self._llama.detokenize([token])) for token in tokens)

    def scores(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        """(len(tokens), vocabulary) scores of each next token."""
        self._llama.n_tokens = 0  # forget what was read before
        self._llama.eval(list(tokens))
        return np.array(self._llama.scores[: len(tokens)], np.float32)

    def write(
        self,
        tokens: Sequence[int],
        limit: int,
        *,
        temperature: float = 0.0,
        seed: int = 0,
        stop: Callable[[str], bool] | None = None,
    ) -> Reply:
        """Go on after ``tokens`` for up to ``limit`` tokens; temperature 0 always takes the likeliest."""
        rng = np.random.default_rng(seed)
        prompt = list(tokens)[-(CONTEXT - limit) :]
        self._llama.n_tokens = 0  # forget what was read before
        self._llama.eval(prompt)
        written: list[int] = []
        for _ in range(limit):
            row = np.asarray(self._llama.scores[self._llama.n_tokens - 1], np.float64)
            token = int(row.argmax()) if temperature == 0 else draw(row, temperature, rng)
            if token in {self.end, self.turn_end}:
                return Reply(self._text(written), ended=True)
            written.append(token)
            if stop is not None and stop(self._text(written)):
                return Reply(self._text(written), ended=True)
            self._llama.eval([token])
        return Reply(self._text(written), ended=False)

    def _text(self, tokens: Sequence[int]) -> str:
        return self.bytes_of(tokens).decode(errors="replace")

    def ask(self, request: str, limit: int, *, temperature: float = 0.0, seed: int = 0) -> Reply:
        """Put ``request`` into the chat template and let the model answer."""
        head = [self.end, self.turn, *self.tokens("user\n"), *self.tokens(request), self.turn_end, *self.tokens("\n")]
        head += [self.turn, *self.tokens("assistant\n")]
        return self.write(head, limit, temperature=temperature, seed=seed)

    def fill_in(self, prefix: str, suffix: str, limit: int, stop: Callable[[str], bool] | None = None) -> Reply:
        """What belongs between ``prefix`` and ``suffix``."""
        head = [self.prefix, self.suffix, *self.tokens(suffix), self.middle, *self.tokens(prefix)]
        return self.write(head, limit, stop=stop)


def draw(scores: NDArray[np.float64], temperature: float, rng: np.random.Generator, top_p: float = 0.95) -> int:
    """Sample one token from ``scores``, from the likeliest that make up ``top_p`` together."""
    order = np.argsort(scores)[::-1][:200]
    chances = np.exp((scores[order] - scores[order[0]]) / temperature)
    chances /= chances.sum()
    kept = int(np.searchsorted(np.cumsum(chances), top_p)) + 1
    return int(cast(np.int64, rng.choice(order[:kept], p=chances[:kept] / chances[:kept].sum())))
