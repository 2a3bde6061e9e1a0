"""Colours by the line, for what a grammar could make nothing of: behind a quote that is not closed yet, above all.

No Qt. A rough reading: strings, numbers, comments and the language's own words, each within its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Language, Node, Tree

_OUTSIDE_PLANE = re.compile("[\U00010000-\U0010ffff]")
_QUOTED_WORD = re.compile(r'"([a-z]+)"')


class Scanner:
    """Reads lines of one language; `comment` is what begins a comment, empty where nothing does."""

    def __init__(self, language: Language, query: str, comment: str) -> None:
        kinds = range(language.node_kind_count)
        known = {language.node_kind_for_id(kind) for kind in kinds if not language.node_kind_is_named(kind)}
        self._keywords = {word for word in _QUOTED_WORD.findall(query) if word in known}
        behind = rf"(?P<comment>{re.escape(comment)}.*)|" if comment else ""
        self._parts = re.compile(
            rf"""{behind}(?P<string>\"{{3}}|'{{3}}|"(?:[^"\\]|\\.)*"|(?<!\w)'(?:[^'\\]|\\.)*'(?!\w))"""
            r"""|(?P<number>\b\d[\w.]*)|(?P<word>[^\W\d]\w*)"""
        )

    def parts(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Start, end (in UTF-16 units) and the colour's name of each part of `text` that has one."""
        at = 0
        for line in _OUTSIDE_PLANE.sub("xx", text).split("\n"):
            for found in self._parts.finditer(line):
                kind = found.lastgroup or ""
                if kind == "word":
                    kind = "keyword" if found[0] in self._keywords else ""
                if kind:
                    yield at + found.start(), at + found.end(), kind
            at += len(line) + 1


def unread(tree: Tree, start: int, end: int) -> list[tuple[int, int]]:
    """What the grammar passed over in the bytes `start` to `end`: the inside of its errors, without what it knew."""
    found: list[tuple[int, int]] = []
    waiting = [tree.root_node]
    while waiting:
        node = waiting.pop()
        if not node.has_error or node.end_byte <= start or node.start_byte >= end:
            continue
        if node.is_error:
            found += _between(node)
        waiting += node.children
    return [(max(start, first), min(end, last)) for first, last in found if first < end and last > start]


def _between(node: Node) -> list[tuple[int, int]]:
    at, found = node.start_byte, []
    for child in node.children:
        # The beginning of a string that never ends is what the string is known by.
        if child.type == "string_start":
            continue
        found.append((at, child.start_byte))
        at = child.end_byte
    return [(first, last) for first, last in [*found, (at, node.end_byte)] if last > first]
