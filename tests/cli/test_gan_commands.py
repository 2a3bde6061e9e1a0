"""`generate upscale` and `generate sprite` as a person runs them: real processes, tiny real models, real files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.test_commands import run
from tests.engines.gan.making import compact, sprites


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "leaf.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (12, 20, 3), np.uint8)).save(path)
    return path


def test_a_picture_is_enlarged_beside_itself(picture: Path, tmp_path: Path) -> None:
    model = compact(tmp_path / "x4.safetensors")
    done = run("generate", "upscale", str(picture), "--model", str(model), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "leaf-x4.png")
    with Image.open(tmp_path / "leaf-x4.png") as large:
        assert large.size == (80, 48)
        record = json.loads(large.info["atelier"])
    assert record["request"]["type"] == "upscale"
    assert record["ingredients"] == [record["request"]["image"]]


def test_sprites_are_numbered_and_repeat_themselves(tmp_path: Path) -> None:
    model = sprites(tmp_path / "sprites")
    arguments = ("generate", "sprite", "orc", "--model", str(model), "--seed", "3", "--batch", "2", "--json")
    row = json.loads(run(*arguments, "-o", str(tmp_path / "a.png"), folder=tmp_path).stdout)
    assert row["file"].splitlines() == [str(tmp_path / "a-1.png"), str(tmp_path / "a-2.png")]
    assert row["request"]["seed"] == 3
    with Image.open(tmp_path / "a-1.png") as first:
        assert first.mode == "RGBA"
        assert first.size == (128, 128)
        alone = run(*arguments[:7], "-o", str(tmp_path / "b.png"), folder=tmp_path)
        assert alone.returncode == 0, alone.stderr
        with Image.open(tmp_path / "b.png") as again:
            assert again.tobytes() == first.tobytes()


def test_refusals_are_sentences(picture: Path, tmp_path: Path) -> None:
    model = sprites(tmp_path / "sprites")
    kind = run("generate", "sprite", "spoon", "--model", str(model), folder=tmp_path)
    assert kind.returncode == 1
    assert "orc, potion" in kind.stderr
    gone = run("generate", "upscale", str(tmp_path / "gone.png"), "--model", str(model), folder=tmp_path)
    assert gone.returncode == 1
    assert "gone.png" in gone.stderr
    for refused in (kind, gone):
        assert "Traceback" not in refused.stderr
