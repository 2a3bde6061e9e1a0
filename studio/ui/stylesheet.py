"""The window's style sheet, made from the tokens.

Widgets say what they are through the dynamic property `look`; nothing here names a single widget of a
room. Rooms may add rules of their own with `Theme.css`, though few should need to.
"""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any


class _Sheet(string.Template):
    delimiter = "@"


_BASE = _Sheet("""
QToolTip { background: @raised; color: @text; border: 1px solid @line_strong; padding: 4px 8px; }
QWidget[look="ground"] { background: @ground; }
QWidget[look="backdrop"] { background: @backdrop; }
QWidget[look="surface"] { background: @surface; }
QFrame[look="card"] { background: @raised; border: 1px solid @line; border-radius: 6px; }
QFrame[look="outline"] { background: transparent; border: 1px solid @line; border-radius: 6px; }
QFrame[look="float"] { background: @surface; border: 1px solid @line_strong; border-radius: 10px; }
QFrame[look="line"] { background: @line; border: none; }
QLabel { background: transparent; }
QLabel[look="soft"] { color: @text_soft; font-size: @{small}px; }
QLabel[look="caption"] { color: @text_soft; font-size: @{small}px; }
QLabel[look="strong"] { font-weight: 600; }
QLabel[look="large"] { font-size: @{large}px; font-weight: 600; }
QLabel[look="title"] { font-size: @{title}px; font-weight: 600; }
QLabel[look="good"] { color: @good; }
QLabel[look="warn"] { color: @warn; }
QLabel[look="bad"] { color: @bad; }
QLabel[look="accent"] { color: @accent_text; font-weight: 600; }
""")

_BUTTONS = _Sheet("""
QPushButton { background: @raised; color: @text; border: 1px solid @line_strong; border-radius: 6px;
  padding: 5px 12px; min-height: @{control}px; }
QPushButton:hover { background: @hover; }
QPushButton:pressed { background: @pressed; }
QPushButton:disabled { color: @text_faint; border-color: @line; }
QPushButton:focus { border: 1px solid @accent; }
QPushButton[look="primary"] { background: @accent_fill; color: @on_accent; border: 2px solid @accent_fill;
  font-weight: 600; padding: 7px 12px; }
QPushButton[look="primary"]:hover { background: @accent_fill_hover; border-color: @accent_fill_hover; }
QPushButton[look="primary"]:pressed { background: @accent_fill_pressed; border-color: @accent_fill_pressed; }
QPushButton[look="primary"]:focus { border: 2px solid @text; }
QPushButton[look="primary"]:disabled { background: @hover; color: @text_faint; border-color: @line; }
QPushButton[look="link"] { background: transparent; color: @accent_text; border: none;
  font-size: @{small}px; padding: 1px 0px; min-height: 0px; border-radius: 3px; }
QPushButton[look="link"]:hover { text-decoration: underline; }
QPushButton[look="link"]:focus { background: @accent_soft; text-decoration: underline; }
QPushButton[look="link"]:disabled { color: @text_faint; }
QPushButton[look="chip"] { background: @surface; border: 1px solid @line_strong; border-radius: @{chip}px;
  padding: 2px 9px; font-size: @{small}px; min-height: @{chip_inner}px; }
QPushButton[look="chip"]:hover { background: @hover; }
QPushButton[look="chip"]:focus { border: 1px solid @accent; background: @hover; }
QPushButton[look="chip"]:checked { border: 1px solid @accent; color: @accent_text; background: @accent_soft; }
QPushButton[look="chip"]:checked:focus { background: @hover; }
QPushButton[look="search"] { background: @ground; color: @text_soft; border: 1px solid @line; text-align: left;
  padding: 3px 10px; }
QPushButton[look="search"]:hover { border-color: @line_strong; background: @hover; }
QPushButton[look="search"]:focus { border: 1px solid @accent; }
QPushButton[look="tile"] { background: @raised; border: 1px solid @line; border-radius: 10px; text-align: left; }
QPushButton[look="tile"]:hover { border-color: @accent; background: @raised; }
QPushButton[look="tile"]:pressed { background: @hover; }
QPushButton[look="tile"]:focus { border: 2px solid @accent; }
QToolButton { background: transparent; color: @text_soft; border: 1px solid transparent; border-radius: 6px;
  padding: 4px; }
QToolButton:hover { background: @hover; color: @text; }
QToolButton:pressed { background: @pressed; }
QToolButton:checked { background: @raised; color: @text; }
QToolButton:focus { border: 1px solid @accent; }
QToolButton:disabled { color: @text_faint; }
QToolButton::menu-indicator { image: none; }
QToolButton[look="rail"] { font-size: @{tiny}px; padding: 6px 0px 5px 0px; border-radius: 8px; }
QToolButton[look="strip"] { font-size: @{small}px; padding: 2px 6px; }
QCheckBox { spacing: 8px; background: transparent; border: 1px solid transparent; border-radius: 4px; padding: 2px; }
QCheckBox:focus { border: 1px solid @accent; }
QCheckBox::indicator { width: 15px; height: 15px; border: 1px solid @line_strong; border-radius: 4px;
  background: @raised; }
QCheckBox::indicator:hover { border-color: @text_soft; }
QCheckBox::indicator:checked { background: @accent_fill; border-color: @accent_fill; image: url("@check"); }
""")

_FIELDS = _Sheet("""
QLineEdit, QPlainTextEdit[look="field"], QSpinBox, QDoubleSpinBox, QComboBox { background: @raised; color: @text;
  border: 1px solid @line; border-radius: 6px; padding: 4px 9px; selection-background-color: @selection;
  selection-color: @text; }
QLineEdit, QComboBox { min-height: @{field}px; }
QSpinBox, QDoubleSpinBox { min-height: @{field}px; max-height: @{field}px; }
QLineEdit:hover, QSpinBox:hover, QDoubleSpinBox:hover, QComboBox:hover,
QPlainTextEdit[look="field"]:hover { border-color: @line_strong; }
QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus,
QPlainTextEdit[look="field"]:focus { border: 1px solid @accent; }
QLineEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled, QComboBox:disabled { color: @text_faint; }
QLineEdit[look="bare"] { background: transparent; border: none; font-size: @{large}px; }
QAbstractSpinBox QLineEdit { background: transparent; border: none; padding: 0px; min-height: 0px; }
QFrame[look="card"] QLineEdit, QFrame[look="card"] QComboBox, QFrame[look="card"] QAbstractSpinBox,
QFrame[look="card"] QPushButton { background: @surface; border-color: @line_strong; }
QFrame[look="card"] QComboBox:focus, QFrame[look="card"] QAbstractSpinBox:focus,
QFrame[look="card"] QPushButton:focus { border-color: @accent; }
QFrame[look="card"] QAbstractSpinBox QLineEdit { background: transparent; border: none; }
QSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::up-button,
QDoubleSpinBox::down-button { width: 0px; border: none; }
QComboBox::drop-down { border: none; width: 20px; }
QComboBox QAbstractItemView { background: @raised; color: @text; border: 1px solid @line_strong; outline: none;
  selection-background-color: @hover; selection-color: @text; padding: 4px; }
QAbstractItemView[look="list"] { background: transparent; border: none; outline: none; }
QAbstractItemView[look="list"]::item { border-radius: 6px; padding: 4px 8px; }
QAbstractItemView[look="list"]::item:hover { background: @hover; }
QAbstractItemView[look="list"]::item:selected { background: @raised; color: @text; }
QMenu { background: @surface; color: @text; border: 1px solid @line_strong; padding: 5px; }
QMenu::item { padding: 6px 24px 6px 12px; border-radius: 5px; }
QMenu::item:selected { background: @hover; }
QMenu::item:disabled { color: @text_faint; }
QMenu::separator { height: 1px; background: @line; margin: 5px 8px; }
QMenu::icon { padding-left: 8px; }
""")

_REST = _Sheet("""
QSlider { min-height: 20px; background: transparent; }
QSlider::groove:horizontal { height: 4px; border-radius: 2px; background: @line; }
QSlider::sub-page:horizontal { height: 4px; border-radius: 2px; background: @accent; }
QSlider::handle:horizontal { width: 14px; height: 14px; margin: -5px 0; border-radius: 7px; background: @knob; }
QSlider::handle:horizontal:hover { background: @accent; }
QSlider:focus { border: none; }
QSlider::handle:horizontal:focus { background: @accent; border: 2px solid @knob; width: 12px; height: 12px;
  margin: -6px 0; border-radius: 8px; }
QSlider::sub-page:horizontal:disabled { background: @line_strong; }
QProgressBar { background: @line; border: none; border-radius: 2px; max-height: 4px; min-height: 4px; }
QProgressBar::chunk { background: @accent; border-radius: 2px; }
QTextBrowser[look="page"] { background: @raised; border: 1px solid @line; border-radius: 6px; }
QScrollArea { background: transparent; border: none; }
QScrollArea > QWidget > QWidget[look="clear"] { background: transparent; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: @line_strong; border-radius: 3px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 28px; }
QScrollBar::handle:horizontal { min-width: 28px; }
QScrollBar::handle:hover { background: @text_faint; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QAbstractScrollArea::corner { background: transparent; }
QSplitter::handle { background: @line; }
QSplitter::handle:hover, QSplitter::handle:pressed { background: @accent; }
""")


def stylesheet(tokens: dict[str, Any], look: str, scale: float, folder: Path) -> str:
    """The style sheet for `look` (`light` or `dark`) with all words `scale` times their size.

    `folder` holds the pictures that a style sheet can only name by file.
    """
    sizes = {name: round(size * scale) for name, size in tokens["text"].items()}
    measures = {
        **sizes,
        "tiny": round(sizes["small"] - 1 * scale),
        "control": round(20 * scale),
        "field": round(22 * scale),
        "chip_inner": round(17 * scale),
        "chip": int((round(17 * scale) + 6) / 2),
    }
    words = {**tokens[look], **{name: str(value) for name, value in measures.items()}}
    words["check"] = (folder / f"check-{look}.svg").as_posix()
    return "".join(part.substitute(words) for part in (_BASE, _BUTTONS, _FIELDS, _REST))
