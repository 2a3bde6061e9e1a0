"""The menu under the right button."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QAction, QContextMenuEvent
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from tests.ui.canvas.conftest import Stage, make

# What the platform without a screen says of every menu that is shown.
pytestmark = pytest.mark.qt_log_ignore(r"does not support (raise|grabbing)", extend=True)


def menu_at(stage: Stage, spot: QPoint, reason: QContextMenuEvent.Reason) -> QMenu:
    view = stage.room.view
    before = set(view.findChildren(QMenu))
    QApplication.sendEvent(view, QContextMenuEvent(reason, spot, view.mapToGlobal(spot)))
    (menu,) = set(view.findChildren(QMenu)) - before
    return menu


def words(menu: QMenu) -> list[str]:
    return [action.text().partition("\t")[0] for action in menu.actions() if not action.isSeparator()]


def action_of(menu: QMenu, title: str) -> QAction:
    return next(action for action in menu.actions() if action.text().partition("\t")[0] == title)


def test_a_picture_has_a_menu_of_what_can_be_done_with_it(stage: Stage, qtbot: QtBot) -> None:
    room, view = stage.room, stage.room.view
    make(stage, qtbot)
    make(stage, qtbot)
    first = room.document.placements()[0]
    middle = view.camera.to_widget(first.rect).center().toPoint()
    menu = menu_at(stage, middle, QContextMenuEvent.Reason.Mouse)
    assert room.scene.selected == first.id
    assert words(menu) == [
        "Start from this picture", "Use this picture's settings again", "Upscale ×4", "Copy the picture",
        "Save the picture…", "Bring to the front", "Put the frame around the selection", "Remove from the canvas",
    ]  # fmt: skip
    action_of(menu, "Start from this picture").trigger()
    assert room.scene.input == first.asset.id
    assert room.request_panel.source.choice() == "picture"
    menu.close()
    menu = menu_at(stage, QPoint(), QContextMenuEvent.Reason.Keyboard)
    action_of(menu, "Remove from the canvas").trigger()
    assert len(room.document.placements()) == 1
    assert room.document.find(first.id) is None
    menu.close()


def test_the_ground_has_a_menu_too(stage: Stage, qtbot: QtBot) -> None:
    room = stage.room
    make(stage, qtbot)
    room.view.select(room.document.placements()[0].id)
    menu = menu_at(stage, QPoint(2, 2), QContextMenuEvent.Reason.Mouse)
    assert room.scene.selected is None
    assert "Paste a picture" in words(menu)
    assert "Remove from the canvas" not in words(menu)
    menu.close()
