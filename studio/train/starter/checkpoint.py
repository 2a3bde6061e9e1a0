"""Checkpoints that survive a kill at any second: written aside, synced, renamed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import torch


def save_checkpoint(path: Path, state: Mapping[str, object]) -> None:
    """Write ``state`` to ``path`` so that a reader sees the old file or the new one, never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(path.name + ".part")
    with aside.open("wb") as stream:
        torch.save(dict(state), stream)
        stream.flush()
        os.fsync(stream.fileno())
    aside.replace(path)


def load_checkpoint(path: Path) -> dict[str, object] | None:
    """The state in ``path``, on the CPU; None when there is none yet. Only tensors and plain values are read."""
    if not path.is_file():
        return None
    return cast(dict[str, object], torch.load(path, map_location="cpu", weights_only=True))
