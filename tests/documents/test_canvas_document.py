"""Canvas documents: what was done is there after the end, and can be undone there."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from studio.core.failure import FailureCode, StudioError
from studio.core.references import Asset
from studio.documents.canvas.document import CanvasDocument, rect_from, rect_text
from studio.documents.canvas.placement import FramePlace, Rect


def asset(number: int) -> Asset:
    return Asset(id=f"{number:064x}", kind="image", path=f"Pictures/{number}.png", media_type="image/png", size=9)


def test_undo_and_redo_survive_a_restart(tmp_path: Path) -> None:
    document = CanvasDocument(tmp_path / "one.canvas")
    first = document.place(asset(1), Rect(0, 0, 10, 10), "first")
    document.move(first.id, Rect(5, 5, 10, 10))
    document.place(asset(2), Rect(20, 0, 10, 10))
    document.close()
    again = CanvasDocument(tmp_path / "one.canvas")
    assert [item.asset.path for item in again.placements()] == ["Pictures/1.png", "Pictures/2.png"]
    again.undo()
    again.undo()
    assert [item.rect for item in again.placements()] == [Rect(0, 0, 10, 10)]
    again.undo()
    assert again.placements() == ()
    assert not again.can_undo()
    again.redo()
    again.redo()
    again.redo()
    assert len(again.placements()) == 2
    assert not again.can_redo()
    again.undo()
    again.remove(first.id)
    assert not again.can_redo(), "a new step forgets what had been taken back"
    again.close()


def test_a_job_lands_once(tmp_path: Path) -> None:
    document = CanvasDocument(tmp_path / "one.canvas")
    assert len(document.land("job", [(asset(1), Rect(0, 0, 8, 8))], "fox")) == 1
    document.undo()
    assert document.land("job", [(asset(1), Rect(0, 0, 8, 8))], "fox") == ()
    assert document.placements() == ()
    document.close()


def test_the_topmost_picture_is_found_and_raised(tmp_path: Path) -> None:
    document = CanvasDocument(tmp_path / "one.canvas")
    below = document.place(asset(1), Rect(0, 0, 10, 10))
    above = document.place(asset(2), Rect(5, 5, 10, 10))
    assert document.at(7, 7) == above
    document.raise_to_top(below.id)
    found = document.at(7, 7)
    assert found is not None
    assert found.id == below.id
    assert document.at(50, 50) is None
    document.close()


def test_the_next_free_place_covers_nothing(tmp_path: Path) -> None:
    document = CanvasDocument(tmp_path / "one.canvas")
    frame = Rect(0, 0, 100, 100)
    for number in range(5):
        spot = document.free_place(frame)
        assert not any(spot.overlaps(item.rect) for item in document.placements())
        document.place(asset(number), spot)
    assert document.placements()[-1].rect == Rect(0, 116, 100, 100)
    document.close()


def test_settings_are_kept_and_damaged_ones_ignored(tmp_path: Path) -> None:
    document = CanvasDocument(tmp_path / "one.canvas")
    document.set_setting("frame", rect_text(Rect(1, 2, 3, 4)))
    assert rect_from(document.setting("frame")) == Rect(1, 2, 3, 4)
    assert rect_from('{"x": "nonsense"}') is None
    assert rect_from("") is None
    document.close()


def place_of(x: int, width: int = 10) -> FramePlace:
    return FramePlace(Rect(x, 0, width, 10), Rect(x, 0, width, 10))


def test_the_frame_moves_back_before_the_picture_goes(tmp_path: Path) -> None:
    document = CanvasDocument(tmp_path / "one.canvas")
    document.place(asset(1), Rect(0, 0, 10, 10))
    document.move_frame(place_of(0), place_of(50))
    document.close()
    again = CanvasDocument(tmp_path / "one.canvas")
    assert rect_from(again.setting("frame")) == Rect(50, 0, 10, 10)
    assert again.undo() == place_of(0)
    assert len(again.placements()) == 1
    assert rect_from(again.setting("frame")) == Rect(0, 0, 10, 10)
    assert again.undo() is None
    assert again.placements() == ()
    assert again.redo() is None
    assert again.redo() == place_of(50)
    again.close()


def test_sizes_that_follow_each_other_are_one_step(tmp_path: Path) -> None:
    document = CanvasDocument(tmp_path / "one.canvas")
    document.move_frame(place_of(0), place_of(50))
    document.move_frame(place_of(50), place_of(50, 20), sizing=True)
    document.move_frame(place_of(50, 20), place_of(50, 30), sizing=True)
    assert document.undo() == place_of(50)
    assert document.redo() == place_of(50, 30)
    document.undo()
    assert document.undo() == place_of(0)
    assert not document.can_undo()
    document.close()


def test_a_canvas_of_the_first_kind_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "one.canvas"
    document = CanvasDocument(path)
    document.place(asset(1), Rect(0, 0, 10, 10))
    document.close()
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        old = connection.execute("SELECT json FROM journal").fetchone()[0]
        short = {key: value for key, value in json.loads(old).items() if not key.startswith("frame")}
        connection.execute("UPDATE journal SET json = ?", (json.dumps(short).encode(),))
        connection.execute("PRAGMA user_version = 1")
    document = CanvasDocument(path)
    document.undo()
    assert document.placements() == ()
    document.close()


def test_a_file_of_another_kind_is_refused_and_untouched(tmp_path: Path) -> None:
    path = tmp_path / "one.canvas"
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(StudioError) as caught:
        CanvasDocument(path)
    assert caught.value.failure.code is FailureCode.STORAGE
    assert path.read_bytes() == b"this is no database" * 100


def test_kill_in_the_middle_leaves_whole_steps(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\n"
        "from tests.documents.test_canvas_document import asset\n"
        "from studio.documents.canvas.document import CanvasDocument\n"
        "from studio.documents.canvas.placement import Rect\n"
        "document = CanvasDocument(Path(sys.argv[1]))\n"
        "for number in range(100000):\n"
        "    document.place(asset(number), Rect(number, 0, 5, 5))\n"
        "    print(number, flush=True)\n"
    )
    path = tmp_path / "one.canvas"
    with subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if int(line) >= 40:
                break
        os.kill(child.pid, signal.SIGKILL)
    document = CanvasDocument(path)
    count = len(document.placements())
    assert count >= 41
    for _ in range(count):
        document.undo()
    assert document.placements() == ()
    document.close()
