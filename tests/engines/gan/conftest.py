"""One engine for these tests, and a picture to enlarge."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio.engines.gan.engine import GanEngine


@pytest.fixture(scope="session")
def engine() -> Iterator[GanEngine]:
    """An engine, emptied at the end."""
    found = GanEngine()
    yield found
    found.unload()
    assert found.loaded_bytes() == 0


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A picture of 40 × 24 coarse blocks of colour."""
    blocks = np.random.default_rng(4).integers(0, 256, (6, 10, 3), np.uint8)
    Image.fromarray(blocks).resize((40, 24), Image.Resampling.NEAREST).save(tmp_path / "blocks.png")
    return tmp_path / "blocks.png"
