"""From the bytes of tokens to text that can be shown: whole characters, no stop string, no Markdown fence."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import Protocol

_FENCE = "```"


class Guard(Protocol):
    """Knows where a text has to end, besides its stop strings."""

    def passed(self, text: str) -> tuple[str, bool]:
        """What of `text` can be shown, and whether the end has come."""
        ...


class StopGuard:
    """Holds back text that may be the beginning of a stop string; a stop string itself never gets out."""

    def __init__(self, stops: tuple[str, ...]) -> None:
        self._stops = tuple(dict.fromkeys(stop for stop in stops if stop))
        beginnings = {stop[:length] for stop in self._stops for length in range(1, len(stop))}
        self._beginnings = tuple(sorted(beginnings, key=len, reverse=True))
        self._held = ""

    def passed(self, text: str) -> tuple[str, bool]:
        """What of `text` (after what was held back) can be shown, and whether a stop string came."""
        text = self._held + text
        found = [at for stop in self._stops if (at := text.find(stop)) >= 0]
        if found:
            self._held = ""
            return text[: min(found)], True
        if not text.endswith(self._beginnings):
            self._held = ""
            return text, False
        self._held = next(start for start in self._beginnings if text.endswith(start))
        return text[: -len(self._held)], False

    def rest(self) -> str:
        """What was held back in vain, at the end of the text."""
        held, self._held = self._held, ""
        return held


class FenceFilter:
    """Takes an opening Markdown fence (three backticks, a word, a line end) off the start of the text."""

    def __init__(self) -> None:
        self._start: str | None = ""

    def passed(self, text: str) -> str:
        """What can be shown of `text`, after what came before."""
        if self._start is None:
            return text
        start = self._start + text
        bare = start.lstrip()
        if bare.startswith(_FENCE):
            _, line_end, code = bare.partition("\n")
            self._start = None if line_end else start
            return code
        if _FENCE.startswith(bare):
            self._start = start
            return ""
        self._start = None
        return start

    def rest(self) -> str:
        """What turned out to be no fence, at the end of the text."""
        start, self._start = self._start or "", None
        return "" if start.lstrip().startswith(_FENCE) else start


class TypedSpace:
    """Takes off the start of the text what of it stands before the cursor already.

    Tokens hold the white space before a word, so a prompt that ends in some leads a model into places that it has
    never seen. The prompt is read without it, the model writes it again, and here it is taken off. `typed` holds one
    line end at most.
    """

    def __init__(self, typed: str) -> None:
        self._typed = typed
        self._start: str | None = ""

    def passed(self, text: str) -> str:
        """What can be shown of `text`, after what came before."""
        if self._start is None:
            return text
        start = self._start + text
        rest = start.lstrip(" \t\n")
        if not rest:
            self._start = start
            return ""
        self._start = None
        space = start[: len(start) - len(rest)]
        lines, typed_lines = space.count("\n"), self._typed.count("\n")
        indent, typed_indent = space.rpartition("\n")[2], self._typed.rpartition("\n")[2]
        if lines > typed_lines:
            return "\n" * (lines - typed_lines) + indent + rest
        # Less than what was typed can't be taken back: the text goes on where the cursor is.
        more = lines == typed_lines and indent.startswith(typed_indent)
        return (indent.removeprefix(typed_indent) if more else "") + rest


class LineGuard:
    """Lets `most` lines through and nothing of the line end behind the last one; empty ones before it do not count."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._begun = False

    def passed(self, text: str) -> tuple[str, bool]:
        """What of `text` can be shown, and whether the last line is complete."""
        at = 0
        if not self._begun:
            at = len(text) - len(text.lstrip())
            self._begun = at < len(text)
        while (at := text.find("\n", at)) >= 0 and self._begun:
            self._left -= 1
            if not self._left:
                return text[:at].removesuffix("\r"), True
            at += 1
        return text, False


class TextStream:
    """The text of one answer as its tokens come in.

    Invalid bytes become U+FFFD at once and never stall the stream; a character that is cut off by the end
    of the answer is left out. `write` takes the bytes of one token, and says whether the text has come to a
    stop string, to where `guard` ends it, or to the end of as many `lines` (0: any number). `opening` is text that
    goes out before the first token's; `typed` is white space at the end of what was to be continued, which the
    model writes again.
    """

    def __init__(
        self,
        stops: tuple[str, ...] = (),
        *,
        fenced: bool = False,
        spaced: bool = False,
        guard: Guard | None = None,
        opening: str = "",
        typed: str = "",
        lines: int = 0,
    ) -> None:
        fence_end = ("\n" + _FENCE,) if fenced else ()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._guard = StopGuard(stops + fence_end)
        self._end = guard
        self._fence = FenceFilter() if fenced else None
        self._lines = LineGuard(lines) if lines else None
        self._spaced = spaced
        self._typed = TypedSpace(typed) if typed else None
        self._pieces: list[bytes] = []
        self._ready: list[str] = [opening]
        self._whole: list[str] = []
        # Without anything to stop at nothing needs to be looked at before the text goes out.
        guarded = any(stops) or fenced or guard is not None or bool(lines)
        self.write: Callable[[bytes], bool | None] = self._guarded if guarded else self._pieces.append

    def close(self) -> None:
        """The answer is over, and not because of a stop string: nothing needs to be held back any more."""
        self._decode()
        self._show(self._guard.rest())
        if self._fence is not None:
            self._ready.append(self._fence.rest())

    def take(self) -> str:
        """The text that can be shown since the last call."""
        self._decode()
        text = "".join(self._ready)
        self._ready.clear()
        if text:
            self._whole.append(text)
        return text

    @property
    def text(self) -> str:
        """All text taken so far."""
        return "".join(self._whole)

    def _guarded(self, piece: bytes) -> bool:
        self._pieces.append(piece)
        return self._decode()

    def _decode(self) -> bool:
        """Bytes to text; whether a stop string came."""
        text = self._decoder.decode(b"".join(self._pieces))
        self._pieces.clear()
        if not text:
            return False
        if self._spaced:
            # Vocabularies of this kind write a space before the first word of a chat's answer.
            self._spaced = False
            text = text.removeprefix(" ")
        if self._typed is not None:
            text = self._typed.passed(text)
        shown, stopped = self._guard.passed(text)
        if self._end is not None:
            shown, ended = self._end.passed(shown)
            stopped = stopped or ended
        return self._show(shown) or stopped

    def _show(self, text: str) -> bool:
        """Let `text` out; whether it was the last that is wanted."""
        shown, complete = (self._fence.passed(text) if self._fence is not None else text), False
        if self._lines is not None:
            shown, complete = self._lines.passed(shown)
        self._ready.append(shown)
        return complete
