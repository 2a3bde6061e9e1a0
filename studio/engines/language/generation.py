"""The decode loop: draw a token, show it, read it; until an end, a stop string, or the length asked for.

Tokens are written in bursts of at most a sixtieth of a second; between them the text goes out (the first token
at once), and the cancel flag is asked. Where a token takes longer, the computation itself asks.
"""

from __future__ import annotations

import ctypes
import math
import time
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from studio.core.engine import Cancel
from studio.core.events import ContextUse, Event, JobNotice, JobProgress, Stage, TextDelta, TokenLogprob
from studio.core.failure import Cancelled, FailureCode, StudioError
from studio.engines.language.context import Context
from studio.engines.language.grammar import GrammarSampler
from studio.engines.language.logprobs import token_logprob
from studio.engines.language.prompts import Prompt
from studio.engines.language.repetition import LOOK_EVERY, is_endless
from studio.engines.language.sampling import Sampler
from studio.engines.language.trouble import model_trouble, writes_nothing
from studio.engines.language.writing import TextStream

_FRAME = 1 / 60
_REPORT = 0.25
_SLOW_TOKEN = 0.05  # from here on, a computation is worth interrupting within a token
_NONE = -1
_INFINITY = math.inf
_CLOCK = time.perf_counter
_FULL = "full"
_REPETITION = "repetition"
_FULL_NOTICE = "The model's context is full, so the text ends here. A longer context length leaves more room."
_REPETITION_NOTICE = "The model began to say the same thing again and again, so the text ends here."
_SHIFT_NOTICE = "The text outgrew the model's context; the oldest part of it is no longer taken into account."
_NOTICES = {_FULL: _FULL_NOTICE, _REPETITION: _REPETITION_NOTICE}

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
        self.looks_for_circles = True
        self._context = context
        self._stream = stream
        self._prompt = prompt
        self._most = most
        self._cancel = cancel
        self._dropped = prompt.dropped
        self._shift_noted = False
        self._token = _NONE
        self._look_at = LOOK_EVERY
        self._unshown = 0
        self._unshown_logprobs: list[TokenLogprob] = []
        library = context.model.library
        self._handle = context.handle
        self._chain = sampler.handle
        self._single, self._batch, self._keep = context.single, context.single_batch, context.tokens.append
        self._decode: Callable[..., int] = library.c.llama_decode
        self._sample: Callable[..., int] = library.c.llama_sampler_sample
        self._logits_at = library.function("llama_get_logits_ith", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int32)
        self._values: ctypes.Array[ctypes.c_float] = (ctypes.c_float * 0)()
        self._drawn = self._plainly_drawn
        self._watched = True

    def run(self) -> Iterator[Event]:
        """Yield text, progress and the context meter. The prompt has been read, `cancel` is being watched.

        Raises `Cancelled` and `StudioError`; the text shown until then has been yielded.
        """
        self._drawn = self._carefully_drawn if self.grammar or self.logprobs else self._plainly_drawn
        if not self.looks_for_circles:
            self._look_at = _NONE
        next_report = 0.0
        frame = 0.0  # the first token with text goes out at once
        self._logits()
        while True:
            began, before = _CLOCK(), self.written
            ended = self._burst(frame)
            now = _CLOCK()
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
                if ended in _NOTICES:
                    yield JobNotice(text=_NOTICES[ended])
                return
            self._look_around(now - began, self.written - before)

    def meter(self) -> ContextUse:
        """The context's use right now."""
        used = len(self._context.tokens)
        return ContextUse(used=used, left=max(self._context.limit - used, 0), dropped=self._dropped)

    def _burst(self, until: float) -> str:
        """Write tokens until the clock says `until`; why the text has ended, or nothing.

        Each line of the loop counts: after a computation that has filled the processor's caches with weights,
        it costs ten times what it does alone.
        """
        drawn, piece_of, write, clock = self._drawn, self._context.model.vocabulary.piece, self._stream.write, _CLOCK
        pieces, token = self._context.model.vocabulary.pieces, self._token
        room = self._context.length - len(self._context.tokens) + (token == _NONE)
        before = written = self.written
        ended = "length" if self._most - written <= room else _FULL
        try:
            for _ in range(min(room, self._most - written)):
                token = drawn(token)
                piece = pieces[token] if token in pieces else piece_of(token)
                if piece is None:
                    ended, token = "eos", _NONE
                    break
                written += 1
                if write(piece):
                    ended = "stop"
                    break
                if written == self._look_at and self._is_endless(written):
                    ended = _REPETITION
                    break
                if clock() >= until:
                    ended = ended if written >= self._most else ""
                    break
        finally:
            self._token = token
            self.written = written
            self._unshown += written - before
        return ended

    def _is_endless(self, written: int) -> bool:
        """Whether the text goes round in circles; the token that was drawn last has not been read yet."""
        self._look_at += LOOK_EVERY
        pieces = self._context.model.vocabulary.piece
        return is_endless(
            self._context.tokens, written - 1, lambda unit: b"".join(pieces(token) or b"" for token in unit)
        )

    def _plainly_drawn(self, token: int) -> int:
        """Read `token`, draw the next one."""
        handle = self._handle
        if token != _NONE:
            self._single[0] = token
            result = self._decode(handle, self._batch)
            if result:
                self._failed(result)
            self._keep(token)
        token = self._sample(self._chain, handle, -1)
        # Damage that spoils one probability spoils them all, or has been seen at the first token.
        if not -_INFINITY < self._values[token] < _INFINITY:
            raise _not_numbers()
        return token

    def _carefully_drawn(self, token: int) -> int:
        """The same under a grammar, or with probabilities."""
        if token != _NONE:
            result = self._context.step(token)
            if result:
                self._failed(result)
        logits = self._logits()
        token = self.grammar.draw(logits) if self.grammar else int(self._sample(self._chain, self._handle, -1))
        if self.logprobs:
            vocabulary = self._context.model.vocabulary
            self._unshown_logprobs.append(token_logprob(vocabulary, logits, token, self.logprobs))
        return token

    def _logits(self) -> Logits:
        """The last token's logits, checked to be numbers."""
        address = self._logits_at(self._handle, -1)
        if not address:
            raise writes_nothing()
        size = self._context.model.vocabulary.size
        self._values = (ctypes.c_float * size).from_address(address)
        logits = np.ctypeslib.as_array(self._values)
        if not math.isfinite(np.maximum.reduce(logits)):
            raise _not_numbers()
        return logits

    def _failed(self, result: int) -> None:
        self._context.recover()
        self._context.complain(result, self._cancel)

    def _look_around(self, seconds: float, tokens: int) -> None:
        """Between bursts: whether to end, and whether tokens take so long that one must be interruptible."""
        if self._cancel.is_set():
            raise Cancelled
        slow = seconds > _SLOW_TOKEN * max(tokens, 1)
        if slow is not self._watched:
            self._watched = slow
            if slow:
                self._context.watch(self._cancel)
            else:
                self._context.unwatch()

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


def _not_numbers() -> StudioError:
    return model_trouble(
        FailureCode.MODEL_DAMAGED,
        "The model computes values that are not numbers, so its weights are damaged.",
        "Get this model again.",
    )
