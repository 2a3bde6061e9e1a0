"""The Write room with a real session, queue and worker behind it, and real keys."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from studio.app.commands import Commands
from studio.core.jobs import JobState
from studio.core.references import Destination, ModelRef
from studio.core.requests import Sampling, TextRequest
from studio.ui.write.editor import Page
from studio.ui.write.room import WriteRoom
from studio.ui.write.sheet import Sheet
from tests.ui.author_engine import COUNTED
from tests.ui.text_stage import Surroundings, show, surroundings

LONG = 20_000


@dataclasses.dataclass
class Stage:
    """The room on its stage."""

    room: WriteRoom
    around: Surroundings
    qtbot: QtBot

    @property
    def folder(self) -> Path:
        """Where the texts lie."""
        return self.around.folder / "Work" / "Texts"

    @property
    def sheet(self) -> Sheet:
        """The text in front."""
        sheet = self.room.desk.sheet()
        assert sheet is not None
        return sheet

    @property
    def page(self) -> Page:
        """Its editor."""
        return self.sheet.page

    def open(self, name: str) -> Page:
        """Open a text and wait for it."""
        self.room.open(f"Texts/{name}.md")
        self.qtbot.waitUntil(lambda: self.room.desk.name == f"Texts/{name}.md")
        return self.page

    def finish(self, sheet: Sheet | None = None) -> None:
        """Wait for the generation's end."""
        watched = sheet or self.sheet
        self.qtbot.waitUntil(lambda: watched.generation is None, timeout=LONG)

    def saved(self, name: str, text: str) -> None:
        """Wait until the file holds this."""
        path = self.folder / f"{name}.md"
        self.qtbot.waitUntil(lambda: path.exists() and path.read_text(encoding="utf-8") == text, timeout=5000)


@pytest.fixture
def stage(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[Stage]:
    texts = tmp_path / "Work" / "Texts"
    texts.mkdir(parents=True)
    (texts / "One.md").write_text("# One\n\nIt began.")
    (texts / "Two.md").write_text("Second text.")
    with surroundings(qapp, tmp_path) as around:
        room = WriteRoom(around.context)
        show(room, qtbot)
        stage = Stage(room, around, qtbot)
        qtbot.waitUntil(lambda: len(room.chapters.paths()) == 2)
        yield stage
        room.flush()


def test_continue_streams_at_the_cursor_and_one_undo_takes_it_back(stage: Stage) -> None:
    page = stage.open("One")
    page.select(page.length, page.length)
    stage.room.generate()
    assert stage.room.is_generating()
    stage.finish()
    assert page.text() == f"# One\n\nIt began. {COUNTED}"
    stage.saved("One", page.text())
    assert page.authorship.generated_share() > 0.5
    QTest.keyClick(page, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert page.text() == "# One\n\nIt began."
    stage.saved("One", "# One\n\nIt began.")


def test_what_is_typed_meanwhile_stays_and_the_words_land_where_they_were_asked_for(stage: Stage) -> None:
    page = stage.open("Two")
    page.load("Middle. pause=0.03\nLast line.")
    page.select(18, 18)
    stage.room.generate()
    sheet = stage.sheet
    stage.qtbot.waitUntil(lambda: "one" in page.text(), timeout=LONG)
    page.select(0, 0)
    QTest.keyClicks(page, "Typed. ")
    page.select(page.length, page.length)
    QTest.keyClicks(page, " End.")
    assert sheet.generation is not None
    stage.finish()
    assert page.text() == f"Typed. Middle. pause=0.03 {COUNTED}\nLast line. End."
    page.undo()
    assert page.text() == "Typed. Middle. pause=0.03\nLast line. End."


def test_words_never_land_in_another_text(stage: Stage) -> None:
    page = stage.open("One")
    page.load("First. pause=0.05")
    page.select(page.length, page.length)
    stage.room.generate()
    sheet = stage.sheet
    other = stage.open("Two")
    assert not stage.room.is_generating()
    stage.finish(sheet)
    assert page.text() == f"First. pause=0.05 {COUNTED}"
    assert other.text() == "Second text."
    stage.saved("One", page.text())


def test_a_late_result_lands_in_its_own_text_and_can_be_taken_out(stage: Stage) -> None:
    page = stage.open("One")
    request = TextRequest(model=ModelRef(repo="starter/text"), sampling=Sampling(seed=1), prompt="says=_late")
    place = Destination(room="write", document="Texts/Two.md", anchor="6")
    stage.around.studio.submit(request, place, "Continue")  # as a retry does: no stream waits for it
    stage.qtbot.waitUntil(lambda: bool(stage.around.notices.current()), timeout=LONG)
    assert stage.room.desk.name == "Texts/One.md"
    assert page.text() == "# One\n\nIt began."
    stage.saved("Two", "Second late text.")
    action = stage.around.notices.current()[-1].action
    assert action is not None
    action.run()
    stage.saved("Two", "Second text.")


def test_esc_stops_at_once_and_keeps_what_came(stage: Stage) -> None:
    page = stage.open("One")
    page.load("Go on. waits pause=0.01")
    page.select(page.length, page.length)
    stage.room.generate()
    sheet = stage.sheet
    assert sheet.generation is not None
    job = sheet.generation.job.id
    stage.qtbot.waitUntil(lambda: page.text().endswith("eight"), timeout=LONG)
    stage.room.stop()
    assert not stage.room.is_generating()
    assert page.text() == f"Go on. waits pause=0.01 {COUNTED}"
    queue = stage.around.studio.queue
    stage.qtbot.waitUntil(lambda: queue.get(job).state is JobState.CANCELLED, timeout=5000)
    page.undo()
    assert page.text() == "Go on. waits pause=0.01"


def rewrite(stage: Stage, direction: str) -> Page:
    page = stage.open("Two")
    page.load("Before. Say it better. After.")
    page.select(8, 22)
    stage.room.request_panel.direction.set_text(direction)
    stage.room.assist("rewrite")
    return page


def test_rewrite_replaces_the_selection_as_one_step(stage: Stage) -> None:
    page = rewrite(stage, "says=Said_better.")
    stage.finish()
    assert page.text() == "Before. Said better. After."
    page.undo()
    assert page.text() == "Before. Say it better. After."
    page.redo()
    assert page.text() == "Before. Said better. After."


def test_a_rewrite_that_fails_gives_the_original_back(stage: Stage) -> None:
    page = rewrite(stage, "pause=0.05 fails=2 says=Nonsense_here_and_there")
    stage.qtbot.waitUntil(lambda: "Nonsense" in page.text(), timeout=LONG)
    assert "Nonsense" not in page.snapshot().decode("utf-16-le")
    stage.finish()
    assert page.text() == "Before. Say it better. After."
    assert not page.history.can_undo


def test_what_streams_is_on_disk_within_about_a_second(stage: Stage) -> None:
    page = stage.open("One")
    page.load("Go on. waits")
    page.select(page.length, page.length)
    stage.room.generate()
    stage.saved("One", f"Go on. waits {COUNTED}")
    assert stage.room.is_generating()
    stage.room.stop()


def test_typing_is_saved_by_itself_with_who_wrote_it(stage: Stage) -> None:
    page = stage.open("Two")
    page.select(page.length, page.length)
    stage.room.generate()
    stage.finish()
    QTest.keyClicks(page, " Mine.")
    stage.saved("Two", f"Second text. {COUNTED} Mine.")
    stage.qtbot.waitUntil(lambda: stage.sheet.file.state == "saved")
    stage.room.desk.close_text("Texts/Two.md")
    again = stage.open("Two")
    assert again.authorship.runs == ((12, "you"), (40, "generated"), (6, "you"))


def test_another_programs_change_is_brought_in_and_can_be_taken_out(stage: Stage) -> None:
    page = stage.open("One")
    QTest.keyClicks(page, " Mine")
    stage.saved("One", page.text())
    stage.qtbot.waitUntil(lambda: stage.sheet.file.state == "saved")
    (stage.folder / "One.md").write_text("# Theirs\n\nIt began. Mine")
    stage.qtbot.waitUntil(lambda: page.text() == "# Theirs\n\nIt began. Mine", timeout=LONG)
    assert "Another program" in stage.sheet.bar.sentence()
    stage.sheet.bar.answer("Take them out")
    stage.saved("One", "# One\n\nIt began. Mine")


def test_a_conflict_asks_and_loses_neither_version(stage: Stage) -> None:
    page = stage.open("Two")
    (stage.folder / "Two.md").write_text("Their text.")
    page.select(page.length, page.length)
    QTest.keyClicks(page, " Mine.")
    stage.qtbot.waitUntil(lambda: "Both versions" in stage.sheet.bar.sentence(), timeout=LONG)
    assert (stage.folder / "Two.md").read_text() == "Their text."
    recovery = stage.around.folder / "Work" / ".atelier" / "recovery"
    stage.qtbot.waitUntil(lambda: any("Mine." in path.read_text() for path in recovery.glob("*.json")))
    stage.sheet.bar.answer("Keep mine")
    stage.saved("Two", "Second text. Mine.")
    trash = stage.around.folder / "Work" / ".atelier" / "trash"
    stage.qtbot.waitUntil(lambda: [path.read_text() for path in trash.glob("[!.]*")] == ["Their text."])


def test_a_disk_that_refuses_is_told_and_the_text_is_kept(stage: Stage) -> None:
    page = stage.open("Two")
    shutil.rmtree(stage.folder)
    stage.folder.write_text("a file where the folder was")
    page.select(page.length, page.length)
    QTest.keyClicks(page, " Mine.")
    stage.qtbot.waitUntil(lambda: bool(stage.sheet.bar.sentence()), timeout=LONG)
    stage.sheet.bar.answer("Save it again")
    stage.qtbot.waitUntil(lambda: bool(stage.around.notices.current()), timeout=LONG)
    assert "Two.md" in stage.around.notices.current()[-1].message
    recovery = stage.around.folder / "Work" / ".atelier" / "recovery"
    stage.qtbot.waitUntil(lambda: any("Mine." in path.read_text() for path in recovery.glob("*.json")), timeout=LONG)
    stage.folder.unlink()
    stage.folder.mkdir()
    action = stage.around.notices.current()[-1].action
    assert action is not None
    action.run()
    stage.saved("Two", "Second text. Mine.")


def test_the_page_follows_the_theme(stage: Stage) -> None:
    page = stage.open("One")
    for look in ("dark", "light"):
        stage.around.settings.change(theme=look)
        ground = page.grab().toImage().pixelColor(page.viewport().x() + 2, page.height() - 4)
        assert ground == stage.around.context.theme.color("ground")


def test_a_new_text_is_named_where_it_stands_in_the_list(stage: Stage) -> None:
    stage.room.new_text()
    stage.qtbot.waitUntil(lambda: stage.room.desk.name == "Texts/Untitled.md")
    stage.qtbot.waitUntil(lambda: bool(stage.room.chapters.list.findChildren(QLineEdit)))
    field = stage.room.chapters.list.findChildren(QLineEdit)[0]
    QTest.keyClick(field, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(field, "The storm")
    QTest.keyClick(field, Qt.Key.Key_Return)
    stage.qtbot.waitUntil(lambda: stage.room.desk.name == "Texts/The storm.md")
    assert stage.page.text() == ""
    QTest.keyClicks(stage.page, "Rain.")
    stage.saved("The storm", "Rain.")  # nothing that the person did not write, and no name from before
    assert not (stage.folder / "Untitled.md").exists()


def test_a_discarded_text_can_be_put_back(stage: Stage) -> None:
    page = stage.open("Two")
    QTest.keyClicks(page, "x")
    stage.room.chapters.list.setFocus()
    QTest.keyClick(stage.room.chapters.list, Qt.Key.Key_Delete)
    stage.qtbot.waitUntil(lambda: stage.room.chapters.paths() == ["Texts/One.md"])
    assert stage.room.desk.sheet() is None
    notice = stage.around.notices.current()[-1]
    assert notice.action is not None
    notice.action.run()
    stage.qtbot.waitUntil(lambda: stage.room.desk.name == "Texts/Two.md", timeout=5000)
    assert stage.page.text() == "Second text.x"


def test_the_room_comes_back_as_it_was(stage: Stage, qtbot: QtBot) -> None:
    page = stage.open("Two")
    page.select(4, 4)
    stage.room.request_panel.tasks.choose("shorten")
    stage.room.flush()
    state = stage.room.state()
    again = WriteRoom(stage.around.context)
    show(again, qtbot)
    again.restore(state)
    qtbot.waitUntil(lambda: again.desk.sheet() is not None)
    sheet = again.desk.sheet()
    assert sheet is not None
    assert (again.desk.name, sheet.page.textCursor().position()) == ("Texts/Two.md", 4)
    assert again.request_panel.task() == "shorten"
    again.restore({"open": 5, "panel": [], "cursors": "x"})
    again.flush()


def test_the_greeting_makes_a_text_and_goes_on(stage: Stage) -> None:
    stage.room.make("Once upon a time there was a lighthouse.")
    stage.qtbot.waitUntil(lambda: stage.room.desk.name == "Texts/First words.md")
    stage.qtbot.waitUntil(lambda: COUNTED in stage.page.text(), timeout=LONG)
    assert stage.page.text() == f"Once upon a time there was a lighthouse. {COUNTED}"


def test_lists_go_on_and_marks_come_and_go(stage: Stage) -> None:
    page = stage.open("Two")
    page.load("1. first")
    page.select(8, 8)
    QTest.keyClick(page, Qt.Key.Key_Return)
    QTest.keyClicks(page, "second")
    QTest.keyClick(page, Qt.Key.Key_Return)
    QTest.keyClick(page, Qt.Key.Key_Return)
    assert page.text() == "1. first\n2. second\n"
    page.select(3, 8)
    stage.room.surround("**")
    assert page.text().startswith("1. **first**")
    stage.room.surround("**")
    assert page.text().startswith("1. first\n")


def test_find_and_replace_is_one_step(stage: Stage) -> None:
    page = stage.open("Two")
    page.load("one 😀 two one ONE")
    stage.room.find_text(replace=True)
    bar = stage.sheet.find_bar
    QTest.keyClicks(bar.field, "one")
    assert bar.count.text() == "1 of 3"
    QTest.keyClick(bar.field, Qt.Key.Key_Return)
    assert page.textCursor().selectedText() == "one"
    assert page.textCursor().selectionStart() == 11
    QTest.keyClicks(bar.replacement, "1")
    bar.replace_all()
    assert page.text() == "1 😀 two 1 1"
    page.undo()
    assert page.text() == "one 😀 two one ONE"
    QTest.keyClick(bar.field, Qt.Key.Key_Escape)
    assert bar.isHidden()


def test_commands_are_named_and_do_not_clash(stage: Stage) -> None:
    commands = Commands()
    commands.add(stage.room.commands())
    assert all(command.id.startswith("write.") and command.room == "write" for command in commands.all())


@pytest.fixture
def bare(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[Stage]:
    with surroundings(qapp, tmp_path, models=False) as around:
        room = WriteRoom(around.context)
        show(room, qtbot)
        yield Stage(room, around, qtbot)
        room.flush()


def test_without_a_model_the_panel_says_so_and_writing_works(bare: Stage) -> None:
    assert "No text model" in bare.room.request_panel.forecast.text()
    bare.room.new_text()
    bare.qtbot.waitUntil(lambda: bare.room.desk.sheet() is not None)
    assert not bare.room.can_generate()
    QTest.keyClicks(bare.page, "By hand.")
    bare.saved("Untitled", "By hand.")
