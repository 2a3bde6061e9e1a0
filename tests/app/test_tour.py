"""The tour with a composer: a tune as text, as notes and as sound, and a page on which it can be heard."""

from __future__ import annotations

from pathlib import Path

from studio.app.headless import headless_studio
from studio.app.tour import Stop, stops, take_tour
from studio.core.events import Event
from studio.jobs.limits import WorkerCommand
from studio.models.shelf import Shelf
from tests.starters import composer_starter


def take(folder: Path, *script: str) -> tuple[list[str], list[Stop]]:
    shelf = Shelf((), composer_starter(folder / "starter", script))
    visited: list[Stop] = []
    heard: list[Event] = []
    with headless_studio(shelf, WorkerCommand(), folder / "state") as session:
        files = take_tour(session, folder / "tour", visited.append, heard.append)
    return [path.name for path in files], visited


def test_a_tune_is_shown_and_heard(tmp_path: Path) -> None:
    files, visited = take(tmp_path, "G2B2", "d2 |", " g4", " z2 |]")
    assert files == ["tune.abc", "tune.mid", "tune.wav", "index.html"]
    assert [stop.heading for stop in visited] == ["A tune"]
    written = (tmp_path / "tour" / "tune.abc").read_text("utf-8")
    assert written.startswith("X:1\nT:The tour\n")
    assert written.endswith("K:G\nG2B2d2 | g4 z2 |]\n")
    assert (tmp_path / "tour" / "tune.mid").read_bytes().startswith(b"MThd")
    page = (tmp_path / "tour" / "index.html").read_text("utf-8")
    assert '<audio controls src="tune.wav">' in page
    assert "Tiny composer" in page


def test_a_tune_without_notes_does_not_end_the_tour(tmp_path: Path) -> None:
    files, _ = take(tmp_path, "??")
    assert files == ["tune.abc", "index.html"]


def test_without_a_composer_there_is_no_such_stop(tmp_path: Path) -> None:
    shelf = Shelf()
    if shelf.default("music") is None:
        assert "A tune" not in [stop.heading for stop in stops(shelf)]
    with_one = Shelf((), composer_starter(tmp_path, ("c8 |]",)))
    assert [stop.heading for stop in stops(with_one)] == ["A tune"]
