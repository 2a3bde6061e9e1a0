"""What `main.py` adds to a second start: the best of many, against the same command run without it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from tests.benchmarks.table import Row

ROOT = Path(__file__).resolve().parents[2]
LIMIT_SECONDS = 0.1


def run(quick: bool) -> list[Row]:
    """Time `models --help` both ways."""
    rounds = 5 if quick else 20
    direct = [sys.executable, "-c", "from studio.cli import app; app(['models', '--help'], 'main.py')"]
    bare = _best(direct, rounds)
    through = _best([sys.executable, "main.py", "models", "--help"], rounds)
    added = through - bare
    return [
        Row(
            "second start: what main.py adds",
            f"{added * 1000:.0f} ms",
            f"the command alone {bare * 1000:.0f} ms",
            through / bare,
            "< 100 ms",
            added < LIMIT_SECONDS,
        )
    ]


def _best(command: list[str], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
        times.append(time.perf_counter() - begun)
    return min(times)
