"""Tokens per second of the language engine against the bare low-level loop and the high-level interface.

All write with the same random weights, context, threads and samplers in this process. Engine and bare loop
take turns every few tokens, since a machine's speed changes from second to second; time is the processor's,
so that a busy neighbour counts less; the ratio is the median over the rounds.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import llama_cpp
from llama_cpp import llama_cpp as c

from studio.core.engine import Assignment, LocalModel, Placement
from studio.core.events import TextDelta
from studio.core.references import ModelRef
from studio.core.requests import Sampling, TextRequest
from studio.engines.language.engine import LanguageEngine
from studio.engines.language.library import library
from tests.benchmarks.table import Row
from tests.tiny_gguf import TinyModel, make_tiny_gguf

# About the size of a starter model: 17 million weights at 8 bits, a vocabulary of 8,000.
MODEL = TinyModel(
    layers=6,
    width=384,
    heads=6,
    feed_forward=1024,
    context=4096,
    words=8000,
    quantised=True,
    never_ends=True,
    plain=True,
)
PROMPT = "It was a dark and stormy night"
THREADS = 1  # the difference is in Python's thread; others would only spin
SLICE = 25
LIMIT = 0.97


class _Never:
    def is_set(self) -> bool:
        return False

    def check(self) -> None:
        return


class _Bare:
    """llama_decode and llama_sampler_sample, nothing else: no text, no cancel, no events."""

    def __init__(self, path: Path) -> None:
        library()
        self._model = c.llama_model_load_from_file(str(path).encode(), c.llama_model_default_params())
        parameters = c.llama_context_default_params()
        parameters.n_ctx, parameters.n_batch, parameters.n_ubatch = MODEL.context, 512, 512
        parameters.n_threads = parameters.n_threads_batch = THREADS
        parameters.n_outputs_max, parameters.flash_attn_type = 1, 0
        self._context = c.llama_init_from_model(self._model, parameters)

    def write(self, count: int, seed: int) -> Iterator[int]:
        """Yields 1 after each token."""
        vocabulary = c.llama_model_get_vocab(self._model)
        chain = c.llama_sampler_chain_init(c.llama_sampler_chain_default_params())
        for sampler in (
            c.llama_sampler_init_top_k(40), c.llama_sampler_init_top_p(0.95, 1), c.llama_sampler_init_min_p(0.05, 1),
            c.llama_sampler_init_temp(0.8), c.llama_sampler_init_dist(seed),
        ):  # fmt: skip
            c.llama_sampler_chain_add(chain, sampler)
        c.llama_memory_clear(c.llama_get_memory(self._context), False)
        tokens = (c.llama_token * 64)()
        text = PROMPT.encode()
        length = c.llama_tokenize(vocabulary, text, len(text), tokens, 64, True, False)
        c.llama_decode(self._context, c.llama_batch_get_one(tokens, length))
        one = (c.llama_token * 1)()
        batch = c.llama_batch_get_one(one, 1)
        for left in range(count, 0, -1):
            one[0] = c.llama_sampler_sample(chain, self._context, -1)
            if left > 1:
                c.llama_decode(self._context, batch)
            yield 1
        c.llama_sampler_free(chain)

    def close(self) -> None:
        c.llama_free(self._context)
        c.llama_model_free(self._model)


class _Ours:
    def __init__(self, path: Path) -> None:
        self._engine = LanguageEngine()
        self._model = LocalModel(str(path))

    def write(self, count: int, seed: int) -> Iterator[int]:
        """Yields the number of tokens with each event."""
        request = TextRequest(ModelRef("local/tiny"), Sampling(seed=seed), prompt=PROMPT, max_tokens=count)
        placement = Placement(device="cpu", threads=THREADS)
        for event in self._engine.run(Assignment("race", request, self._model, placement=placement), _Never()):
            yield event.tokens if isinstance(event, TextDelta) else 0

    def close(self) -> None:
        self._engine.unload()


class _HighLevel:
    def __init__(self, path: Path) -> None:
        self._llama = llama_cpp.Llama(
            str(path), n_ctx=MODEL.context, n_threads=THREADS, n_threads_batch=THREADS, verbose=False
        )

    def seconds(self, count: int, seed: int) -> float:
        began = time.process_time()
        for _ in self._llama.create_completion(PROMPT, max_tokens=count, seed=seed, stream=True):
            pass
        return time.process_time() - began

    def close(self) -> None:
        self._llama.close()


def _race(bare: _Bare, ours: _Ours, count: int, seed: int) -> tuple[float, float]:
    """Seconds of the bare loop and of the engine for `count` tokens, in slices of about `SLICE` by turns."""
    writers = (bare.write(count, seed), ours.write(count, seed))
    taken, written, running = [0.0, 0.0], [0, 0], [True, True]
    goal = 0
    while any(running):
        goal += SLICE
        for at in (0, 1) if (goal // SLICE) % 2 else (1, 0):
            began = time.process_time()
            while running[at] and (written[at] < goal or goal >= count):
                got = next(writers[at], None)
                running[at] = got is not None
                written[at] += got or 0
            taken[at] += time.process_time() - began
    if count - written[1] > 3:  # the bytes of a last, unfinished character
        raise AssertionError(f"the engine wrote {written[1]} of {count} tokens")
    return taken[0], taken[1]


def run(quick: bool) -> list[Row]:
    """Measure; `quick` does fewer rounds."""
    with tempfile.TemporaryDirectory(prefix="tokens-") as folder:
        path = make_tiny_gguf(Path(folder) / "bench.gguf", MODEL)
        bare, ours, high = _Bare(path), _Ours(path), _HighLevel(path)
        try:
            rows: list[Row] = []
            for count, rounds in ((200, 15 if quick else 41), (2000, 3 if quick else 9)):
                rows += _compare(bare, ours, high, count, rounds)
            return rows
        finally:
            for writer in (bare, ours, high):
                writer.close()


def _compare(bare: _Bare, ours: _Ours, high: _HighLevel, count: int, rounds: int) -> list[Row]:
    _race(bare, ours, 20, 0)
    pairs = [_race(bare, ours, count, seed) for seed in range(1, rounds + 1)]
    ratio = statistics.median(loop / engine for loop, engine in pairs)
    loop, engine = (count / statistics.median(column) for column in zip(*pairs, strict=True))
    high_speed = count / high.seconds(count, 1)
    against = f"{loop:,.0f} tokens/s, bare loop"
    high_name, high_ratio = f"high-level interface, {count:,} tokens", high_speed / loop
    return [
        Row(f"engine, {count:,} tokens", f"{engine:,.0f} tokens/s", against, ratio, f"≥ {LIMIT}", ratio >= LIMIT),
        Row(high_name, f"{high_speed:,.0f} tokens/s", against, high_ratio, "", None),
    ]
