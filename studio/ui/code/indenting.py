"""Indentation and comments of source lines. No Qt."""

from __future__ import annotations

import dataclasses
import re

_OPENERS = (":", "{", "(", "[")
_LEAVERS = re.compile(r"\s*(return|pass|break|continue|raise)\b")
WIDTH = 4


@dataclasses.dataclass(frozen=True)
class Style:
    """How a file indents: with `unit` a level."""

    unit: str = " " * WIDTH


def style_of(text: str) -> Style:
    """The indentation of the first indented line; four spaces where there is none."""
    found = re.search(r"^(\t|  +)\S", text[:20000], re.MULTILINE)
    if found is None:
        return Style()
    return Style("\t") if found[1] == "\t" else Style(" " * (2 if len(found[1]) % 4 else WIDTH))


def leading(line: str) -> str:
    """The white space that a line begins with."""
    return line[: len(line) - len(line.lstrip())]


def next_indent(line: str, style: Style, language: str) -> str:
    """The indentation of the line after `line` (its part before the cursor)."""
    indent = leading(line)
    words = line.rstrip()
    if words.endswith(_OPENERS if language == "python" else _OPENERS[1:]):
        return indent + style.unit
    if language == "python" and _LEAVERS.match(line):
        return dedented(indent, style)
    return indent


def dedented(line: str, style: Style) -> str:
    """`line` with one level less."""
    if line.startswith("\t"):
        return line[1:]
    spaces = len(line) - len(line.lstrip(" "))
    width = len(style.unit) if style.unit != "\t" else WIDTH
    return line[(spaces - 1) % width + 1 :] if spaces else line


def toggled_comment(lines: list[str], mark: str) -> list[str]:
    """`lines` as comments, or, where all of them are, as code again. Empty lines are left alone."""
    filled = [line for line in lines if line.strip()]
    if not filled or not mark:
        return lines
    if all(line.lstrip().startswith(mark) for line in filled):
        return [_uncommented(line, mark) for line in lines]
    depth = min(len(leading(line)) for line in filled)
    return [f"{line[:depth]}{mark} {line[depth:]}" if line.strip() else line for line in lines]


def _uncommented(line: str, mark: str) -> str:
    indent = leading(line)
    rest = line[len(indent) :].removeprefix(mark)
    return indent + rest.removeprefix(" ")
