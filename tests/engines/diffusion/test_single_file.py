"""Single-file checkpoints: the same pixels as the folder that they were made from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from studio.core.engine import LocalModel
from studio.core.failure import FailureCode, StudioError
from studio.engines.diffusion import library, plan, single_file
from studio.engines.diffusion.engine import DiffusionEngine
from tests.engines.diffusion import checkpoints
from tests.engines.diffusion.asking import IMAGE, draw, request

_CONFIGS = Path(__file__).parents[3] / "resources" / "configs"


@pytest.mark.parametrize("model", ["sd15", "sd15-inpaint", "sdxl", "sdxl-refiner"])
def test_same_pixels_as_the_folder(
    engine: DiffusionEngine, models: Path, tmp_path: Path, inputs: dict[str, str], model: str
) -> None:
    path = checkpoints.single_file(models / model, tmp_path / "model.safetensors")
    settings = checkpoints.settings_folder(models / model, tmp_path / "settings")
    wanted = request(image=IMAGE) if model == "sdxl-refiner" else request()
    single = draw(engine, LocalModel(path=str(path), config=str(settings)), wanted, inputs=inputs)
    assert single.pixels == draw(engine, models / model, wanted, inputs=inputs).pixels


def test_second_tokenizer_borrows_the_words_of_the_first(engine: DiffusionEngine, models: Path, tmp_path: Path) -> None:
    path = checkpoints.single_file(models / "sdxl", tmp_path / "model.safetensors")
    settings = checkpoints.settings_folder(models / "sdxl", tmp_path / "settings")
    shutil.rmtree(settings / "tokenizer_2")
    local = LocalModel(path=str(path), config=str(settings))
    assert draw(engine, local).pixels != bytes(32 * 32 * 3)
    tokenizers = [model.parts["tokenizer_2"] for model in engine._cache._models.values() if model.plan.path == path]
    assert tokenizers[0].pad_token == "!"


def test_no_tokenizer_is_said(engine: DiffusionEngine, models: Path, tmp_path: Path) -> None:
    path = checkpoints.single_file(models / "sd15", tmp_path / "model.safetensors")
    with pytest.raises(StudioError, match="has no tokenizer") as caught:
        draw(engine, LocalModel(path=str(path)))
    assert caught.value.failure.code is FailureCode.MODEL_UNSUPPORTED
    assert "vocab.json" in caught.value.failure.hint


def test_other_files_are_named_for_what_they_are(engine: DiffusionEngine, models: Path, tmp_path: Path) -> None:
    settings = checkpoints.settings_folder(models / "sd15", tmp_path / "settings")
    whole = load_file(checkpoints.single_file(models / "sd15", tmp_path / "whole.safetensors"))
    cases: dict[str, tuple[dict[str, Any], str]] = {
        "pix2pix": (whole | {"model.diffusion_model.input_blocks.0.0.weight": torch.zeros(16, 8, 3, 3)}, "editing"),
        "unet": ({key: whole[key] for key in whole if key.startswith("model.")}, "no text encoder"),
        "novae": ({key: whole[key] for key in whole if not key.startswith("first_stage")}, "its vae is missing"),
        "lora": ({"lora_unet_x.lora_up.weight": torch.zeros(2, 2)}, "not a checkpoint"),
    }
    for name, (tensors, words) in cases.items():
        save_file(tensors, tmp_path / f"{name}.safetensors")
        with pytest.raises(StudioError, match=words) as caught:
            draw(engine, LocalModel(path=str(tmp_path / f"{name}.safetensors"), config=str(settings)))
        assert caught.value.failure.code is FailureCode.MODEL_UNSUPPORTED


def test_prediction_type_is_read_from_the_file(engine: DiffusionEngine, models: Path, tmp_path: Path) -> None:
    path = checkpoints.single_file(models / "sd15", tmp_path / "epsilon.safetensors")
    settings = checkpoints.settings_folder(models / "sd15", tmp_path / "settings")
    save_file(load_file(path) | {"v_pred": torch.zeros(0)}, tmp_path / "v.safetensors")
    plain = draw(engine, LocalModel(path=str(path), config=str(settings)))
    other = draw(engine, LocalModel(path=str(tmp_path / "v.safetensors"), config=str(settings)))
    assert plain.pixels != other.pixels


_MILLIONS = {
    "sd15": {"unet": 859.5, "vae": 83.7, "text_encoder": 123.1},
    "sd15-inpaint": {"unet": 859.5},
    "sdxl": {"unet": 2567.5, "vae": 83.7, "text_encoder": 123.1, "text_encoder_2": 694.7},
    "sdxl-inpaint": {"unet": 2567.5},
    "sdxl-refiner": {"unet": 2259.5, "text_encoder_2": 694.7},
}


@pytest.mark.parametrize("layout", sorted(_MILLIONS))
def test_bundled_settings_describe_the_full_size_models(engine: DiffusionEngine, layout: str) -> None:
    """Every weight of the real layout has its place: the original names convert to exactly the module's names."""
    index = json.loads((_CONFIGS / layout / "model_index.json").read_text(encoding="utf-8"))
    for name, millions in _MILLIONS[layout].items():
        kind = library.named(*index[name])
        config = plan.read_json(_CONFIGS / layout / name / "config.json")
        with library.without_weights():
            module = kind.from_config(config) if name in ("unet", "vae") else kind(kind.config_class.from_dict(config))
        assert sum(value.numel() for value in module.parameters()) / 1e6 == pytest.approx(millions, abs=0.06)
        if name in ("unet", "vae"):
            attention = [number for number, block in enumerate(config["up_block_types"]) if "Attn" in block]
            renamed = {
                f"model.diffusion_model.{checkpoints.unet_name(key, 2, attention)}"
                if name == "unet"
                else f"first_stage_model.{checkpoints.vae_name(key, 4)}": value
                for key, value in module.state_dict().items()
            }
            back = single_file.component_tensors(Path("model.safetensors"), name, module, renamed)
            assert back.keys() == module.state_dict().keys()
