"""A second start on the same project brings the first window to the front."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtNetwork import QLocalServer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.launch import Application
from studio.ui import doorbell
from studio.ui.doorbell import Doorbell, ring
from tests.ui.frame.conftest import Start

ROOT = Path(__file__).resolve().parents[3]
MAIN = "import sys; from studio import launch; sys.exit(launch.main())"


def environment(state: Path, project: Path) -> dict[str, str]:
    return {**os.environ, "ATELIER_STATE": str(state), "ATELIER_PROJECT": str(project)}


@pytest.mark.qt_log_ignore("This plugin does not support raise", extend=True)
def test_a_second_start_raises_the_first_window_and_ends(
    qtbot: QtBot, running: Application, state: Path, tmp_path: Path
) -> None:
    running.shell.showMinimized()
    command = [sys.executable, "-c", MAIN]
    place = environment(state, tmp_path / "Night forest")
    with subprocess.Popen(command, cwd=ROOT, env=place, stdout=subprocess.PIPE, text=True) as second:
        qtbot.waitUntil(lambda: second.poll() is not None, timeout=20000)
        said = second.stdout.read() if second.stdout else ""
    assert second.returncode == 0
    assert "open already" in said
    assert not running.shell.windowState() & Qt.WindowState.WindowMinimized
    qtbot.waitUntil(running.shell.isActiveWindow)
    assert running.window.bar.notice is None


def test_nobody_answers_where_there_is_no_other(state: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from studio.ui.doorbell import ring;"
        "assert not ring(Path(sys.argv[1]), Path(sys.argv[2])); assert 'PySide6.QtNetwork' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(state), str(tmp_path / "Work")], cwd=ROOT, check=True, timeout=30)


@pytest.mark.qt_log_ignore("This plugin does not support raise", extend=True)
def test_after_a_kill_nobody_answers_and_the_next_studio_listens_again(
    qtbot: QtBot, start: Start, state: Path, tmp_path: Path
) -> None:
    project = tmp_path / "Night forest"
    with subprocess.Popen([sys.executable, "-c", MAIN], cwd=ROOT, env=environment(state, project)) as first:
        qtbot.waitUntil(lambda: any((state / "open").glob("*.json")), timeout=20000)
        first.kill()
    assert not ring(state, project)
    running = start()
    assert running._doorbell is not None
    with qtbot.waitSignal(running._doorbell.rung):
        code = "import sys; from pathlib import Path; from studio.ui.doorbell import ring;"
        code += "sys.exit(not ring(Path(sys.argv[1]), Path(sys.argv[2])))"
        second = subprocess.Popen([sys.executable, "-c", code, str(state), str(project)], cwd=ROOT)
    assert second.wait(timeout=20) == 0
    running.stop()
    assert list((state / "open").iterdir()) == []


def test_a_studio_that_does_not_answer_is_not_waited_for(qapp: QApplication, tmp_path: Path) -> None:
    silent = Doorbell(tmp_path, tmp_path / "Work")
    assert silent.listen()
    begun = time.monotonic()
    assert not ring(tmp_path, tmp_path / "Work", patience=0.3)  # this thread is the one that would have to answer
    assert time.monotonic() - begun < 1.5
    silent.stop()


@pytest.mark.skipif(os.name == "nt", reason="pipes there have no mode")
def test_only_this_user_may_ring(qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for longest in (1000, 0):  # a path of its own, and a name that nobody can guess where that is too long
        monkeypatch.setattr(doorbell, "_LONGEST_PATH", longest)
        folder = tmp_path if longest else tmp_path / "far"
        bell = Doorbell(folder, tmp_path / "Work")
        if not bell.listen():
            continue  # the test's own folder is deeper than a socket may lie
        assert isinstance(bell._server, QLocalServer)
        assert not stat.S_IMODE(Path(bell._server.fullServerName()).stat().st_mode) & 0o077
        bell.stop()
        assert not ring(folder, tmp_path / "Work")


def test_the_bell_of_another_project_is_left_alone(qapp: QApplication, tmp_path: Path) -> None:
    bell = Doorbell(tmp_path, tmp_path / "One")
    assert bell.listen()
    assert not ring(tmp_path, tmp_path / "Two", patience=0.2)
    bell.stop()
