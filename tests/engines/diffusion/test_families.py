"""Newer families through the libraries' own pipelines: the same pixels, with progress and previews."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from studio.core.events import JobPreview, Stage
from studio.core.failure import FailureCode, StudioError
from studio.engines.diffusion import loading
from studio.engines.diffusion.device import choose
from studio.engines.diffusion.engine import DiffusionEngine
from studio.engines.diffusion.gate import Gate
from studio.engines.diffusion.plan import ComponentPlan, ModelPlan
from tests.engines.diffusion.asking import (
    EXACT,
    IMAGE,
    MASK,
    assignment,
    draw,
    events,
    notices,
    pixels,
    request,
    stages,
)
from tests.engines.diffusion.tiny_models import named

_PIPELINES = {"sd3": "StableDiffusion3Pipeline", "flux": "FluxPipeline", "pixart": "PixArtSigmaPipeline"}


def library_pixels(kind: str, folder: Path, **arguments: Any) -> Any:
    names = ("text_encoder_3", "tokenizer_3", "image_encoder", "feature_extractor")
    absent = dict.fromkeys(names) if folder.name == "sd3" else {}
    pipeline = named("diffusers", kind).from_pretrained(folder, dtype=torch.float32, **absent)
    pipeline.set_progress_bar_config(disable=True)
    values = {"prompt": "a red cat", "num_inference_steps": 3, "guidance_scale": 5.0}
    result = pipeline(**values | arguments, generator=torch.Generator().manual_seed(7), output_type="np")
    return (result.images[0] * 255).round().astype(np.int16)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # the library's own call
@pytest.mark.parametrize("model", ["sd3", "flux", "pixart"])
def test_text_to_image(engine: DiffusionEngine, models: Path, model: str) -> None:
    extra = {"clean_caption": False, "use_resolution_binning": False} if model == "pixart" else {}
    expected = library_pixels(_PIPELINES[model], models / model, width=32, height=32, **extra)
    found = events(engine, assignment(models / model, preview_rate=1e9))
    assert stages(found)[-3:] == [Stage.ENCODE, Stage.DENOISE, Stage.DECODE]
    assert sum(isinstance(event, JobPreview) for event in found) == 3
    ours = pixels(draw(engine, models / model))
    assert expected.std() > 1
    assert np.abs(ours - expected).max() <= 1


def test_image_to_image_and_inpainting(engine: DiffusionEngine, models: Path, inputs: dict[str, str]) -> None:
    with Image.open(inputs[IMAGE]) as picture:
        original = np.asarray(picture).astype(np.int16)
        expected = library_pixels("StableDiffusion3Img2ImgPipeline", models / "sd3", image=picture, strength=0.7,
                                  width=32, height=32)  # fmt: skip
    ours = draw(engine, models / "sd3", request(image=IMAGE, strength=0.7), inputs=inputs)
    assert np.abs(pixels(ours) - expected).max() <= 1
    repainted = pixels(draw(engine, models / "sd3", request(image=IMAGE, mask=MASK, strength=0.7), inputs=inputs))
    assert (repainted[:, :16] == original[:, :16]).all()
    assert (repainted[:, 16:] != original[:, 16:]).any()


def test_sizes_between_patches_come_out_exactly(engine: DiffusionEngine, models: Path) -> None:
    picture = draw(engine, models / "sd3", request(width=27, height=45))
    assert (picture.width, picture.height) == (27, 45)


def test_what_a_family_cannot_do_is_said(engine: DiffusionEngine, models: Path, inputs: dict[str, str]) -> None:
    with pytest.raises(StudioError) as caught:
        draw(engine, models / "pixart", request(image=IMAGE), inputs=inputs)
    assert caught.value.failure.code is FailureCode.MODEL_UNSUPPORTED
    assert "cannot start from a picture" in caught.value.failure.message
    with pytest.raises(StudioError) as caught:
        draw(engine, models / "flux", request(scheduler="ddim"))
    assert caught.value.failure.code is FailureCode.INVALID_REQUEST
    assert "flow euler" in caught.value.failure.hint
    with pytest.raises(StudioError, match="flow euler"):
        draw(engine, models / "sd15", request(scheduler="flow euler"))


def test_weights_under_names_of_another_version(engine: DiffusionEngine, tmp_path: Path) -> None:
    """Some encoders are stored under names that the library translates by rules of its own."""
    config = named("transformers", "Qwen2VLConfig")(
        text_config={"vocab_size": 64, "hidden_size": 32, "intermediate_size": 37, "num_hidden_layers": 1,
                     "num_attention_heads": 4, "num_key_value_heads": 2, "pad_token_id": 0, "bos_token_id": 1,
                     "eos_token_id": 2, "rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2],
                                                            "rope_theta": 10000.0}},
        vision_config={"depth": 1, "embed_dim": 32, "hidden_size": 32, "num_heads": 4, "mlp_ratio": 1},
    )  # fmt: skip
    named("transformers", "Qwen2VLForConditionalGeneration")(config).save_pretrained(tmp_path / "text_encoder")
    file = tmp_path / "text_encoder" / "model.safetensors"
    component = ComponentPlan("text_encoder", "transformers", "Qwen2VLForConditionalGeneration", file.parent, (file,))
    loaded = list_and_result(loading.load(ModelPlan(tmp_path, "", (component,)), choose(EXACT), Gate()))
    weights = load_file(file)
    part = loaded.parts["text_encoder"]
    assert not [name for name, value in part.named_parameters() if value.is_meta]
    stored = next(value for name, value in weights.items() if name.endswith("q_proj.weight"))
    assert any(value.equal(stored) for value in part.parameters() if value.shape == stored.shape)


def list_and_result(work: Generator[int, None, loading.LoadedModel]) -> loading.LoadedModel:
    """Run to the end."""
    while True:
        try:
            next(work)
        except StopIteration as finished:
            return finished.value  # type: ignore[no-any-return] # typed as anything in the standard library


def test_flow_schedulers_by_name(engine: DiffusionEngine, models: Path) -> None:
    default = draw(engine, models / "sd3")
    assert draw(engine, models / "sd3", request(scheduler="flow euler")).pixels == default.pixels
    assert draw(engine, models / "sd3", request(scheduler="heun")).pixels != default.pixels
    assert not notices(events(engine, assignment(models / "sd3", request(negative_prompt="blue"))))
