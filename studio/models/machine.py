"""What this machine has: memory and devices, asked without importing a model library."""

from __future__ import annotations

import functools
import platform
import shutil
import subprocess
import sys

import msgspec
import psutil


class Device(msgspec.Struct, frozen=True):
    """A place to run on: `id` is `cpu`, `cuda:N` or `mps`; memory in bytes."""

    id: str
    name: str
    memory: int
    free: int


def processor() -> Device:
    """The CPU with the system's memory."""
    memory = psutil.virtual_memory()
    return Device("cpu", platform.processor() or platform.machine(), memory.total, memory.available)


@functools.cache
def accelerators() -> tuple[Device, ...]:
    """NVIDIA GPUs by their driver's own tool, and Apple's by the system; asked once."""
    if sys.platform == "darwin" and platform.machine() == "arm64":
        cpu = processor()
        return (Device("mps", "Apple GPU", cpu.memory, cpu.free),)
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ()
    query = [tool, "--query-gpu=name,memory.total,memory.free", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=5, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(_gpu(index, line) for index, line in enumerate(answer.strip().splitlines()))


def best_device() -> Device:
    """Where generation runs by default: the first accelerator, else the CPU."""
    found = accelerators()
    return found[0] if found else processor()


def _gpu(index: int, line: str) -> Device:
    name, total, free = (part.strip() for part in line.rsplit(",", 2))
    return Device(f"cuda:{index}", name, int(total) << 20, int(free) << 20)
