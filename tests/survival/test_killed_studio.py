"""kill -9 the studio in the middle of real jobs: after the restart, queue and documents are whole."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from studio.core.events import JobCancelled, JobCompleted, Stage
from studio.core.jobs import JobState
from studio.documents.canvas.document import CanvasDocument
from studio.documents.project import Project
from tests.process.harness import ROOT, gone
from tests.survival.sessions import Session, open_session


@pytest.mark.timeout(400)  # two imports of the picture libraries
def test_in_the_middle_of_everything(tmp_path: Path, picture_models: Path, text_models: Path) -> None:
    project, models = tmp_path / "Work", (picture_models, text_models)
    command = [sys.executable, "-m", "tests.survival.victim", str(project), *map(str, models)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdout is not None
        workers = [int(word) for word in victim.stdout.readline().split()]
        killer = threading.Timer(random.Random(5).uniform(0.0, 0.5), victim.kill)
        killer.start()
        killer.join()
    assert len(workers) == 2
    with open_session(project, *models) as session:
        session.wait_for(lambda: all(gone(worker) for worker in workers), "the workers' end")
        drawing, writing, waiting = session.queue.jobs()
        offered = (JobState.QUEUED, True, True)
        assert [(job.state, job.held, job.interrupted) for job in (drawing, writing)] == [offered, offered]
        assert isinstance(session.end_of(waiting.id), JobCompleted)
        _check_files(session)
        _check_canvas(project, session)
        for job, stage in ((drawing.id, Stage.DENOISE), (writing.id, Stage.GENERATE)):
            session.dispatcher.retry(job)
            session.reaches(job, stage)
            session.studio.cancel(job)
            assert isinstance(session.end_of(job), JobCancelled)


def _check_files(session: Session) -> None:
    """Every picture that the project knows of is there, byte for byte."""
    store = session.studio.project.assets
    assets = store.assets()
    assert assets
    for asset in assets:
        assert hashlib.sha256(store.path(asset.id).read_bytes()).hexdigest() == asset.id


def _check_canvas(project: Path, session: Session) -> None:
    """Results have landed in pairs or not at all, their files are there, and every step can be taken back."""
    canvas = CanvasDocument(project / "one.canvas")
    shown = canvas.placements()
    assert shown
    landed = [item.job for item in shown]
    assert all(landed.count(job) == 2 and canvas.has_landed(job) for job in landed)
    assert not canvas.has_landed(f"job-{len(landed) // 2 + 1}")
    assert all(session.studio.project.assets.path(item.asset.id).is_file() for item in shown)
    while canvas.can_undo():
        canvas.undo()
    assert canvas.placements() == ()
    canvas.close()


def test_what_a_kill_left_half_written_is_cleared_away(tmp_path: Path) -> None:
    """Old temporary files of our own go when the project is opened; fresh ones may be another program's work."""
    pictures = tmp_path / "Work" / "Pictures"
    pictures.mkdir(parents=True)
    old, fresh, foreign = (pictures / name for name in (".fox.png.0123abcd.part", ".a.png.4567abcd.part", "film.part"))
    for path in (old, fresh, foreign):
        path.write_bytes(b"half")
    hours_ago = time.time() - 7200
    for path in (old, foreign):
        os.utime(path, (hours_ago, hours_ago))
    Project.open(tmp_path / "Work").close()
    assert sorted(path.name for path in pictures.iterdir()) == sorted([fresh.name, foreign.name])


_STEPS = """
import os, signal, sqlite3, sys
from pathlib import Path
from studio.core.references import Asset
from studio.documents.canvas.document import CanvasDocument
from studio.documents.canvas.placement import Rect

connect = sqlite3.connect
asset = Asset(id="0" * 64, kind="image", path="a.png", media_type="image/png", size=9)

def limited(path, left, **named):
    connection = connect(path, **named)
    def count(_statement):
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    connection.set_trace_callback(count)
    return connection

for number in range(1, 60):
    if os.fork() == 0:
        sqlite3.connect = lambda path, **named: limited(path, number, **named)
        canvas = CanvasDocument(Path(sys.argv[1]) / f"{number:02}.canvas")
        landed = canvas.land("pair", [(asset, Rect(0, 0, 8, 8)), (asset, Rect(8, 0, 8, 8))], "pair")
        canvas.move(landed[0].id, Rect(0, 50, 8, 8))
        canvas.undo()
        canvas.set_setting("done", "yes")
        os._exit(0)
    if os.wait()[1] == 0:
        break
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the steps are counted in forked processes")
def test_a_canvas_after_a_kill_at_each_statement(tmp_path: Path) -> None:
    """From its making to its last change: the file can be opened, and what belongs together is there together."""
    subprocess.run([sys.executable, "-c", _STEPS, str(tmp_path)], cwd=ROOT, check=True, timeout=100)
    files = sorted(tmp_path.glob("*.canvas"))
    assert 15 < len(files) < 59
    seen = []
    for path in files:
        canvas = CanvasDocument(path)
        assert canvas.id
        shown = canvas.placements()
        seen.append(len(shown))
        assert len(shown) == (2 if canvas.has_landed("pair") else 0)
        while canvas.can_undo():
            canvas.undo()
        assert canvas.placements() == ()
        last = canvas.setting("done")
        canvas.close()
    assert seen == sorted(seen)
    assert set(seen) == {0, 2}
    assert last == "yes"
