"""The byte-level BPE tokenizer of a starter text model, and the words that only the machine may write."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

END = "<|endoftext|>"
TURN = "<|im_start|>"
TURN_END = "<|im_end|>"
PREFIX = "<|fim_prefix|>"
SUFFIX = "<|fim_suffix|>"
MIDDLE = "<|fim_middle|>"
FILL_IN_ORDER = ("atelier.fill_in.order", "suffix_first")
"""Key and value in the GGUF file by which the studio's engine knows in which order the two sides are read."""
SPECIALS = (END, TURN, TURN_END, PREFIX, SUFFIX, MIDDLE)

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

LONGEST_PIECE = 24
"""Bytes; some readers lose pieces of 32 bytes and more, which would eat deep indentation."""


def _byte_characters() -> dict[str, int]:
    """Which printable character stands for which byte in byte-level BPE: itself, or one from 256 upwards."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(256 + place): byte for place, byte in enumerate(others)}


_BYTE_OF = _byte_characters()


def train_tokenizer(texts: Iterable[str], size: int) -> Tokenizer:
    """Learn ``size`` pieces from ``texts``: specials first, then the 256 bytes, then merges.

    The pre-tokenizer splits as GPT-2's does, which llama.cpp knows under the name ``gpt-2``.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(SPECIALS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        max_token_length=LONGEST_PIECE,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def load_tokenizer(path: Path) -> Tokenizer:
    """Read a tokenizer that ``train_tokenizer`` made and ``Tokenizer.save`` wrote."""
    return Tokenizer.from_file(str(path))


class Encoder:
    """Turns text into token numbers; text that merely looks like a special token stays text."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        """Wrap ``tokenizer``, which must hold the special tokens."""
        self._tokenizer = tokenizer
        self._tokenizer.encode_special_tokens = True
        self.end, self.turn, self.turn_end, self.prefix, self.suffix, self.middle = (
            self._special(word) for word in SPECIALS
        )

    def _special(self, word: str) -> int:
        number = self._tokenizer.token_to_id(word)
        if number is None:
            raise ValueError(f"The tokenizer lacks {word}; train it again.")
        return int(number)

    def plain(self, text: str) -> list[int]:
        """Tokens of ``text`` alone."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def text(self, number: int) -> bytes:
        """The bytes of one token; a special token has none."""
        if number in (self.end, self.turn, self.turn_end, self.prefix, self.suffix, self.middle):
            return b""
        piece = self._tokenizer.id_to_token(number)
        return bytes(_BYTE_OF[character] for character in piece or "")

    def turns(self, messages: Sequence[tuple[str, str]]) -> tuple[list[int], list[bool]]:
        """A conversation as the chat template writes it, and which tokens the assistant has to produce."""
        tokens: list[int] = []
        own: list[bool] = []
        newline = self.plain("\n")
        for role, content in messages:
            head = [self.turn, *self.plain(role + "\n")]
            body = [*self.plain(content), self.turn_end]
            tokens += head + body + newline
            own += [False] * len(head) + [role == "assistant"] * len(body) + [False] * len(newline)
        return tokens, own

    def fill_in(self, prefix: str, suffix: str, middle: str) -> list[int]:
        """Suffix, prefix, then the middle to be written, and the end.

        The prefix comes last, so that the middle is written on from it like any other text: a tiny model that must
        look for the cursor first, beyond the suffix, never learns it. (Bavarian et al. 2022, arXiv:2207.14255, "SPM".)
        """
        head = [self.prefix, self.suffix, *self.plain(suffix), self.middle, *self.plain(prefix)]
        return [*head, *self.plain(middle), self.end]
