"""The Canvas room with a real worker behind it: results land in place, once, and stay."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QImage, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.core.jobs import JobState
from studio.core.references import Destination
from studio.documents.canvas.document import CanvasDocument
from studio.documents.canvas.placement import Rect
from tests.fakes import image
from tests.ui.canvas.conftest import PICTURE, Stage, make


def test_a_picture_lands_in_the_frame_and_the_next_one_beside_it(stage: Stage, qtbot: QtBot) -> None:
    room = stage.room
    make(stage, qtbot)
    first = room.document.placements()[0]
    assert first.rect == Rect(0, 0, 64, 64)
    assert room.scene.running == {}
    assert (stage.folder / "Work" / first.asset.path).read_bytes().startswith(b"\x89PNG")
    make(stage, qtbot)
    assert room.document.placements()[1].rect == Rect(80, 0, 64, 64)
    shown = room.view.grab().toImage()
    spot = room.view.camera.to_widget(first.rect).center().toPoint()
    ground = room.context.theme.color("backdrop")
    assert shown.pixelColor(spot) != ground


def test_the_preview_shows_in_place_and_stop_takes_it_away(stage: Stage, qtbot: QtBot) -> None:
    room = stage.room
    room.request_panel.prompt.set_text("previews 3 16; wait")
    room.generate()
    qtbot.waitUntil(lambda: any(running.image is not None for running in room.scene.running.values()), timeout=20_000)
    running = next(iter(room.scene.running.values()))
    assert running.places == (Rect(0, 0, 64, 64),)
    room.stop_all()
    qtbot.waitUntil(lambda: not room.scene.running, timeout=10_000)
    assert room.document.placements() == ()


def test_one_after_the_other_they_fill_rows_of_four(stage: Stage, qtbot: QtBot) -> None:
    for _ in range(5):
        make(stage, qtbot)
    rects = [item.rect for item in stage.room.document.placements()]
    assert rects == [Rect(x, 0, 64, 64) for x in (0, 80, 160, 240)] + [Rect(0, 80, 64, 64)]


def test_several_pictures_lie_on_a_sheet_in_view(stage: Stage, qtbot: QtBot) -> None:
    room = stage.room
    make(stage, qtbot)
    room.request_panel.pictures.set_value(6)
    room.request_panel.prompt.set_text("picture 64x64x3x6")
    room.generate()
    qtbot.waitUntil(lambda: len(room.document.placements()) == 7, timeout=20_000)
    rects = [item.rect for item in room.document.placements()]
    assert not any(one.overlaps(other) for index, one in enumerate(rects) for other in rects[:index])
    assert len({rect.y for rect in rects[1:]}) == 2
    assert all(room.view.rect().contains(room.view.camera.to_widget(rect).toAlignedRect()) for rect in rects)


def test_a_failed_job_leaves_the_canvas_as_it_was(stage: Stage, qtbot: QtBot) -> None:
    room = stage.room
    room.request_panel.prompt.set_text("abort")
    room.generate()
    identity = next(iter(room.scene.running))
    qtbot.waitUntil(lambda: stage.studio.queue.get(identity).state is JobState.FAILED, timeout=20_000)
    qtbot.waitUntil(lambda: not room.scene.running, timeout=10_000)
    assert room.document.placements() == ()
    make(stage, qtbot)


def test_undo_removes_the_picture_and_redo_brings_it_back(stage: Stage, qtbot: QtBot) -> None:
    room = stage.room
    make(stage, qtbot)
    room.view.select(room.document.placements()[0].id)
    room.undo()
    assert room.document.placements() == ()
    assert room.scene.selected is None
    room.redo()
    assert len(room.document.placements()) == 1


def test_a_result_for_another_document_waits_for_it(stage: Stage, qtbot: QtBot) -> None:
    other = CanvasDocument(stage.folder / "other.canvas")
    destination = Destination(room="canvas", document=other.id, x=3, y=4, width=64, height=64)
    job = stage.studio.submit(image(PICTURE), destination, "elsewhere")
    qtbot.waitUntil(lambda: stage.studio.queue.get(job.id).state is JobState.COMPLETED, timeout=20_000)
    assert stage.room.document.placements() == ()
    stage.room.results.document = other
    stage.room.results.catch_up(stage.studio.queue.jobs())
    stage.room.results.catch_up(stage.studio.queue.jobs())
    assert [item.rect for item in other.placements()] == [Rect(3, 4, 64, 64)]
    stage.room.results.document = stage.room.document
    other.close()


def drop(stage: Stage, path: Path, point: QPoint) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    actions, buttons, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(point, actions, data, buttons, keys)
    QApplication.sendEvent(stage.room.view, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(stage.room.view, QDropEvent(QPointF(point), actions, data, buttons, keys))


def test_a_dropped_picture_becomes_the_start(stage: Stage, qtbot: QtBot, tmp_path: Path) -> None:
    room = stage.room
    Image.new("RGB", (100, 50), "red").save(tmp_path / "holiday.jpg")
    drop(stage, tmp_path / "holiday.jpg", QPoint(200, 200))
    qtbot.waitUntil(lambda: room.scene.input is not None, timeout=10_000)
    placement = room.document.placements()[0]
    assert (placement.rect.width, placement.rect.height) == (100, 50)
    assert room.scene.selected == placement.id
    assert (room.scene.frame.width, room.scene.frame.height) == (96, 48)
    request = room.request_panel.request(1, room.scene.input)
    assert request is not None
    assert request.image == placement.asset.id
    make(stage, qtbot)
    changed = room.document.placements()[1].rect
    assert (changed.width, changed.height) == (96, 48)
    assert not changed.overlaps(placement.rect), "what it came from stays to be seen"
    room.request_panel.source.choose("nothing")
    assert room.scene.input is None


def test_a_dropped_text_file_is_refused_in_words(stage: Stage, qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("no picture at all")
    drop(stage, tmp_path / "notes.png", QPoint(100, 100))
    qtbot.waitUntil(lambda: bool(stage.notices.current()), timeout=10_000)
    assert "notes.png" in stage.notices.current()[-1].message
    assert stage.room.document.placements() == ()


def test_pictures_and_frame_follow_the_mouse(stage: Stage, qtbot: QtBot) -> None:
    room, view = stage.room, stage.room.view
    make(stage, qtbot)
    placement = room.document.placements()[0]
    room.scene.frame = Rect(200, 0, 64, 64)
    start = view.camera.to_widget(placement.rect).center().toPoint()
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(view, start + QPoint(40, 0))
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=start + QPoint(40, 0))
    moved = room.document.placements()[0]
    assert moved.rect.x == round(40 / view.camera.zoom)
    assert room.scene.selected == placement.id
    room.undo()
    assert room.document.placements()[0].rect == placement.rect
    corner = view.camera.to_widget(room.scene.frame).bottomRight().toPoint()
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=corner)
    qtbot.mouseMove(view, corner + QPoint(80, 80))
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=corner + QPoint(80, 80))
    frame = room.scene.frame
    assert frame.width > 64
    assert frame.width % 8 == 0
    assert room.request_panel.width_field.value() == frame.width


def drag(stage: Stage, qtbot: QtBot, start: QPoint, by: QPoint) -> None:
    view = stage.room.view
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    for part in (by / 2, by):
        qtbot.mouseMove(view, start + part)
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=start + by)


def test_undo_moves_the_frame_back_and_leaves_the_picture(stage: Stage, qtbot: QtBot) -> None:
    room, view = stage.room, stage.room.view
    make(stage, qtbot)
    make(stage, qtbot)
    moved_on = room.scene.frame
    shown = view.camera.to_widget(moved_on)
    edge = QPointF(shown.center().x(), shown.bottom()).toPoint()
    drag(stage, qtbot, edge, QPoint(0, 90))
    away = room.scene.frame
    assert away.y > moved_on.y
    room.undo()
    assert (room.scene.frame, len(room.document.placements())) == (moved_on, 2)
    room.redo()
    assert room.scene.frame == away
    room.undo()
    make(stage, qtbot)
    assert room.document.placements()[2].rect == Rect(160, 0, 64, 64), "the row goes on from where it began"
    room.request_panel.width_field.set_value(128)
    room.undo()
    assert room.request_panel.width_field.value() == 64
    assert len(room.document.placements()) == 3


def test_the_frame_is_seen_on_a_picture_of_its_own_colour(stage: Stage, qtbot: QtBot) -> None:
    room, view = stage.room, stage.room.view
    make(stage, qtbot)
    accent = room.context.theme.color("accent")
    for ground in (accent, QColor("white"), QColor("black")):
        picture = QImage(64, 64, QImage.Format.Format_ARGB32_Premultiplied)
        picture.fill(ground)
        room.cache.put(room.document.placements()[0].asset, picture)
        room.cache._levels.clear()
        room.scene.frame = Rect(8, 8, 32, 32)
        image, line = view.grab().toImage(), view.camera.to_widget(room.scene.frame)
        row = round(line.top())
        found = [image.pixelColor(x, row) for x in range(round(line.left()) + 8, round(line.right()) - 8)]
        assert sum(color != ground for color in found) > len(found) / 4


def test_the_wheel_zooms_where_the_pointer_is(stage: Stage) -> None:
    view = stage.room.view
    point = QPointF(300, 200)
    before, fixed = view.camera.zoom, view.camera.to_canvas(point)
    event = QWheelEvent(
        point,
        view.mapToGlobal(point),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view, event)
    assert view.camera.zoom == pytest.approx(before * 1.2)
    assert view.camera.to_canvas(point).x() == pytest.approx(fixed.x())


def test_styles_replace_each_other_in_the_prompt(stage: Stage, qtbot: QtBot) -> None:
    panel = stage.room.request_panel
    panel.prompt.set_text("a fox")
    for style in ("flat emoji", "pixel art"):
        qtbot.mouseClick(panel.styles.chip(style), Qt.MouseButton.LeftButton)
    assert panel.prompt.text() == "a fox, pixel art"


def test_pictures_are_saved_with_their_record(stage: Stage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    room = stage.room
    make(stage, qtbot)
    make(stage, qtbot)
    target = stage.folder / "saved.png"
    monkeypatch.setattr("studio.ui.canvas.room.ask_target", lambda _parent, _name: target)
    room.view.select(room.document.placements()[0].id)
    room.save_selected()
    qtbot.waitUntil(target.exists, timeout=10_000)
    with Image.open(target) as saved:
        assert saved.size == (64, 64)
        assert "Seed:" in saved.info["parameters"]
    target.unlink()
    room.save_canvas()
    qtbot.waitUntil(lambda: not QImage(str(target)).isNull(), timeout=10_000)
    assert QImage(str(target)).size().toTuple() == (144, 64)


def test_panel_and_frame_are_remembered(stage: Stage, qtbot: QtBot) -> None:
    room = stage.room
    room.request_panel.prompt.set_text("a lighthouse")
    room.request_panel.steps.set_value(33)
    room.request_panel.size_edited.emit(96, 72)
    state = room.state()
    room.request_panel.prompt.set_text("")
    room.request_panel.steps.set_value(5)
    room.restore({"panel": state["panel"] | {"guidance": "nonsense", "model": 7}})
    assert room.request_panel.prompt.text() == "a lighthouse"
    assert room.request_panel.steps.value() == 33
    room.restore({"panel": ["nonsense"]})
    assert room.request_panel.steps.value() == 33


def test_the_request_of_a_picture_can_be_taken_over(stage: Stage, qtbot: QtBot) -> None:
    room = stage.room
    room.request_panel.seed.set_value(42)
    make(stage, qtbot)
    room.view.select(room.document.placements()[0].id)
    room.request_panel.prompt.set_text("something else")
    room.request_panel.seed.set_value(None)
    room.recall_request()
    assert room.request_panel.prompt.text() == PICTURE
    assert room.request_panel.seed.value() == 42


def test_the_frame_goes_around_the_picture_that_is_started_from_and_back(stage: Stage, qtbot: QtBot) -> None:
    room, panel = stage.room, stage.room.request_panel
    make(stage, qtbot)
    make(stage, qtbot)
    first, second = room.document.placements()
    home = room.scene.frame
    room.view.select(first.id)
    assert room.scene.frame == home
    qtbot.mouseClick(panel.source.chip("picture"), Qt.MouseButton.LeftButton)
    assert (room.scene.frame, room.scene.input) == (first.rect, first.asset.id)
    room.view.select(second.id)
    assert (room.scene.frame, room.scene.input) == (second.rect, second.asset.id)
    make(stage, qtbot)
    assert room.document.placements()[2].rect == Rect(160, 0, 64, 64), "beside it, and not over another picture"
    assert room.scene.frame == second.rect
    room.view.select(None)
    assert (room.scene.frame, room.scene.input) == (home, None)


def test_the_panel_says_how_many_steps_a_changed_picture_takes(stage: Stage, qtbot: QtBot) -> None:
    room, panel = stage.room, stage.room.request_panel
    make(stage, qtbot)
    panel.steps.set_value(150)
    assert panel.steps.label.text() == "Steps"
    room.view.select(room.document.placements()[0].id)
    qtbot.mouseClick(panel.source.chip("picture"), Qt.MouseButton.LeftButton)
    assert panel.steps.label.text() == "Steps · 90 run"
    panel.strength.set_value(0.1)
    assert panel.steps.label.text() == "Steps · 15 run"
    qtbot.mouseClick(panel.source.chip("nothing"), Qt.MouseButton.LeftButton)
    assert panel.steps.label.text() == "Steps"


def test_a_sheet_of_four_begins_a_row_of_its_own(stage: Stage, qtbot: QtBot) -> None:
    room = stage.room
    make(stage, qtbot)
    room.request_panel.pictures.set_value(4)
    make(stage, qtbot, "picture 64x64x3x4")
    rects = [item.rect for item in room.document.placements()]
    assert rects[1:] == [Rect(x, 80, 64, 64) for x in (0, 80, 160, 240)]
