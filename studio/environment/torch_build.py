"""Which build of torch: the default one where there is an NVIDIA GPU, else the CPU build where it can be had.

A build is told apart by its local version: "2.13.0+cpu" is the CPU's, on any index that offers it; "===2.13.0" is
exactly the default build, which on Linux is the one for NVIDIA GPUs and brings several GB of libraries with it.
"""

import os
import shutil
from pathlib import Path

from studio.environment.commands import Outcome
from studio.environment.pins import Pin
from studio.environment.pip import Pip


def has_nvidia_gpu() -> bool:
    """Tell whether a driver for an NVIDIA GPU is at work, without loading anything of it."""
    if os.name == "nt":
        return shutil.which("nvidia-smi") is not None
    return Path("/proc/driver/nvidia/version").exists() or Path("/dev/nvidia0").exists()


def candidates(version: str, *, gpu: bool) -> tuple[str, ...]:
    """Return the requirements to try, the wanted build first and whatever pip is configured for last."""
    exact = f"torch==={version}" if gpu else f"torch=={version}+cpu"
    return (exact, f"torch=={version}")


def install(pip: Pip, pin: Pin, lock: Path) -> Outcome:
    """Install torch with what its build depends on (the GPU build brings libraries that no lock file of ours names)."""
    outcome = Outcome(0, ())
    gpu = has_nvidia_gpu()
    for line in candidates(pin.version, gpu=gpu):
        kind = "the build for NVIDIA GPUs" if gpu else "the CPU build" if line.endswith("+cpu") else "the default build"
        wanted = (Pin(pin.name, pin.version, pin.size, line),)
        arguments = ("--constraint", str(lock))
        outcome = pip.install(wanted, *arguments, title=f"Fetching torch ({kind})", without_dependencies=False)
        if outcome.exit_code == 0 or "No matching distribution" not in outcome.text:
            return outcome
    return outcome
