"""Every scheduler, with as many steps as a request may ask for."""

from __future__ import annotations

from typing import get_args

import pytest
import torch

from studio.core.requests import Scheduler
from studio.engines.diffusion import schedulers
from tests.engines.diffusion.tiny_models import pndm

_FEW_STEPS_ONLY = ("lcm", "flow euler")


@pytest.mark.parametrize("name", [name for name in get_args(Scheduler) if name not in _FEW_STEPS_ONLY])
def test_as_many_steps_as_there_are(name: Scheduler) -> None:
    """Noise levels are counted from 0 or from 1; with the most steps the last one may lie beyond the end."""
    config = dict(pndm().config)
    scheduler = schedulers.make(name, "PNDMScheduler", config)
    schedulers.set_steps(scheduler, 1000, torch.device("cpu"))
    generator = torch.Generator().manual_seed(1)
    arguments = schedulers.step_arguments(scheduler, generator)
    sample, output = torch.ones(1, 4, 8, 8), torch.zeros(1, 4, 8, 8)
    for index, timestep in enumerate(scheduler.timesteps[:3]):
        noisy = sample
        sample = scheduler.step(output, timestep, noisy, **arguments)[0]
        counted = getattr(scheduler, "step_index", None)
        seen = schedulers.estimate(scheduler, output, timestep, index if counted is None else counted - 1, noisy)
        assert bool(torch.isfinite(sample).all())
        assert bool(torch.isfinite(seen).all())
