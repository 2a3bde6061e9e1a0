"""Files that are broken, missing, or something else: a clear failure each, and the engine goes on."""

from __future__ import annotations

import os
import pickle
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from studio.core.events import Event, TextDelta
from studio.core.failure import FailureCode
from studio.engines.language.engine import LanguageEngine
from studio.engines.language.header import read_header
from tests.engines.language.asking import Flag, ask, refused, text
from tests.engines.language.conftest import Models
from tests.tiny_gguf import TinyModel, make_tiny_gguf

STORY = TinyModel(script=("Once", " upon"))
HEADER = struct.Struct("<4sIQQ")


@pytest.fixture
def whole(models: Models) -> bytes:
    return models(STORY).read_bytes()


def word(text_: str) -> bytes:
    return struct.pack("<Q", len(text_.encode())) + text_.encode()


def renamed(data: bytes, old: bytes, new: bytes) -> bytes:
    assert data.count(old) == 1
    assert len(old) == len(new)
    return data.replace(old, new)


def with_number(data: bytes, key: str, value: int) -> bytes:
    at = data.index(word(key)) + len(word(key)) + 4
    return data[:at] + struct.pack("<I", value) + data[at + 4 :]


def test_each_kind_of_damage_is_told(engine: LanguageEngine, whole: bytes, tmp_path: Path) -> None:
    cases: dict[str, bytes] = {
        "empty": b"",
        "magic only": b"GGUF",
        "header cut": whole[:2000],
        "weights cut": whole[:-1000],
        "one byte short": whole[:-1],
        "zeros": bytes(len(whole)),
        "web page": b"<!DOCTYPE html><html>not found</html>",
        "pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
        "version 1": HEADER.pack(b"GGUF", 1, 0, 0),
        "big endian": HEADER.pack(b"GGUF", 0x03000000, 0, 0),
        "absurd tensors": HEADER.pack(b"GGUF", 3, 1 << 60, 3) + whole[24:],
        "absurd pairs": HEADER.pack(b"GGUF", 3, 10, 1 << 60) + whole[24:],
        "absurd length": whole[:24] + struct.pack("<Q", 1 << 62) + whole[32:],
        "no layers": with_number(whole, "llama.block_count", 0),
        "many layers": with_number(whole, "llama.block_count", 4000000000),
        "other layers": with_number(whole, "llama.block_count", 7),
        "no heads": with_number(whole, "llama.attention.head_count", 0),
        "odd heads": with_number(whole, "llama.attention.head_count", 7),
        "no width": with_number(whole, "llama.embedding_length", 0),
        "other width": with_number(whole, "llama.embedding_length", 96),
        "negative epsilon": with_number(whole, "llama.attention.layer_norm_rms_epsilon", 0xBF800000),
        "no architecture": renamed(whole, b"general.architecture", b"general.architectura"),
        "tensor renamed": renamed(whole, b"output_norm.weight", b"output_worm.weight"),
        "a word twice": renamed(whole, word("Ġt"), word("Ġa")),
    }
    for name, data in cases.items():
        path = tmp_path / f"{name}.gguf"
        path.write_bytes(data)
        failure = refused(engine, path, text("x"))
        assert failure.code is FailureCode.MODEL_DAMAGED, name
        assert path.name in failure.message, name
    good = tmp_path / "good.gguf"
    good.write_bytes(whole)
    assert ask(engine, good, text("x")).text == "Once upon"


def test_other_files_are_told_apart(engine: LanguageEngine, whole: bytes, tmp_path: Path) -> None:
    cases = {
        "pickle.gguf": (pickle.dumps({"weights": [1.0]}), FailureCode.MODEL_REFUSED),
        "zip.gguf": (b"PK\x03\x04" + bytes(100), FailureCode.MODEL_REFUSED),
        "notes.gguf": (b"dear diary", FailureCode.MODEL_UNSUPPORTED),
        "future.gguf": (renamed(whole, word("llama"), word("lloom")), FailureCode.MODEL_UNSUPPORTED),
    }
    for name, (data, code) in cases.items():
        path = tmp_path / name
        path.write_bytes(data)
        assert refused(engine, path, text("x")).code is code, name


def test_what_is_not_there_is_missing(engine: LanguageEngine, tmp_path: Path) -> None:
    assert refused(engine, tmp_path / "gone.gguf", text("x")).code is FailureCode.MODEL_MISSING
    assert refused(engine, tmp_path, text("x")).code is FailureCode.MODEL_MISSING


def test_a_folder_with_one_model_is_that_model(engine: LanguageEngine, whole: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.gguf").write_bytes(whole)
    assert ask(engine, tmp_path, text("x")).text == "Once upon"
    (tmp_path / "b.gguf").write_bytes(whole)
    engine.unload()
    assert refused(engine, tmp_path, text("x")).code is FailureCode.MODEL_UNSUPPORTED


def test_a_model_in_parts(engine: LanguageEngine, tmp_path: Path) -> None:
    split = TinyModel(script=("Once", " upon"), tensors_per_file=8)
    first = make_tiny_gguf(tmp_path / "parts.gguf", split)
    parts = sorted(tmp_path.glob("*.gguf"))
    assert len(parts) > 2
    assert first == parts[0]
    assert ask(engine, first, text("x")).text == "Once upon"
    engine.unload()
    assert ask(engine, parts[1], text("x")).text == "Once upon"
    engine.unload()
    assert ask(engine, tmp_path, text("x")).text == "Once upon"
    engine.unload()
    kept = parts[1].read_bytes()
    parts[1].write_bytes(kept[:-500])
    assert refused(engine, first, text("x")).code is FailureCode.MODEL_DAMAGED
    parts[1].unlink()
    failure = refused(engine, first, text("x"))
    assert failure.code is FailureCode.MODEL_MISSING
    assert parts[1].name in failure.message


def test_deleted_while_it_writes(engine: LanguageEngine, models: Models, tmp_path: Path) -> None:
    path = tmp_path / "soon-gone.gguf"
    path.write_bytes(models(TinyModel(never_ends=True, quantised=True)).read_bytes())

    def delete(event: Event) -> None:
        if isinstance(event, TextDelta):
            path.unlink(missing_ok=True)

    answer = ask(engine, path, text("abc", most=200), on_event=delete)
    assert answer.report.output_tokens == 200
    assert ask(engine, path, text("abc", most=200)).text == answer.text  # it is still in memory
    engine.unload()
    assert refused(engine, path, text("abc")).code is FailureCode.MODEL_MISSING


def test_replaced_on_disk_is_loaded_anew(engine: LanguageEngine, models: Models, tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(models(STORY).read_bytes())
    assert ask(engine, path, text("x")).text == "Once upon"
    other = tmp_path / "other"
    other.write_bytes(models(TinyModel(script=("Other", " words", " here"))).read_bytes())
    other.replace(path)
    assert ask(engine, path, text("x")).text == "Other words here"


def test_weights_that_are_not_numbers(engine: LanguageEngine, models: Models, tmp_path: Path) -> None:
    path = tmp_path / "nan.gguf"
    good = bytearray(models(TinyModel(never_ends=True)).read_bytes())
    nan = np.full(2000, np.nan, np.float32).tobytes()
    good[-len(nan) :] = nan
    path.write_bytes(good)
    failure = refused(engine, path, text("abc"))
    assert failure.code is FailureCode.MODEL_DAMAGED
    assert "not numbers" in failure.message


def test_any_flipped_byte_of_the_header_ends_well(models: Models, tmp_path: Path) -> None:
    """In a process of its own: not one of these may bring it down."""
    whole = models(TinyModel(never_ends=True)).read_bytes()
    random = np.random.default_rng(11)
    end = whole.index(b"tokenizer.ggml.tokens") + 40
    for number in range(60):
        data = bytearray(whole)
        at = int(random.integers(0, end)) if number % 2 else int(random.integers(end, len(whole)))
        data[at] ^= 1 << int(random.integers(0, 8))
        (tmp_path / f"{number:02d}.gguf").write_bytes(data)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")])}
    child = subprocess.run(
        [sys.executable, "-m", "tests.engines.language.try_all", str(tmp_path)],
        env=environment, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert child.returncode == 0, child.stderr
    assert child.stdout.split() == ["60"]
    assert child.stderr == ""


def test_a_large_vocabulary_is_read_quickly(models: Models) -> None:
    path = models(TinyModel(words=100_000, width=16, heads=2, feed_forward=16, layers=1))
    began = time.process_time()
    header = read_header(path)
    assert time.process_time() - began < 0.5
    assert header.number("block_count") == 1


def test_nothing_is_printed(engine: LanguageEngine, models: Models, capfd: pytest.CaptureFixture[str]) -> None:
    ask(engine, models(STORY), text("x"))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("spare", [20, 70, 120])
def test_too_little_address_space_is_a_failure(models: Models, spare: int) -> None:
    """Whatever step of the load it is that fails, the process goes on."""
    path = models(TinyModel(words=20_000, width=256, heads=8, feed_forward=64, layers=1))
    child = subprocess.run(
        [sys.executable, "-m", "tests.engines.language.try_all", str(path), "--spare-megabytes", str(spare)],
        capture_output=True, text=True, check=False, timeout=100,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")])},
    )  # fmt: skip
    assert child.returncode == 0, child.stderr
    assert child.stdout.split() == ["out-of-memory", "1"]


def test_flag_is_not_asked_in_vain(engine: LanguageEngine, noise: Path) -> None:
    """Some sixty times a second, and not at each operation of small graphs, which would cost more than the model."""
    flag = Flag()
    answer = ask(engine, noise, text("abc", most=400), cancel=flag)
    assert flag.asked < 600 + answer.report.run_seconds * 70
