"""Loading a full-size SD 1.5 layout (bfloat16 in its files): time and peak memory, against diffusers' defaults.

Each load happens in a process of its own that has imported the libraries before the clock starts; the files are
in the system's cache for both.
"""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from studio.worker import process
from tests.benchmarks.table import Row

ROOT = Path(__file__).resolve().parents[2]
TIME_LIMIT, MEMORY_LIMIT = 0.2, 1.1


def run(quick: bool) -> list[Row]:
    """The rows of the table."""
    from tests.benchmarks import full_size_model

    rounds = 1 if quick else 3
    with tempfile.TemporaryDirectory(prefix="atelier-") as name:
        folder = full_size_model.write(Path(name) / "model")
        size = sum(file.stat().st_size for file in folder.rglob("*.safetensors"))
        pairs = [(_child("studio", folder), _child("defaults", folder)) for _ in range(rounds)]
    ours = min(pair[0]["seconds"] for pair in pairs)
    theirs = min(pair[1]["seconds"] for pair in pairs)
    memory = max(pair[0]["peak"] for pair in pairs) / size
    their_memory = min(pair[1]["peak"] for pair in pairs) / size
    what = f"load of a full-size SD 1.5 layout ({size / 1e9:.1f} GB)"
    return [
        Row(f"{what}: time", f"{ours:.2f} s", f"diffusers' defaults {theirs:.2f} s", ours / theirs,
            f"≤ {TIME_LIMIT} ×", ours / theirs <= TIME_LIMIT),
        Row(f"{what}: peak memory", f"{memory * size / 1e9:.2f} GB",
            f"diffusers' defaults {their_memory:.2f} × the file", memory, f"≤ {MEMORY_LIMIT} × the file",
            memory <= MEMORY_LIMIT),
    ]  # fmt: skip


def _child(kind: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.load_picture_model", kind, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=True)
    answer: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def _load_ours(folder: Path) -> tuple[float, int]:
    from studio.core.engine import Placement
    from studio.core.events import JobProgress, Stage
    from studio.engines.diffusion.engine import DiffusionEngine
    from tests.engines.diffusion.asking import Flag, assignment, request

    engine = DiffusionEngine()
    work = assignment(folder, request(width=64, height=64), placement=Placement(device="cpu", threads=1))
    before = _level()
    start = time.perf_counter()
    job = engine.run(work, Flag())
    for event in job:
        if isinstance(event, JobProgress) and event.stage is Stage.ENCODE:
            return time.perf_counter() - start, process.peak_bytes() - before
    raise AssertionError


def _load_defaults(folder: Path) -> tuple[float, int]:
    from studio.engines.diffusion import library

    library.warm()
    pipeline: library.Component = library.named("diffusers", "StableDiffusionPipeline")
    before = _level()
    start = time.perf_counter()
    loaded = pipeline.from_pretrained(folder, safety_checker=None, feature_extractor=None)
    seconds = time.perf_counter() - start
    del loaded
    return seconds, process.peak_bytes() - before


def _level() -> int:
    """How much memory the process has before the load, whose peak is counted from here."""
    gc.collect()
    process.forget_peak()
    return process.resident_bytes()


def main() -> None:
    """In the child: load once and print seconds and peak bytes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["studio", "defaults"])
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    seconds, peak = _load_ours(options.folder) if options.kind == "studio" else _load_defaults(options.folder)
    sys.stdout.write(json.dumps({"seconds": seconds, "peak": peak}))
    sys.stdout.flush()
    process.leave(0)  # the engine's threads are in the middle of a picture that nobody waits for


if __name__ == "__main__":
    main()
