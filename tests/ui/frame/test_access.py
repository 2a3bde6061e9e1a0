"""Everyone can use it: names, tooltips, keyboard, contrast, small windows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QSlider,
    QWidget,
)
from pytestqt.qtbot import QtBot

from studio.launch import Application
from studio.ui.theme import tokens

CONTROLS = (QAbstractButton, QLineEdit, QComboBox, QAbstractSpinBox, QSlider, QPlainTextEdit)
TEXTS = ("text", "text_soft", "accent_text", "good", "warn", "bad")
GROUNDS = ("ground", "surface", "raised")
SYNTAX = ("keyword", "string", "number", "comment", "function", "type", "variable", "operator")


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = (QColor(color).redF(), QColor(color).greenF(), QColor(color).blueF())
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21, as WCAG 2.2 defines it."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("look", ["light", "dark"])
def test_words_are_readable_on_every_ground(look: str) -> None:
    colors = tokens()[look]
    pairs = [(text, ground) for text in TEXTS for ground in GROUNDS]
    pairs += [(f"syntax_{name}", ground) for name in SYNTAX for ground in GROUNDS]
    pairs += [("on_accent", fill) for fill in ("accent_fill", "accent_fill_hover", "accent_fill_pressed")]
    pairs += [("text", f"{state}_soft") for state in ("good", "warn", "bad", "accent")]
    pairs += [("text", "selection"), ("text", "hover"), ("text_soft", "hover"), ("accent_text", "accent_soft")]
    pairs += [("ghost", "ground"), ("text_soft", "backdrop"), ("accent_text", "bad_soft"), ("accent_text", "hover")]
    weak = {pair: round(contrast(colors[pair[0]], colors[pair[1]]), 2) for pair in pairs}
    assert not {pair: ratio for pair, ratio in weak.items() if ratio < 4.5}


def test_both_looks_have_the_same_tokens() -> None:
    assert set(tokens()["light"]) == set(tokens()["dark"])


def controls(top: QWidget) -> Iterator[QWidget]:
    """What can be operated and is to be seen."""
    for widget in top.findChildren(QWidget):
        inner = isinstance(widget.parent(), QAbstractSpinBox | QComboBox)
        if isinstance(widget, CONTROLS) and widget.isVisibleTo(top) and not inner:
            if widget.objectName() in {"qt_toolbar_ext_button", "ScrollLeftButton", "ScrollRightButton"}:
                continue
            yield widget


@pytest.mark.parametrize("room", ["canvas", "write", "code", "settings", ""])
def test_every_control_has_a_name_and_a_tooltip(qtbot: QtBot, running: Application, room: str) -> None:
    window = running.window
    if room and room not in window.stage._entries:
        pytest.skip("this room is not there yet")
    if room:
        window.open_room(room)
    else:
        window.open_greeting()
        window.open_queue()
        running.notices.post("hello", detail="more")
    nameless = [
        f"{type(widget).__name__} in {type(widget.parent()).__name__} {widget.accessibleName()!r} {widget.toolTip()!r}"
        for widget in controls(window)
        if not widget.accessibleName() or not widget.toolTip()
    ]
    assert not nameless


def test_tab_reaches_the_frame_and_the_panel(qtbot: QtBot, running: Application) -> None:
    window = running.window
    window.top.menu_button.setFocus()
    seen = set()
    for _ in range(60):
        focused = QApplication.focusWidget()
        assert focused is not None
        if focused in seen:
            break
        seen.add(focused)
        qtbot.keyClick(focused, Qt.Key.Key_Tab)
    names = {widget.accessibleName() for widget in seen}
    assert {"Menu", "Search or do anything", "Canvas", "Prompt"} <= names
    assert any(name.startswith("Queue") for name in names)


def test_the_rail_answers_to_arrow_keys(qtbot: QtBot, running: Application) -> None:
    rail = running.window.rail
    rail.button("canvas").setFocus()
    qtbot.keyClick(rail.button("canvas"), Qt.Key.Key_Up)
    assert rail.button("settings").hasFocus()
    qtbot.keyClick(rail.button("settings"), Qt.Key.Key_Space)
    assert running.window.stage.current == "settings"


def clipped(top: QWidget) -> list[str]:
    """Words and buttons that have less room than they need, or lie beside their parent."""
    found = []
    for widget in top.findChildren(QWidget):
        if not widget.isVisibleTo(top) or not isinstance(widget, QLabel | QAbstractButton) or not widget.text():
            continue
        parent = widget.parentWidget()
        least = widget.minimumSizeHint()
        inside = parent is None or QRect(QPoint(0, 0), parent.size()).contains(widget.geometry())
        if widget.width() < least.width() or widget.height() < least.height() - 1 or not inside:
            found.append(f"{type(widget).__name__} {widget.text()!r} {widget.geometry()} needs {least}")
    return found


@pytest.mark.parametrize("size", [(960, 600), (1440, 900), (2560, 1440)])
def test_nothing_in_the_frame_is_clipped(qtbot: QtBot, running: Application, size: tuple[int, int]) -> None:
    running.shell.resize(*size)
    window = running.window
    window.open_greeting()
    running.notices.post("Something quite long happened that needs many words to be said in full.", detail="x")
    qtbot.waitUntil(lambda: window.width() == size[0])
    QApplication.processEvents()
    for part in (window.top, window.rail, window.strip, window.bar):
        assert not clipped(part)
        assert window.rect().contains(QRect(part.mapTo(window, QPoint(0, 0)), part.size()))
    tops = [widget.mapTo(window, QPoint(0, 0)).y() for widget in (window.top, window.rail, window.strip)]
    assert all(above < below for above, below in pairwise(tops))
