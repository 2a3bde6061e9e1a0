"""One line of the shelf: a model that this machine has."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec
from msgspec.structs import replace

from studio.core.references import ModelRef, Task
from studio.core.requests import Sampling


class ShelfEntry(msgspec.Struct, frozen=True):
    """What is known of a model. Sizes are bytes; `memory` is what it needs when loaded.

    `commercial` is None where the licence is not known. `native_size` is the picture edge in pixels that
    the model was trained for; `context_length` is in tokens; `steps`, `guidance`, `repetition_penalty` and
    `dry_multiplier` are what its makers advise; 0 means not known or not applicable.
    """

    ref: ModelRef
    name: str
    task: Task
    family: str
    size: int
    licence: str
    path: Path
    source: Literal["starter", "folder", "hub"]
    commercial: bool | None = None
    attribution: tuple[str, ...] = ()
    description: str = ""
    memory: int = 0
    native_size: int = 0
    context_length: int = 0
    steps: int = 0
    guidance: float = 0.0
    repetition_penalty: float = 0.0
    dry_multiplier: float = 0.0
    config: Path | None = None
    styles: tuple[str, ...] = ()

    def advised(self, sampling: Sampling) -> Sampling:
        """`sampling` with what the model's makers advise against repetition."""
        return replace(
            sampling,
            repetition_penalty=self.repetition_penalty or sampling.repetition_penalty,
            dry_multiplier=self.dry_multiplier or sampling.dry_multiplier,
        )

    @property
    def licence_sentence(self) -> str:
        """The licence's plain meaning for what the user makes."""
        if self.commercial is None:
            return "Licence not known: check before you sell results"
        return f"{self.licence} · {'you may sell results' if self.commercial else 'not for commercial use'}"
