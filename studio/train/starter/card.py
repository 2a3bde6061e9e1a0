"""The model card of a starter model (README.md), and the short description that the studio reads (model.toml)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec


class Figure(msgspec.Struct, frozen=True):
    """One measured value next to what it is held against; ``wanted`` is the aim, where there is one."""

    measure: str
    value: str
    baseline: str = ""
    wanted: str = ""


class Card(msgspec.Struct, frozen=True):
    """All that a user should know before trusting a model."""

    id: str
    name: str
    task: str
    family: str
    file: str
    licence: str
    description: str
    architecture: str
    parameters: int
    size_bytes: int
    memory_mb: int
    attribution: Sequence[str]
    data: Sequence[str]
    figures: Sequence[Figure]
    limits: Sequence[str]
    making: Sequence[str]
    context_length: int | None = None
    commercial: bool = True
    pictures: Sequence[str] = ()


def write_card(folder: Path, card: Card) -> None:
    """Write README.md and model.toml into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(_front_matter(card) + _body(card), encoding="utf-8")
    (folder / "model.toml").write_text(_description(card), encoding="utf-8")


def _front_matter(card: Card) -> str:
    """YAML; every value is written as JSON, which YAML contains."""
    values: dict[str, object] = {
        "name": card.name,
        "task": card.task,
        "licence": card.licence,
        "size_bytes": card.size_bytes,
        "parameters": card.parameters,
        "architecture": card.architecture,
        "context_length": card.context_length,
        "figures": [msgspec.to_builtins(figure) for figure in card.figures],
        "limits": list(card.limits),
        "attribution": list(card.attribution),
    }
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in values.items() if value is not None]
    return "---\n" + "\n".join(lines) + "\n---\n\n"


def _body(card: Card) -> str:
    rows = [f"| {f.measure} | {f.value} | {f.baseline or '–'} | {f.wanted or '–'} |" for f in card.figures]
    parts = [
        f"# {card.name}\n\n{card.description}",
        "## Figures, on data held out of training\n\n| measure | this model | baseline | aim |\n|---|---|---|---|\n"
        + "\n".join(rows),
        _list("Limits", card.limits),
        _list("Data", card.data),
        _list("Attribution", card.attribution),
        _list("How it was made", card.making),
        "\n\n".join(f"![{Path(picture).stem}]({picture})" for picture in card.pictures),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _list(title: str, lines: Sequence[str]) -> str:
    return f"## {title}\n\n" + "\n".join(f"- {line}" for line in lines)


def _description(card: Card) -> str:
    values: dict[str, object] = {
        "id": card.id,
        "name": card.name,
        "task": card.task,
        "family": card.family,
        "file": card.file,
        "licence": card.licence,
        "commercial": card.commercial,
        "attribution": list(card.attribution),
        "memory_mb": card.memory_mb,
        "context_length": card.context_length,
        "description": card.description,
    }
    # JSON strings, numbers, booleans and lists of strings are TOML as they stand.
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items() if value is not None]
    return "\n".join(lines) + "\n"
