"""Tiny weights in the layouts that people share, and a short way to ask the engine."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save_file

from studio.core.engine import Assignment, LocalModel, Placement
from studio.core.events import Event, JobCompleted, Picture
from studio.core.references import ModelRef
from studio.core.requests import SpriteRequest, UpscaleRequest
from studio.engines.gan.engine import GanEngine
from studio.engines.gan.library import _spandrel
from studio.engines.gan.sprite_network import SpriteGenerator, SpriteShape
from studio.engines.gan.sprites import CONFIG, GENERATOR
from studio.train.starter.upscale_model import Generator
from tests.engines.diffusion.asking import Flag

EXACT = Placement(device="cpu", dtype="float32", threads=1)
IMAGE = "c" * 64
SHAPE = SpriteShape(kinds=("orc", "potion"), latent=8, style=16, widths=(8, 8, 8, 8))


def compact(path: Path, prefix: str = "") -> Path:
    """A Real-ESRGAN compact model of 12 channels, x4."""
    torch.manual_seed(1)
    state = {f"{prefix}{name}": value * 1.0 for name, value in Generator(12, 2).state_dict().items()}
    last = f"{prefix}body.6.weight"
    state[last] = torch.randn_like(state[last]) * 0.05  # it begins as plain enlargement, which hides mistakes
    save_file(state, path)
    return path


def esrgan(path: Path) -> Path:
    """An ESRGAN of one block, x4, as the library builds it."""
    torch.manual_seed(2)
    _spandrel()
    network = importlib.import_module("spandrel.architectures.ESRGAN").ESRGAN(num_filters=8, num_blocks=1)
    save_file({name: value.half() for name, value in network.state_dict().items()}, path)
    return path


def sprites(folder: Path) -> Path:
    """A sprite generator of a few hundred weights."""
    torch.manual_seed(3)
    folder.mkdir()
    (folder / CONFIG).write_bytes(msgspec.json.encode(SHAPE))
    save_file({name: value.half() for name, value in SpriteGenerator(SHAPE).state_dict().items()}, folder / GENERATOR)
    return folder


def upscale(**changes: Any) -> UpscaleRequest:
    """A request to enlarge `IMAGE`."""
    values: dict[str, Any] = {"image": IMAGE, "model": ModelRef(repo="local/tiny")}
    return UpscaleRequest(**values | changes)


def sprite(**changes: Any) -> SpriteRequest:
    """A request for one sprite, as small as it is."""
    values: dict[str, Any] = {"model": ModelRef(repo="local/tiny"), "seed": 5, "enlarge": 1, "truncation": 1.0}
    return SpriteRequest(**values | changes)


def assignment(model: Path, request: UpscaleRequest | SpriteRequest, picture: Path | None = None) -> Assignment:
    """An assignment to the processor, computed exactly."""
    inputs = {IMAGE: str(picture)} if picture else {}
    return Assignment(job="job", request=request, model=LocalModel(path=str(model)), inputs=inputs, placement=EXACT)


def events(engine: GanEngine, work: Assignment, flag: Flag | None = None) -> list[Event]:
    """Run to the end."""
    return list(engine.run(work, flag or Flag()))


def made(found: list[Event]) -> tuple[Picture, ...]:
    """The pictures of a finished job."""
    last = found[-1]
    assert isinstance(last, JobCompleted)
    return last.pictures


def pixels(picture: Picture) -> npt.NDArray[np.int16]:
    """(height, width, channels), signed, so that differences are differences."""
    shape = (picture.height, picture.width, picture.channels)
    return np.frombuffer(picture.pixels, np.uint8).reshape(shape).astype(np.int16)
