"""What would be loaded for a model, found out by reading small files only.

A plan is made for each job: it costs milliseconds, refuses what must not be loaded (pickles, program code)
and its fingerprint tells whether the model in memory is still the one on the disk.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from studio.core.engine import LocalModel
from studio.engines.diffusion import library, single_file, weights_file
from studio.engines.diffusion.failures import damaged, missing, refused_code, refused_pickle, unsupported

# Checks pictures after the fact and is no part of making them; loading it would double a small model's memory.
_LEFT_OUT = ("safety_checker", "feature_extractor", "image_encoder")


@dataclass(frozen=True)
class ComponentPlan:
    """One part of a model: its class, the folder of its settings, and its weights files (none for tokenizers)."""

    name: str
    library: str
    class_name: str
    folder: Path
    files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class ModelPlan:
    """A model's parts. `options` are the settings of the pipeline itself; `size` is the weights' size in bytes."""

    path: Path
    pipeline: str
    components: tuple[ComponentPlan, ...]
    options: dict[str, Any] = field(default_factory=dict)
    single_file: bool = False
    size: int = 0
    fingerprint: tuple[object, ...] = ()


def make(model: LocalModel) -> ModelPlan:
    """The plan for `model`. Raises `StudioError`: missing, refused, damaged or unsupported."""
    path = Path(model.path)
    if path.is_dir():
        return _folder_plan(path)
    if path.is_file():
        return _file_plan(path, model)
    raise missing(path)


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in the file at `path`. Raises `StudioError`."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise missing(path, f"{path.parent.name}/{path.name} is missing from the model.") from error
    except (OSError, ValueError) as error:
        raise damaged(path, "it cannot be read as JSON", str(error)) from error
    if not isinstance(value, dict):
        raise damaged(path, "it does not hold a JSON object")
    return value


def _folder_plan(path: Path) -> ModelPlan:
    index_path = path / "model_index.json"
    if not index_path.is_file():
        if any(path.glob("*.safetensors")) or any(path.glob("*.json")):
            raise unsupported(
                f"The folder {path.name} is not a complete picture model: it has no model_index.json.",
                "Choose the folder that holds model_index.json, or a single .safetensors checkpoint.",
            )
        raise missing(path, f"The folder {path.name} holds no model: it has no model_index.json.")
    index = read_json(index_path)
    pipeline = index.get("_class_name")
    if not isinstance(pipeline, str):
        raise refused_code(path.name)
    components = []
    options = {}
    for name, value in index.items():
        if name.startswith("_"):
            continue
        if not isinstance(value, list):
            options[name] = value
        elif len(value) == 2 and name not in _LEFT_OUT and all(isinstance(part, str) for part in value):
            components.append(_component(path, name, value[0], value[1]))
    return _plan(path, pipeline, components, options, single=False)


def _component(model: Path, name: str, module: str, class_name: str) -> ComponentPlan:
    folder = model / name
    component = library.named(module, class_name)
    if not folder.is_dir():
        raise missing(folder, f"The part {name} is missing from the model {model.name}.")
    config = folder / "config.json"
    if config.is_file() and "auto_map" in read_json(config):
        raise refused_code(model.name)
    files = _weights(folder) if library.is_weights_class(component) else ()
    if name.startswith("tokenizer") and not single_file.has_words(folder):
        raise missing(folder, f"The words of {name} are missing from the model {model.name}.")
    return ComponentPlan(name, module, class_name, folder, files)


def _weights(folder: Path) -> tuple[Path, ...]:
    for index_path in sorted(folder.glob("*.safetensors.index.json")):
        parts = read_json(index_path).get("weight_map")
        if isinstance(parts, dict) and parts:
            # A name with a path in it could point outside of the model's folder.
            return tuple(folder / Path(str(name)).name for name in sorted(set(parts.values())))
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        for pickle in sorted(folder.iterdir()):
            if pickle.suffix.lower() in weights_file.PICKLE_SUFFIXES:
                raise refused_pickle(pickle)
        raise missing(folder, f"The weights of {folder.name} are missing from the model {folder.parent.name}.")
    # `model.safetensors` before its variants (`model.fp16.safetensors`).
    return (min(files, key=lambda file: (len(file.suffixes), file.name)),)


def _file_plan(path: Path, model: LocalModel) -> ModelPlan:
    entries = weights_file.header(path)
    layout = single_file.layout_of(path, entries)
    folders = single_file.config_folders(layout, model.config)
    index = read_json(single_file.find(folders, "model_index.json"))
    components = []
    options = {}
    for name, value in index.items():
        if name.startswith("_"):
            continue
        if not isinstance(value, list):
            options[name] = value
        elif value[0] is not None and name not in _LEFT_OUT:
            component = library.named(value[0], value[1])
            files = (path,) if library.is_weights_class(component) else ()
            folder = single_file.component_folder(path, folders, name)
            components.append(ComponentPlan(name, value[0], value[1], folder, files))
    return _plan(path, index["_class_name"], components, options, single=True)


def _plan(
    path: Path, pipeline: str, components: list[ComponentPlan], options: dict[str, Any], *, single: bool
) -> ModelPlan:
    if not any(component.name == "scheduler" for component in components):
        raise unsupported(
            f"{path.name} has no scheduler, so it is not a model that makes pictures step by step.",
            "Choose another model for pictures.",
        )
    files = sorted({file for component in components for file in component.files})
    marks: list[object] = [str(path)]
    size = 0
    for file in files:
        weights_file.header(file)
        status = file.stat()
        size += status.st_size
        marks.append((str(file), status.st_size, status.st_mtime_ns))
    configs = sorted({str(component.folder) for component in components})
    return ModelPlan(path, pipeline, tuple(components), options, single, size, (*marks, *configs))
