"""The tour with a composer: a tune as text, as notes and as sound, and a page on which it can be heard."""

from __future__ import annotations

from pathlib import Path

from studio.app.headless import headless_studio
from studio.app.tour import Stop, stops, take_tour
from studio.core.events import Event
from studio.formats.music.bars import check_tune
from studio.jobs.limits import WorkerCommand
from studio.models.shelf import Shelf
from tests.starters import composer_starter
from tests.tiny_gguf import TinyModel


def test_a_tune_is_shown_and_heard(tmp_path: Path) -> None:
    shelf = Shelf((), composer_starter(tmp_path / "starter", TinyModel(never_ends=True, plain=True, context=4096)))
    visited: list[Stop] = []
    heard: list[Event] = []
    with headless_studio(shelf, WorkerCommand(), tmp_path / "state") as session:
        files = take_tour(session, tmp_path / "tour", visited.append, heard.append)
    assert [path.name for path in files] == ["tune.abc", "tune.mid", "tune.wav", "index.html"]
    assert [stop.heading for stop in visited] == ["A tune"]
    written = (tmp_path / "tour" / "tune.abc").read_text("utf-8")
    assert written.startswith("X:1\nT:The tour\n")
    assert check_tune(written).parsed
    assert (tmp_path / "tour" / "tune.mid").read_bytes().startswith(b"MThd")
    page = (tmp_path / "tour" / "index.html").read_text("utf-8")
    assert '<audio controls src="tune.wav">' in page
    assert "Tiny composer" in page


def test_without_a_composer_there_is_no_such_stop(tmp_path: Path) -> None:
    shelf = Shelf()
    if shelf.default("music") is None:
        assert "A tune" not in [stop.heading for stop in stops(shelf)]
    with_one = Shelf((), composer_starter(tmp_path))
    assert [stop.heading for stop in stops(with_one)] == ["A tune"]
