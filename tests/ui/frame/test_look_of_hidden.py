"""A look chosen while a room is out of sight: the room comes back as one that was built in that look."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from studio.launch import Application
from tests.ui.frame.conftest import Start

ROOMS = ("write", "code", "settings", "canvas")
A_NUMBER = 0.002  # of free memory, in the forecast: not the same twice
LOOKS = 20


@pytest.fixture
def steady(qapp: QApplication) -> None:
    """A cursor that does not blink; what blinks can't be compared."""
    qapp.setCursorFlashTime(0)


def picture(part: QWidget, qtbot: QtBot) -> QImage:
    """What it looks like once counts and colours have come from the background: the same many times in a row."""
    seen = [part.grab().toImage()]

    def still() -> bool:
        seen.append(part.grab().toImage())
        return len(seen) > LOOKS and all(image == seen[-1] for image in seen[-LOOKS:])

    qtbot.waitUntil(still, timeout=10_000)
    return seen[-1]


def pictures(running: Application, qtbot: QtBot) -> dict[str, QImage]:
    """What each room and its panel look like."""
    shown: dict[str, QImage] = {}
    stage = running.window.stage
    for room in ROOMS:
        running.window.open_room(room)
        shown[room] = picture(stage.room(room), qtbot)
        if room in stage._panels:
            shown[f"{room} panel"] = picture(stage._panels[room], qtbot)
    return shown


def furnish(running: Application, qtbot: QtBot, folder: Path) -> None:
    """Every room built and seen once, with a text and a file of code open."""
    window = running.window
    window.build_rooms()
    write, code = window.stage.room("write"), window.stage.room("code")
    write.open("Texts/One.md")  # type: ignore[attr-defined]
    code.open(folder / "Code" / "one.py")  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: write.has_text() and code.has_file())  # type: ignore[attr-defined]
    write.request_panel.direction.set_text("quietly")  # type: ignore[attr-defined]
    pictures(running, qtbot)
    qtbot.waitUntil(lambda: running.theme.settled)


def differing(one: QImage, other: QImage) -> float:
    """The share of pixels that are not the same, looked at on a coarse grid."""
    assert one.size() == other.size()
    spots = [(x, y) for x in range(0, one.width(), 3) for y in range(0, one.height(), 3)]
    return sum(one.pixel(*spot) != other.pixel(*spot) for spot in spots) / len(spots)


@pytest.mark.parametrize(
    ("change", "patient"),
    [
        (("dark", "light"), True),
        (("light", "dark"), True),
        (("dark", "light"), False),
    ],
    ids=["to light", "to dark", "to light and there at once"],
)
@pytest.mark.usefixtures("steady")
def test_a_room_out_of_sight_takes_up_the_whole_look(
    qtbot: QtBot, start: Start, tmp_path: Path, change: tuple[str, str], patient: bool
) -> None:
    folder = tmp_path / "Night forest"
    (folder / "Texts").mkdir(parents=True)
    (folder / "Code").mkdir()
    (folder / "Texts" / "One.md").write_text("# One\n\nIt began with *rain* and a `lamp`.\n")
    (folder / "Code" / "one.py").write_text("def one() -> int:\n    return 1  # the first\n")
    first = start()
    first.settings.change(theme=change[0])
    furnish(first, qtbot, folder)
    first.settings.change(theme=change[1])
    if patient:
        qtbot.waitUntil(lambda: first.theme.settled)
    changed = pictures(first, qtbot)
    anew = start()
    furnish(anew, qtbot, folder)
    fresh = pictures(anew, qtbot)
    shares = {name: differing(changed[name], fresh[name]) for name in changed}
    assert {name: share for name, share in shares.items() if share > A_NUMBER} == {}
