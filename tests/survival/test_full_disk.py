"""No room left on the disk at the moment of saving: it is said, nothing that was saved is lost, work goes on after."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from studio.app.studio import Studio
from studio.core.events import Event, JobCompleted, JobFailed, JobStarted, Picture
from studio.core.failure import FailureCode, StudioError
from studio.core.jobs import Job, JobState
from studio.core.references import Asset
from studio.documents.canvas.document import CanvasDocument
from studio.documents.canvas.placement import Rect
from studio.documents.project import Project
from studio.models.shelf import Shelf
from tests.fakes import image
from tests.process.harness import COMMAND
from tests.starters import fake_starter
from tests.survival.sessions import LIMITS, Session, understood

FULL = FailureCode.DISK_FULL


class SmallDisk:
    """A disk of two megabytes that can be filled to its last byte."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._ballast = root / "ballast"

    def fill(self) -> None:
        """Leave no room."""
        with self._ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(4096)):
                pass

    def free(self) -> None:
        """Make room again."""
        self._ballast.unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    root = tmp_path / "disk"
    root.mkdir()
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    if mount is None or unmount is None or os.geteuid() != 0:
        pytest.skip("needs the right to mount a small disk")
    command = [mount, "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(root)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this system does not let a small disk be mounted")
    try:
        yield SmallDisk(root)
    finally:
        subprocess.run([unmount, "-l", str(root)], check=True)


@contextlib.contextmanager
def opened(project: Path, state: Path, starters: Path) -> Iterator[Session]:
    """A studio whose engine is a stand-in: what is saved, and where, is not the engine's business."""
    shelf = Shelf([], starters if starters.exists() else fake_starter(starters))
    studio = Studio(Project.open(project), shelf, COMMAND, state, limits=LIMITS)
    studio.start()
    try:
        yield Session(studio)
    finally:
        studio.stop()


def _asset(number: int) -> Asset:
    return Asset(id=f"{number:064x}", kind="image", path=f"Pictures/{number}.png", media_type="image/png", size=9)


def _until_full(change: Callable[[], object]) -> None:
    """Repeat a change until there is no room for it; that must come soon and be said."""
    with pytest.raises(StudioError) as refused:
        _repeat(change)
    assert understood(refused.value.failure).code is FULL


def _repeat(change: Callable[[], object]) -> None:
    for _ in range(300):
        change()


@pytest.mark.expected_log("the queue could not (be read|record)")
def test_a_result_that_finds_no_room(disk: SmallDisk, tmp_path: Path) -> None:
    project = disk.root / "Work"
    with opened(project, tmp_path / "state", tmp_path / "starters") as session:
        kept = session.run(image("picture 8x8x3"))
        assert isinstance(kept, JobCompleted)

        def fill(_job: Job, event: Event) -> None:
            if isinstance(event, JobStarted):
                disk.fill()

        stop = session.dispatcher.listen(fill)
        job = session.submit(image("say x; picture 1024x1024x3x2"))
        end = session.end_of(job)
        stop()
        assert isinstance(end, JobFailed)
        assert understood(end.failure).code is FULL
        with pytest.raises(StudioError) as refused:
            session.submit(image("say " + "long " * 9000))
        assert understood(refused.value.failure).code is FULL
        noise = Picture(300, 300, 3, os.urandom(270000))
        with pytest.raises(StudioError) as refused:
            session.studio.import_pixels(noise, "noise")
        assert understood(refused.value.failure).code is FULL
        disk.free()
        again = session.studio.dispatcher.retry(job)
        session.wait_for(lambda: session.queue.get(job).state is JobState.COMPLETED, "the second attempt")
        assert again.attempt == 1
    assert not [path.name for path in project.rglob("*") if path.name.endswith(".part")]
    with opened(project, tmp_path / "state", tmp_path / "starters") as session:
        assert [entry.state for entry in session.queue.jobs()] == [JobState.COMPLETED] * 2
        assert len(session.studio.project.assets.assets()) == 3
        for asset in session.studio.project.assets.assets():
            assert session.studio.project.assets.path(asset.id).stat().st_size == asset.size


def test_the_record_of_a_picture_finds_no_room(disk: SmallDisk) -> None:
    """The file fits, and its entry does not: then neither is kept, so that nothing lies there that nobody knows."""
    project = Project.open(disk.root / "Work")
    first = project.assets.put(b"one", "image", "image/png", "one")
    disk.fill()
    (disk.root / "Work" / "Pictures" / "one.png").write_bytes(b"")  # room for one small file, and no more
    with pytest.raises(StudioError) as refused:
        project.assets.put(b"two", "image", "image/png", "two")
    assert understood(refused.value.failure).code is FULL
    assert [path.name for path in (disk.root / "Work" / "Pictures").iterdir()] == ["one.png"]
    disk.free()
    assert project.assets.put(b"two", "image", "image/png", "two").path == "Pictures/two.png"
    assert project.assets.find(first.id) == first
    project.close()


def test_no_room_for_what_the_forecast_learns_costs_no_picture(disk: SmallDisk, tmp_path: Path) -> None:
    with opened(tmp_path / "Work", disk.root / "state", tmp_path / "starters") as session:
        disk.fill()
        assert isinstance(session.run(image("picture 8x8x3")), JobCompleted)
        assert session.studio.forecast(image("x")).memory > 0
        disk.free()


def test_a_canvas_that_finds_no_room(disk: SmallDisk) -> None:
    path = disk.root / "one.canvas"
    document = CanvasDocument(path)
    kept = document.place(_asset(1), Rect(0, 0, 10, 10), "kept")
    disk.fill()
    _until_full(lambda: document.place(_asset(2), Rect(0, 0, 10, 10), "x" * 2000))
    shown = document.placements()
    for change in (
        lambda: document.move(kept.id, Rect(5, 5, 10, 10)),
        lambda: document.land("job", [(_asset(300), Rect(0, 0, 10, 10))] * 2, "y" * 5000),
        document.undo,
        lambda: document.set_setting("view", "z" * 5000),
    ):
        _until_full(change)
    assert not document.has_landed("job")
    assert {item.id for item in document.placements()} <= {item.id for item in shown}
    disk.free()
    assert len(document.land("job", [(_asset(300), Rect(0, 0, 10, 10))], "fits")) == 1
    left = document.placements()
    document.close()
    again = CanvasDocument(path)
    assert again.placements() == left
    again.close()
