"""A model of SD 1.5's full size with random weights in bfloat16: 2.1 GB in a folder that the caller removes."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from studio.engines.diffusion import library, plan
from tests.engines.diffusion.tiny_models import clip_tokenizer

_CONFIGS = Path(__file__).parents[2] / "resources" / "configs" / "sd15"
_FILES = {"unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model", "text_encoder": "model"}
_SPREAD = 0.02


def write(folder: Path) -> Path:
    """Write the model into `folder` and return it."""
    library.warm()
    shutil.copytree(_CONFIGS, folder, dirs_exist_ok=True)
    clip_tokenizer().save_pretrained(folder / "tokenizer")
    generator = torch.Generator().manual_seed(0)
    # A pool that repeats: a billion fresh random numbers would take longer than what is to be measured.
    pool = (torch.randn(1 << 22, generator=generator) * _SPREAD).bfloat16()
    index = plan.read_json(folder / "model_index.json")
    for name, file in _FILES.items():
        tensors = {key: _values(key, value, pool) for key, value in _shapes(folder, index, name).items()}
        save_file(tensors, folder / name / f"{file}.safetensors", metadata={"format": "pt"})
    return folder


def _shapes(folder: Path, index: dict[str, Any], name: str) -> dict[str, torch.Tensor]:
    kind = library.named(*index[name])
    config = plan.read_json(folder / name / "config.json")
    with library.without_weights():
        module: library.Component = (
            kind(kind.config_class.from_dict(config)) if name == "text_encoder" else kind.from_config(config)
        )
    shapes: dict[str, torch.Tensor] = module.state_dict()
    return shapes


def _values(name: str, like: torch.Tensor, pool: torch.Tensor) -> torch.Tensor:
    if "norm" in name and name.endswith("weight"):
        return torch.ones(like.shape, dtype=torch.bfloat16)
    count = like.numel()
    return pool.repeat(math.ceil(count / len(pool)))[:count].reshape(like.shape).clone()
