"""Single-file checkpoints of the SD 1.5 and SDXL layouts: which one, its settings, and its tensors by part.

Such a file holds weights only, under the names of the original training code. The settings come from a
folder of the user's model store or from `resources/configs/`; the words of the tokenizer are in no file of
ours, so they must be in the store.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import torch

from studio.engines.diffusion.failures import missing, unsupported
from studio.engines.diffusion.library import Component
from studio.engines.diffusion.weights_file import Entry

_BUNDLED = Path(__file__).resolve().parents[3] / "resources" / "configs"
_UNET_INPUT = "model.diffusion_model.input_blocks.0.0.weight"
# The libraries make an empty tokenizer, without a word about it, where none of these is there.
_TOKENIZER_FILES = ("tokenizer.json", "vocab.json", "vocab.txt", "spiece.model", "tokenizer.model")
# Where each text encoder lies, by the part's name, in order of preference; a trailing `model.` means OpenCLIP's names.
_TEXT_PREFIXES = {
    "text_encoder": ("cond_stage_model.transformer.", "conditioner.embedders.0.transformer."),
    "text_encoder_2": ("conditioner.embedders.1.model.", "conditioner.embedders.0.model."),
}


def layout_of(path: Path, entries: dict[str, Entry]) -> str:
    """The layout's name, which is that of its folder in `resources/configs`. Raises `StudioError` if it is another."""
    if _UNET_INPUT not in entries:
        raise unsupported(
            f"{path.name} is not a checkpoint of the SD 1.5 or SDXL layout.",
            "Use the model as a diffusers folder (with model_index.json), or choose another one.",
            detail=", ".join(sorted(entries)[:5]),
        )
    inputs = entries[_UNET_INPUT].shape[1]
    if inputs == 8:
        raise unsupported(
            f"{path.name} is an instruction editing model, which the studio cannot run yet.",
            "Choose a text-to-image or an inpainting model.",
        )
    inpaint = "-inpaint" if inputs == 9 else ""
    if any(name.startswith("conditioner.embedders.1.") for name in entries):
        return f"sdxl{inpaint}"
    if any(name.startswith("conditioner.embedders.0.model.") for name in entries):
        return "sdxl-refiner"
    if any(name.startswith("cond_stage_model.transformer.") for name in entries):
        return f"sd15{inpaint}"
    raise unsupported(
        f"{path.name} has no text encoder that the studio knows.",
        "Use a complete checkpoint, or the model as a diffusers folder.",
    )


def config_folders(layout: str, given: str | None) -> tuple[Path, ...]:
    """Where to look for settings, first found first used: the store's folder, then the bundled one."""
    bundled = _BUNDLED / layout
    return (Path(given), bundled) if given else (bundled,)


def find(folders: tuple[Path, ...], name: str) -> Path:
    """The first file `name` in `folders`. Raises `StudioError`."""
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise missing(folders[-1] / name, f"The settings file {name} for this kind of model is missing.")


def component_folder(path: Path, folders: tuple[Path, ...], name: str) -> Path:
    """The folder with the settings (or words) of the part `name` of the checkpoint at `path`.

    Raises `StudioError`: unsupported where the tokenizer's words are nowhere.
    """
    if not name.startswith("tokenizer"):
        file = "scheduler_config.json" if name == "scheduler" else "config.json"
        return find(folders, f"{name}/{file}").parent
    for folder in folders:
        # Both tokenizers of SDXL read the same words, so either one's files will do.
        for candidate in (folder / name, folder / "tokenizer", folder / "tokenizer_2", folder):
            if has_words(candidate):
                return candidate
    raise unsupported(
        f"The file {path.name} has no tokenizer: a single file holds no words, so no prompt can be read.",
        "Put tokenizer/vocab.json and tokenizer/merges.txt of the same kind of model into a folder beside it, "
        "or use the model as a diffusers folder.",
    )


def has_words(folder: Path) -> bool:
    """Whether `folder` holds a tokenizer's vocabulary."""
    return any((folder / file).is_file() for file in _TOKENIZER_FILES)


def scheduler_facts(entries: dict[str, Entry]) -> dict[str, Any]:
    """Scheduler settings that some files state by the mere presence of an empty tensor."""
    facts: dict[str, Any] = {}
    if "v_pred" in entries:
        facts["prediction_type"] = "v_prediction"
    if "ztsnr" in entries:
        facts["rescale_betas_zero_snr"] = True
    return facts


def component_tensors(
    path: Path, name: str, module: Component, tensors: dict[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """The tensors of the part `name`, under the names that `module` uses. Raises `StudioError` if there are none."""
    convert: Component = importlib.import_module("diffusers.loaders.single_file_utils")
    # Averaged weights double the file and are for further training.
    present = {key: value for key, value in tensors.items() if not key.startswith("model_ema.")}
    found: dict[str, torch.Tensor] = {}
    if name == "unet":
        found = convert.convert_ldm_unet_checkpoint(present, dict(module.config))
    elif name == "vae" and any(key.startswith("first_stage_model.") for key in present):
        found = convert.convert_ldm_vae_checkpoint(present, dict(module.config))
    else:
        for prefix in _TEXT_PREFIXES.get(name, ()):
            if any(key.startswith(prefix) for key in present):
                if prefix.endswith(".model."):
                    found = convert.convert_open_clip_checkpoint(module, present, prefix=prefix)
                else:
                    found = {key.removeprefix(prefix): present[key] for key in present if key.startswith(prefix)}
                break
    if not found:
        raise unsupported(
            f"{path.name} is not a complete checkpoint: its {name.replace('_', ' ')} is missing.",
            "Use a complete checkpoint, or the model as a diffusers folder.",
        )
    return found
