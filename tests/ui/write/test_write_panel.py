"""What the panel says: what the model sees, estimated before the run and measured in it, and what is missing."""

from __future__ import annotations

import re

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from tests.ui.write.test_write_room import LONG, Stage, stage  # noqa: F401 - the fixture

WINDOW = 2048


def rows(stage: Stage) -> dict[str, str]:  # noqa: F811 - the fixture's name
    words = [label.text() for label in stage.room.request_panel.facts.findChildren(QLabel) if not label.isHidden()]
    return dict(zip(words[::2], words[1::2], strict=True))


def numbers(words: str) -> list[int]:
    return [int(number.replace(",", "")) for number in re.findall(r"[\d,]+", words)]


def test_a_text_that_fits_is_seen_whole(stage: Stage) -> None:  # noqa: F811
    stage.open("One")
    stage.qtbot.waitUntil(lambda: "In all" in rows(stage))
    assert rows(stage)["Text before the cursor"] == "3 words"
    assert rows(stage)["In all"] == f"about 4 of {WINDOW:,} tokens"
    assert "Left out, further up" not in rows(stage)


def test_a_text_that_does_not_fit_is_not_called_seen(stage: Stage) -> None:  # noqa: F811
    page = stage.open("One")
    page.replace(0, page.length, "many words " * 1500)
    stage.qtbot.waitUntil(lambda: "Left out, further up" in rows(stage))
    taken, window = numbers(rows(stage)["In all"])
    assert window == WINDOW
    assert WINDOW * 3 / 4 <= taken < WINDOW  # a part is kept free for what is to be written
    seen, left = numbers(rows(stage)["Text before the cursor"])[0], numbers(rows(stage)["Left out, further up"])[0]
    assert abs(seen + left - 3000) <= 2
    assert seen < 2000
    assert rows(stage)["Text before the cursor"].startswith("about ")


def test_what_was_measured_is_said_and_remembered(stage: Stage) -> None:  # noqa: F811
    page = stage.open("One")
    text = "many words " * 300 + "drops=200 waits"
    page.replace(0, page.length, text)
    page.select(page.length, page.length)
    stage.room.assist("continue")
    stage.qtbot.waitUntil(lambda: rows(stage).get("In all", "about").startswith("602 of"), timeout=LONG)
    assert rows(stage)["In all"] == "602 of 1,602 tokens"
    seen, left = numbers(rows(stage)["Text before the cursor"])[0], numbers(rows(stage)["Left out, further up"])[0]
    assert abs(left / (seen + left) - 200 / 802) < 0.02
    panel = stage.room.request_panel
    panel.resize(264, 700)
    body = panel._scroll.widget()
    assert body is not None
    assert body.minimumSizeHint().width() <= panel._scroll.viewport().width()
    stage.room.stop()
    stage.finish()
    stage.qtbot.waitUntil(lambda: rows(stage)["In all"].startswith("about "))
    taken, window = numbers(rows(stage)["In all"])
    assert window == 1602  # of this computer, not of the model's file
    assert 802 <= taken <= 815  # with the words that came


def test_a_long_note_does_not_widen_the_panel(stage: Stage) -> None:  # noqa: F811
    section = stage.room.request_panel._seen
    before = section.minimumSizeHint().width()
    section.set_note("768 of 1,024 tokens · 686 left out · and much more that nobody would read at this place")
    assert section.minimumSizeHint().width() <= before + 40


def test_asking_begins_in_the_direction_and_the_button_says_what_is_missing(stage: Stage) -> None:  # noqa: F811
    panel = stage.room.request_panel
    assert not panel.primary.isEnabled()
    assert "No text is open" in panel.obstacle.text()
    stage.open("Two")
    panel.show()
    panel.activateWindow()
    stage.qtbot.waitUntil(panel.isActiveWindow)
    assert panel.obstacle.isHidden()
    stage.qtbot.mouseClick(panel.tasks.chip("ask"), Qt.MouseButton.LeftButton)
    assert panel.direction.hasFocus()
    assert not panel.primary.isEnabled()
    assert panel.obstacle.isVisible()
    assert "Direction" in panel.obstacle.text()
    assert panel.primary.toolTip() == panel.obstacle.text()
    QTest.keyClicks(panel.direction, "a storm")
    assert panel.primary.isEnabled()
    assert panel.obstacle.isHidden()
    assert "Direction" not in panel.primary.toolTip()
