"""What a room shows where nothing is open: what to do next, as buttons."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from studio.core.command import Command
from studio.ui.measures import keys_words, tip
from studio.ui.theme import Theme


class EmptyPage(QWidget):
    """An icon, a heading, a sentence, and a button per command; the first is the main one."""

    def __init__(self, theme: Theme, icon: str, heading: str, sentence: str, commands: list[Command]) -> None:
        super().__init__()
        self.setProperty("look", "ground")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        picture = QLabel()
        theme.dress(picture, icon, "accent", 40)
        title = QLabel(heading)
        title.setProperty("look", "title")
        words = QLabel(sentence)
        words.setProperty("look", "soft")
        words.setWordWrap(True)
        words.setFixedWidth(theme.pixels(360))
        words.setMinimumHeight(words.heightForWidth(theme.pixels(360)))
        column = QVBoxLayout(self)
        column.setSpacing(theme.space(2))
        column.addStretch(2)
        for label in (picture, title, words):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            column.addWidget(label, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(theme.space(0))
        for place, command in enumerate(commands):
            button = _button(command, main=place == 0)
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
            if place == 0:
                self.setFocusProxy(button)
        column.addStretch(3)


def _button(command: Command, *, main: bool) -> QPushButton:
    keys = keys_words(command.shortcut)
    button = QPushButton(f"{command.title}  ·  {keys}" if keys else command.title)
    button.setProperty("look", "primary" if main else "")
    button.setAccessibleName(command.title)
    button.setToolTip(tip(command.tooltip or command.title, command.shortcut))
    button.setMinimumWidth(220)
    button.clicked.connect(lambda _checked=False: command.run())
    return button
