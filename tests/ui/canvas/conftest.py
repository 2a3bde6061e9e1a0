"""A Canvas room on a stage of its own, with a real session, queue and worker behind it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
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
from studio.ui.canvas.room import CanvasRoom
from studio.ui.room import RoomContext
from studio.ui.theme import Theme
from tests.fakes import PROGRAM
from tests.starters import fake_starter

PICTURE = "picture 64x64x3"


@dataclasses.dataclass
class Stage:
    """A Canvas room on a stage of its own."""

    room: CanvasRoom
    studio: Studio
    notices: Notices
    folder: Path


@pytest.fixture
def stage(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[Stage]:
    shelf = Shelf([], fake_starter(tmp_path / "starter"))
    worker = WorkerCommand(engines={Family.DIFFUSION: PROGRAM})
    studio = Studio(Project.open(tmp_path / "Work"), shelf, worker, tmp_path / "state", limits=Limits(spare=False))
    studio.start()
    settings = Settings(tmp_path / "settings.json")
    notices = Notices()
    theme = Theme(settings, qapp)
    bridge = Bridge(studio.dispatcher)
    background = Background(notices)
    context = RoomContext(studio, bridge, notices, theme, settings, Commands(), background, lambda _room: None)
    room = CanvasRoom(context)
    qtbot.addWidget(room)
    qtbot.addWidget(room.panel())
    room.resize(900, 700)
    with qtbot.waitExposed(room):
        room.show()
    yield Stage(room, studio, notices, tmp_path)
    room.flush()
    background.stop()
    bridge.stop()
    studio.stop()
    theme.stop()


def make(stage: Stage, qtbot: QtBot, script: str = PICTURE) -> None:
    count = len(stage.room.document.placements())
    stage.room.request_panel.prompt.set_text(script)
    stage.room.generate()
    qtbot.waitUntil(lambda: len(stage.room.document.placements()) > count, timeout=20_000)
