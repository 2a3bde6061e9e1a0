"""Smaller parts: pace, measures, the request panel's building blocks, work in the background."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot
from shiboken6 import delete

from studio.app.notices import Notices
from studio.app.settings import Preferences, Settings
from studio.core.command import Command
from studio.core.events import JobProgress, JobStarted, Stage, TextDelta
from studio.core.failure import Failure, FailureCode, StudioError
from studio.core.jobs import Job
from studio.core.references import ModelRef
from studio.core.requests import ImageRequest
from studio.models.entry import ShelfEntry
from studio.models.forecast import Forecast
from studio.ui.background import Background
from studio.ui.measures import count_words, duration_words, keys_words, size_words
from studio.ui.pace import Pace
from studio.ui.panel import (
    ChipRow,
    ChoiceField,
    Disclosure,
    FactsBox,
    ModelCard,
    NumberField,
    PromptBox,
    RequestPanel,
    SeedField,
    ValueSlider,
    VariantsStrip,
)
from studio.ui.theme import RESOURCES, Theme

JOB = Job(id="j", request=ImageRequest(prompt="a fox", model=ModelRef(repo="a/b"), seed=1))


@pytest.fixture
def theme(qapp: QApplication, tmp_path: Path) -> Iterator[Theme]:
    made = Theme(Settings(tmp_path / "s.json", Preferences(theme="light")), qapp)
    yield made
    made.stop()
    qapp.setStyleSheet("")


def entry(name: str) -> ShelfEntry:
    return ShelfEntry(
        ref=ModelRef(repo=f"local/{name}"), name=name, task="image", family="sd15", size=24_000_000, licence="MIT",
        path=Path(name), source="folder", commercial=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (1500, "2 kB"), (24_000_000, "24 MB"), (2_500_000_000, "2.5 GB"), (18e9, "18 GB")],
)
def test_sizes(size: float, words: str) -> None:
    assert size_words(size) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.44, "0.4 s"), (12.2, "12 s"), (200, "3 min"), (4800, "1 h 20 min"), (7200, "2 h")]
)
def test_durations(seconds: float, words: str) -> None:
    assert duration_words(seconds) == words


def test_keys_and_counts() -> None:
    assert keys_words("Ctrl+Return") == "Ctrl ⏎"
    assert keys_words("Ctrl++") == "Ctrl +"
    assert keys_words("") == ""
    assert count_words(1, "job") == "1 job"
    assert count_words(1200, "job") == "1,200 jobs"


def test_the_pace_of_a_picture() -> None:
    pace = Pace(JOB)
    assert pace.words() == "starting"
    pace.hear(JobStarted(device="cuda:0"), 0.0)
    pace.hear(JobProgress(stage=Stage.LOAD, step=1, total=4), 0.5)
    assert pace.words() == "loading the model · 25%"
    for step in range(1, 13):
        pace.hear(JobProgress(stage=Stage.DENOISE, step=step, total=20), 1.0 + step * 0.2)
    assert pace.device == "cuda:0"
    assert pace.fraction == pytest.approx(0.6)
    assert pace.seconds_left == pytest.approx(1.6)
    assert pace.words() == "step 12 of 20 · 1.6 s left"
    pace.hear(JobProgress(stage=Stage.DECODE, step=0, total=None), 4.0)
    assert pace.fraction == pytest.approx(0.6)
    assert pace.words() == "finishing · 1.6 s left"


def test_the_pace_of_a_text() -> None:
    pace = Pace(JOB)
    for second in range(11):
        pace.hear(TextDelta(text="word ", tokens=2), float(second))
    assert pace.tokens_per_second == pytest.approx(2.0)
    assert pace.words() == "2 tokens a second"


def test_the_prompt_box_leaves_ctrl_return_alone_and_tab_leaves_it(qtbot: QtBot, theme: Theme) -> None:
    panel = RequestPanel(theme)
    qtbot.addWidget(panel)
    prompt = PromptBox(theme, "What?")
    panel.add_section("Prompt", prompt)
    ran: list[str] = []
    ready = [False]
    panel.bind(Command("x.go", "Generate", lambda: ran.append("go"), "Ctrl+Return", when=lambda: ready[0]))
    panel.show()
    qtbot.keyClicks(prompt, "  a fox ")
    qtbot.keyClick(prompt, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert prompt.text() == "a fox"
    assert panel.primary.text() == "Generate  ·  Ctrl ⏎"
    assert not panel.primary.isEnabled()
    ready[0] = True
    panel.primary.refresh()
    qtbot.mouseClick(panel.primary, Qt.MouseButton.LeftButton)
    assert ran == ["go"]
    before = prompt.height()
    prompt.set_text("line\n" * 20)
    assert prompt.height() > before


def test_the_seed_is_random_until_it_is_pinned(qtbot: QtBot, theme: Theme) -> None:
    seed = SeedField(theme)
    qtbot.addWidget(seed)
    assert seed.value() is None
    assert not seed.dice.isEnabled()
    seed.show_used(7)
    assert seed.value() is None
    seed.dice.click()
    assert seed.value() == 7
    seed.dice.click()
    assert seed.value() is None
    seed.edit.setText("9999999999")
    value = seed.value()
    assert value is not None
    assert value <= 2**32 - 1
    qtbot.keyClicks(seed.edit, "x")
    assert "x" not in seed.edit.text()


def test_chips_choose_one(qtbot: QtBot) -> None:
    row = ChipRow("Assist", exclusive=True)
    qtbot.addWidget(row)
    for word in ("Continue", "Rewrite", "Shorten", "Expand", "Describe"):
        row.add(word.lower(), word)
    row.choose("continue")
    chosen: list[str] = []
    row.chosen.connect(chosen.append)
    row.resize(160, 200)
    row.show()
    assert row.heightForWidth(160) > row.heightForWidth(2000)
    qtbot.mouseClick(row.chip("rewrite"), Qt.MouseButton.LeftButton)
    assert (row.choice(), chosen) == ("rewrite", ["rewrite"])
    row.remove("rewrite")
    row.remove("rewrite")
    assert row.choice() == ""


def test_numbers_choices_and_sliders(qtbot: QtBot, theme: Theme) -> None:
    slider = ValueSlider("Strength", 0.0, 1.0, 0.6)
    number = NumberField("Steps", 1, 100, 20)
    choice = ChoiceField(theme, "Scheduler", [("a", "A"), ("b", "B")])
    for widget in (slider, number, choice):
        qtbot.addWidget(widget)
        widget.show()
    values: list[float] = []
    slider.value_changed.connect(values.append)
    qtbot.keyClick(slider.slider, Qt.Key.Key_Right)
    assert slider.value() == pytest.approx(0.61)
    assert values == [pytest.approx(0.61)]
    slider.set_value(5)
    assert slider.value() == 1.0
    qtbot.keyClick(number.spin, Qt.Key.Key_Up)
    assert number.value() == 21
    choice.set_value("b")
    choice.set_value("nothing")
    assert choice.value() == "b"


def test_no_typed_digit_is_lost_and_a_limit_is_said(qtbot: QtBot, theme: Theme) -> None:
    number = NumberField("Width", 16, 1000, 20, unit="px")
    qtbot.addWidget(number)
    number.show()
    heard: list[int] = []
    number.value_changed.connect(heard.append)

    def type_in(text: str) -> None:
        number.spin.setFocus()
        number.spin.selectAll()
        qtbot.keyClicks(number.spin, text)

    type_in("300")
    assert number.spin.text() == "300 px"
    assert number.value() == 300, "before it is left, too: a shortcut does not wait"
    qtbot.keyClick(number.spin, Qt.Key.Key_Return)
    assert heard == [300]
    type_in("3000")
    assert number.spin.text() == "3000 px"
    assert number.label.text() == "Width · at most 1000"
    assert number.value() == 1000
    qtbot.keyClick(number.spin, Qt.Key.Key_Return)
    assert number.spin.text() == "1000 px"
    assert number.label.text() == "Width · at most 1000"
    type_in("2")
    assert number.label.text() == "Width"
    qtbot.keyClick(number.spin, Qt.Key.Key_Return)
    assert (number.value(), number.label.text()) == (16, "Width · at least 16")
    type_in("24")
    qtbot.keyClick(number.spin, Qt.Key.Key_Return)
    assert number.label.text() == "Width"
    assert heard == [300, 1000, 16, 24]
    number.spin.selectAll()
    qtbot.keyClick(number.spin, Qt.Key.Key_Backspace)
    qtbot.keyClick(number.spin, Qt.Key.Key_Return)
    assert number.value() == 24


def test_the_model_card_lists_and_changes_models(qtbot: QtBot, theme: Theme) -> None:
    shelf = [entry("one"), entry("two")]
    card = ModelCard(theme, lambda: shelf)
    qtbot.addWidget(card)
    changed: list[object] = []
    card.changed.connect(changed.append)
    menu = card.menu()
    actions = [action for action in menu.actions() if not action.isSeparator()]
    assert [action.isChecked() for action in actions[:2]] == [True, False]
    actions[1].trigger()
    current = card.entry()
    assert current is not None
    assert current.name == "two"
    assert changed == [shelf[1]]
    assert card.choose("local/one")
    assert not card.choose("local/none")
    shelf.clear()
    card.refresh()
    assert card.entry() is None
    menu.deleteLater()


def test_forecast_facts_and_disclosure(qtbot: QtBot, theme: Theme) -> None:
    panel = RequestPanel(theme)
    qtbot.addWidget(panel)
    panel.forecast.set_forecast(Forecast(400_000_000, 18_000_000_000, True, 3.0, ""), "each")
    assert "needs 400 MB of 18 GB free" in panel.forecast.text()
    assert "About 3.0 s each" in panel.forecast.text()
    panel.forecast.set_forecast(Forecast(30_000_000_000, 18_000_000_000, False, None, ""))
    assert "Too big" in panel.forecast.text()
    panel.forecast.set_forecast(None)
    assert panel.forecast.isHidden()
    facts = FactsBox(theme)
    panel.add(facts)
    facts.set_rows([("Chapter 1", "180"), ("Chapter 2", "1,540")])
    assert "Chapter 2: 1,540" in facts.accessibleDescription()
    facts.set_rows([])
    assert facts.isHidden()
    more = Disclosure(theme, "More")
    panel.add(more)
    inner = NumberField("Width", 1, 10, 5)
    more.add(inner)
    assert not inner.isVisibleTo(panel)
    more.set_open(True)
    assert inner.isVisibleTo(panel)


def test_variants_are_picked_by_mouse_and_arrows(qtbot: QtBot, theme: Theme) -> None:
    strip = VariantsStrip(theme)
    qtbot.addWidget(strip)
    strip.resize(240, 60)
    strip.show()
    picture = QImage(32, 32, QImage.Format.Format_RGB32)
    picture.fill(QColor("red"))
    for index in range(3):
        strip.set_picture(index, picture)
    picked: list[int] = []
    strip.selected.connect(picked.append)
    qtbot.mouseClick(strip, Qt.MouseButton.LeftButton)
    qtbot.keyClick(strip, Qt.Key.Key_Right)
    qtbot.keyClick(strip, Qt.Key.Key_Right)
    assert picked == [1, 2] or picked[-1] == strip.current()
    assert strip.grab().toImage().pixelColor(20, 20) == QColor("red")


def test_every_icon_draws_something(theme: Theme) -> None:
    names = sorted(path.stem for path in (RESOURCES / "icons").glob("*.svg"))
    assert len(names) > 40
    for name in names:
        image = theme.pixmap(name, "text", 24).toImage()
        assert any(image.pixelColor(x, y).alpha() > 0 for x in range(24) for y in range(24)), name


def test_background_work_succeeds_fails_and_surprises(qtbot: QtBot, qapp: QApplication) -> None:
    notices = Notices()
    background = Background(notices)
    values: list[int] = []
    background.run(lambda: 6 * 7, values.append)
    qtbot.waitUntil(lambda: values == [42])
    failures: list[Failure] = []

    def refuse() -> None:
        raise StudioError(Failure(FailureCode.DISK_FULL, "full"))

    background.run(refuse, None, failures.append)
    qtbot.waitUntil(lambda: [failure.code for failure in failures] == [FailureCode.DISK_FULL])

    def surprise() -> None:
        raise ZeroDivisionError

    background.run(surprise)
    qtbot.waitUntil(lambda: bool(notices.current()))
    assert "ZeroDivisionError" in notices.current()[0].detail
    background.stop()


def test_a_prompt_grows_with_its_lines_and_never_scrolls_sideways(qtbot: QtBot, theme: Theme) -> None:
    box = PromptBox(theme, lines=2)
    qtbot.addWidget(box)
    box.resize(220, 60)
    box.show()
    low = box.height()
    box.set_text("Once upon a time there was a fox who lived at the edge of a great wood. " * 2)
    qtbot.waitUntil(lambda: box.height() > low * 1.5)
    assert not box.horizontalScrollBar().isVisible()
    qtbot.waitUntil(lambda: not box.verticalScrollBar().isVisible())
    box.set_text("short")
    qtbot.waitUntil(lambda: box.height() == low)


def test_fields_side_by_side_are_equally_tall(qtbot: QtBot, theme: Theme) -> None:
    panel = RequestPanel(theme)
    qtbot.addWidget(panel)
    number, seed = NumberField("Steps", 1, 100, 20), SeedField(theme)
    panel.add_row(number, seed)
    panel.resize(320, 600)
    with qtbot.waitExposed(panel):
        panel.show()
    assert number.spin.height() == seed.edit.height() < 60
    assert number.spin.y() == seed.edit.y()


def test_a_button_that_qt_did_away_with_gets_no_icon(qapp: QApplication, theme: Theme) -> None:
    """Tabs and rows go before their Python objects do; the next change of the look must not stumble over them."""
    gone, there = QToolButton(), QToolButton()
    for button in (gone, there):
        theme.dress(button, "close")
    before = there.icon().cacheKey()
    delete(gone)
    theme._settings.change(theme="dark")
    assert there.icon().cacheKey() != before
    delete(there)
