"""Code at a place: continued, filled in, or by instruction."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from studio.core.failure import FailureCode
from studio.engines.language.engine import LanguageEngine
from studio.engines.language.writing import FenceFilter, StopGuard, TypedSpace
from tests.engines.language.asking import ask, code, refused
from tests.engines.language.conftest import Models
from tests.tiny_gguf import TinyModel


def test_the_middle_is_filled_in(engine: LanguageEngine, models: Models) -> None:
    path = models(TinyModel(script=("return", " 1")))
    answer = ask(engine, path, code(prefix="def f():\n    ", suffix="\n"))
    assert answer.text == "return 1"
    assert answer.report.prompt_tokens == 3 + len("def f():\n") + 1 + 1  # four spaces are one token


def test_a_model_that_wants_the_suffix_first_gets_it_first(engine: LanguageEngine, models: Models) -> None:
    path = models(TinyModel(script=("return", " 1"), metadata={"atelier.fill_in.order": "suffix_first"}))
    first = ask(engine, path, code(prefix="def f():\n", suffix="\nx = 2\n"))
    more = ask(engine, path, code(prefix="def f():\n\t", suffix="\nx = 2\n"))
    assert [first.text, more.text] == ["return 1", "return 1"]
    # What stands after the cursor was read already; only what was typed since then is new.
    assert more.report.prompt_tokens - more.report.reused_tokens == 2


def test_a_model_that_knows_no_middle_says_so(engine: LanguageEngine, models: Models) -> None:
    path = models(TinyModel(script=("return", " 1"), fill_in=False))
    failure = refused(engine, path, code(prefix="a", suffix="b"))
    assert failure.code is FailureCode.MODEL_UNSUPPORTED
    assert ask(engine, path, code(prefix="a")).text == "return 1"


def test_a_single_line_ends_before_the_line_does(engine: LanguageEngine, models: Models) -> None:
    path = models(TinyModel(script=("return", " 1", "\r\n", "x = 2")))
    assert ask(engine, path, code(prefix="a", single_line=True)).text == "return 1"
    assert ask(engine, path, code(prefix="a")).text == "return 1\r\nx = 2"


@pytest.mark.parametrize(
    ("lines", "expected"), [(1, "\n\na = 1"), (2, "\n\na = 1\nb = 2"), (0, "\n\na = 1\nb = 2\r\nc")]
)
def test_it_ends_with_the_last_line_that_was_asked_for(
    engine: LanguageEngine, models: Models, lines: int, expected: str
) -> None:
    path = models(TinyModel(script=("\n\n", "a = 1", "\nb", " = 2\r\n", "c")))
    answer = ask(engine, path, msgspec.structs.replace(code(prefix="x"), max_lines=lines))
    assert answer.text == expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (("```py", "thon\n", "x = 1", "\n``", "`", "\nbye"), "x = 1"),
        (("``", "`\n", "x"), "x"),
        (("x", " = `1`"), "x = `1`"),
        (("``", "x"), "``x"),
        (("`", "`"), "``"),
    ],
)
def test_instructions_give_code_without_its_fence(
    engine: LanguageEngine, models: Models, script: tuple[str, ...], expected: str
) -> None:
    path = models(TinyModel(script=script if len(set(script)) == len(script) else ("``",)))
    answer = ask(engine, path, code(instruction="write it", prefix="a", suffix="b"))
    assert answer.text == expected


def test_the_instruction_is_read_last(engine: LanguageEngine, models: Models) -> None:
    """So that it survives where the code around does not fit."""
    path = models(TinyModel(script=("ok",)))
    answer = ask(engine, path, code(instruction="write it", prefix="x = 1\n" * 500))
    assert answer.text == "ok"
    assert answer.meter.dropped > 1000


def test_code_too_long_keeps_what_is_near_the_cursor(engine: LanguageEngine, models: Models) -> None:
    path = models(TinyModel(script=("ok",), context=256))
    answer = ask(engine, path, code(prefix="a" * 400, suffix="b" * 400, most=16))
    assert answer.report.prompt_tokens == 240
    assert answer.meter.dropped == 800 - 237
    short = ask(engine, path, code(prefix="a" * 400, suffix="b" * 10, most=16))
    assert short.meter.dropped == 410 - 237


def test_stop_guard_holds_back_no_more_than_needed() -> None:
    guard = StopGuard(("abc", "bd"))
    assert guard.passed("xa") == ("x", False)
    assert guard.passed("b") == ("", False)
    assert guard.passed("x") == ("abx", False)
    assert guard.passed("ab") == ("", False)
    assert guard.passed("d") == ("a", True)
    assert guard.rest() == ""


def test_an_unfinished_fence_is_no_code() -> None:
    fence = FenceFilter()
    assert fence.passed("```pyth") == ""
    assert fence.rest() == ""


def test_paths_of_models_may_hold_anything(engine: LanguageEngine, models: Models, tmp_path: Path) -> None:
    path = tmp_path / "mödel ü 🙂.gguf"
    path.write_bytes(models(TinyModel(script=("ok",))).read_bytes())
    assert ask(engine, path, code(prefix="a")).text == "ok"


@pytest.mark.parametrize(
    ("typed", "written", "shown"),
    [
        ("\n", "\n    return 1", "    return 1"),
        ("\n    ", "\n    return 1", "return 1"),
        ("\n    ", "\n        return 1", "    return 1"),
        ("\n        ", "\n    return 1", "return 1"),
        ("\n", "\n\n    x", "\n    x"),
        ("\n    ", " # why", "# why"),
        (" ", " word", "word"),
        (" ", "\nword", "\nword"),
        ("\n", "\n  ", ""),
    ],
)
def test_typed_space_is_written_once(typed: str, written: str, shown: str) -> None:
    for cut in range(len(written) + 1):
        space = TypedSpace(typed)
        assert space.passed(written[:cut]) + space.passed(written[cut:]) == shown


def test_a_model_writes_the_space_before_the_cursor_itself(engine: LanguageEngine, models: Models) -> None:
    """It learned that a line's indentation and its first word follow the line end, and has never seen them apart."""
    path = models(TinyModel(script=("\n    ", "return", " 1")))
    for prefix in ("def f():", "def f():\n", "def f():\n    "):
        answer = ask(engine, path, code(prefix=prefix, single_line=prefix.endswith(" ")))
        typed = prefix.removeprefix("def f():")
        assert prefix + answer.text == "def f():\n    return 1"
        assert answer.report.prompt_tokens == ask(engine, path, code(prefix="def f():")).report.prompt_tokens, typed
