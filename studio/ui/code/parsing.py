"""The syntax tree of one source file, and from it which letters have which colour. No Qt.

tree-sitter holds the interpreter's lock while it parses a whole buffer (measured: 157 ms for 20,000
lines). So the text is given in slices and a callback gives way to other threads as it goes.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import time
from collections.abc import Callable

from tree_sitter import Language, Parser, Point, Query, QueryCursor, Tree

from studio.documents.code_folder import comment_mark
from studio.ui.code.fallback import Scanner, unread

_SLICE = 1 << 14
_GIVE_WAY_EVERY = 4
_GIVE_WAY = 0.0002
"""Seconds; a real pause, since a thread that only offers the lock has it back before another one wakes up."""
COLORS = ("", "keyword", "string", "number", "comment", "function", "type", "variable", "operator")
_OF_CAPTURE = {
    "keyword": "keyword",
    "string": "string",
    "escape": "number",
    "number": "number",
    "float": "number",
    "boolean": "number",
    "constant": "number",
    "comment": "comment",
    "function": "function",
    "constructor": "type",
    "type": "type",
    "tag": "keyword",
    "operator": "operator",
}
_EMBEDDED = {"embedded", "interpolation", "punctuation.special"}


@dataclasses.dataclass(frozen=True)
class TreeEdit:
    """An edit as the tree has to know it; positions in bytes (two a unit), places as (row, byte in the row)."""

    start: int
    old_end: int
    new_end: int
    start_place: tuple[int, int]
    old_place: tuple[int, int]
    new_place: tuple[int, int]


@dataclasses.dataclass(frozen=True)
class Segment:
    """The units `start` to `end` of the text have the colour `COLORS[color]`."""

    start: int
    end: int
    color: int


def is_supported(language: str) -> bool:
    """Whether there is a grammar for `language` here; others are shown as plain text."""
    return language.isidentifier() and importlib.util.find_spec(f"tree_sitter_{language}") is not None


class Syntax:
    """One file's tree. Used by one thread at a time."""

    def __init__(self, language: str) -> None:
        grammar = importlib.import_module(f"tree_sitter_{language}")
        self._language = Language(grammar.language())
        self._parser = Parser(self._language)
        self._query = Query(self._language, grammar.HIGHLIGHTS_QUERY)
        self._colors = [_color(self._query.capture_name(at)) for at in range(self._query.capture_count)]
        self._names = {self._query.capture_name(at): self._colors[at] for at in range(self._query.capture_count)}
        self._tree: Tree | None = None
        self._text = b""
        self._scanner = Scanner(self._language, grammar.HIGHLIGHTS_QUERY, comment_mark(language))

    def update(self, text: bytes, edits: list[TreeEdit], stop: Callable[[], bool]) -> bool:
        """Parse `text` (UTF-16-LE) anew where `edits` changed it; False if `stop` said so before it was done."""
        tree = self._tree
        if tree is not None:
            for edit in edits:
                tree.edit(
                    start_byte=edit.start,
                    old_end_byte=edit.old_end,
                    new_end_byte=edit.new_end,
                    start_point=Point(*edit.start_place),
                    old_end_point=Point(*edit.old_place),
                    new_end_point=Point(*edit.new_place),
                )
        calls = 0

        def read(offset: int, _point: Point) -> bytes:
            return text[offset : offset + _SLICE]

        def go_on(_offset: int, _error: bool) -> bool:
            nonlocal calls
            calls += 1
            if calls % _GIVE_WAY_EVERY == 0:
                time.sleep(_GIVE_WAY)
            return stop()

        try:
            if tree is None:
                self._tree = self._parser.parse(read, encoding="utf16le", progress_callback=go_on)
            else:
                self._tree = self._parser.parse(read, tree, encoding="utf16le", progress_callback=go_on)
        except ValueError:  # the callback stopped it; the edited tree is the start of the next try
            self._parser.reset()
            return False
        self._text = text
        return True

    def segments(self, start: int, end: int) -> list[Segment]:
        """The coloured parts of the units `start` to `end`, in order and without overlap."""
        if self._tree is None or end <= start:
            return []
        cursor = QueryCursor(self._query)
        cursor.set_byte_range(2 * start, 2 * end)
        spans: list[tuple[int, int, int, int]] = []
        for pattern, captures in cursor.matches(self._tree.root_node):
            for name, nodes in captures.items():
                color = self._names[name]
                spans.extend((node.end_byte - node.start_byte, pattern, node.start_byte, color) for node in nodes)
        spans.sort(key=lambda span: (-span[0], span[1]))  # what is inside, and later patterns, paint over
        painted = bytearray(end - start)
        self._paint_unread(self._tree, painted, start, end)
        for length, _, begin, color in spans:
            if color >= 0:
                first, last = max(0, begin // 2 - start), min(end - start, (begin + length) // 2 - start)
                if last > first:
                    painted[first:last] = bytes([color]) * (last - first)
        return _segments(painted, start)

    def _paint_unread(self, tree: Tree, painted: bytearray, start: int, end: int) -> None:
        """By the line, where the grammar could make nothing of it; what it knows is painted over that."""
        for first, last in unread(tree, 2 * start, 2 * end):
            text = self._text[first:last].decode("utf-16-le", "surrogatepass")
            for begin, finish, name in self._scanner.parts(text):
                at = first // 2 - start
                painted[at + begin : at + finish] = bytes([COLORS.index(name)]) * (finish - begin)


def _segments(painted: bytearray, start: int) -> list[Segment]:
    found: list[Segment] = []
    at = 0
    while at < len(painted):
        color = painted[at]
        end = at + 1
        while end < len(painted) and painted[end] == color:
            end += 1
        if color:
            found.append(Segment(start + at, start + end, color))
        at = end
    return found


def _color(capture: str) -> int:
    """The colour of a capture; 0 paints plain, -1 leaves what is there."""
    if capture in _EMBEDDED:
        return 0
    name = _OF_CAPTURE.get(capture) or _OF_CAPTURE.get(capture.partition(".")[0])
    return COLORS.index(name) if name else 0
