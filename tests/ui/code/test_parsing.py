"""The tree follows edits, gives way to other threads, and its colours are those of a fresh parse."""

from __future__ import annotations

import random

import pytest

from studio.ui.code.indenting import Style, dedented, next_indent, style_of, toggled_comment
from studio.ui.code.parsing import COLORS, Syntax, TreeEdit, is_supported

SOURCE = 'def area(r: float) -> float:\n    """Of a circle."""\n    return 3.14 * r  # 😀 roughly\n'


def wide(text: str) -> bytes:
    return text.encode("utf-16-le")


def coloured(syntax: Syntax, text: str) -> list[tuple[str, str]]:
    data = wide(text)
    return [
        (data[2 * part.start : 2 * part.end].decode("utf-16-le"), COLORS[part.color])
        for part in syntax.segments(0, len(data) // 2)
    ]


def test_colours_of_python() -> None:
    syntax = Syntax("python")
    assert syntax.update(wide(SOURCE), [], lambda: False)
    found = coloured(syntax, SOURCE)
    for part in (("def", "keyword"), ("area", "function"), ("3.14", "number"), ("# 😀 roughly", "comment")):
        assert part in found
    assert ('"""Of a circle."""', "string") in found


def test_only_installed_grammars_are_used() -> None:
    assert is_supported("python")
    assert not is_supported("text")
    assert not is_supported("../python")


def test_a_parse_can_be_stopped_and_taken_up_again() -> None:
    text = SOURCE * 500
    syntax = Syntax("python")
    assert not syntax.update(wide(text), [], lambda: True)
    assert syntax.segments(0, 50) == []
    assert syntax.update(wide(text), [], lambda: False)
    assert syntax.segments(0, 50) != []


@pytest.mark.parametrize("seed", range(8))
def test_following_edits_gives_the_colours_of_a_fresh_parse(seed: int) -> None:
    chance = random.Random(seed)
    text, syntax = SOURCE * 3, Syntax("python")
    syntax.update(wide(text), [], lambda: False)
    for _ in range(15):
        start, end = sorted(chance.randrange(len(text) + 1) for _ in range(2))
        end = min(end, start + 6)
        inserted = chance.choice(["", "x", "\n", "# 😀", "'", "def f():\n    pass\n"])
        edit = tree_edit(text, start, end, inserted)
        text = text[:start] + inserted + text[end:]
        assert syntax.update(wide(text), [edit], lambda: False)
        fresh = Syntax("python")
        fresh.update(wide(text), [], lambda: False)
        assert coloured(syntax, text) == coloured(fresh, text)


def tree_edit(text: str, start: int, end: int, inserted: str) -> TreeEdit:
    after = text[:start] + inserted

    def place(before: str) -> tuple[int, int]:
        return before.count("\n"), len(wide(before.rpartition("\n")[2]))

    old, begin = text[:end], text[:start]
    return TreeEdit(len(wide(begin)), len(wide(old)), len(wide(after)), place(begin), place(old), place(after))


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("def f():", "    "),
        ("    return 1", ""),
        ("    x = (", "        "),
        ("    x = 1", "    "),
        ("\tif a:", "\t    "),
    ],
)
def test_the_next_line_is_indented_as_one_expects(line: str, wanted: str) -> None:
    assert next_indent(line, Style(), "python") == wanted


def test_indentation_of_a_file_is_kept() -> None:
    assert style_of("a\n\tb\n").unit == "\t"
    assert style_of("a\n  b\n").unit == "  "
    assert style_of("a\nb\n").unit == "    "
    assert [dedented(line, Style()) for line in ("      x", "    x", "\tx", "x")] == ["    x", "x", "x", "x"]


def test_comments_come_and_go() -> None:
    lines = ["    a", "", "      b"]
    commented = toggled_comment(lines, "#")
    assert commented == ["    # a", "", "    #   b"]
    assert toggled_comment(commented, "#") == lines
    assert toggled_comment(["#a"], "#") == ["a"]


def test_behind_a_quote_that_is_not_closed_each_line_has_colours() -> None:
    text = (
        'def add(a, b):\n    """Add 2 numbers, it\'s easy \U0001f98a.\n    return a + 1\n    if x == "a b":\n'
        "        return y  # or not\n"
    )
    syntax = Syntax("python")
    assert syntax.update(wide(text), [], lambda: False)
    found = coloured(syntax, text)
    for expected in (
        ('"""', "string"), ("return", "keyword"), ("if", "keyword"), ('"a b"', "string"), ("1", "number"),
        ("# or not", "comment"), ("def", "keyword"),
    ):  # fmt: skip
        assert expected in found, expected
    assert found.count(("return", "keyword")) == 2
