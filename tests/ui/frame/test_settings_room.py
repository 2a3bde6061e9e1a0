"""The settings room: each control takes effect at once and is on disk a moment later."""

from __future__ import annotations

import json
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication, QDoubleSpinBox
from pytestqt.qtbot import QtBot

from studio.app.settings import options
from studio.launch import Application
from studio.ui.panel.fields import Choice
from studio.ui.settings.controls import FolderList, Switch
from studio.ui.settings.room import SettingsRoom


def settings_room(running: Application) -> SettingsRoom:
    """The room, in front."""
    running.window.open_room("settings")
    room = running.window.stage.room("settings")
    assert isinstance(room, SettingsRoom)
    return room


def test_there_is_a_control_for_every_option(running: Application) -> None:
    room = settings_room(running)
    assert set(room.controls) == {option.name for option in options()}


def test_the_theme_changes_at_once_and_is_kept(qtbot: QtBot, running: Application, state: Path) -> None:
    room = settings_room(running)
    choice = room.controls["theme"].control
    assert isinstance(choice, Choice)
    before = QApplication.palette().color(QPalette.ColorRole.Window)
    choice.setFocus()
    qtbot.keyClick(choice, Qt.Key.Key_Up)
    assert running.settings.values.theme == "light"
    assert running.theme.look == "light"
    assert QApplication.palette().color(QPalette.ColorRole.Window) != before
    qtbot.waitUntil(lambda: json.loads((state / "settings.json").read_text())["theme"] == "light")


def test_text_size_scales_the_window(running: Application) -> None:
    room = settings_room(running)
    before = QApplication.font().pixelSize()
    spin = room.controls["text_scale"].control
    assert isinstance(spin, QDoubleSpinBox)
    spin.setValue(1.5)
    assert QApplication.font().pixelSize() == round(before * 1.5)
    assert running.window.top.height() == round(44 * 1.5)
    running.window.commands.run("app.text.smaller")
    assert running.settings.values.text_scale == 1.4
    assert spin.value() == 1.4


def test_idle_time_and_budget_reach_the_dispatcher(running: Application) -> None:
    room = settings_room(running)
    spin = room.controls["idle_minutes"].control
    assert isinstance(spin, QDoubleSpinBox)
    spin.setValue(2.5)
    assert running.studio is not None
    assert running.studio.dispatcher._limits.idle_unload_seconds == 150


def test_folders_are_added_and_taken_off(qtbot: QtBot, running: Application, starter: Path) -> None:
    room = settings_room(running)
    folders = room.controls["model_folders"].control
    assert isinstance(folders, FolderList)
    folders.add_folder(str(starter))
    assert list(running.settings.values.model_folders) == [str(starter)]
    assert running.studio is not None
    assert str(running.studio.shelf._folders[0]) == str(starter)
    from PySide6.QtWidgets import QToolButton

    remove = folders.findChild(QToolButton)
    assert remove is not None
    qtbot.mouseClick(remove, Qt.MouseButton.LeftButton)
    assert not running.settings.values.model_folders


def test_a_switch_answers_to_the_keyboard_and_reset_puts_it_back(qtbot: QtBot, running: Application) -> None:
    room = settings_room(running)
    switch = room.controls["warm_start"].control
    assert isinstance(switch, Switch)
    assert not switch.isChecked()
    switch.setFocus()
    qtbot.keyClick(switch, Qt.Key.Key_Space)
    assert running.settings.values.warm_start
    running.settings.change(threads=4, warm_start=False)
    assert not switch.isChecked()
    running.window.commands.run("settings.reset")
    assert switch.isChecked()
    assert running.settings.values.threads == 0
