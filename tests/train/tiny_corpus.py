"""A data folder in the shape of the real one, of a few kilobytes, made anew for each test."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import numpy as np

_WORDS = (
    "the",
    "old",
    "fox",
    "saw",
    "a",
    "red",
    "bird",
    "by",
    "deep",
    "river",
    "and",
    "ran",
    "home",
    "to",
    "tell",
    "brother",
)


def write_lines(path: Path, records: list[dict[str, object]]) -> None:
    """Write ``records`` as xz-compressed JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with lzma.open(path, "wt", encoding="utf-8") as stream:
        stream.writelines(json.dumps(record) + "\n" for record in records)


def story(seed: int, words: int = 120) -> str:
    """A text of common words, the same for the same seed."""
    rng = np.random.default_rng(seed)
    drawn = [_WORDS[int(place)] for place in rng.integers(len(_WORDS), size=words)]
    return f"Story {seed}. " + " ".join(drawn) + "."


def function(seed: int) -> str:
    """A small Python function."""
    lines = (
        f"def add_{seed}(value: int) -> int:",
        f'    """Add {seed}."""',
        f"    if value > {seed}:",
        "        return value",
        f"    return value + {seed}",
    )
    return "\n".join(lines) + "\n"


def make_corpus(folder: Path, count: int = 120) -> Path:
    """Write prose, instructions, dialogue and code to ``folder``."""
    stories = [story(seed) for seed in range(count)]
    write_lines(
        folder / "prose/prose.jsonl.xz",
        [
            {"title": f"T{n}", "author": "A", "text": t, "source": "s", "tier": 1, "grade": 3.0}
            for n, t in enumerate(stories)
        ],
    )
    write_lines(
        folder / "instruct/instruct.jsonl.xz",
        [
            {
                "instruction": f'What does "word{n}" mean?',
                "input": "",
                "output": f'"Word{n}" (noun) means: thing number {n}.',
                "source": "s",
                "licence": "MIT",
                "category": "definition",
            }
            for n in range(count)
        ],
    )
    turns = [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Good day."}]
    write_lines(folder / "instruct/dialogue.jsonl.xz", [{"messages": turns, "source": "s", "licence": "MIT"}])
    files = [{"path": f"p/f{n}.py", "licence": "MIT", "text": function(n)} for n in range(count)]
    write_lines(folder / "code/code.jsonl.xz", [dict(file) for file in files])
    asked = [
        {
            "instruction": f"Write a Python function `add_{n}` to add {n}.",
            "input": "",
            "output": function(n),
            "source": "s",
            "path": f"p/f{n}.py",
        }
        for n in range(count)
    ]
    write_lines(folder / "code/code_instruct.jsonl.xz", [dict(task) for task in asked])
    return folder
