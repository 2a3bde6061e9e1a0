"""Small corrections to generated text as it streams, so that it fits the place it goes to. No Qt."""

from __future__ import annotations

from typing import Protocol

_FENCE = "```"


class Cleaner(Protocol):
    """Takes text as it comes and gives it back corrected."""

    def feed(self, text: str) -> str:
        """More text; returns what can be shown now."""
        ...

    def finish(self) -> str:
        """No more text; returns the rest."""
        ...


class Plain:
    """Leaves everything as it is."""

    def feed(self, text: str) -> str:
        """The text."""
        return text

    def finish(self) -> str:
        """Nothing is held back."""
        return ""


class Continuation:
    """Prose that goes on: no second space at the seam."""

    def __init__(self, before: str) -> None:
        self._spaced = not before or before[-1].isspace()
        self._begun = False

    def feed(self, text: str) -> str:
        """The text, without a leading space where there is one already."""
        if not self._begun and text:
            if self._spaced:
                text = text.lstrip(" ")
            self._begun = bool(text)
        return text

    def finish(self) -> str:
        """Nothing is held back."""
        return ""


class Passage:
    """A passage that replaces another: no blank space around it, no quotation marks that were not there.

    The original's own space at its end is kept.
    """

    def __init__(self, original: str = "") -> None:
        self._tail = original[len(original.rstrip()) :]
        self._held = ""
        self._begun = False

    def feed(self, text: str) -> str:
        """The text, holding trailing space back until more follows."""
        text = self._held + text
        if not self._begun:
            text = text.lstrip()
            self._begun = bool(text)
        shown = text.rstrip()
        self._held = text[len(shown) :]
        return shown

    def finish(self) -> str:
        """The original's space at the end."""
        return self._tail if self._begun else ""


class Code:
    """Code from a chat answer: without its Markdown fence, at the indentation of its place.

    `opening` comes before it: a line end where the place is behind other code.
    """

    def __init__(self, indent: str = "", opening: str = "") -> None:
        self._indent = indent
        self._opening = opening
        self._line = ""
        self._begun = False
        self._over = False
        self._own: str | None = None

    def feed(self, text: str) -> str:
        """Whole lines of code as soon as they are complete."""
        self._line += text
        shown = ""
        while "\n" in self._line:
            line, _, self._line = self._line.partition("\n")
            shown += self._take(line, ended=True)
        return shown

    def finish(self) -> str:
        """The last line."""
        line, self._line = self._line, ""
        return self._take(line, ended=False) if line else ""

    def _take(self, line: str, *, ended: bool) -> str:
        if line.strip().startswith(_FENCE):
            self._over = self._begun
            return ""
        if self._over or (not self._begun and not line.strip()):
            return ""
        if self._own is None:
            self._own = line[: len(line) - len(line.lstrip())]
        line = line.removeprefix(self._own)
        first, self._begun = not self._begun, True
        prefix = self._opening if first else self._indent if line.strip() else ""
        return prefix + line + ("\n" if ended else "")
