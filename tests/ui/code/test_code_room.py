"""The Code room with a real session, queue and worker behind it, and real keys."""

from __future__ import annotations

import statistics
import time

from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from studio.app.commands import Commands
from studio.core.failure import Failure, FailureCode
from studio.core.requests import CodeRequest
from studio.ui.code.room import CodeRoom
from tests.ui.code.conftest import LONG, Stage
from tests.ui.text_stage import show

CONTROL = Qt.KeyboardModifier.ControlModifier


def test_code_for_an_instruction_streams_in_at_its_indentation_as_one_step(stage: Stage) -> None:
    area = stage.open("a.py", "def f():\n    \n    return x\n")
    area.select(13, 13)
    stage.room.request_panel.instruction.set_text("says=```python\\nif_1:\\n____x_=_2\\n```")
    stage.room.generate()
    stage.qtbot.waitUntil(lambda: not stage.room.is_generating(), timeout=LONG)
    assert area.text() == "def f():\n    if 1:\n        x = 2\n\n    return x\n"
    area.undo()
    assert area.text() == "def f():\n    \n    return x\n"


def test_code_for_an_instruction_begins_a_line_of_its_own(stage: Stage) -> None:
    area = stage.open("a.py", "def f():\n    x = 1\n")
    for at, wanted in ((8, "def f():\n    y = 2\n    x = 1\n"), (18, "def f():\n    x = 1\n    y = 2\n")):
        area.select(at, at)
        stage.room.request_panel.instruction.set_text("says=y_=_2")
        stage.room.generate()
        stage.qtbot.waitUntil(lambda: not stage.room.is_generating(), timeout=LONG)
        assert area.text() == wanted
        area.undo()
        assert area.text() == "def f():\n    x = 1\n"


def test_the_request_says_what_stands_around_the_cursor(stage: Stage) -> None:
    area = stage.open("a.py", "before\nafter\n")
    area.select(7, 7)
    stage.room.generate()
    jobs = [job.request for job in stage.around.studio.queue.jobs()]
    assert isinstance(jobs[0], CodeRequest)
    assert (jobs[0].prefix, jobs[0].suffix, jobs[0].language) == ("before\n", "after\n", "python")
    stage.room.stop()
    assert area.text() == "before\nafter\n"


def test_a_file_changes_on_disk_when_it_is_saved_and_nothing_is_lost_until_then(stage: Stage, qtbot: QtBot) -> None:
    area = stage.open("a.py", "x = 1\n")
    QTest.keyClicks(area, "y")
    stage.qtbot.waitUntil(lambda: "yx = 1" in stage.kept(), timeout=5000)
    assert (stage.folder / "a.py").read_text() == "x = 1\n"
    again = CodeRoom(stage.around.context)  # as after a crash: no state was saved
    show(again, qtbot)
    again.restore({})
    qtbot.waitUntil(lambda: again.sheet() is not None)
    sheet = again.sheet()
    assert sheet is not None
    assert (sheet.area.text(), sheet.file.modified) == ("yx = 1\n", True)
    sheet.file.save()
    qtbot.waitUntil(lambda: not sheet.file.modified, timeout=5000)
    assert (stage.folder / "a.py").read_text() == "yx = 1\n"
    assert stage.kept() == ""
    again.flush()


def test_undoing_everything_makes_the_file_saved_again(stage: Stage) -> None:
    area = stage.open("a.py", "x = 1\n")
    QTest.keyClicks(area, "y")
    stage.qtbot.waitUntil(lambda: stage.kept() != "", timeout=5000)
    area.undo()
    stage.qtbot.waitUntil(lambda: not stage.sheet.file.modified, timeout=5000)
    assert stage.kept() == ""


def test_closing_with_unsaved_changes_asks_and_throws_nothing_away(stage: Stage) -> None:
    area = stage.open("a.py", "x = 1\n")
    QTest.keyClicks(area, "y")
    stage.room.close_current()
    assert "not saved" in stage.sheet.bar.sentence()
    stage.sheet.bar.answer("Close without saving")
    assert stage.room.sheet() is None
    trash = stage.around.folder / "Work" / ".atelier" / "trash"
    stage.qtbot.waitUntil(lambda: [path.read_text() for path in trash.glob("[!.]*")] == ["yx = 1\n"])
    assert (stage.folder / "a.py").read_text() == "x = 1\n"


def test_a_closed_file_leaves_nothing_that_still_listens(stage: Stage) -> None:
    stage.open("a.py", "x = 1\n")
    stage.open("b.py", "x = 2\n")
    stage.room.close_current()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    stage.around.settings.change(theme="light")
    stage.around.settings.change(theme="dark")
    assert stage.sheet.path.name == "a.py"


def test_a_file_of_another_language_scrolls_without_the_old_colours(stage: Stage) -> None:
    area = stage.open("a.py", "x = 1\n" * 300)
    stage.sheet.moved(stage.folder / "a.txt")
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    area.verticalScrollBar().setValue(100)
    assert stage.sheet.colors is None


def test_a_new_file_can_be_named_in_a_narrow_window(stage: Stage) -> None:
    stage.room.resize(560, 500)
    assert stage.room.tree.isHidden()
    stage.room.new_file()
    stage.qtbot.waitUntil(lambda: bool(stage.room.tree.tree.findChildren(QLineEdit)), timeout=5000)
    assert stage.room.tree.isVisible()
    QTest.keyClick(stage.room.tree.tree.findChildren(QLineEdit)[0], Qt.Key.Key_Escape)


def test_another_folder_may_come_while_a_name_is_typed(stage: Stage) -> None:
    stage.open("a.py", "x = 1\n")
    stage.qtbot.waitUntil(lambda: stage.folder / "a.py" in stage.room.tree.paths(), timeout=LONG)
    stage.room.rename_current()
    stage.qtbot.waitUntil(lambda: bool(stage.room.tree.tree.findChildren(QLineEdit)), timeout=5000)
    stage.room.show_folder(stage.folder / "lib")
    QApplication.processEvents()
    assert stage.room.tree.paths() == []


def test_a_file_deleted_by_another_program_is_kept_here(stage: Stage) -> None:
    stage.open("a.py", "x = 1\n")
    (stage.folder / "a.py").unlink()
    stage.qtbot.waitUntil(lambda: "deleted" in stage.sheet.bar.sentence(), timeout=LONG)
    stage.sheet.bar.answer("Save it again")
    stage.qtbot.waitUntil((stage.folder / "a.py").exists, timeout=5000)
    assert (stage.folder / "a.py").read_text() == "x = 1\n"


def test_keys_of_a_source_editor(stage: Stage) -> None:
    area = stage.open("a.py", "")
    QTest.keyClicks(area, "def f():")
    QTest.keyClick(area, Qt.Key.Key_Return)
    QTest.keyClicks(area, "return 1")
    QTest.keyClick(area, Qt.Key.Key_Return)
    QTest.keyClicks(area, "x")
    assert area.text() == "def f():\n    return 1\nx"
    area.selectAll()
    QTest.keyClick(area, Qt.Key.Key_Tab)
    assert area.text() == "    def f():\n        return 1\n    x"
    QTest.keyClick(area, Qt.Key.Key_Backtab)
    area.toggle_comment()
    assert area.text() == "# def f():\n#     return 1\n# x"
    area.undo()
    area.select(area.length, area.length)
    area.move_lines(-1)
    assert area.text() == "def f():\nx\n    return 1"
    area.go_to_line(3)
    QTest.keyClicks(area, "    ")
    QTest.keyClick(area, Qt.Key.Key_Backspace)
    assert area.text() == "def f():\nx\n    return 1"


def test_go_to_line_and_back(stage: Stage) -> None:
    area = stage.open("a.py", "a\n" * 200)
    stage.sheet.line_bar.open()
    QTest.keyClicks(stage.sheet.line_bar.field, "120")
    QTest.keyClick(stage.sheet.line_bar.field, Qt.Key.Key_Return)
    assert area.place() == (120, 1)
    assert stage.sheet.line_bar.isHidden()


def test_colours_come_and_follow(stage: Stage) -> None:
    area = stage.open("a.py", "x = 1\n")
    colors = stage.sheet.colors
    assert colors is not None
    stage.qtbot.waitUntil(lambda: colors.settled, timeout=5000)
    QTest.keyClicks(area, "# ")
    stage.qtbot.waitUntil(lambda: colors.settled, timeout=5000)
    ranges = area.document().firstBlock().layout().formats()
    assert [(part.start, part.length) for part in ranges] == [(0, 7)]
    assert ranges[0].format.foreground().color() == stage.around.context.theme.color("syntax_comment")
    assert not area.document().isModified() or area.text() == "# x = 1\n"


def test_new_files_are_named_in_the_tree_and_take_their_language(stage: Stage) -> None:
    stage.room.new_file()
    stage.qtbot.waitUntil(lambda: bool(stage.room.tree.tree.findChildren(QLineEdit)), timeout=5000)
    field = stage.room.tree.tree.findChildren(QLineEdit)[0]
    QTest.keyClick(field, Qt.Key.Key_A, CONTROL)
    QTest.keyClicks(field, "notes.txt")
    QTest.keyClick(field, Qt.Key.Key_Return)
    stage.qtbot.waitUntil(lambda: stage.sheet.path.name == "notes.txt", timeout=5000)
    assert stage.area.language == "text"
    assert stage.sheet.colors is None
    QTest.keyClicks(stage.area, "hello")
    stage.room.save()
    stage.qtbot.waitUntil(lambda: (stage.folder / "notes.txt").read_text() == "hello", timeout=5000)


def test_only_the_stem_of_a_name_is_chosen_so_that_the_ending_stays(stage: Stage) -> None:
    tree = stage.room.tree.tree
    stage.room.new_file()
    stage.qtbot.waitUntil(lambda: bool(tree.findChildren(QLineEdit)), timeout=5000)
    field = tree.findChildren(QLineEdit)[0]
    stage.qtbot.waitUntil(lambda: field.selectedText() == "untitled")
    QTest.keyClicks(field, "mathx")
    QTest.keyClick(field, Qt.Key.Key_Return)
    stage.qtbot.waitUntil(lambda: stage.sheet.path.name == "mathx.py", timeout=5000)
    stage.qtbot.waitUntil(lambda: not tree.findChildren(QLineEdit) and stage.sheet.path in stage.room.tree.paths())
    stage.room.tree.select(stage.sheet.path)
    QTest.keyClick(tree, Qt.Key.Key_F2)
    stage.qtbot.waitUntil(lambda: any(f.selectedText() == "mathx" for f in tree.findChildren(QLineEdit)))
    QTest.keyClick(tree.findChildren(QLineEdit)[-1], Qt.Key.Key_Escape)


def test_the_words_in_an_empty_file_stand_on_its_first_line(stage: Stage) -> None:
    area = stage.open("a.py", "")
    stage.qtbot.waitUntil(area.hasFocus)
    image, line, ratio = area.viewport().grab().toImage(), area.cursorRect(), area.devicePixelRatioF()
    ground = image.pixelColor(image.width() - 2, image.height() - 2)
    left, top = round((line.right() + 4) * ratio), round(line.top() * ratio)
    rows = {
        y
        for y in range(image.height())
        for x in range(left, image.width() // 2)
        if abs(image.pixelColor(x, y).lightness() - ground.lightness()) > 60
    }
    assert rows
    assert top - 1 <= min(rows)
    assert max(rows) <= round(line.bottom() * ratio) + 1
    QTest.keyClicks(area, "x")
    assert area.viewport().grab().toImage() != image


def test_code_that_was_cut_off_ends_with_a_whole_line(stage: Stage) -> None:
    area = stage.open("a.py", "says=a_=_1\\nb_=_2\\nget_ cut\n")
    area.select(area.length, area.length)
    stage.room.generate()
    stage.qtbot.waitUntil(lambda: not stage.room.is_generating(), timeout=LONG)
    assert area.text().endswith("cut\na = 1\nb = 2")
    jobs = [job.request for job in stage.around.studio.queue.jobs()]
    assert isinstance(jobs[0], CodeRequest)
    assert jobs[0].max_lines == 20
    area.undo()
    assert area.text().endswith("cut\n")


def test_after_generating_and_undoing_the_cursors_line_is_seen_from_its_start(stage: Stage) -> None:
    area = stage.open("a.py", "")
    long = "x" * round(area.viewport().width() / area.fontMetrics().horizontalAdvance("x"))  # a little too long
    area.load_source("import os\n" * 60 + f"# pause=0.1\n# says=a_=_{long}\\n________y=1\n")
    area.select(area.length, area.length)
    area.ensureCursorVisible()

    def seen() -> bool:
        rect = area.cursorRect()
        return area.horizontalScrollBar().value() == 0 and rect.top() >= 0 and rect.bottom() <= area.viewport().height()

    stage.room.generate()
    area.replace(600, area.length - 1, "")  # the request has it; here, nothing but what comes shall be wide
    stage.qtbot.waitUntil(lambda: not stage.room.is_generating(), timeout=LONG)
    assert area.text().endswith("\n        y=1")
    stage.qtbot.waitUntil(seen)
    assert area.horizontalScrollBar().isVisible()
    area.undo()
    assert seen()
    area.redo()
    area.resize(area.width(), area.height() - 30)
    stage.qtbot.waitUntil(seen)


def test_what_is_no_text_is_refused_with_words(stage: Stage) -> None:
    (stage.folder / "a.bin").write_bytes(b"\0\1\2")
    stage.room.open(stage.folder / "a.bin")
    stage.qtbot.waitUntil(lambda: bool(stage.around.notices.current()))
    assert "a.bin" in stage.around.notices.current()[-1].message
    assert stage.room.sheet() is None


def test_the_room_comes_back_as_it_was(stage: Stage, qtbot: QtBot) -> None:
    stage.open("a.py", "one\n")
    area = stage.open("b.py", "two\n")
    area.select(2, 2)
    stage.room.flush()
    again = CodeRoom(stage.around.context)
    show(again, qtbot)
    again.restore(stage.room.state())
    qtbot.waitUntil(lambda: len(again.desk.sheets()) == 2)
    sheet = again.sheet()
    assert sheet is not None
    assert (sheet.path.name, sheet.area.textCursor().position()) == ("b.py", 2)
    again.restore({"files": 3, "folder": 4, "panel": [], "cursors": ""})
    again.flush()


def test_the_greeting_suggests_a_function_in_grey(stage: Stage) -> None:
    stage.room.make("def fibonacci(n):")
    stage.qtbot.waitUntil(lambda: stage.room.sheet() is not None, timeout=5000)
    stage.ghost("one two three four five six seven eight")
    assert stage.area.text() == "def fibonacci(n):\n    "


def test_commands_are_named_and_do_not_clash(stage: Stage) -> None:
    commands = Commands()
    commands.add(stage.room.commands())
    assert all(command.id.startswith("code.") and command.room == "code" for command in commands.all())


def test_a_key_is_painted_within_a_frame_in_twenty_thousand_lines(stage: Stage) -> None:
    area = stage.open("big.py", "def f(a, b):\n    return a + b  # sum\n\n\nclass A:\n" * 4000)
    colors = stage.sheet.colors
    assert colors is not None
    stage.room.request_panel.automatic.setChecked(False)
    stage.qtbot.waitUntil(lambda: colors.settled, timeout=LONG)
    area.go_to_line(10_000)
    seconds = []
    for _ in range(60):
        QApplication.processEvents()
        started = time.thread_time()  # this thread's own: what other programs take is not ours to answer for
        QTest.keyClick(area, Qt.Key.Key_X)
        area.viewport().repaint()
        seconds.append(time.thread_time() - started)
    assert statistics.quantiles(seconds, n=20)[-1] < 0.008


def test_the_question_whether_to_close_goes_with_esc_and_with_saving(stage: Stage) -> None:
    area, bar = stage.open("a.py", "x = 1\n"), stage.sheet.bar
    QTest.keyClicks(area, "y")
    stage.room.close_current()
    assert "not saved" in bar.sentence()
    QTest.keyClick(area, Qt.Key.Key_Escape)
    assert bar.sentence() == ""
    stage.room.close_current()
    assert "not saved" in bar.sentence()
    stage.room.save()
    stage.qtbot.waitUntil(lambda: bar.sentence() == "", timeout=5000)
    assert not stage.sheet.file.modified


def test_the_failure_to_save_is_forgotten_once_it_is_saved(stage: Stage) -> None:
    area = stage.open("a.py", "x = 1\n")
    QTest.keyClicks(area, "y")
    stage.sheet.file.failed.emit(Failure(FailureCode.STORAGE, "It could not be saved."))
    assert [notice.message for notice in stage.around.notices.current()] == ["It could not be saved."]
    stage.room.save()
    stage.qtbot.waitUntil(lambda: stage.around.notices.current() == (), timeout=5000)
