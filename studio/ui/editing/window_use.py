"""How much of a text the model sees: estimated before a run, from what the runs before have measured."""

from __future__ import annotations

import dataclasses

from studio.core.events import ContextUse
from studio.core.requests import prompt_room

_CHARACTERS_PER_TOKEN = 4.0
"""Of English prose with a vocabulary of the usual size; the first run of a model replaces it."""


@dataclasses.dataclass(frozen=True)
class Share:
    """`tokens` of the model's window of `window` tokens (0 where that is unknown) are taken; `dropped` did not fit."""

    tokens: int
    window: int
    dropped: int = 0
    measured: bool = False

    @property
    def kept(self) -> float:
        """The part of the request's text that the model sees, 0 to 1. It is the end of it."""
        whole = self.tokens + self.dropped
        return self.tokens / whole if whole else 1.0

    @property
    def words(self) -> str:
        """`about 300 of 1,024 tokens`; without `about` once it was measured."""
        of = f" of {self.window:,}" if self.window else ""
        return f"{'' if self.measured else 'about '}{self.tokens:,}{of} tokens"


class WindowUse:
    """What is known of each model: the characters that make a token, and the window that it really gets here."""

    def __init__(self) -> None:
        self._characters: dict[str, float] = {}
        self._windows: dict[str, int] = {}

    def measure(self, model: str, characters: int, use: ContextUse) -> Share:
        """A run has told what its request of so many characters takes."""
        window, whole = use.used + use.left, use.used + use.dropped
        self._windows[model] = window
        if whole and characters:
            self._characters[model] = characters / whole
        return Share(use.used, window, use.dropped, measured=True)

    def estimate(self, model: str, characters: int, window: int, max_tokens: int) -> Share:
        """What a request of so many characters would take; `window` is what the model's file says, 0 unknown."""
        window = self._windows.get(model, window)
        tokens = round(characters / self._characters.get(model, _CHARACTERS_PER_TOKEN))
        room = prompt_room(window, max_tokens) if window else tokens
        return Share(min(tokens, room), window, max(0, tokens - room))
