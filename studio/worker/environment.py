"""What must be set before any model library is imported. Standard library only, imports nothing of the studio."""

from __future__ import annotations

import os

VARIABLES = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "DIFFUSERS_VERBOSITY": "error",
    "TRANSFORMERS_VERBOSITY": "error",
    # Idle threads that spin take the cores away from the window; but between two layers of a small model they must not
    # fall asleep: 20 steps of the starter took 0.86 s so, and 0.41 s with a spin of a fraction of a millisecond.
    "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "100000",
    "KMP_BLOCKTIME": "0",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONFAULTHANDLER": "1",
}


def prepare() -> None:
    """Set the variables; what the user's own environment says about the network does not count."""
    os.environ.update(VARIABLES)
