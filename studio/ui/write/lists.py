"""How a Markdown list goes on. No Qt."""

from __future__ import annotations

import re

_ITEM = re.compile(
    r"(?P<indent>\s*)(?:(?P<bullet>[-*+])|(?P<number>\d{1,9})(?P<dot>[.)]))(?P<space>[ \t]+)(?P<box>\[[ xX]\] )?"
)


def continued_mark(line: str) -> str | None:
    """What the line after the list item `line` begins with; None where it is no list item."""
    found = _ITEM.match(line)
    if found is None:
        return None
    mark = found["bullet"] or f"{int(found['number']) + 1}{found['dot']}"
    return f"{found['indent']}{mark}{found['space']}{'[ ] ' if found['box'] else ''}"


def is_empty_item(line: str) -> bool:
    """Whether the list item `line` has no words."""
    found = _ITEM.match(line)
    return found is not None and not line[found.end() :].strip()
