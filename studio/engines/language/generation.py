"""The decode loop: draw a token, show it, read it; until an end, a stop string, or the length asked for.

One pass costs a few microseconds of Python beside the model's own time. Text goes out at once for the first
token and then at most sixty times a second.
"""

from __future__ import annotations

import ctypes
import math
import time
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from studio.core.engine import Cancel
from studio.core.events import ContextUse, Event, JobNotice, JobProgress, Stage, TextDelta, TokenLogprob
from studio.core.failure import Cancelled, FailureCode
from studio.engines.language.context import Context
from studio.engines.language.grammar import GrammarSampler
from studio.engines.language.logprobs import token_logprob
from studio.engines.language.prompts import Prompt
from studio.engines.language.sampling import Sampler
from studio.engines.language.trouble import model_trouble, writes_nothing
from studio.engines.language.writing import TextStream

_FRAME = 1 / 60
_REPORT = 0.25
_SLOW_TOKEN = 0.05  # from here on, a computation is worth interrupting within a token
_NONE = -1
_FULL = "full"
_FULL_NOTICE = "The model's context is full, so the text ends here. A longer context length leaves more room."
_SHIFT_NOTICE = "The text outgrew the model's context; the oldest part of it is no longer taken into account."

Logits = npt.NDArray[np.float32]


class Generation:
    """One answer in the making. After `run`, `finish` says why it ended and `written` how long it is."""

    def __init__(
        self, context: Context, sampler: Sampler, stream: TextStream, prompt: Prompt, *, most: int, cancel: Cancel
    ) -> None:
        self.finish = "length"
        self.written = 0
        self.grammar: GrammarSampler | None = None
        self.logprobs = 0
        self._context = context
        self._sampler = sampler
        self._stream = stream
        self._prompt = prompt
        self._most = most
        self._cancel = cancel
        self._dropped = prompt.dropped
        self._shift_noted = False
        self._token = _NONE
        self._unshown = 0
        self._unshown_logprobs: list[TokenLogprob] = []
        library = context.model.library
        self._sample = library.c.llama_sampler_sample
        self._logits_at = library.function("llama_get_logits_ith", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int32)
        self._address = 0
        self._logits: Logits = np.empty(0, np.float32)
        self._watched = True

    def run(self) -> Iterator[Event]:
        """Yield text, progress and the context meter. The prompt has been read, `cancel` is being watched.

        Raises `Cancelled` and `StudioError`; the text shown until then has been yielded.
        """
        next_report = 0.0
        frame = 0.0  # the first token with text goes out at once
        while True:
            ended = self._burst(frame)
            now = time.perf_counter()
            if ended and ended != "stop":
                self._stream.close()
            for delta in self._shown():
                frame = now + _FRAME
                yield delta
            if now >= next_report or ended:
                next_report = now + _REPORT
                yield JobProgress(stage=Stage.GENERATE, step=self.written, total=self._most)
                yield self.meter()
            if ended == _FULL and self._context.can_shift():
                yield from self._shifted()
            elif ended:
                self.finish = "length" if ended == _FULL else ended
                if ended == _FULL:
                    yield JobNotice(text=_FULL_NOTICE)
                return

    def meter(self) -> ContextUse:
        """The context's use right now."""
        used = len(self._context.tokens)
        return ContextUse(used=used, left=max(self._context.limit - used, 0), dropped=self._dropped)

    def _burst(self, until: float) -> str:
        """Write tokens until the clock says `until`; why the text has ended, or nothing."""
        context, stream, clock = self._context, self._stream, time.perf_counter
        piece_of, kept, most, length = context.model.vocabulary.piece, context.tokens, self._most, context.length
        while True:
            if self._token != _NONE:
                if len(kept) >= length:
                    return _FULL
                self._read(self._token)
                self._token = _NONE
            token = self._draw()
            piece = piece_of(token)
            if piece is None:
                return "eos"
            self._token = token
            self.written += 1
            self._unshown += 1
            if stream.write(piece):
                return "stop"
            if self.written >= most:
                return "length"
            if clock() >= until:
                return ""

    def _read(self, token: int) -> None:
        if self._cancel.is_set():
            raise Cancelled
        began = time.perf_counter()
        result = self._context.step(token)
        if result:
            self._context.recover()
            self._context.complain(result, self._cancel)
        slow = time.perf_counter() - began > _SLOW_TOKEN
        if slow is not self._watched:
            self._watched = slow
            if slow:
                self._context.watch(self._cancel)
            else:
                self._context.unwatch()

    def _draw(self) -> int:
        handle = self._context.handle
        address = self._logits_at(handle, -1)
        if not address:
            raise writes_nothing()
        if address != self._address:
            self._address = address
            size = self._context.model.vocabulary.size
            self._logits = np.ctypeslib.as_array((ctypes.c_float * size).from_address(address))
        logits = self._logits
        if not math.isfinite(np.maximum.reduce(logits)):
            raise model_trouble(
                FailureCode.MODEL_DAMAGED,
                "The model computes values that are not numbers, so its weights are damaged.",
                "Get this model again.",
            )
        if self.grammar is None:
            token = int(self._sample(self._sampler.handle, handle, -1))
        else:
            token = self.grammar.draw(logits)
        if self.logprobs:
            vocabulary = self._context.model.vocabulary
            self._unshown_logprobs.append(token_logprob(vocabulary, logits, token, self.logprobs))
        return token

    def _shown(self) -> Iterator[Event]:
        """The text that has become ready. Tokens whose text is held back are counted with the next one."""
        text = self._stream.take()
        if text:
            yield TextDelta(text=text, tokens=self._unshown, logprobs=tuple(self._unshown_logprobs))
            self._unshown = 0
            self._unshown_logprobs.clear()

    def _shifted(self) -> Iterator[Event]:
        gone = self._context.shift(min(self._prompt.head, self._context.length // 2))
        self._dropped += gone
        if not self._shift_noted:
            self._shift_noted = True
            yield JobNotice(text=_SHIFT_NOTICE)
        yield self.meter()
