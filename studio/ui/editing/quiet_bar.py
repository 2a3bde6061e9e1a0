"""A thin bar above a document: one sentence and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton

from studio.ui.theme import Theme

Answer = tuple[str, Callable[[], None]]


class QuietBar(QFrame):
    """Hidden until it has something to say. `say` replaces what it said before."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._label = QLabel()
        self._label.setWordWrap(True)
        self._label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._buttons: list[QPushButton] = []
        self._close = QToolButton()
        self._close.setToolTip("Close this message")
        self._close.setAccessibleName("Close this message")
        self._close.clicked.connect(self.hide)
        theme.dress(self._close, "close", "text_soft", 14)
        self._line = QHBoxLayout(self)
        self._line.setContentsMargins(theme.space(3), 5, theme.space(1), 5)
        self._line.setSpacing(theme.space(1))
        self._line.addWidget(self._label, 1)
        self._line.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        theme.changed.connect(self._dress)
        self._dress()
        self.hide()

    def say(self, sentence: str, answers: list[Answer], *, closable: bool = True) -> None:
        """Show a sentence with its answers as buttons; an answer closes the bar."""
        for button in self._buttons:
            self._line.removeWidget(button)
            button.deleteLater()
        self._buttons = [self._button(title, run) for title, run in answers]
        for place, button in enumerate(self._buttons):
            self._line.insertWidget(1 + place, button, 0, Qt.AlignmentFlag.AlignTop)
        self._label.setText(sentence)
        self.setAccessibleName(sentence)
        self._close.setVisible(closable)
        self.show()

    def sentence(self) -> str:
        """What it says; empty when hidden."""
        return self._label.text() if not self.isHidden() else ""

    def answer(self, title: str) -> None:
        """Press the button with this title. Raises `StopIteration` where there is none."""
        next(button for button in self._buttons if button.text() == title).click()

    def _button(self, title: str, run: Callable[[], None]) -> QPushButton:
        button = QPushButton(title)
        button.setProperty("look", "chip")
        button.setAccessibleName(title)
        button.setToolTip(title)

        def pressed() -> None:
            self.hide()
            run()

        button.clicked.connect(pressed)
        return button

    def _dress(self) -> None:
        soft, line = self._theme.css("warn_soft"), self._theme.css("line")
        self.setStyleSheet(f"QuietBar {{ background: {soft}; border: none; border-bottom: 1px solid {line}; }}")
