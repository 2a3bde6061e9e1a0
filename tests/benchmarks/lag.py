"""Event-loop lag of the window while a picture denoises and text streams, against the idle window and a thread."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.table import Row

ROOT = Path(__file__).resolve().parents[2]


def measure(mode: str, seconds: float) -> dict[str, Any]:
    """Run `measured_window` in `mode` and return what it printed."""
    with tempfile.TemporaryDirectory(prefix="atelier-") as folder:
        command = [sys.executable, "-m", "tests.benchmarks.measured_window", mode]
        command += ["--seconds", str(seconds), "--folder", folder]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds + 200, check=False)
    if done.returncode:
        raise RuntimeError(f"the window to be measured ended with {done.returncode}: {done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def run(quick: bool) -> list[Row]:
    """The rows of the table."""
    seconds = 6.0 if quick else 25.0
    idle = measure("idle", seconds)["lag"]
    answer = measure("busy", seconds)
    busy = answer["lag"]
    thread = measure("thread", seconds)["lag"]
    look = measure("look", seconds)["lag"]
    models = "starter models" if answer["real"] else "stand-in engines"
    ratio = busy["p99"] / max(idle["p99"], 0.01)
    return [
        Row(
            f"event-loop lag p99 while both engines load and run ({models})",
            f"{busy['p99']:.1f} ms",
            f"idle {idle['p99']:.1f} ms, in-process thread {thread['p99']:.1f} ms",
            ratio,
            "p99 ≤ 8 ms",
            busy["p99"] <= 8.0,
        ),
        Row(
            "longest stall of the event loop meanwhile",
            f"{busy['max']:.0f} ms ({busy['stalls']:.0f} over 50 ms)",
            f"idle {idle['max']:.0f} ms, thread {thread['max']:.0f} ms ({thread['stalls']:.0f} over 50 ms)",
            busy["max"] / max(idle["max"], 0.01),
            "no stall over 50 ms",
            busy["stalls"] == 0,
        ),
        Row(
            "longest stall at another theme or text size, four rooms open",
            f"{look['max']:.0f} ms",
            f"idle {idle['max']:.0f} ms",
            look["max"] / max(idle["max"], 0.01),
            "≤ 100 ms",
            look["max"] <= 100,
        ),
    ]
