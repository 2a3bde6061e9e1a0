"""A model that goes round in circles is stopped; what people write with many repetitions is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from studio.engines.language.engine import LanguageEngine
from studio.engines.language.repetition import LOOK_EVERY, is_endless
from tests.engines.language.asking import ask, code, sampling, text
from tests.engines.language.conftest import Models
from tests.tiny_gguf import TinyModel

LOOPS = {
    "one word": ("path_",),
    "two words": (" b: int", ","),
    "a sentence": (" She", " went", " to", " the", " river", " and", " sat", " down", "."),
}


@pytest.mark.parametrize("script", LOOPS.values(), ids=LOOPS)
def test_a_model_that_goes_round_in_circles_is_stopped(
    engine: LanguageEngine, models: Models, script: tuple[str, ...]
) -> None:
    path = models(TinyModel(script=script, loops=True, context=2048))
    answer = ask(engine, path, text("Tell:", most=1000))
    assert answer.report.finish == "repetition"
    assert answer.report.output_tokens in range(96, 96 + len(script) * 8 + 2 * LOOK_EVERY)
    assert answer.text.startswith("".join(script) * 2)
    assert ["again and again" in notice for notice in answer.notices] == [True]


def test_it_ends_at_the_same_token_each_time(engine: LanguageEngine, models: Models) -> None:
    path = models(TinyModel(script=LOOPS["a sentence"], loops=True, context=2048))
    lengths = {ask(engine, path, text("Tell:", most=1000)).report.output_tokens for _ in range(3)}
    assert len(lengths) == 1


def test_after_it_the_engine_writes_on(engine: LanguageEngine, models: Models) -> None:
    path = models(TinyModel(script=LOOPS["one word"], loops=True, context=2048))
    ask(engine, path, text("Tell:", most=500))
    assert ask(engine, path, text("Tell:", most=40)).report.finish == "length"
    assert ask(engine, path, code(prefix="x = ", most=500)).report.finish == "repetition"


def test_numbers_go_on_for_long(engine: LanguageEngine, models: Models) -> None:
    path = models(TinyModel(script=("0", ", "), loops=True, context=2048))
    assert ask(engine, path, text("[", most=400)).report.finish == "length"
    assert ask(engine, path, text("[", most=1000)).report.finish == "repetition"


def test_what_a_schema_asks_for_may_be_the_same(engine: LanguageEngine, models: Models) -> None:
    path = models(TinyModel(never_ends=True, plain=True, quantised=True, context=1024))
    schema = '{"type": "array", "minItems": 400, "items": {"const": "ab"}}'
    answer = ask(engine, path, text("x", most=600, json_schema=schema, sampling=sampling(temperature=0)))
    assert answer.report.finish == "length"


def test_noise_is_no_repetition(engine: LanguageEngine, noise: Path) -> None:
    assert ask(engine, noise, text("abc", most=400)).report.finish == "length"


def ends(written: str) -> bool:
    """Whether a text would have been stopped anywhere, with each word, sign and run of spaces as a token."""
    pieces = re.findall(r"[^\W\d_]+|\d| +|\s|[^\w\s]|_", written)
    known = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    words = list(known)
    tokens = [known[piece] for piece in pieces]
    return any(
        is_endless(tokens[:count], count, lambda unit: "".join(words[token] for token in unit).encode())
        for count in range(LOOK_EVERY, len(tokens) + 1, LOOK_EVERY)
    )


ROW = "| {} | 12 | yes | a note |\n"
CASES = "    assert solve({0}) == {0}\n"
REFRAIN = (
    "Row, row, row your boat,\nGently down the stream,\nMerrily, merrily, merrily, merrily,\nLife is but a dream.\n\n"
)
MEANT = {
    "a table": "| name | n | ok | note |\n|------|---|----|------|\n" + "".join(ROW.format(n) for n in range(60)),
    "empty cells": "|  |  |  |  |\n" * 30,
    "a ruled line": "=" * 400,
    "numbers": ", ".join(str(n) for n in range(300)),
    "a board": "[\n" + f"    [{', '.join('0' * 9)}],\n" * 9 + "]\n",
    "a refrain": REFRAIN * 4,
    "a refrain between verses": "".join(f"{REFRAIN}And so we sang for the {n}th time.\n" for n in range(20)),
    "la la la": "la la la la la la la la\n" * 3,
    "test cases": "def test_solve():\n" + "".join(CASES.format(n) for n in range(50)),
    "the same call": "    step()\n" * 12,
    "a list": "".join(f"{n}. A fine thing to have in the house.\n" for n in range(40)),
}


@pytest.mark.parametrize("written", MEANT.values(), ids=MEANT)
def test_what_people_mean_is_not_stopped(written: str) -> None:
    assert not ends(written)


SENSELESS = {
    "one word": "path_" * 100,
    "a list of one thing": "b: int, " * 30,
    "a sentence": "She went to the river and sat down. " * 12,
    "a paragraph": "She went to the river. The sun was low and the water was cold. Nobody came. " * 8,
    "nothing at all": "\n" * 200,
    "zeros without end": "0, " * 400,
    "after something": "Once upon a time there was a fox. " + "And then, and then, " * 30,
}


@pytest.mark.parametrize("written", SENSELESS.values(), ids=SENSELESS)
def test_what_nobody_means_is_stopped(written: str) -> None:
    assert ends(written)
