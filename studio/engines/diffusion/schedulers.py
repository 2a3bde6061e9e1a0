"""Schedulers by the names that requests use, and what their steps say about the finished picture."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from studio.core.requests import Scheduler
from studio.engines.diffusion import library
from studio.engines.diffusion.failures import invalid
from studio.engines.diffusion.library import Component

_DPM = "DPMSolverMultistepScheduler"
_CLASSES: dict[Scheduler, tuple[str, dict[str, Any]]] = {
    "ddim": ("DDIMScheduler", {}),
    "dpm++ 2m": (_DPM, {"algorithm_type": "dpmsolver++", "use_karras_sigmas": False}),
    "dpm++ 2m karras": (_DPM, {"algorithm_type": "dpmsolver++", "use_karras_sigmas": True}),
    "euler": ("EulerDiscreteScheduler", {}),
    "euler ancestral": ("EulerAncestralDiscreteScheduler", {}),
    "heun": ("HeunDiscreteScheduler", {}),
    "lcm": ("LCMScheduler", {}),
    "unipc": ("UniPCMultistepScheduler", {}),
}
_FLOW_CLASSES: dict[Scheduler, tuple[str, dict[str, Any]]] = {
    "flow euler": ("FlowMatchEulerDiscreteScheduler", {}),
    "euler": ("FlowMatchEulerDiscreteScheduler", {}),
    "heun": ("FlowMatchHeunDiscreteScheduler", {}),
}


def is_flow(class_name: str, config: dict[str, Any]) -> bool:
    """Whether the model was trained by flow matching: such models and the others need different schedulers."""
    return (
        class_name.startswith("FlowMatch")
        or bool(config.get("use_flow_sigmas"))
        or config.get("prediction_type") == "flow_prediction"
    )


def make(name: Scheduler, class_name: str, config: dict[str, Any]) -> Component:
    """A new scheduler `name` that keeps the model's own training facts (noise schedule, prediction type, …).

    `default` is the model's own class. Raises `StudioError` where the model cannot work with `name`.
    """
    changes: dict[str, Any] = {}
    chosen = class_name
    if name != "default":
        choices = _FLOW_CLASSES if is_flow(class_name, config) else _CLASSES
        if name not in choices:
            raise invalid(
                f'The scheduler "{name}" does not work with this kind of model.',
                f"Use one of: default, {', '.join(choices)}.",
            )
        chosen, changes = choices[name]
    with _quiet():
        scheduler = library.named("diffusers", chosen).from_config(config, **changes)
    original = scheduler.set_timesteps

    @functools.wraps(original)
    def set_timesteps(*positional: object, **named: object) -> None:
        with _quiet():
            original(*positional, **named)

    scheduler.set_timesteps = set_timesteps
    return scheduler


@contextmanager
def _quiet() -> Iterator[None]:
    """Without numpy's complaint about torch's way of handing over arrays, which is not ours to change."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        yield


def set_steps(scheduler: Component, steps: int, device: torch.device) -> None:
    """Lay out `steps` timesteps. Raises `StudioError` where the scheduler cannot make that many."""
    try:
        scheduler.set_timesteps(steps, device=device)
    except (ValueError, IndexError, RuntimeError) as error:
        raise invalid(
            f"{type(scheduler).__name__} cannot work in {steps} steps ({error}).",
            "Try another number of steps or another scheduler.",
        ) from error
    levels = len(getattr(scheduler, "alphas_cumprod", ()))
    if not hasattr(scheduler, "sigmas") and int(scheduler.timesteps.max()) >= levels > 1:
        # They look noise levels up by the timestep. Counted from 1, a thousand of them reach beyond the end, and
        # PNDM takes one more at its second step.
        scheduler.timesteps = scheduler.timesteps.clamp(max=levels - 2)


def step_arguments(scheduler: Component, generator: torch.Generator) -> dict[str, Any]:
    """What `scheduler.step` takes beside the model's output: some draw fresh noise."""
    return {"generator": generator} if "generator" in inspect.signature(scheduler.step).parameters else {}


def estimate(
    scheduler: Component, output: torch.Tensor, timestep: torch.Tensor, index: int, sample: torch.Tensor
) -> torch.Tensor:
    """The finished latents as the model sees them from here, for the preview.

    `output` is the model's prediction for the noisy `sample` at `timestep`, the `index`th of the schedule.
    The formulas solve the forward process for x₀: Ho et al. 2020 (eq. 9, ε), Salimans & Ho 2022 (app. D, v),
    Karras et al. 2022 (table 1, σ-space), Lipman et al. 2023 (straight paths).
    """
    kind = scheduler.config.get("prediction_type", "epsilon")
    if kind == "sample":
        return output
    in_sigmas = hasattr(scheduler, "is_scale_input_called")  # the family that works in σ-space: Euler, Heun, …
    is_flow_step = type(scheduler).__name__.startswith("FlowMatch") or kind == "flow_prediction"
    if in_sigmas or is_flow_step:
        sigma: torch.Tensor = scheduler.sigmas[index].to(sample)
        if kind == "v_prediction" and not is_flow_step:
            return sample / (sigma**2 + 1) - output * sigma / (sigma**2 + 1) ** 0.5
        return sample - sigma * output
    alpha: torch.Tensor = scheduler.alphas_cumprod[int(timestep)].to(sample)
    if kind == "v_prediction":
        return alpha**0.5 * sample - (1 - alpha) ** 0.5 * output
    return (sample - (1 - alpha) ** 0.5 * output) / alpha**0.5
