"""The headless commands as a person or a script runs them: real processes, real models, real files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import studio
from studio.cli_session import target_for
from tests.tiny_gguf import TinyModel, make_tiny_gguf

SCRIPT = ("Once", " upon", " a", " time", " in", " the", " wood")


@pytest.fixture(scope="module")
def story_teller(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_gguf(tmp_path_factory.mktemp("model") / "teller.gguf", TinyModel(script=SCRIPT))


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_gguf(tmp_path_factory.mktemp("model") / "endless.gguf", TinyModel(never_ends=True, context=4096))


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from studio.cli import app; app(prog_name='main.py')", *arguments]


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=100,
        cwd=folder,
        env=environment(folder),
        check=False,
    )


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "ATELIER_STATE": str(folder / "state"), "ATELIER_PROJECT": str(folder / "Work")}


def test_text_is_streamed_and_written(story_teller: Path, tmp_path: Path) -> None:
    target = tmp_path / "story.md"
    done = run("generate", "text", "x", "--model", str(story_teller), "--seed", "1", "-o", str(target), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "".join(SCRIPT).strip()
    assert target.read_text(encoding="utf-8").strip() == "".join(SCRIPT).strip()


def test_json_is_one_object_and_repeats_itself(story_teller: Path, tmp_path: Path) -> None:
    arguments = ("generate", "code", "x", "--model", str(story_teller), "--seed", "5", "--json")
    first, second = (json.loads(run(*arguments, folder=tmp_path).stdout) for _ in range(2))
    assert first["text"] == second["text"]
    assert first["request"]["sampling"]["seed"] == 5
    assert first["request"]["type"] == "code"
    assert first["report"]["output_tokens"] > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("generate", "text", "x", "--model", "no-such-model"), "no-such-model"),
        (("generate", "image", "x", "--model", __file__), "no model that Atelier knows"),
        (("generate", "image", "x", "--size", "large", "--model", __file__), "model"),
    ],
)
def test_refusals_are_sentences(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    refused = run(*arguments, folder=tmp_path)
    assert refused.returncode == 1
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr
    as_json = run(*arguments, "--json", folder=tmp_path)
    assert as_json.returncode == 1
    assert json.loads(as_json.stdout)["failure"]["hint"]


def test_a_target_that_cannot_be_written_is_a_sentence(story_teller: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    target = str(tmp_path / "file" / "story.md")
    refused = run("generate", "text", "x", "--model", str(story_teller), "-o", target, folder=tmp_path)
    assert refused.returncode == 1
    assert "story.md" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_picture_gets_a_name_that_fits_it_and_an_existing_folder(tmp_path: Path) -> None:
    for target, words in (("fox.jpg", "end in .png"), ("nowhere/fox.png", "no folder")):
        refused = run("generate", "image", "a fox", "-o", target, folder=tmp_path)
        assert refused.returncode == 1
        assert words in refused.stderr
    assert not (tmp_path / "nowhere").exists()


def test_what_has_no_name_takes_one_that_is_free(tmp_path: Path) -> None:
    (tmp_path / "fox.png").write_text("mine")
    (tmp_path / "fox-2.png").write_text("mine too")
    assert target_for(None, str(tmp_path / "fox.png")) == tmp_path / "fox-3.png"
    assert target_for(tmp_path / "fox.png", "") == tmp_path / "fox.png"


def test_a_number_out_of_range_is_told_in_words(tmp_path: Path) -> None:
    refused = run("generate", "image", "x", "--size", "1x64", folder=tmp_path)
    assert refused.returncode == 1
    assert "width: it must be at least 8." in refused.stderr


def test_the_version_is_told(tmp_path: Path) -> None:
    assert run("--version", folder=tmp_path).stdout.strip() == f"Atelier {studio.__version__}"


@pytest.mark.skipif(os.name != "posix", reason="there is no Ctrl-C from outside on Windows")
def test_ctrl_c_keeps_what_was_written(endless: Path, tmp_path: Path) -> None:
    target = tmp_path / "story.md"
    arguments = ("generate", "text", "x", "--model", str(endless), "--max-tokens", "100000", "-o", str(target))
    written = stopped(arguments, tmp_path)
    assert target.read_bytes().strip() == written.strip()


@pytest.mark.skipif(os.name != "posix", reason="there is no Ctrl-C from outside on Windows")
def test_ctrl_c_stops_at_once_and_leaves_nothing(endless: Path, tmp_path: Path) -> None:
    assert stopped(("generate", "text", "x", "--model", str(endless), "--max-tokens", "100000"), tmp_path)
    assert not list(tmp_path.glob("*.md"))


def stopped(arguments: tuple[str, ...], tmp_path: Path) -> bytes:
    """Press Ctrl-C once the first letter is there; everything that the command wrote to standard output."""
    with subprocess.Popen(
        command(*arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=environment(tmp_path) | {"PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        first = process.stdout.read(1)
        assert first
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.stderr is not None
        error = process.stderr.read()
        process.wait(60)
    assert process.returncode == 130
    assert b"Traceback" not in error
    return bytes(first + rest)


def test_models_and_doctor_speak_json(tmp_path: Path) -> None:
    models = json.loads(run("models", "list", "--json", folder=tmp_path).stdout)
    assert all({"name", "task", "size", "licence"} <= set(model) for model in models)
    found = json.loads(run("doctor", "--json", folder=tmp_path).stdout)
    assert found["versions"]["torch"]
    assert found["devices"][0]["memory"] > 0
    assert len(found["models"]) == len(models)


def test_help_names_every_command(tmp_path: Path) -> None:
    text = run("--help", folder=tmp_path).stdout
    for name in ("generate", "tour", "models", "doctor", "test", "check"):
        assert name in text
    for name in ("image", "text", "code", "music"):
        assert name in run("generate", "--help", folder=tmp_path).stdout
