"""Tunes by a real engine: the header is part of the result, bars end it, and it can be stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.core.events import TextDelta
from studio.core.failure import Cancelled, FailureCode
from studio.core.tune_header import tune_header
from studio.engines.language.engine import LanguageEngine
from studio.formats.music.abc_tune import read_abc
from studio.formats.music.bars import Bars, check_bars
from tests.engines.language.asking import Flag, ask, music, refused, sampling
from tests.tiny_gguf import TinyModel, make_tiny_gguf

TUNE = ("G2A2", " B2", "c2 |", " d4", " c4 |", " B8", " |]\n")
CHORALE = ("[V:S] c8", " |", "\n[V:A] G8", "|\n", "[V:T] [EG]8 | ", "\n[V:B] C,8", " | D,", "8 |\n")


def made(folder: Path, model: TinyModel) -> Path:
    return make_tiny_gguf(folder / "composer.gguf", model)


def test_a_tune_begins_with_the_header_that_was_asked_for(engine: LanguageEngine, tmp_path: Path) -> None:
    path = made(tmp_path, TinyModel(script=TUNE))
    request = music(metre="6/8", key="F#m", title="Morning  song")
    answer = ask(engine, path, request)
    header = "X:1\nT:Morning song\nR:song\nM:6/8\nL:1/8\nK:F#m\n"
    assert tune_header(request) == header
    assert answer.text == header + "".join(TUNE)
    assert answer.of(TextDelta)[0].text.startswith(header)
    assert answer.report.finish == "eos"
    assert answer.report.output_tokens == len(TUNE)


def test_a_chorale_names_its_voices_before_the_key(engine: LanguageEngine, tmp_path: Path) -> None:
    answer = ask(engine, made(tmp_path, TinyModel(script=CHORALE)), music(kind="chorale", key="Bb"))
    before, _, after = answer.text.partition("K:Bb\n")
    assert "R:chorale\n" in before
    assert before.endswith("%%score [S A T B]\nV:S clef=treble\nV:A clef=treble\nV:T clef=bass\nV:B clef=bass\n")
    assert after == "".join(CHORALE)


@pytest.mark.parametrize(("bars", "music_written"), [(1, "G2A2 B2c2 |]"), (2, "G2A2 B2c2 | d4 c4 |]")])
def test_as_many_bars_as_were_asked_for(engine: LanguageEngine, tmp_path: Path, bars: int, music_written: str) -> None:
    answer = ask(engine, made(tmp_path, TinyModel(script=TUNE)), music(bars=bars))
    assert answer.text.partition("K:C\n")[2] == music_written
    assert answer.report.finish == "stop"


def test_bars_are_counted_in_every_voice(engine: LanguageEngine, tmp_path: Path) -> None:
    answer = ask(engine, made(tmp_path, TinyModel(script=CHORALE)), music(kind="chorale", bars=1))
    assert answer.text.endswith("[V:B] C,8 |]")


def test_a_second_tune_is_not_begun(engine: LanguageEngine, tmp_path: Path) -> None:
    path = made(tmp_path, TinyModel(script=("c8", " |]", "\nX:", "2", "\nT:Next")))
    assert ask(engine, path, music()).text.endswith("c8 |]")
    assert ask(engine, path, music(bars=9)).text.endswith("c8 |]")


def test_endless_music_ends(engine: LanguageEngine, tmp_path: Path) -> None:
    path = made(tmp_path, TinyModel(script=("c4", " d4", " |"), loops=True, context=2048))
    answer = ask(engine, path, music(most=1500))
    assert answer.report.finish == "repetition"
    assert len(answer.notices) == 1


def test_a_tune_can_be_stopped(engine: LanguageEngine, tmp_path: Path) -> None:
    path = made(tmp_path, TinyModel(never_ends=True, plain=True))
    flag = Flag()
    heard: list[str] = []

    def listen(event: object) -> None:
        if isinstance(event, TextDelta):
            heard.append(event.text)
            flag.after = flag.asked

    with pytest.raises(Cancelled):
        ask(engine, path, music(most=100_000), cancel=flag, on_event=listen)
    assert heard[0].startswith("X:1\n")
    assert ask(engine, path, music(most=3)).report.output_tokens == 3


def test_the_same_seed_writes_the_same_tune(engine: LanguageEngine, tmp_path: Path) -> None:
    path = made(tmp_path, TinyModel(never_ends=True, plain=True))
    first, second = (ask(engine, path, music(most=30)).text for _ in range(2))
    other = ask(engine, path, music(most=30, sampling=sampling(seed=2))).text
    assert first == second != other


@pytest.mark.parametrize("metre", ["4/4", "3/4", "6/8", "2/2", "5/4", "3/16"])
def test_even_noise_keeps_the_metre(engine: LanguageEngine, tmp_path: Path, metre: str) -> None:
    path = made(tmp_path, TinyModel(never_ends=True, plain=True, context=4096))
    answer = ask(engine, path, music(metre=metre, bars=12, in_metre=True, most=3000))
    tune = read_abc(answer.text)
    assert (answer.report.finish, len(tune.voices[0].bars)) == ("stop", 12)
    assert check_bars(tune) == Bars(parsed=True, bars=10, fitting=10)
    assert not answer.notices


def test_even_noise_writes_for_four_voices(engine: LanguageEngine, tmp_path: Path) -> None:
    path = made(tmp_path, TinyModel(never_ends=True, plain=True, context=8192))
    tune = read_abc(ask(engine, path, music(kind="chorale", bars=4, in_metre=True, most=6000)).text)
    assert [voice.name for voice in tune.voices] == ["S", "A", "T", "B"]
    assert {len(voice.bars) for voice in tune.voices} == {4}
    assert all(bar.fits for voice in tune.voices for bar in voice.bars)


def test_a_tune_in_metre_ends_with_a_whole_bar(engine: LanguageEngine, tmp_path: Path) -> None:
    path = made(tmp_path, TinyModel(seed=4, context=4096))  # noise that may end
    answer = ask(engine, path, music(in_metre=True, most=3000))
    assert answer.report.finish == "eos"
    tune = read_abc(answer.text)
    assert len(tune.voices[0].bars) >= 8
    assert tune.voices[0].ended
    first, last = tune.voices[0].bars[0].length, tune.voices[0].bars[-1].length
    assert last == 1 or first + last == 1


def test_a_metre_that_cannot_be_kept_is_said(engine: LanguageEngine, tmp_path: Path) -> None:
    answer = ask(engine, made(tmp_path, TinyModel(script=TUNE)), music(metre="1/32", unit_length="1/2", in_metre=True))
    assert "may not add up" in answer.notices[0]


def test_a_header_that_does_not_fit_is_said(engine: LanguageEngine, tmp_path: Path) -> None:
    path = made(tmp_path, TinyModel(script=TUNE, context=128))
    failure = refused(engine, path, music(title="long " * 39))
    assert failure.code is FailureCode.CONTEXT_FULL
