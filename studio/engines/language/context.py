"""The model's working memory: the tokens that it has read, kept from one request to the next.

What a new prompt shares with the old one from the start on is not read again. On a processor, tokens read
in batches of two or more give bit-identical results however they are divided, while tokens read one at a
time (as while writing) differ in the last bits; so the written ones are read again where that costs less
than `_EXACT_SECONDS`, and the same request then gives the same text whatever went before it. (Measured
with flash attention off, which is why it stays off on processors.)
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Generator
from types import ModuleType

from studio.core.engine import Cancel
from studio.core.events import JobProgress, Stage
from studio.core.failure import Cancelled, FailureCode
from studio.engines.language.devices import Seat
from studio.engines.language.errands import Errands
from studio.engines.language.library import Library
from studio.engines.language.model import Model
from studio.engines.language.trouble import model_trouble, writes_nothing

_BATCH = 512
_FIRST_CHUNK = 64
_CHUNK_SECONDS = 0.25
_EXACT_SECONDS = 0.25
_ABORTED, _NO_ROOM = 2, 1
_FLASH_AUTO, _FLASH_OFF = -1, 0
_ALL = 1 << 31


class Context:
    """A context with memory for `capacity` tokens, of which `limit` may be used. Call `free` when done.

    `tokens` are those in memory; the first `exact` of them were read in batches. `single_batch` reads the one
    token in `single`.
    """

    def __init__(self, model: Model, capacity: int, seat: Seat, cancel: Cancel, errands: Errands) -> None:
        self.model = model
        self.seat = seat
        self._library: Library = model.library
        c = self._c = model.library.c
        parameters = _parameters(c, capacity, seat)
        errand = errands.send(lambda: c.llama_init_from_model(model.handle, parameters) or 0, c.llama_free)
        self.handle: int = errand.result(cancel)
        if not self.handle:
            raise model_trouble(
                FailureCode.OUT_OF_MEMORY,
                f"There is not enough memory for a context of {capacity:,} tokens.",
                "Choose a shorter context length, close other programs, or choose a smaller model.",
                model.library.log_tail(),
            )
        self._memory: int = c.llama_get_memory(self.handle) or 0
        if not self._memory:  # embedding models, for example, have none
            self.free()
            raise writes_nothing()
        self.capacity = int(c.llama_n_ctx(self.handle))
        self.limit = self.capacity
        self.tokens: list[int] = []
        self.exact = 0
        self.on_host = seat.place == "cpu"
        self._speed = 0.0  # prompt tokens per second
        self._clean = _ALL  # tokens from here on were moved by `shift`
        self.single = (c.llama_token * 1)()
        self.single_batch = c.llama_batch_get_one(self.single, 1)
        self._no_abort = c.ggml_abort_callback()
        self._abort = self._no_abort

    def free(self) -> None:
        """Give the context's memory back."""
        if self.handle:
            self._c.llama_free(self.handle)
            self.handle = 0

    @property
    def length(self) -> int:
        """How many tokens fit."""
        return min(self.capacity, self.limit)

    def take_over(self, other: Context) -> None:
        """What `other` has read, as if read here; `other` is freed."""
        c = self._c
        size = int(c.llama_state_seq_get_size(other.handle, 0))
        state = (ctypes.c_uint8 * size)()
        copied = int(c.llama_state_seq_get_data(other.handle, state, size, 0))
        if copied and c.llama_state_seq_set_data(self.handle, state, copied, 0):
            self.tokens, self.exact = other.tokens, other.exact
            self._clean, self._speed = other._clean, other._speed
        else:
            c.llama_memory_clear(self._memory, False)
        other.free()

    def use_threads(self, threads: int) -> None:
        """Compute with `threads` threads from now on."""
        self._c.llama_set_n_threads(self.handle, threads, threads)

    def can_shift(self) -> bool:
        """Whether the oldest tokens can be taken out and the rest moved up."""
        return bool(self._c.llama_memory_can_shift(self._memory)) and not self.model.recurrent

    # Stopping in the middle of a computation

    def watch(self, cancel: Cancel) -> None:
        """From now on, ask `cancel` within each computation (at every operation of the graph)."""
        self._abort = self._c.ggml_abort_callback(lambda _: cancel.is_set())
        self._c.llama_set_abort_callback(self.handle, self._abort, None)

    def unwatch(self) -> None:
        """Stop asking: it costs about a microsecond per operation, too much where a token takes a millisecond."""
        self._c.llama_set_abort_callback(self.handle, self._no_abort, None)
        self._abort = self._no_abort

    # Reading

    def reuse(self, prompt: list[int]) -> int:
        """Keep what `prompt` shares with the tokens in memory, forget the rest; how many were kept."""
        keep = 0
        for old, new in zip(self.tokens, prompt, strict=False):
            if old != new:
                break
            keep += 1
        if self.model.recurrent:
            # Such a state can be carried on exactly where it ends, or not at all.
            return self._forget_after(keep if keep == len(self.tokens) < len(prompt) else 0)
        # The last token's probabilities are needed, and at least two tokens make an exact batch.
        keep = min(keep, max(len(prompt) - 2, 0), self._clean)
        if self.on_host and keep > self.exact and (keep - self.exact) <= self._speed * _EXACT_SECONDS:
            keep = self.exact
        return self._forget_after(keep)

    def read(self, prompt: list[int], start: int, cancel: Cancel) -> Generator[JobProgress, None, None]:
        """Read `prompt[start:]`, yielding progress after each part.

        Raises `Cancelled` within about one operation of the graph; what was read until then is kept.
        """
        at, total, chunk = start, len(prompt), _FIRST_CHUNK if self.on_host else _BATCH
        while at < total:
            size = min(chunk, total - at)
            if total - at - size == 1:
                size += 1 if size < _BATCH else -1
            began = time.perf_counter()
            self._decode(prompt[at : at + size], cancel)
            seconds = max(time.perf_counter() - began, 1e-6)
            at += size
            self._speed = size / seconds
            if self.on_host:
                chunk = max(32, min(_BATCH, int(self._speed * _CHUNK_SECONDS) // 32 * 32))
            yield JobProgress(stage=Stage.PROMPT, step=at, total=total)

    def _decode(self, tokens: list[int], cancel: Cancel) -> None:
        count = len(tokens)
        array = (self._c.llama_token * count)(*tokens)
        result = int(self._c.llama_decode(self.handle, self._c.llama_batch_get_one(array, count)))
        if result == 0:
            if self.exact == len(self.tokens):
                self.exact += count
            self.tokens.extend(tokens)
            return
        self.recover()
        self.complain(result, cancel)

    def step(self, token: int) -> int:
        """Read one written `token`; the library's result code, 0 for success. Call `complain` for others."""
        self.single[0] = token
        result: int = self._c.llama_decode(self.handle, self.single_batch)
        if result == 0:
            self.tokens.append(token)
        return result

    def complain(self, result: int, cancel: Cancel) -> None:
        """Raise what the library's `result` of a computation means."""
        if result == _ABORTED or cancel.is_set():
            raise Cancelled
        if result == _NO_ROOM:
            raise model_trouble(
                FailureCode.CONTEXT_FULL, "The model's context is full.", "Shorten the text or start a new one."
            )
        raise model_trouble(
            FailureCode.INTERNAL,
            "The model could not be computed.",
            "Try again; if it happens again, choose another model or device.",
            f"llama_decode returned {result}\n{self._library.log_tail()}",
        )

    def recover(self) -> None:
        """After an aborted computation: memory holds what `tokens` says, nothing half-read."""
        self._forget_after(len(self.tokens))

    def _forget_after(self, keep: int) -> int:
        c = self._c
        if keep == 0 or not c.llama_memory_seq_rm(self._memory, 0, keep, -1):
            c.llama_memory_clear(self._memory, False)
            keep = 0
        del self.tokens[keep:]
        self.exact = min(self.exact, keep)
        if keep <= self._clean:
            self._clean = _ALL
        return keep

    def shift(self, head: int) -> int:
        """Take the older half of the tokens after the first `head` out, move the rest up; how many went.

        What was moved still remembers what went, so it is not used again by the next prompt.
        """
        used = len(self.tokens)
        gone = max((used - head) // 2, 1)
        self._c.llama_memory_seq_rm(self._memory, 0, head, head + gone)
        self._c.llama_memory_seq_add(self._memory, 0, head + gone, used, -gone)
        del self.tokens[head : head + gone]
        self.exact = min(self.exact, head)
        self._clean = min(self._clean, head)
        return gone


def _parameters(c: ModuleType, length: int, seat: Seat) -> ctypes.Structure:
    parameters: ctypes.Structure = c.llama_context_default_params()
    on_host = seat.place == "cpu"
    values = {
        "n_ctx": length,
        "n_batch": min(_BATCH, length),
        "n_ubatch": min(_BATCH, length),
        "n_outputs_max": 1,
        "n_threads": seat.threads,
        "n_threads_batch": seat.threads,
        "flash_attn_type": _FLASH_OFF if on_host else _FLASH_AUTO,
        "offload_kqv": not on_host,
        "op_offload": not on_host,
    }
    for name, value in values.items():
        setattr(parameters, name, value)
    return parameters
