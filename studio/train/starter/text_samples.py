"""The samples of the model card: fixed prompts and seeds, nothing picked."""

from __future__ import annotations

from collections.abc import Mapping

from studio.core.references import ModelRef
from studio.core.requests import MusicRequest, Sampling
from studio.core.tune_header import tune_header
from studio.train.starter.text_play import Player

SEEDS = (1, 2)

_STORIES = (
    "Once upon a time there was a little fox who",
    "The old lighthouse keeper had never seen such a storm.",
    "Long ago, in a village by the sea, there lived a girl named Mara. Every morning she",
    '"Who goes there?" cried the captain.',
)
_ASKED: Mapping[str, tuple[str, ...]] = {
    "writer": (
        "Who are you?",
        "What can you do?",
        'What does "brave" mean?',
        'Give me a synonym for "happy".',
        "Tom has 3 apples. He buys 4 more apples. How many apples does Tom have?",
        (
            "What did the crow drop?\n\nA crow sat on a branch with a piece of cheese in her beak. A fox praised her "
            "voice. The crow opened her beak to sing, and dropped the cheese, and the fox ate it."
        ),
        'Write a short story called "The Kind Giant".',
    ),
    "coder": (
        "Who are you?",
        "What can you do?",
        "Write a Python function `is_even` to check whether a number is even.",
        "Write a Python function `count_words`: Count how often each word stands in a text.",
    ),
}
_BEGUN = (
    'def factorial(n: int) -> int:\n    """Return n factorial."""\n',
    'def read_lines(path: str) -> list[str]:\n    """Read all lines of a text file."""\n',
    "import json\nfrom pathlib import Path\n\n\nclass Settings:\n    def __init__(self, path):\n",
    "for i in range(10):\n    if i % 2",
)
_HOLES = (
    ("def add(a, b):\n    return ", "\n\n\nprint(add(2, 3))\n"),
    (
        "def largest(values):\n    best = values[0]\n    for value in values:\n        if ",
        ":\n            best = value\n    return best\n",
    ),
)
_COMPOSER = ModelRef("starter/composer")
_SAMPLING = Sampling(seed=0)  # the samples have seeds of their own
_HEADS = tuple(
    tune_header(request)
    for request in (
        MusicRequest(_COMPOSER, _SAMPLING, metre="3/4", key="G", title="Morning"),
        MusicRequest(_COMPOSER, _SAMPLING, metre="6/8", key="Dm", title="By the sea"),
        MusicRequest(_COMPOSER, _SAMPLING, kind="chorale", key="F"),
    )
)
"""As the studio asks for tunes."""


def draw_samples(player: Player, name: str) -> list[tuple[str, str]]:
    """(heading with the prompt, what the model wrote), for every prompt and seed."""
    found: list[tuple[str, str]] = []
    for seed in SEEDS:
        for request in _ASKED.get(name, ()):
            reply = player.ask(request, 160, temperature=0.5, seed=seed)
            found.append((f"Asked, seed {seed}, temperature 0.5: {request}", reply.text))
        prompts = {"writer": _STORIES, "coder": _BEGUN, "composer": _HEADS}[name]
        for prompt in prompts:
            heat = 0.8 if name != "coder" else 0.3
            length = 500 if name == "composer" else 140
            reply = player.write([player.end, *player.tokens(prompt)], length, temperature=heat, seed=seed)
            found.append((f"Continued, seed {seed}, temperature {heat}: {prompt}", reply.text))
    if name == "coder":
        for before, after in _HOLES:
            reply = player.fill_in(before, after, 40, stop=lambda text: "\n" in text)
            found.append((f"Filled in, likeliest: {before}▢{after}", reply.text))
    return found


def samples_page(name: str, samples: list[tuple[str, str]]) -> str:
    """The samples as Markdown."""
    parts = [f"# Starter {name}: samples\n\nUnpicked: fixed prompts, fixed seeds, failures included.\n"]
    for heading, text in samples:
        prompt = heading.replace("\n", "\n> ")
        parts.append(f"> {prompt}\n\n```text\n{text.strip()}\n```\n")
    return "\n".join(parts)
