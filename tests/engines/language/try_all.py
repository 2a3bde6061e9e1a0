"""A process of its own that asks every model of a folder; prints how many it came through."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import psutil

from studio.core.failure import StudioError
from studio.engines.language.engine import LanguageEngine
from tests.engines.language.asking import ask, chat


def main(place: Path, spare_megabytes: int) -> None:
    engine = LanguageEngine()
    engine.warm()
    if spare_megabytes:
        used = psutil.Process().memory_info().vms
        resource.setrlimit(resource.RLIMIT_AS, (used + (spare_megabytes << 20),) * 2)
    files = sorted(place.glob("*.gguf")) if place.is_dir() else [place]
    for file in files:
        try:
            ask(engine, file, chat(("user", "x"), most=3))
        except StudioError as error:
            if spare_megabytes:
                sys.stdout.write(f"{error.failure.code.value}\n")
    sys.stdout.write(f"{len(files)}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[3]) if len(sys.argv) > 3 else 0)
