"""The real studio in its real window, with paced workers behind it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.core.jobs import Family
from studio.jobs.limits import WorkerCommand
from studio.launch import Application
from tests.ui.engines import PROGRAM

WORKER = WorkerCommand(engines=dict.fromkeys(Family, PROGRAM), folder=str(Path(__file__).resolve().parents[3]))
Start = Callable[[], Application]


@pytest.fixture
def starter(tmp_path: Path) -> Path:
    """A shelf with one small model per task."""
    folder = tmp_path / "starter"
    for name, task, file in (("image", "image", "."), ("writer", "text", "w.gguf"), ("coder", "code", "w.gguf")):
        model = folder / name
        model.mkdir(parents=True)
        (model / "model.toml").write_text(
            f'id = "starter/{name}"\nname = "Starter {name}"\ntask = "{task}"\nfamily = "sd15"\nlicence = "MIT"\n'
            f'commercial = true\nfile = "{file}"\nnative_size = 64\nattribution = ["Drawings by {name}"]\n'
        )
        (model / ("w.safetensors" if file == "." else file)).write_bytes(b"x" * 100)
    return folder


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The folder of settings and session; a few settings that keep tests quick."""
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "settings.json").write_text(json.dumps({"version": 2, "theme": "dark", "warm_start": False}))
    (folder / "session.json").write_text(json.dumps({"greeted": True, "room": "canvas"}))
    return folder


@pytest.fixture
def start(qtbot: QtBot, qapp: QApplication, tmp_path: Path, state: Path, starter: Path) -> Iterator[Start]:
    """Start the studio, as often as a test likes; each one is stopped before the next and at the end."""
    running: list[Application] = []

    def begin() -> Application:
        for earlier in running:
            earlier.stop()
        application = Application(qapp, state, tmp_path / "Night forest", worker=WORKER, starter=starter)
        running.append(application)
        application.shell.resize(1280, 820)
        application.show()
        qtbot.waitUntil(lambda: application.studio is not None and application.window.studio is not None, timeout=10000)
        application.shell.activateWindow()
        qtbot.waitUntil(application.shell.isActiveWindow)
        return application

    yield begin
    for application in running:
        application.stop()
        application.shell.deleteLater()
        application.deleteLater()
    qapp.setStyleSheet("")


@pytest.fixture
def running(start: Start) -> Application:
    """The studio, open, in the Canvas room."""
    return start()
