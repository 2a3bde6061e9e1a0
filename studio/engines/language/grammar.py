"""Draws tokens that a grammar allows.

A token is drawn freely first and the grammar asked about this one alone; only where it says no are the
likeliest tokens filtered, and only where none of them fits, the whole vocabulary (asking about 150,000
tokens takes 60 to 84 milliseconds, about one, microseconds).
"""

from __future__ import annotations

import codecs
import ctypes

import numpy as np
import numpy.typing as npt

from studio.core.failure import FailureCode
from studio.engines.language.library import Library
from studio.engines.language.sampling import Sampler
from studio.engines.language.trouble import bad_request, model_trouble
from studio.engines.language.vocabulary import Vocabulary

_SHORT_LIST = 1024
_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])

Logits = npt.NDArray[np.float32]


class GrammarSampler:
    """`sampler` under the rules of `grammar` (GBNF with the start symbol `root`). Call `free` when done.

    Raises `StudioError` (`INVALID_REQUEST`) where llama.cpp does not accept the grammar.
    """

    def __init__(self, library: Library, vocabulary: Vocabulary, sampler: Sampler, grammar: str) -> None:
        c = self._c = library.c
        self._sampler = sampler
        self._vocabulary = vocabulary
        library.forget_log()
        self.handle: int = c.llama_sampler_init_grammar(vocabulary.handle, grammar.encode(), b"root") or 0
        if not self.handle:
            raise bad_request(
                "What was asked for can't be turned into rules for the model.",
                "Simplify the schema, if it has one.",
                library.log_tail(),
            )
        self._characters = codecs.getincrementaldecoder("utf-8")("strict")
        self._all = np.zeros(vocabulary.size, _CANDIDATE)
        self._one = np.zeros(1, _CANDIDATE)

    def free(self) -> None:
        """Free the grammar; the sampler is its owner's."""
        if self.handle:
            self._c.llama_sampler_free(self.handle)
            self.handle = 0

    def draw(self, logits: Logits) -> int:
        """The next token for `logits` (float32, one per token of the vocabulary).

        Raises `StudioError` where the vocabulary has no token that the grammar allows.
        """
        token = self._drawn(self._fresh(logits))
        if not (self._allowed(token) and self._whole_characters(token)):
            token = self._drawn_within(logits)
        self._c.llama_sampler_accept(self.handle, token)
        self._c.llama_sampler_accept(self._sampler.handle, token)
        self._characters.decode(self._vocabulary.piece(token) or b"")
        return token

    def _fresh(self, logits: Logits) -> npt.NDArray[np.void]:
        candidates = self._all
        candidates["id"] = np.arange(len(candidates), dtype=np.int32)
        candidates["logit"] = logits
        candidates["p"] = 0.0
        return candidates

    def _drawn_within(self, logits: Logits) -> int:
        count = min(_SHORT_LIST, len(logits))
        likely = np.sort(np.argpartition(logits, len(logits) - count)[-count:])
        candidates = np.zeros(count, _CANDIDATE)
        candidates["id"], candidates["logit"] = likely, logits[likely]
        for offered in (candidates, None):
            tried = self._fresh(logits) if offered is None else offered
            self._apply(self.handle, tried)
            kept = tried[np.isfinite(tried["logit"])]
            while len(kept):
                token = self._drawn(kept.copy())
                if self._whole_characters(token):
                    return token
                kept = kept[kept["id"] != token]
        raise model_trouble(
            FailureCode.MODEL_UNSUPPORTED,
            "This model can't write what the rules ask for next; its vocabulary lacks the characters.",
            "Change the schema, if there is one, or choose another model.",
        )

    def _allowed(self, token: int) -> bool:
        self._one["id"], self._one["logit"] = token, 1.0
        self._apply(self.handle, self._one)
        return bool(np.isfinite(self._one["logit"][0]))

    def _whole_characters(self, token: int) -> bool:
        """Whether the text stays UTF-8: llama.cpp's grammars also take overlong and impossible characters."""
        before = self._characters.getstate()
        try:
            self._characters.decode(self._vocabulary.piece(token) or b"")
            begun, _ = self._characters.getstate()
        except UnicodeDecodeError:
            return False
        finally:
            self._characters.setstate(before)
        # Python notices the halves of surrogate pairs only at their last byte.
        return not (begun[:1] == b"\xed" and begun[1:2] >= b"\xa0")

    def _drawn(self, candidates: npt.NDArray[np.void]) -> int:
        chosen = self._apply(self._sampler.handle, candidates)
        return int(chosen.data[chosen.selected].id)

    def _apply(self, sampler: int, candidates: npt.NDArray[np.void]) -> ctypes.Structure:
        c = self._c
        array: ctypes.Structure = c.llama_token_data_array()
        address = candidates.ctypes.data
        array.data = ctypes.cast(ctypes.c_void_p(address), ctypes.POINTER(c.llama_token_data))
        array.size, array.selected, array.sorted = len(candidates), -1, False
        c.llama_sampler_apply(sampler, ctypes.byref(array))
        return array
