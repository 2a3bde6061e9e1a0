"""Another text size or theme dresses a long text without holding the window up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QTextBlock, QTextFormat
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.app.settings import Settings
from studio.ui.theme import Theme
from studio.ui.write.editor import Page

LONG = "\n\n".join(f"# Chapter {number}\n\nIt was *late*, and the `sea` was calm." for number in range(3000))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Nothing set by anyone."""
    return Settings.load(tmp_path / "settings.json")


@pytest.fixture
def page(qtbot: QtBot, qapp: QApplication, settings: Settings) -> Iterator[Page]:
    """A page with a long text, dressed."""
    theme = Theme(settings, qapp)
    page = Page(theme)
    qtbot.addWidget(page)
    page.resize(600, 400)
    page.setPlainText(LONG)
    page.show()
    qtbot.waitUntil(lambda: page.highlighter.settled and _size(_last_heading(page)) == _size(page.document().begin()))
    yield page
    theme.stop()


def test_what_is_in_sight_changes_at_once_and_the_rest_follows(page: Page, settings: Settings, qtbot: QtBot) -> None:
    before = _size(page.document().begin())
    settings.change(text_scale=1.3)
    assert _size(page.document().begin()) > before
    assert _size(_last_heading(page)) == before
    qtbot.waitUntil(lambda: page.highlighter.settled)
    assert _size(_last_heading(page)) == _size(page.document().begin()) > before


def test_the_place_where_it_stood_may_be_deleted_meanwhile(page: Page, settings: Settings, qtbot: QtBot) -> None:
    settings.change(text_scale=1.3)
    QApplication.processEvents()
    end = _last_heading(page)
    page.replace(page.document().begin().length(), end.position(), "")
    qtbot.waitUntil(lambda: page.highlighter.settled)
    assert _size(_last_heading(page)) == _size(page.document().begin())


def _last_heading(page: Page) -> QTextBlock:
    block = page.document().lastBlock()
    while block.isValid() and not block.text().startswith("#"):
        block = block.previous()
    return block


def _size(block: QTextBlock) -> int:
    ranges = block.layout().formats()
    return int(ranges[-1].format.property(QTextFormat.Property.FontPixelSize)) if ranges else 0
