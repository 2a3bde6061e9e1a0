"""Draws the next token: llama.cpp's samplers in their usual order, seeded."""

from __future__ import annotations

import ctypes

from studio.core.requests import Sampling
from studio.engines.language.library import Library
from studio.engines.language.vocabulary import Vocabulary

_RANDOM_SEED = 0xFFFFFFFF  # LLAMA_DEFAULT_SEED: would be replaced by a random one
_BREAKERS = (b"\n", b":", b'"', b"*")  # DRY lets repetition pass over these, as its author proposes


class Sampler:
    """A chain of samplers for one request. Call `free` when done."""

    def __init__(self, library: Library, vocabulary: Vocabulary, sampling: Sampling, window: int) -> None:
        c = self._c = library.c
        parameters = c.llama_sampler_chain_default_params()
        self.handle: int = c.llama_sampler_chain_init(parameters)
        self._remembers = False
        self._add_memory(vocabulary, sampling, window)
        if sampling.temperature <= 0:
            self._add(c.llama_sampler_init_greedy())
        else:
            self._add_chance(sampling)

    def free(self) -> None:
        """Free the chain."""
        if self.handle:
            self._c.llama_sampler_free(self.handle)
            self.handle = 0

    def remember(self, prompt: list[int]) -> None:
        """Let the penalties for repetition count the prompt too."""
        if self._remembers:
            accept, handle = self._c.llama_sampler_accept, self.handle
            for token in prompt:
                accept(handle, token)

    def _add(self, sampler: int) -> None:
        self._c.llama_sampler_chain_add(self.handle, sampler)

    def _add_memory(self, vocabulary: Vocabulary, sampling: Sampling, window: int) -> None:
        c = self._c
        if sampling.repetition_penalty != 1.0 and sampling.repetition_window:
            last = min(sampling.repetition_window, window)
            self._add(c.llama_sampler_init_penalties(vocabulary.size, last, sampling.repetition_penalty, 0.0, 0.0))
            self._remembers = True
        if sampling.dry_multiplier > 0:
            breakers = (ctypes.c_char_p * len(_BREAKERS))(*_BREAKERS)
            multiplier, base = sampling.dry_multiplier, sampling.dry_base
            allowed = sampling.dry_allowed_length
            dry = c.llama_sampler_init_dry(
                vocabulary.handle, multiplier, base, allowed, window, breakers, len(_BREAKERS)
            )
            self._add(dry)
            self._remembers = True

    def _add_chance(self, sampling: Sampling) -> None:
        c = self._c
        seed = sampling.seed if sampling.seed != _RANDOM_SEED else _RANDOM_SEED - 1
        if sampling.top_k > 0:
            self._add(c.llama_sampler_init_top_k(min(sampling.top_k, 2**31 - 1)))
        if sampling.top_p < 1:
            self._add(c.llama_sampler_init_top_p(sampling.top_p, 1))
        if sampling.min_p > 0:
            self._add(c.llama_sampler_init_min_p(sampling.min_p, 1))
        if sampling.xtc_probability > 0:
            self._add(c.llama_sampler_init_xtc(sampling.xtc_probability, sampling.xtc_threshold, 1, seed))
        self._add(c.llama_sampler_init_temp(sampling.temperature))
        self._add(c.llama_sampler_init_dist(seed))
