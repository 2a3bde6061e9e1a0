"""Peak memory of the window's process after pictures and text were made, against a bare PySide6 window's."""

from __future__ import annotations

from tests.benchmarks.lag import measure
from tests.benchmarks.table import Row


def run(quick: bool) -> list[Row]:
    """The row of the table."""
    bare = measure("bare", 1.0)["memory"]
    busy = measure("busy", 4.0 if quick else 15.0)["memory"]
    ratio = busy / bare
    return [
        Row(
            "peak memory of the window's process, all rooms built, jobs running",
            f"{busy / 1e6:.0f} MB",
            f"bare PySide6 window {bare / 1e6:.0f} MB",
            ratio,
            "≤ 2.5 ×",
            ratio <= 2.5,
        )
    ]
