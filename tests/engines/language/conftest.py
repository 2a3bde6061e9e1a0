"""Tiny models, made once, and an engine that is unloaded after each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from studio.engines.language.engine import LanguageEngine
from tests.tiny_gguf import TinyModel, make_tiny_gguf

Models = Callable[[TinyModel], Path]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """Makes each kind of model once."""
    folder = tmp_path_factory.mktemp("models")
    made: dict[str, Path] = {}

    def model(kind: TinyModel) -> Path:
        key = repr(kind)
        if key not in made:
            made[key] = make_tiny_gguf(folder / f"tiny-{len(made)}.gguf", kind)
        return made[key]

    return model


@pytest.fixture(scope="session")
def noise(models: Models) -> Path:
    """Random weights that never end by themselves."""
    return models(TinyModel(never_ends=True, quantised=True))


@pytest.fixture
def engine() -> Iterator[LanguageEngine]:
    made = LanguageEngine()
    yield made
    made.unload()
