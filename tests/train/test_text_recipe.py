from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec
import pytest

from studio.train.starter.recipe import RECIPES, Recipe, find_recipe
from studio.train.starter.text_evaluate import Amount, evaluate_text
from studio.train.starter.text_export import export_text, trained_model
from studio.train.starter.text_model import TextShape
from studio.train.starter.text_recipe import CODER, WRITER, TextRecipe
from tests.train.tiny_corpus import make_corpus

TINY = TextShape(vocabulary=320, width=32, layers=1, heads=2, kv_heads=1, hidden=32, context=1024)
AMOUNT = Amount(characters=3000, tasks=2, holes=2, functions=2)


def _tiny(recipe: TextRecipe) -> TextRecipe:
    plan = msgspec.structs.replace(recipe.plan, steps=2, tokens_per_step=512, micro_tokens=512)
    return msgspec.structs.replace(recipe, shape=TINY, plan=plan)


@pytest.mark.parametrize("name", ["writer", "coder", "composer"])
def test_text_recipes_are_registered(name: str) -> None:
    assert name in RECIPES
    assert isinstance(find_recipe(name), Recipe)


@pytest.mark.parametrize("whole", [WRITER, CODER], ids=["writer", "coder"])
def test_a_folder_of_texts_becomes_a_folder_that_ships(tmp_path: Path, whole: TextRecipe) -> None:
    recipe = _tiny(whole)
    data, work, out = make_corpus(tmp_path / "data"), tmp_path / "work", tmp_path / "out"
    work.mkdir()
    with pytest.raises(FileNotFoundError, match="Run the train command"):
        trained_model(recipe, work)
    recipe.train(data, work, None)
    export_text(recipe, data, work, out, AMOUNT)
    told = tomllib.loads((out / "model.toml").read_text())
    assert (out / told["file"]).stat().st_size > 10_000
    card = (out / "README.md").read_text()
    assert "bits per byte" in card
    assert "xz" in card
    assert {file.name for file in out.iterdir()} == {told["file"], "README.md", "model.toml", "loss.png", "samples.md"}
    figures = evaluate_text(recipe.name, recipe.read(data), out, AMOUNT)
    bits = figures["bits_per_byte"]
    assert isinstance(bits, float)
    assert 0 < bits < 20
