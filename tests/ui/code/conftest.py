"""A Code room on a stage of its own, with a real session, queue and worker behind it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.documents.recovery import Recovery
from studio.ui.code.editor import SourceArea
from studio.ui.code.room import CodeRoom
from studio.ui.code.sheet import Sheet
from tests.ui.text_stage import Surroundings, show, surroundings

LONG = 20_000


@dataclasses.dataclass
class Stage:
    """The room on its stage."""

    room: CodeRoom
    around: Surroundings
    qtbot: QtBot

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return self.around.folder / "Work" / "Code"

    @property
    def sheet(self) -> Sheet:
        """The file in front."""
        sheet = self.room.sheet()
        assert sheet is not None
        return sheet

    @property
    def area(self) -> SourceArea:
        """Its editor."""
        return self.sheet.area

    def open(self, name: str, text: str | None = None) -> SourceArea:
        """Open a file, made with `text` if that is given, and wait for it."""
        path = self.folder / name
        if text is not None:
            path.write_text(text)
        self.room.open(path)
        self.qtbot.waitUntil(lambda: self.room.sheet() is not None and self.sheet.path == path)
        self.area.setFocus()
        return self.area

    def ghost(self, text: str) -> None:
        """Wait for this suggestion."""
        self.qtbot.waitUntil(lambda: self.sheet.suggestions.ghost.text == text, timeout=LONG)

    def kept(self) -> str:
        """What lies in the recovery folder."""
        folder = self.around.folder / "Work" / ".atelier" / "recovery" / "code"
        kept = Recovery(folder)
        found = [kept.get(path) for path in kept.paths()]
        return "".join(each.text for each in found if each is not None)


@pytest.fixture
def stage(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[Stage]:
    (tmp_path / "Work" / "Code" / "lib").mkdir(parents=True)
    with surroundings(qapp, tmp_path) as around:
        room = CodeRoom(around.context)
        show(room, qtbot)
        yield Stage(room, around, qtbot)
        room.flush()
