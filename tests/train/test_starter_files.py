from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from studio.train.starter.__main__ import app
from studio.train.starter.card import Card, Figure, write_card
from studio.train.starter.curves import draw_curves
from studio.train.starter.recipe import find_recipe

CARD = Card(
    id="starter-x",
    name="Starter x",
    task="text",
    family="llama",
    file="x.gguf",
    licence="Apache-2.0",
    description='Says "hello".',
    architecture="llama",
    parameters=10,
    size_bytes=20,
    memory_mb=30,
    attribution=("Someone (CC BY)",),
    data=("Old books",),
    figures=(Figure("bits per byte", "1.5", "xz 2.5", "≤ 1.9"),),
    limits=("It is small.",),
    making=("On a laptop",),
    context_length=64,
)


def test_the_card_says_the_same_to_people_and_to_the_studio(tmp_path: Path) -> None:
    write_card(tmp_path, CARD)
    told = tomllib.loads((tmp_path / "model.toml").read_text())
    assert told["id"] == "starter-x"
    assert told["description"] == 'Says "hello".'
    assert told["attribution"] == ["Someone (CC BY)"]
    text = (tmp_path / "README.md").read_text()
    front = dict(line.split(": ", 1) for line in text.split("---\n")[1].strip().split("\n"))
    assert json.loads(front["figures"])[0]["value"] == "1.5"
    assert "| bits per byte | 1.5 | xz 2.5 | ≤ 1.9 |" in text


def test_curves_are_drawn_even_from_few_or_odd_points(tmp_path: Path) -> None:
    path = tmp_path / "loss.png"
    draw_curves(
        path, "Losses", "steps", "loss", {"a": [(0, 3.0), (1, 2.0), (2, float("nan"))], "b": [(1, 1.0)]}, log=True
    )
    with Image.open(path) as picture:
        colours = picture.convert("RGB").getcolors(1 << 20) or []
    assert len(colours) > 4
    draw_curves(path, "Nothing yet", "steps", "loss", {})


def test_an_unknown_model_or_folder_is_explained(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="writer"):
        find_recipe("poet")
    runner = CliRunner()
    unknown = runner.invoke(app, ["train", "poet", "--data", str(tmp_path), "--work", str(tmp_path)])
    assert unknown.exit_code == 2
    assert "poet" in unknown.output
    missing = runner.invoke(app, ["train", "writer", "--data", str(tmp_path / "no"), "--work", str(tmp_path)])
    assert missing.exit_code == 2
