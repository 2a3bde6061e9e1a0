"""Tiny models for both families, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.engines.diffusion import library
from tests.engines.diffusion import tiny_models
from tests.survival.sessions import OTHER_WORDS, PICTURE, WORDS
from tests.tiny_gguf import TinyModel, make_tiny_gguf


@pytest.fixture(scope="session")
def text_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two models that write and never end by themselves. Small, but no stage is over in a blink."""
    folder = tmp_path_factory.mktemp("texts")
    kind = TinyModel(
        layers=4, width=256, heads=4, feed_forward=1024, context=4096, words=8000, quantised=True, never_ends=True
    )
    make_tiny_gguf(folder / f"{WORDS}.gguf", kind)
    make_tiny_gguf(folder / f"{OTHER_WORDS}.gguf", TinyModel(never_ends=True))
    return folder


@pytest.fixture(scope="session")
def picture_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one picture model."""
    library.warm()  # which keeps the libraries quiet while they save
    folder = tmp_path_factory.mktemp("pictures")
    tiny_models.sd15(folder / PICTURE)
    return folder
