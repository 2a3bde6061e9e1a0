"""Whatever is typed, taken, moved or undone: once things settle, the colours are those of a fresh parse."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.app.notices import Notices
from studio.app.settings import Settings
from studio.ui.background import Background
from studio.ui.code.colors import Colors
from studio.ui.code.editor import SourceArea
from studio.ui.code.parsing import COLORS, Syntax
from studio.ui.editing.ghost import Ghost
from studio.ui.theme import Theme

SOURCE = (
    'import os\n\ndef f(a, b=1):\n    """Doc."""\n    # note\n    return "x" + str(a) if b else None\n\n'
    "class Thing(Base):\n    @property\n    def y(self):\n        return {1: [2, 3.5]}\n"
)
KEYS = (
    Qt.Key.Key_Return, Qt.Key.Key_Backspace, Qt.Key.Key_Tab, Qt.Key.Key_A, Qt.Key.Key_Space, Qt.Key.Key_NumberSign,
    Qt.Key.Key_QuoteDbl, Qt.Key.Key_Delete,
)  # fmt: skip


def shown(area: SourceArea) -> list[tuple[int, int, str]]:
    found: list[tuple[int, int, str]] = []
    block = area.document().firstBlock()
    while block.isValid():
        start = block.position()
        parts = block.layout().formats()
        found.extend((start + part.start, part.length, part.format.foreground().color().name()) for part in parts)
        block = block.next()
    return found


def expected(area: SourceArea, theme: Theme) -> list[tuple[int, int, str]]:
    syntax = Syntax("python")
    assert syntax.update(area.copy_of_text(), [], lambda: False)
    found = []
    for part in syntax.segments(0, area.length):
        color = theme.color(f"syntax_{COLORS[part.color]}").name()
        start = part.start
        for line in area.between(part.start, part.end).split("\n"):
            if line:
                found.append((start, len(line), color))
            start += len(line) + 1
    return found


@pytest.mark.parametrize("seed", range(4))
def test_colours_settle(qtbot: QtBot, qapp: QApplication, tmp_path: Path, seed: int) -> None:
    theme = Theme(Settings(tmp_path / "settings.json"), qapp)
    background = Background(Notices())
    area = SourceArea(theme, "python")
    qtbot.addWidget(area)
    area.resize(700, 600)
    with qtbot.waitExposed(area):
        area.show()
    area.load_source(SOURCE * 2)
    colors, ghost = Colors(area, theme, background, "python"), Ghost(area, theme)
    chance = random.Random(seed)
    acts: list[Callable[[], object]] = [
        lambda: area.select(*[chance.randrange(area.length + 1)] * 2),
        lambda: area.select(*sorted(chance.randrange(area.length + 1) for _ in range(2))),
        lambda: ghost.show(chance.choice(["abc", "x\n  y", "return 1"])),
        ghost.accept,
        area.undo,
        area.redo,
        area.toggle_comment,
        lambda: area.move_lines(chance.choice([-1, 1])),
    ]
    for _ in range(60):
        if chance.random() < 0.5:
            QTest.keyClick(area, chance.choice(KEYS))
        else:
            chance.choice(acts)()
        if chance.random() < 0.3:
            QApplication.processEvents()
        assert area.text() == area.toPlainText()
    ghost.hide()
    qtbot.waitUntil(lambda: colors.settled, timeout=10_000)
    assert shown(area) == expected(area, theme)
    colors.stop()
    background.stop()
    theme.stop()
