"""`generate music` as a person runs it: real processes, a tiny real composer, real files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import wave
from pathlib import Path

import pytest

from tests.cli.test_commands import command, environment, run
from tests.tiny_gguf import TinyModel, make_tiny_gguf

SCRIPT = ("A2 d2", " f2", " | e", "3 d", " c3", " | d6-", " |", " d6 |]")
HEADER = "X:1\nT:Song\nR:song\nM:6/8\nL:1/8\nK:Dm\n"


@pytest.fixture(scope="module")
def composer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_gguf(tmp_path_factory.mktemp("model") / "composer.gguf", TinyModel(script=SCRIPT))


def arguments(composer: Path, *more: str) -> tuple[str, ...]:
    return (
        "generate",
        "music",
        "--metre",
        "6/8",
        "--key",
        "d minor",
        "--model",
        str(composer),
        "--seed",
        "1",
        "--free",
        *more,
    )


def test_a_tune_is_streamed_and_spoken_of(composer: Path, tmp_path: Path) -> None:
    target = tmp_path / "tune.abc"
    done = run(*arguments(composer, "-o", str(target)), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip("\n") == HEADER + "".join(SCRIPT)
    lines = target.read_text("utf-8").splitlines(keepends=True)
    assert "seed 1" in lines.pop(5)
    assert "".join(lines) == HEADER + "".join(SCRIPT) + "\n"
    assert "4 bars, " in done.stderr
    assert "Longer or shorter than the metre: bar 2." in done.stderr
    assert str(target) in done.stderr


def test_notes_and_sound(composer: Path, tmp_path: Path) -> None:
    notes = run(*arguments(composer, "-o", str(tmp_path / "tune.mid")), folder=tmp_path)
    assert notes.returncode == 0, notes.stderr
    assert (tmp_path / "tune.mid").read_bytes().startswith(b"MThd\x00\x00\x00\x06\x00\x01\x00\x02")
    row = json.loads(run(*arguments(composer, "--json", "-o", str(tmp_path / "t.wav")), folder=tmp_path).stdout)
    assert row["request"]["type"] == "music"
    assert row["request"]["key"] == "Dm"
    assert row["tune"]["bars"] == 4
    assert row["tune"]["odd_bars"] == {"": [2]}
    with wave.open(row["file"]) as sound:
        assert sound.getnframes() / sound.getframerate() == pytest.approx(row["tune"]["seconds"] + 0.4, abs=0.02)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (("-o", "tune.mp3"), ".abc, .mid, .midi or .wav"),
        (("--metre", "waltz"), "like 3/4 or 6/8"),
        (("--key", "H"), "like D, Bb or F#m"),
        (("--kind", "opera"), "chorale"),
    ],
)
def test_what_it_cannot_do_is_said_before_it_begins(wrong: tuple[str, str], words: str, tmp_path: Path) -> None:
    refused = run("generate", "music", *wrong, folder=tmp_path)
    assert refused.returncode in (1, 2)
    assert words in " ".join(refused.stderr.split())
    assert "Traceback" not in refused.stderr


def test_without_a_composer_it_says_so(tmp_path: Path) -> None:
    models = json.loads(run("models", "list", "--json", folder=tmp_path).stdout)
    if any(model["task"] == "music" for model in models):
        pytest.skip("there is a composer")
    refused = run("generate", "music", folder=tmp_path)
    assert refused.returncode == 1
    assert "no model for music" in refused.stderr


def test_a_tune_without_notes_cannot_be_played(tmp_path: Path) -> None:
    mute = make_tiny_gguf(tmp_path / "mute.gguf", TinyModel(script=("??",)))
    refused = run("generate", "music", "--free", "--model", str(mute), "-o", "tune.wav", folder=tmp_path)
    assert refused.returncode == 1
    assert "nothing to play" in refused.stderr
    assert not (tmp_path / "tune.wav").exists()


@pytest.mark.skipif(os.name != "posix", reason="there is no Ctrl-C from outside on Windows")
def test_ctrl_c_stops_it(tmp_path: Path) -> None:
    endless = make_tiny_gguf(tmp_path / "endless.gguf", TinyModel(never_ends=True, plain=True, context=4096))
    with subprocess.Popen(
        command("generate", "music", "--model", str(endless), "--max-tokens", "100000"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=environment(tmp_path) | {"PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in error
