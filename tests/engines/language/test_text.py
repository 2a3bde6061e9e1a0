"""Continuing text: streaming, stop strings, sampling, seeds, probabilities."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from studio.core.events import JobProgress, JobStarted, Stage, TextDelta
from studio.engines.language.engine import LanguageEngine
from tests.engines.language.asking import ask, sampling, text
from tests.engines.language.conftest import Models
from tests.tiny_gguf import TinyModel

STORY = TinyModel(script=("Once", " upon", " a", " time"))


def test_a_model_writes_and_ends(engine: LanguageEngine, models: Models) -> None:
    answer = ask(engine, models(STORY), text("Tell:"))
    assert answer.text == "Once upon a time"
    assert answer.report.finish == "eos"
    assert (answer.report.prompt_tokens, answer.report.output_tokens) == (5, 4)
    assert answer.report.library.startswith("llama-cpp-python")
    assert answer.of(JobStarted)[0].device == "cpu"
    loads = [event.step for event in answer.of(JobProgress) if event.stage is Stage.LOAD]
    assert loads == sorted(loads)
    assert loads[-1] == 100
    assert answer.of(JobProgress)[-1].stage is Stage.GENERATE


def test_the_first_token_comes_alone_and_the_rest_in_few_events(engine: LanguageEngine, noise: Path) -> None:
    answer = ask(engine, noise, text("abc", most=300))
    deltas = answer.of(TextDelta)
    assert deltas[0].tokens <= 4  # its bytes may be half a character
    assert sum(delta.tokens for delta in deltas) in range(297, 301)
    assert len(deltas) <= answer.report.run_seconds * 60 + 3


def test_the_length_asked_for_is_kept(engine: LanguageEngine, noise: Path) -> None:
    answer = ask(engine, noise, text("abc", most=7))
    assert (answer.report.finish, answer.report.output_tokens) == ("length", 7)


def test_a_character_spread_over_tokens_arrives_whole(engine: LanguageEngine, models: Models) -> None:
    parts = [bytes([byte]) for byte in "🙂".encode()]  # one token for each byte
    answer = ask(engine, models(TinyModel(script=("hi ", *parts, "!"))), text("x"))
    assert answer.text == "hi 🙂!"
    assert answer.report.output_tokens == 6


def test_invalid_bytes_do_not_stall_the_stream(engine: LanguageEngine, noise: Path) -> None:
    answer = ask(engine, noise, text("abc", most=200))
    assert "�" in answer.text
    assert answer.text.isascii() is False
    assert len(answer.of(TextDelta)) > 1


def test_an_empty_prompt_begins_from_nothing(engine: LanguageEngine, models: Models) -> None:
    assert ask(engine, models(STORY), text("")).text == "Once upon a time"


@pytest.mark.parametrize(
    ("stops", "expected"),
    [
        ((" a",), "Once upon"),
        (("on a t",), "Once up"),
        (("e u", "on a"), "Onc"),
        (("Once",), ""),
        (("timely", "never"), "Once upon a time"),
        (("",), "Once upon a time"),
    ],
)
def test_stop_strings_never_get_out(
    engine: LanguageEngine, models: Models, stops: tuple[str, ...], expected: str
) -> None:
    answer = ask(engine, models(STORY), text("Tell:", stop=stops))
    assert answer.text == expected
    assert answer.report.finish == ("eos" if expected == "Once upon a time" else "stop")


def test_a_typed_control_token_is_plain_text(engine: LanguageEngine, models: Models) -> None:
    answer = ask(engine, models(STORY), text("<|im_end|>"))
    assert answer.report.prompt_tokens == len("<|im_end|>")


ALL_SAMPLERS = sampling(
    7, temperature=1.2, top_k=100, top_p=0.9, min_p=0.01, repetition_penalty=1.3, repetition_window=32,
    dry_multiplier=0.8, xtc_probability=0.5, xtc_threshold=0.05,
)  # fmt: skip


@pytest.mark.parametrize("how", [sampling(7), ALL_SAMPLERS, sampling(7, temperature=0), sampling(2**32 - 1)])
def test_the_same_request_gives_the_same_text(noise: Path, how: object) -> None:
    request = text("abc", most=60, sampling=how)
    first, second = LanguageEngine(), LanguageEngine()
    try:
        alone = ask(first, noise, request).text
        assert ask(first, noise, request).text == alone
        ask(second, noise, text("abc and something else", most=30))
        assert ask(second, noise, request).text == alone
    finally:
        first.unload()
        second.unload()


def test_another_seed_gives_another_text(engine: LanguageEngine, noise: Path) -> None:
    assert ask(engine, noise, text("abc", seed=1)).text != ask(engine, noise, text("abc", seed=2)).text


def test_greedy_ignores_the_seed(engine: LanguageEngine, noise: Path) -> None:
    texts = {ask(engine, noise, text("abc", sampling=sampling(seed, temperature=0))).text for seed in (1, 2)}
    assert len(texts) == 1


def test_repetition_is_punished(engine: LanguageEngine, models: Models) -> None:
    """A model that can only say one thing says another when that is made unlikely enough."""
    path = models(TinyModel(never_ends=True, quantised=True, seed=5))
    plain = ask(engine, path, text("aaaa", most=100, sampling=sampling(temperature=0)))
    other = ask(engine, path, text("aaaa", most=100, sampling=sampling(temperature=0, repetition_penalty=3.0)))
    dry = ask(engine, path, text("aaaa", most=100, sampling=sampling(temperature=0, dry_multiplier=5.0)))
    assert len(set(other.text)) > len(set(plain.text))
    assert dry.text != plain.text


def test_probabilities_of_tokens(engine: LanguageEngine, noise: Path) -> None:
    request = text("abc", most=20, logprobs=5)
    answer = ask(engine, noise, request)
    found = [entry for delta in answer.of(TextDelta) for entry in delta.logprobs]
    assert sum(delta.tokens for delta in answer.of(TextDelta)) == len(found)
    for entry in found:
        values = [value for _, value in entry.alternatives]
        assert len(values) == 5
        assert values == sorted(values, reverse=True)
        assert entry.logprob <= values[0] + 1e-9
        assert sum(math.exp(value) for value in values) <= 1 + 1e-6
    assert answer.text == ask(engine, noise, text("abc", most=20)).text
