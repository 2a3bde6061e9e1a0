"""What a file or folder of weights is, told by its content: folder JSON, then header; never by its name.

Covers what the engines run today: diffusers folders, single files of the SD 1.5 and SDXL layouts, upscaling models,
sprite generators, and GGUF language models. Anything else is unknown, which is said, not guessed.
"""

from __future__ import annotations

import json
from pathlib import Path

from msgspec.structs import replace

from studio.core.references import ModelRef, Task
from studio.models.entry import ShelfEntry
from studio.models.gan_files import is_sprite_folder, upscaler_of
from studio.models.gguf_header import read_gguf_header
from studio.models.safetensors_header import TensorEntry, read_safetensors_header
from studio.models.starter import folder_size

CONFIG_FOLDER = Path(__file__).resolve().parents[2] / "resources" / "configs"

_CROSS = "model.diffusion_model.input_blocks.2.1.transformer_blocks.0.attn2.to_k.weight"
_CROSS_XL = "model.diffusion_model.input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight"
_FIRST = "model.diffusion_model.input_blocks.0.0.weight"
_NATIVE = {"sd15": 512, "sd15-inpaint": 512, "sdxl": 1024, "sdxl-inpaint": 1024, "sdxl-refiner": 1024}
_PIPELINES = {
    "StableDiffusionPipeline": ("sd15", 512),
    "StableDiffusionInpaintPipeline": ("sd15-inpaint", 512),
    "StableDiffusionXLPipeline": ("sdxl", 1024),
    "StableDiffusion3Pipeline": ("sd3", 1024),
    "FluxPipeline": ("flux", 1024),
    "Flux2Pipeline": ("flux2", 1024),
    "ZImagePipeline": ("zimage", 1024),
    "PixArtSigmaPipeline": ("pixart", 1024),
    "QwenImagePipeline": ("qwen-image", 1024),
    "SanaPipeline": ("sana", 1024),
}


def identify(path: Path) -> ShelfEntry | None:
    """The shelf entry for `path`, or None where it is nothing that the engines can run.

    Raises `StudioError` (`MODEL_DAMAGED`) for a file that is of a known kind and broken.
    """
    if path.is_dir():
        return _folder(path)
    if path.suffix == ".safetensors":
        return _single_file(path)
    if path.suffix == ".gguf":
        return _gguf(path)
    return None


def family_of_checkpoint(tensors: dict[str, TensorEntry]) -> str:
    """`sd15`, `sdxl`, … for the tensors of a single-file checkpoint; empty where unknown.

    The widths of the cross attention (768 SD 1.x, 2048 SDXL, 1280 its refiner) and of the first
    convolution (9 for inpainting) are those of the published architectures.
    """
    cross = tensors.get(_CROSS) or tensors.get(_CROSS_XL)
    first = tensors.get(_FIRST)
    if cross is None or first is None or len(cross.shape) != 2 or len(first.shape) != 4:
        return ""
    base = {768: "sd15", 2048: "sdxl", 1280: "sdxl-refiner"}.get(cross.shape[1], "")
    return f"{base}-inpaint" if base and first.shape[1] == 9 else base


def _folder(path: Path) -> ShelfEntry | None:
    index = path / "model_index.json"
    if not index.is_file():
        return _local(path, "sprite", "sprite", folder_size(path)) if is_sprite_folder(path) else None
    try:
        pipeline = str(json.loads(index.read_text("utf-8")).get("_class_name", ""))
    except (OSError, ValueError, AttributeError):
        return None
    family, native = _PIPELINES.get(pipeline, ("", 512))
    size = folder_size(path)
    return _local(path, "image", family, size, native_size=native) if size else None


def _single_file(path: Path) -> ShelfEntry | None:
    tensors = read_safetensors_header(path)
    if upscaler := upscaler_of(tensors):
        return _local(path, "upscale", upscaler, path.stat().st_size)
    family = family_of_checkpoint(tensors)
    if not family:
        return None
    config = CONFIG_FOLDER / family
    return _local(path, "image", family, path.stat().st_size, native_size=_NATIVE[family], config=config)


def _gguf(path: Path) -> ShelfEntry | None:
    header = read_gguf_header(path)
    architecture = str(header.get("general.architecture", ""))
    context = int(header.get(f"{architecture}.context_length", 0) or 0)
    if not architecture or not context:
        return None
    name = str(header.get("general.name", "")) or path.stem
    entry = _local(
        path, _task_of(f"{name} {path.stem}".lower()), architecture, path.stat().st_size, context_length=context
    )
    licence = str(header.get("general.license", ""))
    return entry if not licence else _with_licence(entry, licence)


def _task_of(names: str) -> Task:
    """What a language model is for: its file does not say, and its makers name it for that."""
    if "cod" in names:
        return "code"
    return "music" if "composer" in names or "music" in names else "text"


def _with_licence(entry: ShelfEntry, licence: str) -> ShelfEntry:
    permissive = {"apache-2.0": "Apache-2.0", "mit": "MIT", "bsd-3-clause": "BSD-3-Clause"}
    known = permissive.get(licence.lower())
    return replace(entry, licence=known or licence, commercial=True if known else None)


def _local(
    path: Path,
    task: Task,
    family: str,
    size: int,
    *,
    native_size: int = 0,
    context_length: int = 0,
    config: Path | None = None,
) -> ShelfEntry:
    return ShelfEntry(
        ref=ModelRef(repo=f"local/{path.stem}", file=path.name),
        name=path.stem,
        task=task,
        family=family,
        size=size,
        licence="unknown",
        path=path,
        source="folder",
        native_size=native_size,
        context_length=context_length,
        config=config,
    )
