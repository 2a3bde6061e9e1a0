"""The session without a window: real queue, real worker process, results on disk with their record."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from PIL import Image

from studio.app.headless import headless_studio, run_request
from studio.app.studio import Studio
from studio.core.events import Event, JobCompleted, JobFailed, Picture, TextDelta
from studio.core.failure import FailureCode, InvalidField, StudioError
from studio.core.jobs import Family, JobState
from studio.core.references import Destination, ModelRef
from studio.documents.project import Project
from studio.jobs.limits import Limits, WorkerCommand
from studio.models.shelf import Shelf
from tests.fakes import PROGRAM, image, text
from tests.starters import fake_starter

WORKER = WorkerCommand(engines=dict.fromkeys(Family, PROGRAM))


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    shelf = Shelf([], fake_starter(tmp_path / "starter"))
    session = Studio(Project.open(tmp_path / "Work"), shelf, WORKER, tmp_path / "state", limits=Limits(spare=False))
    session.start()
    yield session
    session.stop()


def test_pictures_are_kept_with_their_record_before_anyone_hears(studio: Studio) -> None:
    seen: list[bool] = []

    def look(event: Event) -> None:
        if isinstance(event, JobCompleted):
            seen.extend(studio.project.assets.path(asset.id).is_file() for asset in event.assets)

    result = run_request(studio, image("picture 8x8x3x2"), look, "two foxes")
    assert seen == [True, True]
    assert [asset.path for asset in result.assets] == ["Pictures/two foxes.png", "Pictures/two foxes 2.png"]
    record = studio.project.assets.provenance(result.assets[1].id)
    assert record is not None
    assert (record.seed, record.model_name, record.licence, record.library) == (1, "Fake", "MIT", "fake")
    job = studio.queue.jobs()[0]
    assert job.state is JobState.COMPLETED
    assert job.assets == result.assets


def test_words_come_in_order(studio: Studio) -> None:
    words: list[str] = []
    result = run_request(
        studio, text("say one two three"), lambda e: words.append(e.text) if isinstance(e, TextDelta) else None
    )
    assert "".join(words).split() == ["one", "two", "three"]
    assert result.text.split() == ["one", "two", "three"]


def test_requests_are_checked_at_the_door(studio: Studio) -> None:
    door = Destination(room="file")
    with pytest.raises(InvalidField) as caught:
        studio.submit(replace(image("x"), steps=0), door)
    assert caught.value.field == "steps"
    for request, code in (
        (replace(image("x"), model=ModelRef(repo="local/none")), FailureCode.MODEL_MISSING),
        (replace(image("x"), image="a" * 64), FailureCode.INPUT_MISSING),
    ):
        with pytest.raises(StudioError) as refused:
            studio.submit(request, door)
        assert refused.value.failure.code is code
    assert studio.queue.jobs() == []


def test_a_result_that_cannot_be_saved_fails_its_job_alone(studio: Studio) -> None:
    (studio.project.folder / "Pictures").write_text("a file where the folder should be")
    with pytest.raises(StudioError) as caught:
        run_request(studio, image("picture 8x8x3"), lambda _event: None)
    assert caught.value.failure.code is FailureCode.STORAGE
    assert studio.queue.jobs()[0].state is JobState.FAILED
    (studio.project.folder / "Pictures").unlink()
    assert run_request(studio, image("picture 8x8x3"), lambda _event: None).assets


def test_a_dead_worker_is_a_failure_and_the_next_job_runs(studio: Studio) -> None:
    heard: list[Event] = []
    with pytest.raises(StudioError) as caught:
        run_request(studio, text("abort"), heard.append)
    assert caught.value.failure.code is FailureCode.WORKER_DIED
    assert isinstance(heard[-1], JobFailed)
    assert run_request(studio, text("say well"), heard.append).text.strip() == "well"


def test_pictures_from_outside_are_checked(studio: Studio, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (3, 2), "red").save(buffer, "WEBP")
    asset = studio.import_picture(buffer.getvalue(), "red.webp")
    assert asset.media_type == "image/webp"
    assert studio.project.assets.path(asset.id).read_bytes() == buffer.getvalue()
    for path in (tmp_path / "gone.png", tmp_path):
        with pytest.raises(StudioError):
            studio.import_picture(path)
    mask = studio.import_pixels(Picture(2, 2, 1, b"\x00\xff\x00\xff"), "mask", mask=True)
    assert mask.path.startswith(".atelier/")


def test_runs_are_remembered_for_the_forecast(studio: Studio, tmp_path: Path) -> None:
    request = text("say a b")
    run_request(studio, request, lambda _event: None)
    assert len(studio.history.of(request.model)) == 1
    assert studio.forecast(request).memory > 0


def test_a_headless_session_leaves_nothing(tmp_path: Path) -> None:
    shelf = Shelf([], fake_starter(tmp_path / "starter"))
    with headless_studio(shelf, WORKER, tmp_path / "state") as session:
        folder = session.project.folder
        run_request(session, text("say hello"), lambda _event: None)
    assert not folder.exists()
