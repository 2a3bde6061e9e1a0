"""What of a model's words is worth offering as a suggestion between two pieces of code. No Qt."""

from __future__ import annotations

import re

_PAIRS = {")": "(", "]": "[", "}": "{"}
_CLOSERS = re.compile(r"[\s)\]}>'\"`,:;]*")
_LOOP = re.compile(r"(\S.{1,30}?)\1{4,}", re.DOTALL)
_OPENERS = (":", "(", "[", "{")
_TAB = 4


def may_stand_before(rest: str) -> bool:
    """Whether a suggestion may come by itself with `rest` behind it on the line: only what closes may stand there."""
    return _CLOSERS.fullmatch(rest) is not None


def offered(text: str, before: str, after: str, *, comment: str = "#", whole: bool = True, cut: bool = False) -> str:
    """The part of `text` that is news between `before` and `after`, or nothing.

    It ends where the block of the cursor's line ends, before what stands below already, and before a line that
    says again what the line above it said. While more of it may come (`whole` false), a last line that may
    still turn out to be such a repetition waits. Where it was `cut` off, a last line after others is left out.
    Before closing brackets no comment (which begins with `comment`) is offered: they would become part of it.
    """
    head, rest = before.rpartition("\n")[2], after.partition("\n")[0]
    lines = text.replace("\r\n", "\n").split("\n")
    if rest.strip():
        lines = [_without_comment(lines[0], comment)]
    elif cut and len(lines) > 1:
        lines.pop()
    if head and not head.strip():
        while not lines[0].strip() and len(lines) > 1 and (lines[1].startswith(head) or not lines[1]):
            lines[:2] = [lines[1].removeprefix(head)]  # the line that was begun is used
        lines[0] = _on_the_grid(lines[0])
    elif head.endswith(" "):
        lines[0] = lines[0].lstrip(" ")
    lines = _of_block(lines, head)
    lines = _news(lines, before, after.partition("\n")[2], whole=whole)
    text = _without_tail("\n".join(lines).rstrip(), after)
    loop = _LOOP.search(text)
    return "" if not text.strip() or (loop and _says(loop[1])) else text


def _of_block(lines: list[str], head: str) -> list[str]:
    """The lines up to the first one that leaves the block of the cursor's line, whose beginning is `head`."""
    first = head + lines[0]
    begun = bool(head.strip())
    opened = first.rstrip()[-1] if begun else ""
    base = _indent(head) if head else _indent(next((line for line in [first, *lines[1:]] if line.strip()), ""))
    for at, line in enumerate(lines[1:], 1):
        if not line.strip():
            continue
        depth = _indent(line)
        closes = opened != ":" and line.lstrip()[0] in _PAIRS
        least = base + 1 if opened in _OPENERS and not closes else base
        if depth < least:
            return lines[:at]
    return lines


def _news(lines: list[str], before: str, below: str, *, whole: bool) -> list[str]:
    """The lines before the first one that only repeats the line above it, or what stands below the cursor."""
    above, _, head = before.rpartition("\n")
    last = _last_filled(above)
    coming = next((line.rstrip() for line in below.split("\n") if line.strip()), "")
    for at, line in enumerate(lines):
        full = (head + line if at == 0 else line).rstrip()
        if at == 0 and not line.strip():
            last = full if full.strip() else last
            continue
        if not full.strip():
            continue
        if _says(full):
            unfinished = at == len(lines) - 1
            if full.strip() == last.strip() or full == coming or (unfinished and coming.startswith(full)):
                return lines[:at]
            if unfinished and not whole and last.strip().startswith(full.strip()):
                return lines[:at]
        last = full
    return lines


def _without_tail(text: str, after: str) -> str:
    """`text` without an end that stands behind the cursor already."""
    for size in range(min(len(after), len(text)), 0, -1):
        tail = after[:size]
        if tail.strip() and text.endswith(tail) and not _needs(text, tail.rstrip()):
            return text[:-size].rstrip()
    return text


def _needs(text: str, tail: str) -> bool:
    """Whether `tail` closes a bracket that `text` itself opened."""
    closing = _PAIRS.get(tail[-1:])
    return closing is not None and text.count(closing) >= text.count(tail[-1:])


def _last_filled(text: str) -> str:
    return next((line for line in reversed(text.split("\n")) if line.strip()), "")


def _says(text: str) -> bool:
    """Whether there are letters in it; signs and numbers may well come twice."""
    return any(letter.isalpha() for letter in text)


def _without_comment(line: str, mark: str) -> str:
    """`line` up to the first `mark` that is in no string."""
    quote = ""
    for at, letter in enumerate(line):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"`":
            quote = letter
        elif mark and line.startswith(mark, at):
            return line[:at].rstrip()
    return line


def _on_the_grid(line: str) -> str:
    """A line at an indentation that is there already, without a few spaces more that make no level."""
    bare = line.lstrip(" ")
    return " " * ((len(line) - len(bare)) // _TAB * _TAB) + bare if bare else line


def _indent(line: str) -> int:
    wide = line.expandtabs(_TAB)
    return len(wide) - len(wide.lstrip())
