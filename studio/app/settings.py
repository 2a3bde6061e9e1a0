"""The user's settings: one schema with types, defaults, descriptions, a version and migrations.

`Preferences` is the schema; everything else (validation, the settings room, the file) is derived from it.
Values that don't fit fall back to their default one by one, and a file that can't be read is set aside,
never overwritten: no setting can keep the studio from opening.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from studio.core.failure import InvalidField

VERSION = 2

Theme = Literal["system", "light", "dark"]
Device = Literal["auto", "cpu", "cuda", "mps"]


class Preferences(msgspec.Struct, frozen=True):
    """Every setting with its default. `Meta.extra` names the section, the unit and the words for choices."""

    theme: Annotated[
        Theme,
        Meta(
            title="Theme",
            description="Light, dark, or whatever the rest of this computer uses.",
            extra={
                "section": "Appearance",
                "labels": {"system": "Follow the system", "light": "Light", "dark": "Dark"},
            },
        ),
    ] = "system"
    text_scale: Annotated[
        float,
        Meta(
            title="Text size",
            description="Makes all words in the window smaller or larger.",
            ge=0.8,
            le=1.6,
            extra={"section": "Appearance", "unit": "×", "step": 0.05},
        ),
    ] = 1.0
    device: Annotated[
        Device,
        Meta(
            title="Run on",
            description="Where models run. Automatic takes a graphics card that fits.",
            extra={
                "section": "Models",
                "labels": {
                    "auto": "Automatic",
                    "cpu": "Processor (CPU)",
                    "cuda": "NVIDIA graphics (CUDA)",
                    "mps": "Apple graphics (MPS)",
                },
            },
        ),
    ] = "auto"
    threads: Annotated[
        int,
        Meta(
            title="Processor threads",
            description="How many a model may use. 0 adapts to what else is running.",
            ge=0,
            le=256,
            extra={"section": "Models", "zero": "Automatic"},
        ),
    ] = 0
    memory_budget: Annotated[
        float,
        Meta(
            title="Memory for models",
            description="Idle models are unloaded to stay below this. 0 means no limit.",
            ge=0.0,
            le=1024.0,
            extra={"section": "Models", "unit": "GB", "step": 0.5, "zero": "No limit"},
        ),
    ] = 0.0
    idle_minutes: Annotated[
        float,
        Meta(
            title="Keep an idle model for",
            description="After this long without work a model's memory is given back.",
            ge=0.5,
            le=600.0,
            extra={"section": "Models", "unit": "minutes", "step": 0.5},
        ),
    ] = 10.0
    warm_start: Annotated[
        bool,
        Meta(
            title="Get ready at start",
            description="Start the engines behind the window, so that the first result comes sooner.",
            extra={"section": "Models"},
        ),
    ] = True
    preview_rate: Annotated[
        float,
        Meta(
            title="Previews",
            description="How often a picture is shown while it is being made. 0 shows none.",
            ge=0.0,
            le=15.0,
            extra={"section": "Pictures", "unit": "per second", "step": 1.0, "zero": "Off"},
        ),
    ] = 15.0
    model_folders: Annotated[
        tuple[str, ...],
        Meta(
            title="Folders with models",
            description="Looked through for models, and never changed. Other programs' folders are welcome.",
            extra={"section": "Folders", "folders": True},
        ),
    ] = ()


class Option(msgspec.Struct, frozen=True):
    """One line of the schema, as a settings page needs it.

    `kind` says which control fits; `choices` are (value, words) pairs; `zero` is the word for 0.
    """

    name: str
    title: str
    description: str
    section: str
    kind: Literal["choice", "integer", "number", "switch", "folders"]
    default: object
    minimum: float = 0.0
    maximum: float = 0.0
    step: float = 1.0
    unit: str = ""
    zero: str = ""
    choices: tuple[tuple[str, str], ...] = ()


Migration = Callable[[dict[str, Any]], dict[str, Any]]


def _minutes_from_seconds(values: dict[str, Any]) -> dict[str, Any]:
    """Version 1 kept the idle time in seconds."""
    if "idle_seconds" in values:
        with contextlib.suppress(TypeError, ValueError):
            values["idle_minutes"] = max(0.5, float(values.pop("idle_seconds")) / 60)
    return values


MIGRATIONS: dict[int, Migration] = {1: _minutes_from_seconds}
"""From a version to the next one."""


class Settings:
    """The settings of this user. Belongs to the main thread.

    `trouble` is a sentence for the user when the file could not be used as it was.
    """

    def __init__(self, path: Path, values: Preferences | None = None) -> None:
        self.path = path
        self.values = values or Preferences()
        self.trouble = ""
        self.defer: Callable[[], None] = self.save
        """Called after each change; the window puts a delayed, background save here."""
        self._unknown: dict[str, Any] = {}
        self._listeners: list[Callable[[frozenset[str]], None]] = []

    def heir(self) -> Settings:
        """The same settings with nobody listening yet, for a window that takes the place of another."""
        heir = Settings(self.path, self.values)
        heir._unknown = self._unknown
        return heir

    @classmethod
    def load(cls, path: Path) -> Settings:
        """The settings in `path`; defaults where there is no file or a value does not fit."""
        settings = cls(path)
        try:
            raw = json.loads(path.read_bytes())
        except FileNotFoundError:
            return settings
        except (OSError, ValueError) as error:
            settings._set_aside(error)
            return settings
        if isinstance(raw, dict):
            settings._take(raw)
        else:
            settings._set_aside(ValueError("not an object"))
        return settings

    def change(self, **changes: object) -> None:
        """Take over new values, tell the listeners, and have them saved.

        Raises `InvalidField` and changes nothing when a name is unknown or a value does not fit.
        """
        known = Preferences.__struct_fields__
        for name, value in changes.items():
            if name not in known:
                raise InvalidField(name, "there is no such setting")
            changes[name] = _converted(name, value)
        changed = frozenset(name for name, value in changes.items() if getattr(self.values, name) != value)
        if not changed:
            return
        self.values = msgspec.structs.replace(self.values, **changes)
        self.defer()
        for listener in tuple(self._listeners):
            listener(changed)

    def reset(self) -> None:
        """All settings back to their defaults."""
        self.change(**msgspec.structs.asdict(Preferences()))

    def listen(self, listener: Callable[[frozenset[str]], None]) -> Callable[[], None]:
        """Have `listener` called with the names that changed; returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def save(self) -> None:
        """Write the file whole. Raises `StudioError` when the disk refuses."""
        from studio.documents.atomic import write_atomically

        content = {"version": VERSION, **self._unknown, **msgspec.structs.asdict(self.values)}
        write_atomically(self.path, json.dumps(content, indent=2, ensure_ascii=False).encode())

    def _take(self, raw: dict[str, Any]) -> None:
        version = raw.pop("version", VERSION)
        for step in range(version if isinstance(version, int) else VERSION, VERSION):
            raw = MIGRATIONS[step](raw) if step in MIGRATIONS else raw
        accepted: dict[str, Any] = {}
        refused: list[str] = []
        for name, value in raw.items():
            if name not in Preferences.__struct_fields__:
                self._unknown[name] = value  # a newer version's setting: kept for its return
                continue
            try:
                accepted[name] = _converted(name, value)
            except InvalidField:
                refused.append(option(name).title)
        self.values = Preferences(**accepted)
        if refused:
            names = ", ".join(f"“{title}”" for title in refused)
            self.trouble = f"The settings file holds values that don't fit; the defaults are used for {names}."

    def _set_aside(self, error: Exception) -> None:
        aside = self.path.with_name(f"{self.path.name}.damaged")
        with contextlib.suppress(OSError):
            self.path.replace(aside)
        self.trouble = (
            f"The settings file could not be read ({error}), so the defaults are used. It was kept as “{aside.name}”."
        )


def options() -> tuple[Option, ...]:
    """The schema, in the order in which it is written."""
    hints = get_type_hints(Preferences, include_extras=True)
    return tuple(_option(name, hints[name]) for name in Preferences.__struct_fields__)


def option(name: str) -> Option:
    """One line of the schema."""
    return _option(name, get_type_hints(Preferences, include_extras=True)[name])


def _option(name: str, hint: Any) -> Option:  # noqa: ANN401 - a type expression has no better type
    kind_hint, meta = get_args(hint)
    extra = meta.extra
    labels: dict[str, str] = extra.get("labels", {})
    kind: Literal["choice", "integer", "number", "switch", "folders"] = "number"
    if get_origin(kind_hint) is Literal:
        kind = "choice"
    elif extra.get("folders"):
        kind = "folders"
    elif kind_hint is bool:
        kind = "switch"
    elif kind_hint is int:
        kind = "integer"
    return Option(
        name=name,
        title=meta.title,
        description=meta.description,
        section=extra["section"],
        kind=kind,
        default=getattr(Preferences(), name),
        minimum=float(meta.ge or 0),
        maximum=float(meta.le or 0),
        step=float(extra.get("step", 1)),
        unit=extra.get("unit", ""),
        zero=extra.get("zero", ""),
        choices=tuple((value, labels[value]) for value in get_args(kind_hint)) if kind == "choice" else (),
    )


def _converted(name: str, value: object) -> Any:  # noqa: ANN401 - each setting has its own type
    hint = get_type_hints(Preferences, include_extras=True)[name]
    try:
        return msgspec.convert(value, type=hint)
    except msgspec.ValidationError as error:
        raise InvalidField(name, str(error)) from error
