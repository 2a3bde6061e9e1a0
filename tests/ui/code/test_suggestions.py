"""Suggestions at the cursor: when they come, what of them is offered, and how they are taken, with real keys."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from studio.core.requests import CodeRequest
from studio.ui.code.suggestions import PAUSE_MILLISECONDS
from studio.ui.code.trimming import may_stand_before, offered
from tests.ui.code.conftest import LONG, Stage

CONTROL = Qt.KeyboardModifier.ControlModifier


def test_a_pause_brings_a_suggestion_and_tab_takes_it(stage: Stage) -> None:
    area = stage.open("a.py", "# says=_return_1\nx")
    area.select(area.length, area.length)
    QTest.keyClicks(area, "=")
    stage.ghost(" return 1")
    assert area.text().endswith("x=")
    assert (stage.folder / "a.py").read_text().endswith("x")
    QTest.keyClick(area, Qt.Key.Key_Tab)
    assert area.text().endswith("x= return 1")
    area.undo()
    assert area.text().endswith("x=")


def test_suggestions_leave_no_trace_in_the_queue(stage: Stage) -> None:
    area = stage.open("a.py", "# says=_1\nx")
    area.select(area.length, area.length)
    QTest.keyClicks(area, "=")
    stage.ghost(" 1")
    queue = stage.around.studio.queue
    stage.qtbot.waitUntil(lambda: queue.jobs() == [], timeout=5000)


def test_a_suggestion_for_a_cursor_that_moved_on_is_dropped(stage: Stage) -> None:
    area = stage.open("a.py", "# pause=0.2 says=late\nx")
    area.select(area.length, area.length)
    stage.sheet.suggestions.ask()
    assert stage.sheet.suggestions.waiting
    QTest.keyClick(area, Qt.Key.Key_Up)
    stage.qtbot.waitUntil(lambda: not stage.sheet.suggestions.waiting)
    queue = stage.around.studio.queue
    stage.qtbot.waitUntil(lambda: not any(not job.state.ended for job in queue.jobs()), timeout=LONG)
    assert stage.sheet.suggestions.ghost.text == ""


def test_a_newer_wish_cancels_the_older_and_the_known_one_costs_nothing(stage: Stage) -> None:
    area = stage.open("a.py", "# says=known\nx")
    area.select(area.length, area.length)
    stage.sheet.suggestions.ask()
    stage.sheet.suggestions.ask()
    stage.ghost("known")
    stage.qtbot.waitUntil(lambda: not stage.sheet.suggestions.waiting, timeout=LONG)
    QTest.keyClick(area, Qt.Key.Key_Escape)
    assert stage.sheet.suggestions.ghost.text == ""
    stage.sheet.suggestions.ask()
    assert stage.sheet.suggestions.ghost.text == "known"
    assert not stage.sheet.suggestions.waiting


def test_after_a_failure_nothing_comes_by_itself(stage: Stage) -> None:
    area = stage.open("a.py", "# fails=0 says=x\nx")
    area.select(area.length, area.length)
    QTest.keyClicks(area, "=")
    queue = stage.around.studio.queue
    stage.qtbot.waitUntil(lambda: not stage.sheet.suggestions.waiting and not queue.jobs(), timeout=LONG)
    QTest.keyClicks(area, "=")
    stage.qtbot.waitUntil(lambda: not stage.sheet.suggestions.waiting, timeout=LONG)
    assert queue.jobs() == []


def test_esc_sends_a_suggestion_away_for_good_while_it_still_comes(stage: Stage) -> None:
    area = stage.open("a.py", "# pause=0.05 waits says=one_two_three\nx")
    area.select(area.length, area.length)
    stage.sheet.suggestions.ask()
    stage.qtbot.waitUntil(lambda: bool(stage.sheet.suggestions.ghost.text), timeout=LONG)
    QTest.keyClick(area, Qt.Key.Key_Escape)
    assert not stage.sheet.suggestions.waiting
    queue = stage.around.studio.queue
    stage.qtbot.waitUntil(lambda: queue.jobs() == [], timeout=LONG)
    assert stage.sheet.suggestions.ghost.text == ""


def test_nothing_is_suggested_while_an_input_method_composes_or_when_it_is_off(stage: Stage) -> None:
    area = stage.open("a.py", "# says=known\nx")
    area.select(area.length, area.length)
    QApplication.sendEvent(area, QInputMethodEvent("に", []))
    stage.sheet.suggestions.ask()
    assert not stage.sheet.suggestions.waiting
    QApplication.sendEvent(area, QInputMethodEvent("", []))
    stage.room.request_panel.automatic.setChecked(False)
    QTest.keyClicks(area, "=")
    assert not stage.sheet.suggestions.waiting


def quiet(stage: Stage) -> None:
    """Wait until nothing is on its way."""
    stage.qtbot.waitUntil(lambda: not stage.sheet.suggestions.waiting, timeout=LONG)


def test_it_ends_where_the_block_ends(stage: Stage) -> None:
    area = stage.open("a.py", "# says=return_1\\n\\ndef_g():\\n____pass\ndef f():\n    ")
    area.select(area.length, area.length)
    stage.sheet.suggestions.ask()
    stage.ghost("return 1")
    assert stage.sheet.suggestions.ghost.text == "return 1"


def test_nothing_comes_by_itself_in_the_middle_of_a_line(stage: Stage) -> None:
    area = stage.open("a.py", "# says=known\nx = call() + 1\ny = call()\n")
    area.select(21, 21)  # before `() + 1`
    QTest.keyClicks(area, "e")
    stage.qtbot.wait(2 * PAUSE_MILLISECONDS)
    assert not stage.sheet.suggestions.waiting
    assert not stage.sheet.suggestions.ghost.text
    area.select(area.length - 2, area.length - 2)  # before the bracket that closes the line
    QTest.keyClicks(area, "a")
    stage.ghost("known")


def test_asked_for_in_the_middle_of_a_line_it_is_one_line(stage: Stage) -> None:
    area = stage.open("a.py", "# says=two,\\nthree\nx = (one, four)\n")
    place = area.text().index("four")
    area.select(place, place)
    stage.sheet.suggestions.ask()
    stage.ghost("two,")
    requests = [job.request for job in stage.around.studio.queue.jobs()]
    assert all(isinstance(request, CodeRequest) and request.single_line for request in requests)


def test_the_models_own_advice_against_repetition_is_followed(stage: Stage) -> None:
    stage.open("a.py", "# waits says=x\nx = ")
    stage.sheet.suggestions.ask()
    request = stage.around.studio.queue.jobs()[0].request
    assert isinstance(request, CodeRequest)
    assert request.sampling.dry_multiplier > 0
    stage.sheet.suggestions.stop()
    stage.room.generate()
    requests = [job.request for job in stage.around.studio.queue.jobs()]
    assert all(isinstance(request, CodeRequest) and request.sampling.dry_multiplier for request in requests)
    stage.room.stop()


def test_what_stands_below_is_not_suggested(stage: Stage) -> None:
    area = stage.open("a.py", "# says=b_=_2\\n____return_b\\nprint(b)\ndef f():\n    \n    return b\n")
    place = area.text().index("\n    return b")
    area.select(place, place)
    stage.sheet.suggestions.ask()
    stage.ghost("b = 2")
    assert stage.sheet.suggestions.ghost.text == "b = 2"


@pytest.mark.parametrize("said", ["x_=_1", "\\n\\n___", "path_path_path".replace("_", "") * 4])
def test_what_is_no_news_is_not_shown(stage: Stage, said: str) -> None:
    area = stage.open("a.py", f"# says={said}\nx = 1\n")
    area.select(area.length, area.length)
    stage.sheet.suggestions.ask()
    quiet(stage)
    assert not stage.sheet.suggestions.ghost.text


def test_what_is_no_news_does_not_flash_up_while_it_comes(stage: Stage) -> None:
    area = stage.open("a.py", "# pause=0.05 says=total_=_total_+_1\ntotal = total + 1\n")
    area.select(area.length, area.length)
    shown: list[str] = []
    suggestions = stage.sheet.suggestions
    suggestions.changed.connect(lambda: shown.append(suggestions.ghost.text))
    suggestions.ask()
    quiet(stage)
    assert [text for text in shown if text] == []


def test_a_word_at_a_time_and_esc_for_the_rest(stage: Stage) -> None:
    area = stage.open("a.py", "# says=_return_one\nx")
    area.select(area.length, area.length)
    QTest.keyClicks(area, "=")
    stage.ghost(" return one")
    QTest.keyClick(area, Qt.Key.Key_Right, CONTROL)
    assert area.text().endswith("x= return")
    assert stage.sheet.suggestions.ghost.text == " one"
    QTest.keyClick(area, Qt.Key.Key_Escape)
    assert not stage.sheet.suggestions.ghost.text
    assert area.text().endswith("x= return")


@pytest.mark.parametrize(
    ("text", "after", "wanted"),
    [
        ("x)", ")", "x"),
        ("f(x)", ")", "f(x)"),
        ("name\n\n", "", "name"),
        ("b: int):", "):\n    pass", "b: int"),
        ("value", " = 3", "value"),
        ("1\ny = 2", "\ny = 2\n", "1"),
        ("1\ny =", "\ny = 2\n", "1"),
        ("1\ny = 2\nz = 3", "\n\ny = 2\n", "1"),
        ("a,\n)", "\n)\n", "a,"),
    ],
)
def test_a_suggestion_does_not_repeat_what_follows(text: str, after: str, wanted: str) -> None:
    assert offered(text, "x = ", after) == wanted


@pytest.mark.parametrize(
    ("before", "text", "wanted"),
    [
        ("def f():\n    ", "if a:\n        b\n    c\nd", "if a:\n        b\n    c"),
        ("def f():", "\n    return 1\n\nx = f()", "\n    return 1"),
        ("def f():\n", "    return 1\nx = f()", "    return 1"),
        ("    call(", "\n        a,\n    )\n    b", "\n        a,\n    )"),
        ("if a:\n\tb", " = 1\n\tc\nd", " = 1\n\tc"),
        ("", "x = 1\ny = 2", "x = 1\ny = 2"),
        ("    ", "\n\ndef g():\n    pass", ""),
        ("def f():\n    ", "\n    x = 1\n    y = 2", "x = 1\n    y = 2"),
        ("def f():\n    ", "\n\n    x = 1", "x = 1"),
        ("class A:\n    def f(self):\n        ", "x\n\n    def g", "x"),
        ("x = [\n", "    1,\n]\ny", "    1,"),
        ("def f():\n    ", ' """Of f."""\n    return 1', '"""Of f."""\n    return 1'),
        ("def f():\n    if a:\n    ", "    return 1", "    return 1"),
    ],
)
def test_a_suggestion_ends_with_its_block(before: str, text: str, wanted: str) -> None:
    assert offered(text, before, "") == wanted


@pytest.mark.parametrize(
    ("before", "text", "wanted"),
    [
        ("x = 1\n", "x = 1\n", ""),
        ("    x = 1\n    ", "x = 1", ""),
        ("a\n", "b\nb\nc", "b"),
        ("a(\n    b(\n    )\n", ")", ")"),
        ("def f(", "b: int, b: int, b: int, b: int, b: int, b: int", ""),
        ("zeros = [", "0, 0, 0, 0, 0, 0, 0, 0]", "0, 0, 0, 0, 0, 0, 0, 0]"),
        ("# ", "------------------------", "------------------------"),
        ("x = 1\n", "  \n \n", ""),
        ("return ", " x", "x"),
        ("return", " x", " x"),
    ],
)
def test_a_suggestion_says_something_new(before: str, text: str, wanted: str) -> None:
    assert offered(text, before, "") == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("#    if a", ""), ("a, b  # both", "a, b"), ("'#', \"#\"", "'#', \"#\""), ("a // b", "a // b")],
)
def test_what_closes_does_not_become_part_of_a_comment(text: str, wanted: str) -> None:
    assert offered(text, "f(", ")\n") == wanted


def test_a_line_that_was_cut_off_is_left_out() -> None:
    assert offered("a = 1\n    b = lo", "    ", "", cut=True) == "a = 1"
    assert offered("a = lo", "    ", "", cut=True) == "a = lo"


def test_a_line_that_may_become_a_repetition_waits() -> None:
    assert offered("retu", "    return x\n    ", "", whole=False) == ""
    assert offered("retu", "    return x\n    ", "") == "retu"
    assert offered("x\ny", "", "\ny = 2", whole=False) == "x"


@pytest.mark.parametrize(
    ("rest", "may"), [("", True), (")", True), ("):", True), ('"])  ', True), (" + 1", False), ("x", False)]
)
def test_only_what_closes_may_stand_behind(rest: str, may: bool) -> None:
    assert may_stand_before(rest) is may


def test_suggestions_are_no_measure_for_the_forecast(stage: Stage) -> None:
    area = stage.open("a.py", "# says=known\nx = ")
    forecast = stage.room.request_panel.forecast
    stage.qtbot.waitUntil(lambda: "after the first run" in forecast.text())
    area.select(area.length, area.length)
    stage.sheet.suggestions.ask()
    stage.ghost("known")
    quiet(stage)
    model = stage.room.request_panel.model_ref()
    assert model is not None
    assert stage.around.studio.history.of(model) == ()
    stage.sheet.suggestions.stop()
    stage.room.generate()
    stage.qtbot.waitUntil(lambda: not stage.room.is_generating(), timeout=LONG)
    stage.qtbot.waitUntil(lambda: len(stage.around.studio.history.of(model)) == 1, timeout=LONG)
