"""Tokens per second of the language engine against the bare low-level loop and the high-level interface.

All three write with the same random weights, context, threads and samplers in this process, turn and turn
about, since a machine's speed changes from minute to minute; the ratio is the median over the rounds.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import llama_cpp
from llama_cpp import llama_cpp as c

from studio.core.engine import Assignment, LocalModel, Placement
from studio.core.events import JobCompleted
from studio.core.references import ModelRef
from studio.core.requests import Sampling, TextRequest
from studio.engines.language.engine import LanguageEngine
from studio.engines.language.library import library
from tests.benchmarks.table import Row
from tests.tiny_gguf import TinyModel, make_tiny_gguf

# About the size of a starter model: 17 million weights at 8 bits, a vocabulary of 8,000.
MODEL = TinyModel(
    layers=6, width=384, heads=6, feed_forward=1024, context=4096, words=8000, quantised=True, never_ends=True
)
PROMPT = "It was a dark and stormy night"
THREADS = 1
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

    def write(self, count: int, seed: int) -> None:
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
        for _ in range(count - 1):
            one[0] = c.llama_sampler_sample(chain, self._context, -1)
            c.llama_decode(self._context, batch)
        c.llama_sampler_sample(chain, self._context, -1)
        c.llama_sampler_free(chain)

    def close(self) -> None:
        c.llama_free(self._context)
        c.llama_model_free(self._model)


class _Ours:
    def __init__(self, path: Path) -> None:
        self._engine = LanguageEngine()
        self._model = LocalModel(str(path))

    def write(self, count: int, seed: int) -> None:
        request = TextRequest(ModelRef("local/tiny"), Sampling(seed=seed), prompt=PROMPT, max_tokens=count)
        placement = Placement(device="cpu", threads=THREADS)
        *_, last = self._engine.run(Assignment("benchmark", request, self._model, placement=placement), _Never())
        if not isinstance(last, JobCompleted) or last.report.output_tokens != count:
            raise AssertionError(f"wrote too little: {last}")

    def close(self) -> None:
        self._engine.unload()


class _HighLevel:
    def __init__(self, path: Path) -> None:
        self._llama = llama_cpp.Llama(
            str(path), n_ctx=MODEL.context, n_threads=THREADS, n_threads_batch=THREADS, verbose=False
        )

    def write(self, count: int, seed: int) -> None:
        for _ in self._llama.create_completion(PROMPT, max_tokens=count, seed=seed, stream=True):
            pass

    def close(self) -> None:
        self._llama.close()


def _seconds(write: Callable[[int, int], None], count: int, seed: int) -> float:
    began = time.perf_counter()
    write(count, seed)
    return time.perf_counter() - began


def run(quick: bool) -> list[Row]:
    """Measure; `quick` takes about a minute less."""
    with tempfile.TemporaryDirectory(prefix="tokens-") as folder:
        path = make_tiny_gguf(Path(folder) / "bench.gguf", MODEL)
        bare, ours, high = _Bare(path), _Ours(path), _HighLevel(path)
        try:
            rows: list[Row] = []
            for count, rounds in ((200, 5 if quick else 15), (2000, 3 if quick else 7)):
                rows += _compare(bare, ours, high, count, rounds)
            return rows
        finally:
            for writer in (bare, ours, high):
                writer.close()


def _compare(bare: _Bare, ours: _Ours, high: _HighLevel, count: int, rounds: int) -> list[Row]:
    for write in (bare.write, ours.write):
        write(20, 0)
    pairs: list[tuple[float, float]] = []
    for seed in range(1, rounds + 1):
        order = (bare.write, ours.write) if seed % 2 else (ours.write, bare.write)
        taken = [_seconds(write, count, seed) for write in order]
        pairs.append((taken[0], taken[1]) if seed % 2 else (taken[1], taken[0]))
    ratio = statistics.median(theirs / own for theirs, own in pairs)
    loop, engine = (count / statistics.median(column) for column in zip(*pairs, strict=True))
    high_speed = count / _seconds(high.write, count, 1)
    against = f"{loop:,.0f} tokens/s, bare loop"
    return [
        Row(f"engine, {count:,} tokens", f"{engine:,.0f} tokens/s", against, ratio, f"≥ {LIMIT}", ratio >= LIMIT),
        Row(f"high-level interface, {count:,} tokens", f"{high_speed:,.0f} tokens/s", against, high_speed / loop, "", None),
    ]
