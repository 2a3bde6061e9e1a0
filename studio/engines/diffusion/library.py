"""The one door to diffusers and transformers: classes by name, and their log kept quiet.

Both libraries log advice for programmers (missing torchvision, ignored configuration keys); what a
person has to know is checked and said by this package itself, so only their errors pass.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

import torch

from studio.engines.diffusion.failures import refused_code, unsupported

Component: TypeAlias = Any
"""A model, scheduler, tokenizer or pipeline of the libraries, whose own types say too little to check against."""

_ROOTS = ("diffusers", "transformers")


def warm() -> None:
    """Import what nearly every picture needs; takes seconds, so it is done before the first job."""
    for root in _ROOTS:
        logging: Component = importlib.import_module(f"{root}.utils.logging")
        logging.set_verbosity_error()
    for class_name in ("UNet2DConditionModel", "AutoencoderKL", "PNDMScheduler"):
        named("diffusers", class_name)
    for class_name in ("CLIPTextModel", "CLIPTokenizer"):
        named("transformers", class_name)
    # Attention layers ask for this signature at every call, and Python works it out anew each time: a twentieth of the
    # time of a small model.
    attention: Component = importlib.import_module("diffusers.models.attention_processor")
    call = attention.AttnProcessor2_0.__call__
    call.__signature__ = inspect.signature(call)


def named(library: str, class_name: str) -> Component:
    """The class that a model folder calls `[library, class_name]`.

    `library` is `diffusers`, `transformers` or the name of one of diffusers' own pipeline modules. Anything
    else would be code that came with the model, and is refused. Raises `StudioError`.
    """
    if library in _ROOTS:
        module: Component = importlib.import_module(library)
    elif library.isidentifier() and importlib.util.find_spec(f"diffusers.pipelines.{library}"):
        module = importlib.import_module(f"diffusers.pipelines.{library}")
    else:
        raise refused_code(f"{library}.{class_name}")
    for name in (class_name, class_name.removesuffix("Fast")):
        found = getattr(module, name, None)
        # The libraries put a stand-in where a package that a class needs is not installed.
        if isinstance(found, type) and ".dummy_" not in found.__module__:
            return found
    raise unsupported(
        f"This model needs {library}'s {class_name}, which is not installed here.",
        "Choose another model, or update the studio.",
    )


def without_weights() -> AbstractContextManager[None]:
    """Inside it, modules are built with shapes only; buffers that are computed and not stored are computed."""
    accelerate: Component = importlib.import_module("accelerate")
    empty: AbstractContextManager[None] = accelerate.init_empty_weights(include_buffers=False)
    return empty


def is_weights_class(component: Component) -> bool:
    """Whether the class `component` holds weights (and not just settings or words)."""
    return isinstance(component, type) and issubclass(component, torch.nn.Module)


def versions() -> str:
    """The libraries and their versions, for reports."""
    diffusers: Component = importlib.import_module("diffusers")
    return f"diffusers {diffusers.__version__}, torch {torch.__version__}"
