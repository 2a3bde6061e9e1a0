"""One engine and one set of tiny models for all of these tests; both cost seconds to make."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from studio.engines.diffusion.engine import DiffusionEngine
from tests.engines.diffusion import tiny_models
from tests.engines.diffusion.asking import IMAGE, MASK


@pytest.fixture(scope="session")
def engine() -> Iterator[DiffusionEngine]:
    """An engine, emptied at the end."""
    made = DiffusionEngine()
    torch.set_num_threads(1)
    yield made
    made.unload()
    assert made.loaded_bytes() == 0


@pytest.fixture(scope="session")
def models(engine: DiffusionEngine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one tiny model of each kind."""
    del engine  # asked for, so that the libraries are quiet before they save anything
    folder = tmp_path_factory.mktemp("models")
    tiny_models.sd15(folder / "sd15")
    tiny_models.sd15(folder / "sd15-inpaint", inpaint=True)
    tiny_models.lcm(folder / "lcm")
    tiny_models.sdxl(folder / "sdxl")
    tiny_models.sdxl(folder / "sdxl-refiner", refiner=True)
    tiny_models.sd3(folder / "sd3")
    tiny_models.flux(folder / "flux")
    tiny_models.pixart(folder / "pixart")
    return folder


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, str]:
    """A picture of 32×32 pixels and a mask that opens its right half."""
    noise = np.random.default_rng(1).integers(0, 256, (32, 32, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "picture.png")
    mask = np.zeros((32, 32), np.uint8)
    mask[:, 16:] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    return {IMAGE: str(tmp_path / "picture.png"), MASK: str(tmp_path / "mask.png")}
