"""Rows of tokens for training, drawn from several sources; the same rows again after a restart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from studio.train.starter.text_tokenizer import Encoder

Tokens = NDArray[np.uint16]
Weights = NDArray[np.float32]

MIDDLE_WEIGHT, SIDE_WEIGHT = 3.0, 0.5
"""A hole is a few tokens among hundreds; without more weight the model learns the sides and never the hole."""

PROMPT_WEIGHT = 0.3
"""How much the words of the user count: they teach language, but the answer is what is wanted."""


class Row(msgspec.Struct, frozen=True):
    """Tokens, how much each one counts, and where the source goes on."""

    tokens: Tokens
    weights: Weights
    cursor: int


class Source(Protocol):
    """Gives rows; all that it remembers is the cursor, which the checkpoint keeps."""

    def row(self, rng: np.random.Generator, cursor: int, length: int, /) -> Row:
        """The row of ``length`` tokens at ``cursor``."""


class Shelf(msgspec.Struct, frozen=True):
    """Many token lists in one array; list ``i`` is ``tokens[starts[i]:starts[i + 1]]``."""

    tokens: Tokens
    weights: Weights
    starts: NDArray[np.int64]

    @staticmethod
    def of(lists: Sequence[Sequence[int]], weights: Sequence[Sequence[float]] | None = None) -> Shelf:
        """Copy ``lists``; without ``weights`` every token counts fully."""
        starts = np.cumsum([0, *(len(part) for part in lists)]).astype(np.int64)
        tokens = np.concatenate([np.asarray(part, np.uint16) for part in lists])
        if weights is None:
            return Shelf(tokens, np.ones(len(tokens), np.float32), starts)
        return Shelf(tokens, np.concatenate([np.asarray(part, np.float32) for part in weights]), starts)

    def shuffled(self, seed: int) -> Shelf:
        """The same lists in another order."""
        order = np.random.default_rng(seed).permutation(len(self.starts) - 1)
        pieces = [slice(self.starts[i], self.starts[i + 1]) for i in order]
        sizes = np.asarray([piece.stop - piece.start for piece in pieces])
        return Shelf(
            np.concatenate([self.tokens[piece] for piece in pieces]),
            np.concatenate([self.weights[piece] for piece in pieces]),
            np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
        )


class Flow:
    """Long documents one after the other, in a new order each time round; the cursor counts tokens."""

    def __init__(self, shelf: Shelf) -> None:
        """``shelf``: the documents, each ending in the end token."""
        self._shelf = shelf
        self._round = -1
        self._current = shelf

    def row(self, _rng: np.random.Generator, cursor: int, length: int, /) -> Row:
        """The next ``length`` tokens, wherever documents end."""
        usable = len(self._shelf.tokens) // length * length
        turn, place = divmod(cursor, usable)
        if turn != self._round:
            self._round, self._current = turn, self._shelf.shuffled(turn)
        place = min(place, len(self._shelf.tokens) - length)
        piece = slice(place, place + length)
        return Row(self._current.tokens[piece], self._current.weights[piece], cursor + length)


class Packed:
    """Short examples; every row begins with a whole one. The cursor counts examples."""

    def __init__(self, shelf: Shelf) -> None:
        """``shelf``: the examples."""
        self._shelf = shelf
        self._round = -1
        self._current = shelf

    def row(self, _rng: np.random.Generator, cursor: int, length: int, /) -> Row:
        """As many examples as fit; the one that is cut off begins the next row."""
        count = len(self._shelf.starts) - 1
        turn, index = divmod(cursor, count)
        if turn != self._round:
            self._round, self._current = turn, self._shelf.shuffled(turn)
        starts = self._current.starts
        begin = int(starts[index])
        last = int(np.searchsorted(starts, begin + length, side="right")) - 1
        taken = max(last - index, 1)
        piece = slice(begin, begin + length)
        tokens, weights = self._current.tokens[piece], self._current.weights[piece]
        missing = length - len(tokens)
        if missing:
            tokens = np.concatenate((tokens, np.zeros(missing, np.uint16)))
            weights = np.concatenate((weights, np.zeros(missing, np.float32)))
        return Row(tokens, weights, cursor + taken)


class FillIn:
    """Pieces of documents with a hole: the model sees both sides and writes the middle. Cut between characters."""

    def __init__(self, documents: Sequence[str], encoder: Encoder, by_line: float) -> None:
        """``by_line``: share of holes that end where their line ends, as an editor asks for them."""
        self._documents = documents
        self._encoder = encoder
        self._by_line = by_line

    def row(self, rng: np.random.Generator, cursor: int, length: int, /) -> Row:
        """Holes until the row is full."""
        tokens: list[int] = []
        weights: list[float] = []
        while len(tokens) < length:
            text = self._documents[int(rng.integers(len(self._documents)))]
            room = int((length - len(tokens)) * 2.6)
            if room < 120 and tokens:
                break
            # Mostly short pieces: more holes to a row, and the sides near enough for a small model to use them.
            room = min(room, int(rng.integers(150, 500 if rng.random() < 0.7 else 1200)))
            begin = int(rng.integers(max(1, len(text) - room // 2)))
            begin = text.rfind("\n", 0, begin) + 1
            piece = text[begin : begin + room]
            start, stop = choose_hole(piece, rng, self._by_line)
            made = self._encoder.fill_in(piece[:start], piece[stop:], piece[start:stop])
            hole = len(made) - len(self._encoder.plain(piece[start:stop])) - 1
            tokens += made
            weights += [SIDE_WEIGHT] * hole + [MIDDLE_WEIGHT] * (len(made) - hole)
        padded = np.zeros(length, np.uint16)
        padded[: min(len(tokens), length)] = tokens[:length]
        counted = np.zeros(length, np.float32)
        counted[: min(len(weights), length)] = weights[:length]
        return Row(padded, counted, cursor + 1)


def choose_hole(text: str, rng: np.random.Generator, by_line: float) -> tuple[int, int]:
    """Where to cut ``text``: a rest of a line with chance ``by_line``, else a span of up to a third of it."""
    if rng.random() < by_line:
        start = int(rng.integers(len(text) + 1))
        line = text.rfind("\n", 0, start) + 1
        stop = text.find("\n", start)
        stop = len(text) if stop < 0 else stop
        if rng.random() < 0.5:
            start = line + len(text[line:stop]) - len(text[line:stop].lstrip())
        return start, max(start, stop)
    start = int(rng.integers(len(text) + 1))
    return start, min(len(text), start + int(rng.integers(1, max(2, len(text) // 3))))


class Mixture:
    """Several sources, drawn by weight. The draw depends on the step alone, so a restart repeats nothing."""

    def __init__(self, sources: Mapping[str, tuple[float, Source]], seed: int) -> None:
        """``sources``: name → (weight, source)."""
        self._names = list(sources)
        self._sources = {name: source for name, (_, source) in sources.items()}
        shares = np.asarray([share for share, _ in sources.values()], np.float64)
        self._shares = shares / shares.sum()
        self._seed = seed

    def batch(self, step: int, rows: int, length: int, cursors: dict[str, int]) -> tuple[Tokens, Weights]:
        """``rows`` rows of ``length`` tokens for ``step``; moves ``cursors`` on."""
        rng = np.random.default_rng((self._seed, step))
        drawn: list[Row] = []
        for _ in range(rows):
            name = self._names[int(rng.choice(len(self._names), p=self._shares))]
            row = self._sources[name].row(rng, cursors.get(name, 0), length)
            cursors[name] = row.cursor
            drawn.append(row)
        return np.stack([row.tokens for row in drawn]), np.stack([row.weights for row in drawn])
