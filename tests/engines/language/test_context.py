"""The context: what is kept between requests, what is dropped and said so, what happens when it is full."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.core.engine import Placement
from studio.core.events import ContextUse, JobProgress, Stage
from studio.core.failure import FailureCode
from studio.engines.language.engine import LanguageEngine
from tests.engines.language.asking import Role, ask, chat, code, refused, sampling, text
from tests.engines.language.conftest import Models
from tests.tiny_gguf import TinyModel

NOISE = TinyModel(never_ends=True, quantised=True)
SMALL = TinyModel(never_ends=True, quantised=True, context=256)
STORY = TinyModel(script=("Once", " upon"), context=256)
WORDS = "".join(chr(ord("a") + at % 26) for at in range(400))


def test_what_two_prompts_share_is_not_read_again(engine: LanguageEngine, noise: Path) -> None:
    first = ask(engine, noise, text(WORDS))
    assert first.report.reused_tokens == 0
    second = ask(engine, noise, text(WORDS + "xyz"))
    assert second.report.reused_tokens == 400
    assert second.report.load_seconds < 0.5
    third = ask(engine, noise, text("!" + WORDS))
    assert third.report.reused_tokens == 0


@pytest.mark.parametrize("quantised", [True, False])
def test_reuse_changes_no_word(models: Models, quantised: bool) -> None:
    """The text is that of an engine that never saw anything else, bit for bit."""
    path = models(TinyModel(never_ends=True, quantised=quantised))
    used, fresh = LanguageEngine(), LanguageEngine()
    try:
        begun = ask(used, path, text(WORDS[:50], most=80)).text
        for prompt in (WORDS[:50] + begun + "more", WORDS[:30] + "else", WORDS[:50], WORDS[:49]):
            request = text(prompt, most=80)
            fresh.unload()
            assert ask(used, path, request).text == ask(fresh, path, request).text
    finally:
        used.unload()
        fresh.unload()


def test_another_model_replaces_the_first(engine: LanguageEngine, noise: Path, models: Models) -> None:
    ask(engine, noise, text("abc"))
    held = engine.loaded_bytes()
    assert held > 100_000
    assert ask(engine, models(STORY), text("x")).text == "Once upon"
    assert engine.loaded_bytes() != held
    engine.unload()
    assert engine.loaded_bytes() == 0
    assert ask(engine, models(STORY), text("x")).text == "Once upon"


def test_a_recurrent_model_reads_again_what_it_cannot_take_back(models: Models) -> None:
    path = models(TinyModel(recurrent=True, never_ends=True))
    used, fresh = LanguageEngine(), LanguageEngine()
    try:
        begun = ask(used, path, text("abc", most=20))
        again = ask(used, path, text("abc", most=20))
        assert again.text == begun.text
        assert again.report.reused_tokens == 0
        assert ask(fresh, path, text("abX", most=20)).text == ask(used, path, text("abX", most=20)).text
    finally:
        used.unload()
        fresh.unload()


def test_the_meter_counts(engine: LanguageEngine, noise: Path) -> None:
    answer = ask(engine, noise, text("abcd", most=10))
    first, last = answer.of(ContextUse)[0], answer.meter
    assert (first.used, first.left, first.dropped) == (4, 508, 0)
    assert (last.used, last.left) == (13, 499)  # the tenth was not read any more


def test_a_long_text_keeps_its_end_and_says_so(engine: LanguageEngine, models: Models) -> None:
    answer = ask(engine, models(SMALL), text(WORDS, most=20))
    assert answer.report.prompt_tokens == 256 - 20
    assert answer.of(ContextUse)[0].dropped == 400 - 236
    assert answer.report.output_tokens == 20
    ending = ask(engine, models(SMALL), text(WORDS[-236:], most=20))
    assert ending.text == answer.text


def test_a_long_chat_keeps_the_system_and_the_newest(engine: LanguageEngine, models: Models) -> None:
    turns: list[tuple[Role, str]] = [("system", "Be kind.")]
    for number in range(40):
        turns += [("user", f"question {number}"), ("assistant", f"answer {number}")]
    answer = ask(engine, models(STORY), chat(*turns, ("user", "last"), most=20))
    assert answer.text == "Once upon"
    assert answer.report.prompt_tokens <= 236
    assert answer.of(ContextUse)[0].dropped > 500
    shorter: list[tuple[Role, str]] = [
        ("system", "Be kind."),
        ("user", "question 39"),
        ("assistant", "answer 39"),
        ("user", "last"),
    ]
    again = ask(engine, models(STORY), chat(*shorter, most=20))
    assert again.report.reused_tokens >= 15  # the system's words stand at the same place


def test_one_message_that_is_too_long_keeps_its_end(engine: LanguageEngine, models: Models) -> None:
    answer = ask(engine, models(STORY), chat(("system", "S"), ("user", "x" * 3000), most=20))
    assert answer.text == "Once upon"
    assert 225 <= answer.report.prompt_tokens <= 236
    assert answer.of(ContextUse)[0].dropped > 2700


def test_a_system_message_alone_that_does_not_fit_is_refused(engine: LanguageEngine, models: Models) -> None:
    failure = refused(engine, models(STORY), chat(("system", "S" * 3000), ("user", "x"), most=20))
    assert failure.code is FailureCode.CONTEXT_FULL


def test_writing_past_the_window_goes_on_and_says_so(engine: LanguageEngine, models: Models) -> None:
    answer = ask(engine, models(SMALL), text("abc", most=600))
    assert answer.report.output_tokens == 600
    assert answer.report.finish == "length"
    assert [notice for notice in answer.notices if "outgrew" in notice] == answer.notices
    assert len(answer.notices) == 1
    assert answer.meter.dropped >= 300
    # What was moved is not trusted: the same request again gives the same text.
    assert ask(engine, models(SMALL), text("abc", most=600)).text == answer.text


def test_the_context_length_can_be_chosen(engine: LanguageEngine, noise: Path) -> None:
    answer = ask(engine, noise, text("abc", most=5, context_length=256))
    assert answer.meter.used + answer.meter.left == 256
    failure = refused(engine, noise, text("abc", context_length=4096))
    assert failure.code is FailureCode.INVALID_REQUEST
    assert "512" in failure.message
    assert ask(engine, noise, text("abc", most=5)).meter.left > 256


def test_a_context_that_grows_keeps_what_it_has_read(models: Models) -> None:
    path = models(TinyModel(context=16384, never_ends=True, quantised=True))
    grown, fresh = LanguageEngine(), LanguageEngine()
    try:
        ask(grown, path, text(WORDS, most=5))
        small = grown.loaded_bytes()
        request = text(WORDS * 2, most=4000, stop=("e",))
        answer = ask(grown, path, request)
        assert grown.loaded_bytes() > small
        assert answer.report.reused_tokens == 400
        assert answer.report.output_tokens > 5
        assert answer.text == ask(fresh, path, request).text
    finally:
        grown.unload()
        fresh.unload()


def test_a_budget_shortens_the_automatic_context(engine: LanguageEngine, models: Models) -> None:
    path = models(TinyModel(context=1 << 17, layers=1, width=64, never_ends=True))
    placement = Placement(device="cpu", threads=1, memory_budget=230 << 20)
    answer = ask(engine, path, text("abc", most=3), placement=placement)
    window = answer.meter.used + answer.meter.left
    assert 256 <= window < 1 << 17
    assert "instead of" in answer.notices[0]
    tight = Placement(device="cpu", threads=1, memory_budget=202 << 20)
    failure = refused(engine, path, text("abc", context_length=100_000), placement=tight)
    assert failure.code is FailureCode.OUT_OF_MEMORY


def test_a_budget_below_the_weights_refuses(engine: LanguageEngine, noise: Path) -> None:
    failure = refused(engine, noise, text("abc"), placement=Placement(device="cpu", memory_budget=10_000))
    assert failure.code is FailureCode.OUT_OF_MEMORY


def test_a_device_that_is_not_there_is_said(engine: LanguageEngine, noise: Path) -> None:
    answer = ask(engine, noise, text("abc", most=3), placement=Placement(device="cuda:7", threads=1))
    assert "cuda:7" in answer.notices[0]
    assert answer.report.device == "cpu"


def test_prompt_progress_counts_tokens(engine: LanguageEngine, noise: Path) -> None:
    answer = ask(engine, noise, text(WORDS, most=3))
    steps = [event for event in answer.of(JobProgress) if event.stage is Stage.PROMPT]
    assert len(steps) >= 2
    assert [event.step for event in steps] == sorted(event.step for event in steps)
    assert (steps[-1].step, steps[-1].total) == (400, 400)


def test_other_thread_counts_give_the_same_text(engine: LanguageEngine, noise: Path) -> None:
    one = ask(engine, noise, text("abc"), placement=Placement(device="cpu", threads=1))
    two = ask(engine, noise, text("abc"), placement=Placement(device="cpu", threads=2))
    assert one.text == two.text


def test_code_and_text_share_a_model(engine: LanguageEngine, noise: Path) -> None:
    ask(engine, noise, text("def f(x): ", most=3))
    answer = ask(engine, noise, code(prefix="def f(x): return", most=3, sampling=sampling()))
    assert answer.report.reused_tokens > 0
