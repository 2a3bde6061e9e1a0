"""The About box says what is installed, and never waits for it."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.app.licences import parts
from studio.launch import Application
from studio.ui.about import AboutBox


def about() -> AboutBox | None:
    return next((widget for widget in QApplication.topLevelWidgets() if isinstance(widget, AboutBox)), None)


def test_it_lists_what_is_installed_and_the_models(qtbot: QtBot, running: Application) -> None:
    running.window.open_about()
    box = about()
    assert box is not None
    assert "Reading what is installed" in box.text.toPlainText()
    qtbot.waitUntil(lambda: "Built with" in box.text.toPlainText(), timeout=10000)
    words = box.text.toPlainText()
    assert "Starter image" in words
    assert "Drawings by image" in words
    for part in parts():
        assert f"{part.name} {part.version} {part.licence}" in words
    box.close()


def test_it_may_be_closed_while_it_reads(qtbot: QtBot, running: Application) -> None:
    running.window.open_about()
    box = about()
    assert box is not None
    box.close()
    qtbot.waitUntil(lambda: about() is None)
    running.window.background.stop()
    later: list[bool] = []
    running.window.background.run(lambda: True, later.append)
    qtbot.waitUntil(lambda: bool(later))  # what was read has been reported before
    assert running.window.bar.notice is None
