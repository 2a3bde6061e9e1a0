"""`python -m tests.benchmarks [--quick] [NAMES]`: measures, prints one table, and fails where a limit is missed."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import textwrap

from tests.benchmarks.table import Row

# Each is a module of this package with `run(quick: bool) -> list[Row]`; the quiet ones first.
MODULES = ("start", "second_start", "window_memory", "lag", "tokens", "load_picture_model", "picture", "cancel")
_HEADINGS = Row("what", "measured", "against", 0.0, "to reach", None)


def _cells(row: Row) -> tuple[str, ...]:
    verdict = {True: "yes", False: "NO", None: "–"}[row.ok]
    return (row.what, row.measured, row.against, f"{row.ratio:.2f} ×", row.limit, verdict)


def render(rows: list[Row]) -> str:
    """The rows as a table of plain text, long cells wrapped."""
    headings = (*_cells(_HEADINGS)[:3], "ratio", "to reach", "ok")
    table = [[textwrap.wrap(cell, 46) or [""] for cell in line] for line in (headings, *map(_cells, rows))]
    widths = [max(len(part) for line in table for part in line[column]) for column in range(len(headings))]
    text = []
    for number, line in enumerate(table):
        for height in range(max(len(cell) for cell in line)):
            parts = [cell[height] if height < len(cell) else "" for cell in line]
            text.append("  ".join(part.ljust(width) for part, width in zip(parts, widths, strict=True)).rstrip())
        if number == 0:
            text.append("  ".join("-" * width for width in widths))
    return "\n".join(text)


def main() -> int:
    """Run what was asked for; the number of missed limits is the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*MODULES, []], help="which parts; all of them if none is named")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and smaller models")
    options = parser.parse_args()
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    rows: list[Row] = []
    for name in options.names or MODULES:
        sys.stderr.write(f"measuring {name} …\n")
        rows += importlib.import_module(f"tests.benchmarks.{name}").run(options.quick)
    sys.stdout.write(render(rows) + "\n")
    return sum(row.ok is False for row in rows)


if __name__ == "__main__":
    sys.exit(main())
