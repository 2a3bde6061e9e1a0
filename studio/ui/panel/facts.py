"""Boxes that say something and ask nothing: the forecast, and lines of facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout, QWidget

from studio.ui.measures import duration_words, size_words
from studio.ui.theme import Theme

if TYPE_CHECKING:
    from studio.models.forecast import Forecast


class ForecastBox(QFrame):
    """Will it fit, and how long will it take: known before the run."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setProperty("look", "outline")
        self.setAccessibleName("Forecast")
        self.setToolTip("What a run needs, from what this computer has and from earlier runs")
        self._label = QLabel()
        self._label.setProperty("look", "soft")
        self._label.setWordWrap(True)
        self._label.setTextFormat(Qt.TextFormat.RichText)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 8, 10, 8)
        column.addWidget(self._label)
        self._render: Callable[[], str] = str
        theme.changed.connect(self._refresh)
        self.setVisible(False)

    def set_forecast(self, forecast: Forecast | None, each: str = "") -> None:
        """Show a forecast; None hides the box. `each` is a word after the duration (`each`)."""
        if forecast is None:
            self.setVisible(False)
            return
        known = forecast

        def render() -> str:
            strong = self._theme.css("text")
            state, color, sign = ("Fits", "good", "✓") if known.fits else ("Too big for now", "warn", "!")
            verdict = f"<span style='color:{self._theme.css(color)}'>{sign} {state}</span>"
            need = f"<b style='color:{strong}'>{size_words(known.memory)}</b>"
            lines = [f"{verdict} · needs {need} of {size_words(known.available)} free"]
            if known.seconds is not None:
                words = f"{duration_words(known.seconds)} {each}".strip()
                lines.append(f"About <b style='color:{strong}'>{words}</b> on this computer")
            elif known.fits:
                lines.append("How long is known after the first run")
            return "<br>".join(lines)

        self._show(render)

    def set_sentence(self, sentence: str, state: str = "") -> None:
        """Show plain words instead; `state` colours them: `good`, `warn` or `bad`. Empty words hide the box."""
        if not sentence:
            self.setVisible(False)
            return

        def render() -> str:
            text = escape(sentence)
            return f"<span style='color:{self._theme.css(state)}'>{text}</span>" if state else text

        self._show(render)

    def text(self) -> str:
        """What the box says, without its colours."""
        return self._label.accessibleName()

    def _show(self, render: Callable[[], str]) -> None:
        self._render = render
        self._refresh()
        self.setVisible(True)

    def _refresh(self) -> None:
        from PySide6.QtGui import QTextDocumentFragment

        rich = self._render()
        self._label.setText(rich)
        self._label.setAccessibleName(QTextDocumentFragment.fromHtml(rich).toPlainText() if rich else "")


class FactsBox(QFrame):
    """Lines of a name and a value (`Chapter 2, all of it` … `1,540`)."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setProperty("look", "outline")
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(10, 8, 10, 8)
        self._grid.setVerticalSpacing(4)
        self._grid.setHorizontalSpacing(theme.space(1))
        self._grid.setColumnStretch(0, 1)
        self._labels: list[QLabel] = []
        self.setVisible(False)

    def set_rows(self, rows: Iterable[tuple[str, str]]) -> None:
        """Show these names and values."""
        flat = [text for row in rows for text in row]
        self.setVisible(bool(flat))
        if len(flat) != len(self._labels):
            self._rebuild(len(flat))
        for label, text in zip(self._labels, flat, strict=True):
            label.setText(text)
        self.setAccessibleDescription("; ".join(": ".join(flat[at : at + 2]) for at in range(0, len(flat), 2)))

    def _rebuild(self, count: int) -> None:
        for label in self._labels:
            self._grid.removeWidget(label)
            label.hide()
            label.deleteLater()
        self._labels = []
        for index in range(count):
            label = QLabel()
            value = index % 2 == 1
            label.setProperty("look", "soft")
            label.setWordWrap(not value)
            if value:
                label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(label, index // 2, index % 2)
            self._labels.append(label)


def separator() -> QWidget:
    """A thin line across."""
    line = QFrame()
    line.setProperty("look", "line")
    line.setFixedHeight(1)
    return line
