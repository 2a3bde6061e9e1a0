"""The studio as a process of its own: what it imports, and that a signal closes it properly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.ui.shell import Shell, remembered
from studio.ui.theme import tokens

ROOT = Path(__file__).resolve().parents[3]
HEAVY = ("torch", "diffusers", "transformers", "llama_cpp", "onnxruntime", "peft", "accelerate")

_LOOK = """
import json, os, sys
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from studio.launch import Application

application = QApplication([])
running = Application(application, Path(sys.argv[1]), Path(sys.argv[2]))
early = []
running.shell.first_painted.connect(lambda: early.extend(sorted(sys.modules)))


def look():
    if running.studio is None or running.window.studio is None:
        QTimer.singleShot(20, look)
        return
    running.window.build_rooms()
    print(json.dumps({"early": early, "late": sorted(sys.modules)}))
    application.quit()


running.show()
QTimer.singleShot(20, look)
application.exec()
running.stop()
"""


def test_the_first_frame_shows_the_areas_of_the_window(qtbot: QtBot) -> None:
    shell = Shell("light")
    qtbot.addWidget(shell)
    with qtbot.waitSignal(shell.first_painted):
        shell.show()
    shown = shell.grab().toImage()
    colors = tokens()["light"]
    middle = shown.pixelColor(shown.width() // 2, shown.height() // 2)
    assert middle.name() == colors["ground"]
    assert shown.pixelColor(5, 5).name() == colors["surface"]
    assert remembered(Path("nowhere.json")) == {}
    with qtbot.waitSignal(shell.closing):
        shell.close()


def environment(tmp_path: Path) -> dict[str, str]:
    """A place of its own for everything that the studio keeps."""
    return {**os.environ, "ATELIER_STATE": str(tmp_path / "state"), "ATELIER_PROJECT": str(tmp_path / "project")}


def test_the_window_imports_no_model_library(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "settings.json").write_text('{"version": 2, "warm_start": false}')
    done = subprocess.run(
        [sys.executable, "-c", _LOOK, str(state), str(tmp_path / "project")],
        cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    import json

    modules = json.loads(done.stdout)
    assert "studio.ui.canvas.room" in modules["late"]
    assert not [name for name in HEAVY if name in modules["late"]]
    assert not [name for name in ("sqlite3", "psutil", "PIL", "numpy") if name in modules["early"]]


@pytest.mark.skipif(os.name == "nt", reason="signals of this kind are POSIX's")
def test_sigterm_closes_the_window_properly(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "settings.json").write_text('{"version": 2, "warm_start": false, "threads": 3}')
    code = "import sys; from studio import launch; sys.exit(launch.main())"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        database = tmp_path / "project" / ".atelier" / "queue.db"
        while not database.exists() and process.poll() is None:
            os.sched_yield()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    assert (state / "session.json").exists()
    assert '"threads": 3' in (state / "settings.json").read_text()
