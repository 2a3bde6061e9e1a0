"""The models that ship with the studio: each folder of `resources/starter` has a `model.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

from studio.core.failure import Failure, FailureCode, StudioError
from studio.core.references import ModelRef, Task
from studio.models.entry import ShelfEntry

STARTER_FOLDER = Path(__file__).resolve().parents[2] / "resources" / "starter"

# Penalty and DRY multiplier where a description says nothing. Measured with the starter models over 200 tokens, how
# many runs of four words had been there before: of the coder's 24 % without these and 12 % with them, of the writer's
# at temperature 0 40 % and 3 %.
_AGAINST_REPETITION: dict[Task, tuple[float, float]] = {"code": (1.1, 1.0), "text": (1.05, 1.0)}


class StarterDescription(msgspec.Struct, frozen=True):
    """What `model.toml` says. Unknown keys are for people and are ignored."""

    id: str
    name: str
    task: Task
    family: str
    licence: str
    commercial: bool
    file: str = "."
    folder: str = "."
    attribution: tuple[str, ...] = ()
    description: str = ""
    memory_mb: float = 0.0
    native_size: int = 0
    context_length: int = 0
    steps: int = 0
    guidance: float = 0.0
    repetition_penalty: float | None = None
    dry_multiplier: float | None = None
    styles: tuple[str, ...] = ()


def starter_entries(folder: Path = STARTER_FOLDER) -> tuple[ShelfEntry, ...]:
    """The starter models that are whole; a folder without weights is left out.

    Raises `StudioError` when a description can't be read: that is a damaged installation.
    """
    found = [entry for path in sorted(folder.glob("*/model.toml")) if (entry := _entry(path)) is not None]
    return tuple(found)


def _entry(path: Path) -> ShelfEntry | None:
    try:
        described = msgspec.convert(tomllib.loads(path.read_text("utf-8")), StarterDescription)
    except (OSError, ValueError, msgspec.ValidationError) as error:
        raise StudioError(
            Failure(
                FailureCode.MODEL_DAMAGED,
                f"The description of the starter model “{path.parent.name}” can't be read.",
                hint="Get Atelier's files again; your own work is not affected.",
                detail=f"{path}: {error}",
            )
        ) from error
    weights = path.parent if described.file == "." else path.parent / described.file
    size = folder_size(weights)
    if size == 0:
        return None
    penalty, dry = _AGAINST_REPETITION.get(described.task, (0.0, 0.0))
    return ShelfEntry(
        ref=ModelRef(repo=f"starter/{path.parent.name}", file=None if described.file == "." else described.file),
        name=described.name,
        task=described.task,
        family=described.family,
        size=size,
        licence=described.licence,
        path=weights,
        source="starter",
        commercial=described.commercial,
        attribution=described.attribution,
        description=described.description,
        memory=int(described.memory_mb * 1e6),
        native_size=described.native_size,
        context_length=described.context_length,
        steps=described.steps,
        guidance=described.guidance,
        repetition_penalty=penalty if described.repetition_penalty is None else described.repetition_penalty,
        dry_multiplier=dry if described.dry_multiplier is None else described.dry_multiplier,
        styles=described.styles,
    )


def folder_size(path: Path) -> int:
    """Bytes of the weights in `path`: the file itself, or all safetensors and GGUF files below the folder."""
    if path.is_file():
        return path.stat().st_size
    weights = [*path.rglob("*.safetensors"), *path.rglob("*.gguf")]
    return sum(file.stat().st_size for file in weights)
