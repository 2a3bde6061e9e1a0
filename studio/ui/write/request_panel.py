"""The Write room's panel: what kind of help, in which direction, by which model, and what it sees."""

from __future__ import annotations

import importlib.util
from typing import Any, cast

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel

from studio.app.studio import Studio
from studio.core.command import Command
from studio.core.requests import TextRequest
from studio.models.entry import ShelfEntry
from studio.ui.editing.window_use import Share
from studio.ui.panel import ChipRow, FactsBox, ModelCard, PromptBox, RequestPanel, ValueSlider
from studio.ui.theme import Theme
from studio.ui.write.asking import TITLES, Task, Wishes

_TOOLTIPS: dict[Task, str] = {
    "continue": "Go on from the cursor",
    "rewrite": "Say the selection, or else the paragraph, in other words",
    "shorten": "Make the selection, or else the paragraph, shorter",
    "expand": "Make the selection, or else the paragraph, longer",
    "ask": "Do what the direction says, with the selection or at the cursor",
}
_LABELS: dict[Task, str] = {**TITLES, "ask": "Ask…"}
_HINTS: dict[Task, str] = {
    "continue": "keep it quiet; end on the logbook",
    "rewrite": "warmer, and in the present tense",
    "shorten": "one sentence",
    "expand": "what does the room smell like?",
    "ask": "What should be written here?",
}
NO_LIBRARY = (
    "The library for text models (llama-cpp-python) is not installed. Start Atelier again to repeat its set-up. "
    "Writing by hand works all the same."
)
NO_MODEL = "No text model is on this computer. Add a folder with GGUF models. Writing by hand works all the same."


class WritePanel(RequestPanel):
    """`edited` tells of each change of the request."""

    edited = Signal()

    def __init__(self, theme: Theme, studio: Studio) -> None:
        super().__init__(theme, "Writing request")
        self._studio = studio
        self._note = ""
        self._able = False
        self.tasks = ChipRow("Assist", exclusive=True)
        for task, label in _LABELS.items():
            self.tasks.add(task, label, _TOOLTIPS[task])
        self.add_section("Assist", self.tasks)
        self.direction = PromptBox(theme, lines=2)
        self._direction = self.add_section("Direction, if any", self.direction)
        self.model = ModelCard(theme, lambda: studio.shelf.for_task("text"))
        self.add(self.model)
        self.facts = FactsBox(theme)
        self._seen = self.add_section("What the model sees", self.facts)
        self._seen.hide()
        self.variety = ValueSlider("Variety", 0.0, 1.5, 0.8, tooltip="0 takes the likeliest word each time")
        self.length = ValueSlider("Length, in words", 20, 600, 120, step=10, tooltip="About how much is written")
        self.add(self.variety)
        self.add(self.length)
        self.authors = QLabel()
        self.authors.setProperty("look", "soft")
        self.authors.setWordWrap(True)
        self._generated: float | None = None
        theme.changed.connect(lambda: self.show_authors(self._generated))
        self._written = self.add_section("Who wrote it", self.authors)
        self._written.hide()
        self.tasks.chosen.connect(self._task_changed)
        self.tasks.clicked.connect(self._task_clicked)
        self.direction.edited.connect(self.edited)
        self.model.changed.connect(self._model_changed)
        self.variety.value_changed.connect(self.edited)
        self.length.value_changed.connect(self.edited)
        self.tasks.choose("continue")
        self._model_changed(self.model.entry())

    def task(self) -> Task:
        """What kind of help."""
        return cast(Task, self.tasks.choice() or "continue")

    def wishes(self, seed: int) -> Wishes | None:
        """What the panel says; None without a model."""
        entry = self.model.entry()
        if entry is None:
            return None
        return Wishes(
            entry.ref,
            seed,
            self.direction.text(),
            self.variety.value(),
            int(self.length.value()),
            entry.context_length,
        )

    def show_command(self, generate: Command, stop: Command, *, running: bool, obstacle: str = "") -> None:
        """The button starts what is chosen, or stops what runs; `obstacle` says why it can't start."""
        if running:
            self.bind(stop)
        else:
            self.bind(generate, TITLES[self.task()], obstacle)

    def show_seen(self, rows: list[tuple[str, str]], share: Share | None = None) -> None:
        """What the next request would show the model, or what the running one does."""
        self._note = share.words if share is not None else ""
        self._seen.setVisible(bool(rows))
        self.facts.set_rows([*rows, ("In all", self._note)] if self._note else rows)

    def show_forecast(self, request: TextRequest) -> None:
        """What the request at hand takes on this computer; where nothing can be written, that stays to be read."""
        if self._able:
            self.forecast.set_forecast(self._studio.forecast(request))

    def seen_note(self) -> str:
        """What is said of the model's window."""
        return self._note

    def show_authors(self, generated: float | None) -> None:
        """The share of generated text, 0 to 1; None where there is no text."""
        self._generated = generated
        self._written.setVisible(generated is not None)
        if generated is None:
            return
        strong = self.theme.css("text")
        self.authors.setText(
            f"Written by you <b style='color:{strong}'>{1 - generated:.0%}</b> · "
            f"generated <b style='color:{strong}'>{generated:.0%}</b>"
        )
        self.authors.setAccessibleName(f"Written by you {1 - generated:.0%}, generated {generated:.0%}")

    def state(self) -> dict[str, Any]:
        """The panel's values as plain JSON."""
        entry = self.model.entry()
        return {
            "task": self.task(),
            "direction": self.direction.text(),
            "model": str(entry.ref) if entry else "",
            "variety": self.variety.value(),
            "length": self.length.value(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up earlier values; what does not fit is ignored."""
        self.tasks.choose(str(state.get("task", "")))
        self.direction.set_text(str(state.get("direction", "")))
        self.model.choose(str(state.get("model", "")))
        for slider, name in ((self.variety, "variety"), (self.length, "length")):
            value = state.get(name)
            if isinstance(value, int | float):
                slider.set_value(float(value))

    def _task_changed(self) -> None:
        task = self.task()
        self._direction.set_title("Direction" if task == "ask" else "Direction, if any")
        self.direction.setPlaceholderText(_HINTS[task])
        self.length.setEnabled(task in ("continue", "ask"))
        self.edited.emit()

    def _task_clicked(self, task: str) -> None:
        """To ask for something is to say what: the cursor goes where that is said."""
        if task == "ask":
            self.direction.setFocus(Qt.FocusReason.OtherFocusReason)

    def _model_changed(self, entry: ShelfEntry | None) -> None:
        able = importlib.util.find_spec("llama_cpp") is not None
        self._able = able and entry is not None
        if not able:
            self.forecast.set_sentence(NO_LIBRARY, "warn")
        elif entry is None:
            self.forecast.set_sentence(NO_MODEL, "warn")
        self.edited.emit()
