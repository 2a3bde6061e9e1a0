"""kill -9 the studio while words stream in and somebody types: the texts on disk are whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from studio.documents.manuscript import Manuscript
from tests.ui.author_engine import COUNTED

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from studio.ui.write.room import WriteRoom
from tests.ui.text_stage import surroundings

application = QApplication([])
with surroundings(application, Path(sys.argv[1])) as around:
    room = WriteRoom(around.context)
    room.show()

    def opened():
        page = room.desk.sheet().page
        page.select(page.length, page.length)
        room.generate()
        page.select(0, 0)
        QTest.keyClicks(page, "Typed. ")
        QTimer.singleShot(2500, lambda: print("now", flush=True))

    room.desk.front_changed.connect(opened)
    room.open("Texts/One.md")
    application.exec()
"""


def test_everything_older_than_about_a_second_is_on_disk(tmp_path: Path) -> None:
    texts = tmp_path / "Work" / "Texts"
    texts.mkdir(parents=True)
    (texts / "One.md").write_text("It began. waits")
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    studio = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with studio:
        assert studio.stdout is not None
        assert studio.stdout.readline() == b"now\n"
        studio.send_signal(signal.SIGKILL)
    path = texts / "One.md"
    data = path.read_bytes()
    assert data.decode() == f"Typed. It began. waits {COUNTED}"
    assert Manuscript(tmp_path / "Work").read_authorship(path, data) == ((22, "you"), (40, "generated"))
    assert not list(texts.glob("*.part"))
