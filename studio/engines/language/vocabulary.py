"""Text to tokens and back.

Text that people typed is tokenised as plain text: a typed `<|im_end|>` stays eight characters and never
becomes the control token of that name. Only the studio's own markup may become control tokens.
"""

from __future__ import annotations

import ctypes
from typing import Any

from studio.engines.language.library import Library
from studio.engines.language.trouble import writes_nothing

_SENTENCE_PIECE = 1  # llama_vocab_type: puts a space before the first word
_SHORT_PIECE = 64
_FILL_IN_ORDER = b"atelier.fill_in.order"
"""GGUF has no key for the order in which a model reads the sides of a gap; this one is our own."""


class Vocabulary:
    """The vocabulary of one loaded model; `size` is its number of tokens, `pieces` what `piece` has found so far."""

    def __init__(self, library: Library, model: int) -> None:
        c = library.c
        self._c = c
        self.handle: int = c.llama_model_get_vocab(model)
        self.size = int(c.llama_vocab_n_tokens(self.handle))
        self.begins: int = c.llama_vocab_bos(self.handle)
        self.ends: int = c.llama_vocab_eos(self.handle)
        self.adds_begin = bool(c.llama_vocab_get_add_bos(self.handle))
        self.fill_prefix: int = c.llama_vocab_fim_pre(self.handle)
        self.fill_suffix: int = c.llama_vocab_fim_suf(self.handle)
        self.fill_middle: int = c.llama_vocab_fim_mid(self.handle)
        self.suffix_first = _said(c, model, _FILL_IN_ORDER) == "suffix_first"
        self.spaces_first = c.llama_vocab_type(self.handle) == _SENTENCE_PIECE
        self._buffer = ctypes.create_string_buffer(_SHORT_PIECE)
        self.pieces: dict[int, bytes | None] = {}
        if self.size <= 0:
            raise writes_nothing()

    @property
    def fills_in(self) -> bool:
        """Whether the model knows prefix, suffix and middle."""
        return min(self.fill_prefix, self.fill_suffix, self.fill_middle) >= 0

    def tokens(self, text: str, *, markup: bool = False, start: bool = False) -> list[int]:
        """`text` as tokens. `markup`: names of control tokens become those tokens. `start`: what the model
        wants at the start of a text (its begin token) is put there.
        """
        data = text.encode("utf-8", "replace")
        room = len(data) + 8
        found = (ctypes.c_int32 * room)()
        count = int(self._c.llama_tokenize(self.handle, data, len(data), found, room, start, markup))
        if count < 0:
            room = -count
            found = (ctypes.c_int32 * room)()
            count = int(self._c.llama_tokenize(self.handle, data, len(data), found, room, start, markup))
        return list(found[: max(count, 0)])

    def tokens_inside(self, text: str, *, markup: bool = False) -> list[int]:
        """`text` that follows other text: without the space that some vocabularies put first."""
        if not self.spaces_first or not text:
            return self.tokens(text, markup=markup)
        anchor = self.tokens("\n")
        found = self.tokens("\n" + text, markup=markup)
        return found[len(anchor) :] if found[: len(anchor)] == anchor else self.tokens(text, markup=markup)

    def piece(self, token: int) -> bytes | None:
        """The bytes that `token` writes (none for control tokens), or None if it ends the text."""
        if token not in self.pieces:
            ends = self._c.llama_vocab_is_eog(self.handle, token)
            self.pieces[token] = None if ends else self.spelling(token)
        return self.pieces[token]

    def spelling(self, token: int, *, markup: bool = False) -> bytes:
        """The bytes of `token`; with `markup` also those of control tokens."""
        buffer = self._buffer
        length = int(self._c.llama_token_to_piece(self.handle, token, buffer, len(buffer), 0, markup))
        if length < 0:
            buffer = ctypes.create_string_buffer(-length)
            length = int(self._c.llama_token_to_piece(self.handle, token, buffer, len(buffer), 0, markup))
        return buffer.raw[: max(length, 0)]

    def is_control(self, token: int) -> bool:
        """Whether `token` is one that people can't type."""
        return bool(self._c.llama_vocab_is_control(self.handle, token))


def _said(c: Any, model: int, key: bytes) -> str:  # noqa: ANN401 - the library's module
    """What the model's file says under `key`; empty where it says nothing."""
    buffer = ctypes.create_string_buffer(_SHORT_PIECE)
    length = int(c.llama_model_meta_val_str(model, key, buffer, len(buffer)))
    return buffer.value.decode("utf-8", "replace") if length >= 0 else ""
