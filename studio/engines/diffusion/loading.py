"""From a plan to a model in memory: lazily, part by part, with progress, and stoppable at every tensor.

The parts are built without weights and get their tensors straight from the mapped file. A tensor is copied
only where its number format or its device has to change, so loading a file in its own format takes as long as
building the Python objects, and no more memory than the file.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from studio.engines.diffusion import library, plan, single_file, weights_file
from studio.engines.diffusion.device import Device
from studio.engines.diffusion.failures import damaged, unsupported
from studio.engines.diffusion.gate import Gate
from studio.engines.diffusion.library import Component
from studio.engines.diffusion.plan import ComponentPlan, ModelPlan

# What a part without weights may be: nothing else is ever loaded by its name alone.
_PLAIN_KINDS = ("Tokenizer", "TokenizerFast", "Processor", "ProcessorPil", "FeatureExtractor", "Scheduler")
_PAGE = 4096
# How older versions named the four matrices of an autoencoder's attention.
_OLD_ATTENTION = {".query.": ".to_q.", ".key.": ".to_k.", ".value.": ".to_v.", ".proj_attn.": ".to_out.0."}
# SDXL's second tokenizer fills up with this word; both have the same vocabulary.
_SECOND_PADDING = "!"


@dataclass
class LoadedModel:
    """A model in memory. `parts` are by name (`unet`, `vae`, `text_encoder`, …); `kept` holds what other modules
    compute once per model (pipelines, preview colours).
    """

    plan: ModelPlan
    device: Device
    parts: dict[str, Component]
    scheduler_class: str
    scheduler_config: dict[str, Any]
    kept: dict[str, Any] = field(default_factory=dict)

    def size(self) -> int:
        """Bytes of all weights."""
        return sum(_size(part) for part in self.parts.values() if isinstance(part, torch.nn.Module))

    @property
    def folder(self) -> Path | None:
        """The model's folder, None for a single file."""
        return None if self.plan.single_file else self.plan.path


def load(model_plan: ModelPlan, device: Device, gate: Gate) -> Generator[int, None, LoadedModel]:
    """Load the model; yields the number of weight bytes done since the last time.

    Raises `Cancelled` through `gate`, and `StudioError` for files that do not fit together.
    """
    parts: dict[str, Component] = {}
    scheduler_class, scheduler_config = "", {}
    shared = weights_file.tensors(model_plan.path) if model_plan.single_file else None
    for component in model_plan.components:
        gate.check()
        if component.name == "scheduler":
            scheduler_config = plan.read_json(component.folder / "scheduler_config.json")
            scheduler_class = component.class_name
        elif component.files:
            parts[component.name] = yield from _weighted(model_plan, component, device, gate, shared)
        else:
            parts[component.name] = _plain(model_plan, component)
    if shared is not None:
        scheduler_config |= single_file.scheduler_facts(weights_file.header(model_plan.path))
    return LoadedModel(model_plan, device, parts, scheduler_class, scheduler_config)


def _plain(model_plan: ModelPlan, component: ComponentPlan) -> Component:
    kind = library.named(component.library, component.class_name)
    if not kind.__name__.endswith(_PLAIN_KINDS):
        raise unsupported(
            f"The part {component.name} of this model is of a kind that the studio does not know ({kind.__name__}).",
            "Choose another model.",
        )
    words: dict[str, str] = {}
    if component.name == "tokenizer_2" and component.folder.name != component.name and model_plan.single_file:
        words["pad_token"] = _SECOND_PADDING
    try:
        return kind.from_pretrained(str(component.folder), local_files_only=True, **words)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError) as error:
        raise damaged(component.folder, "its files cannot be read", f"{type(error).__name__}: {error}") from error


def _weighted(
    model_plan: ModelPlan, component: ComponentPlan, device: Device, gate: Gate, shared: dict[str, torch.Tensor] | None
) -> Generator[int, None, torch.nn.Module]:
    if shared is None:
        tensors: dict[str, torch.Tensor] = {}
        for file in component.files:
            tensors |= weights_file.tensors(file)
        module = _empty(component, {})
    else:
        inputs = shared["model.diffusion_model.input_blocks.0.0.weight"].shape[1]
        module = _empty(component, {"in_channels": inputs} if component.name == "unet" else {})
        tensors = single_file.component_tensors(model_plan.path, component.name, module, shared)
    dtype = _dtype_for(model_plan, component, module, device)
    yield from _fill(module, _aligned(module, tensors), (dtype, device.device), gate, component.files[0])
    missing = _missing_weights(module)
    if missing and shared is None and component.library == "transformers":
        with gate.over_library_loads():
            module, missing = _library_load(component, dtype)
    if missing:
        raise damaged(component.files[0], f"{len(missing)} of its weights are missing, the first is {missing[0]}")
    module.to(device.device)  # what is computed and not stored
    module.requires_grad_(requires_grad=False).eval()
    gate.watch(module)
    return module


def _dtype_for(model_plan: ModelPlan, component: ComponentPlan, module: torch.nn.Module, device: Device) -> torch.dtype:
    """float32 for an autoencoder that overflows in float16, where our own loop runs it and hands it float32."""
    config: Component = module.config
    ours = any(other.name == "unet" for other in model_plan.components)
    upcast = ours and component.name == "vae" and getattr(config, "force_upcast", False)
    return device.vae_dtype if upcast else device.dtype


def _library_load(component: ComponentPlan, dtype: torch.dtype) -> tuple[torch.nn.Module, list[str]]:
    """The library's own way, for weights whose names it translates by rules of its own; slower, and with copies."""
    kind = library.named(component.library, component.class_name)
    folder = str(component.folder)
    module, report = kind.from_pretrained(
        folder, dtype=dtype, local_files_only=True, use_safetensors=True, output_loading_info=True
    )
    return module, sorted(report["missing_keys"])


def _empty(component: ComponentPlan, changes: dict[str, Any]) -> torch.nn.Module:
    """The module without weights: shapes only, except for what is computed and not stored."""
    kind = library.named(component.library, component.class_name)
    config = plan.read_json(component.folder / "config.json")
    if "quantization_config" in config:
        raise unsupported(
            f"The weights of {component.name} are stored in a compressed form that the studio cannot read yet.",
            "Use the uncompressed version of this model.",
        )
    try:
        with library.without_weights():
            if component.library == "transformers":
                return kind(kind.config_class.from_dict(config))  # type: ignore[no-any-return] # a class by name
            return kind.from_config(config | changes)  # type: ignore[no-any-return] # a class by name
    except (ValueError, KeyError, TypeError, AttributeError, NotImplementedError) as error:
        raise damaged(component.folder, "its config.json does not fit", f"{type(error).__name__}: {error}") from error


def _aligned(module: torch.nn.Module, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """`tensors` under the module's own names: versions of the libraries differ in an outer prefix."""
    wanted = module.state_dict().keys()
    best: dict[str, torch.Tensor] = {}
    prefix = "text_model."
    base = str(getattr(module, "base_model_prefix", "")) + "."
    for change in (str, lambda key: key.removeprefix(prefix), lambda key: prefix + key,
                   lambda key: key.removeprefix(base), lambda key: base + key):  # fmt: skip
        renamed = {_modern(change(key), wanted): value for key, value in tensors.items()}
        fitting = {key: value for key, value in renamed.items() if key in wanted}
        if len(fitting) > len(best):
            best = fitting
    return best


def _modern(key: str, wanted: Any) -> str:  # noqa: ANN401 - a key view of a state dict
    if key not in wanted:
        for old, new in _OLD_ATTENTION.items():
            if old in key and key.replace(old, new) in wanted:
                return key.replace(old, new)
    return key


def _fill(
    module: torch.nn.Module,
    tensors: dict[str, torch.Tensor],
    target: tuple[torch.dtype, torch.device],
    gate: Gate,
    source: Path,
) -> Iterator[int]:
    owners = dict(module.named_modules())
    precise = tuple(getattr(module, "_keep_in_fp32_modules", None) or ())
    for name, tensor in tensors.items():
        gate.check()
        owner, _, leaf = name.rpartition(".")
        old = getattr(owners[owner], leaf)
        if old.shape != tensor.shape:
            if old.numel() != tensor.numel():
                raise damaged(source, f"{name} has the shape {tuple(tensor.shape)} instead of {tuple(old.shape)}")
            tensor = tensor.reshape(old.shape)  # noqa: PLW2901 - a 1×1 convolution written as a matrix
        dtype = torch.float32 if any(part in name.split(".") for part in precise) else target[0]
        value = _placed(tensor, dtype, target[1])
        is_parameter = isinstance(old, torch.nn.Parameter)
        setattr(owners[owner], leaf, torch.nn.Parameter(value, requires_grad=False) if is_parameter else value)
        yield tensor.nbytes


def _placed(tensor: torch.Tensor, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    placed = tensor.to(device=device, dtype=dtype if tensor.is_floating_point() else tensor.dtype)
    if placed is tensor:
        # Touch each page: the disk is read now, where the progress shows it, and not in the middle of the first step.
        placed.reshape(-1).view(torch.uint8)[::_PAGE].sum()
    return placed


def _missing_weights(module: torch.nn.Module) -> list[str]:
    """What is still empty once weights that are stored once and used twice are joined."""
    tie = getattr(module, "tie_weights", None)
    if callable(tie):
        tie()
    return [name for name, value in module.named_parameters() if value.is_meta]


def _size(module: torch.nn.Module) -> int:
    held = {value.data_ptr(): value.nbytes for value in (*module.parameters(), *module.buffers())}
    return sum(held.values())
