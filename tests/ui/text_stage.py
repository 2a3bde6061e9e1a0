"""A stage for the rooms with text: the real session, queue and worker around one room, without the window."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path

from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.app.commands import Commands
from studio.app.notices import Notices
from studio.app.settings import Settings
from studio.app.studio import Studio
from studio.core.jobs import Family
from studio.documents.project import Project
from studio.jobs.limits import Limits, WorkerCommand
from studio.models.shelf import Shelf
from studio.ui.background import Background
from studio.ui.bridge import Bridge
from studio.ui.room import Room, RoomContext
from studio.ui.theme import Theme
from tests.tiny_gguf import TinyModel, make_tiny_gguf
from tests.ui.author_engine import PROGRAM


@dataclasses.dataclass
class Surroundings:
    """What a room stands in."""

    context: RoomContext
    studio: Studio
    notices: Notices
    settings: Settings
    folder: Path


def fake_models(folder: Path) -> Path:
    """A shelf with a text and a code model, which the author engine stands for."""
    for task in ("text", "code"):
        model = folder / task
        model.mkdir(parents=True, exist_ok=True)
        (model / "model.toml").write_text(
            f'id = "{task}"\nname = "Starter {task}"\ntask = "{task}"\nfamily = "llama"\nlicence = "Apache-2.0"\n'
            "commercial = true\ncontext_length = 2048\n"
        )
        (model / "weights.gguf").write_bytes(b"x" * 8_400_000)
    return folder


def real_models(folder: Path, model: TinyModel) -> Path:
    """A shelf with a tiny GGUF for text and code, for the real engine."""
    for task in ("text", "code"):
        place = folder / task
        place.mkdir(parents=True, exist_ok=True)
        make_tiny_gguf(place / "tiny.gguf", model)
        (place / "model.toml").write_text(
            f'id = "{task}"\nname = "Tiny {task}"\ntask = "{task}"\nfamily = "llama"\nlicence = "Apache-2.0"\n'
            'commercial = true\nfile = "tiny.gguf"\ncontext_length = 512\n'
        )
    return folder


@contextlib.contextmanager
def surroundings(
    qapp: QApplication, folder: Path, *, models: bool = True, model: TinyModel | None = None
) -> Iterator[Surroundings]:
    """Everything a room needs, with a real worker behind it; with `model`, also the real engine."""
    starter = folder / "starter"
    starter.mkdir(exist_ok=True)
    if model is not None:
        shelf, worker = Shelf([], real_models(starter, model)), WorkerCommand()
    else:
        shelf = Shelf([], fake_models(starter) if models else starter)
        worker = WorkerCommand(engines={Family.LANGUAGE: PROGRAM})
    project = Project.open(folder / "Work")
    studio = Studio(project, shelf, worker, folder / "state", limits=Limits(spare=False))
    studio.start()
    settings = Settings(folder / "settings.json")
    notices = Notices()
    theme = Theme(settings, qapp)
    bridge = Bridge(studio.dispatcher)
    background = Background(notices)
    context = RoomContext(studio, bridge, notices, theme, settings, Commands(), background, lambda _room: None)
    try:
        yield Surroundings(context, studio, notices, settings, folder)
    finally:
        background.stop()
        bridge.stop()
        studio.stop()
        theme.stop()


def show(room: Room, qtbot: QtBot, width: int = 900, height: int = 700) -> None:
    """Put the room on the screen, as the window does."""
    qtbot.addWidget(room)
    panel = room.panel()
    if panel is not None:
        qtbot.addWidget(panel)
    room.resize(width, height)
    with qtbot.waitExposed(room):
        room.show()
    room.activated()
