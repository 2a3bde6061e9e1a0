"""Ends a tune after so many bars: counts bar lines in ABC notation while it is written, voice by voice."""

from __future__ import annotations

_FIELD_HEAD = 3  # `[V:`


class BarGuard:
    """Lets music through until each of `voices` has `bars` bars; a single voice without a name counts all."""

    def __init__(self, bars: int, voices: tuple[str, ...]) -> None:
        self._wanted = bars
        self._counts = dict.fromkeys(voices, 0)
        self._voice = voices[0]
        self._bracket = ""
        self._sounds = False

    def passed(self, text: str) -> tuple[str, bool]:
        """What of `text` can be shown, and whether the last bar has come; it gets the final bar line."""
        for at, letter in enumerate(text):
            if self._bracket and not (self._bracket == "[" and letter == "|"):
                self._inside(letter)
                continue
            self._bracket = "[" if letter == "[" else ""
            if letter == "|" and self._sounds:
                self._sounds = False
                self._counts[self._voice] += 1
                if min(self._counts.values()) >= self._wanted:
                    return f"{text[:at]}|]", True
            elif letter.isalpha():
                self._sounds = True
        return text, False

    def _inside(self, letter: str) -> None:
        """A field between the notes, as `[V:S]`, or a chord."""
        self._bracket += letter
        if letter == "]" or (len(self._bracket) == _FIELD_HEAD and letter != ":"):
            voice = self._bracket[_FIELD_HEAD:-1].strip()
            if not self._bracket.startswith(":", 2):
                self._sounds = True
            elif self._bracket.startswith("[V:") and voice in self._counts:
                self._voice = voice
            self._bracket = ""
