"""The Code room's panel: what should be written at the cursor, by which model, and what it sees."""

from __future__ import annotations

import importlib.util
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox

from studio.app.studio import Studio
from studio.core.command import Command
from studio.core.events import ContextUse
from studio.core.references import ModelRef
from studio.core.requests import CodeRequest
from studio.models.entry import ShelfEntry
from studio.ui.code.asking import Wishes
from studio.ui.editing.window_use import Share
from studio.ui.panel import FactsBox, ModelCard, PromptBox, RequestPanel, ValueSlider
from studio.ui.theme import Theme

NO_LIBRARY = (
    "The library for text models (llama-cpp-python) is not installed. Start Atelier again to repeat its set-up. "
    "Editing works all the same."
)
NO_MODEL = "No model for code is on this computer. Add a folder with GGUF models. Editing works all the same."
_TOKENS_PER_LINE = 24  # long lines; most are half as long, and the count of lines ends them


class CodePanel(RequestPanel):
    """`edited` tells of each change of the request."""

    edited = Signal()

    def __init__(self, theme: Theme, studio: Studio) -> None:
        super().__init__(theme, "Code request")
        self._studio = studio
        self._able = False
        self.instruction = PromptBox(theme, "a function that reads a CSV file into a list of dicts", lines=4)
        self.add_section("What should be written here", self.instruction)
        self.model = ModelCard(theme, lambda: studio.shelf.for_task("code"))
        self.add(self.model)
        self.facts = FactsBox(theme)
        self._seen = self.add_section("What the model sees", self.facts)
        self._seen.hide()
        self._rows: list[tuple[str, str]] = []
        self.variety = ValueSlider("Variety", 0.0, 1.5, 0.4, tooltip="0 takes the likeliest code each time")
        self.length = ValueSlider("Length, in lines", 1, 60, 20, step=1, tooltip="The most that is written")
        self.add(self.variety)
        self.add(self.length)
        self.automatic = QCheckBox("Suggest as I type")
        self.automatic.setChecked(True)
        self.automatic.setAccessibleName("Suggest as I type")
        self.automatic.setToolTip("Grey code at the cursor after a short pause; Tab takes it. Ctrl Space asks for one.")
        self.add(self.automatic)
        self.instruction.edited.connect(self.edited)
        self.model.changed.connect(self._model_changed)
        self.variety.value_changed.connect(self.edited)
        self.length.value_changed.connect(self.edited)
        self._model_changed(self.model.entry())

    def model_ref(self) -> ModelRef | None:
        """The chosen model, or None."""
        entry = self.model.entry()
        return entry.ref if entry else None

    def wishes(self, seed: int) -> Wishes | None:
        """What the panel says; None without a model."""
        entry = self.model.entry()
        if entry is None:
            return None
        lines = int(self.length.value())
        most = lines * _TOKENS_PER_LINE
        return Wishes(entry.ref, seed, self.instruction.text(), self.variety.value(), most, lines, entry.context_length)

    def show_command(self, generate: Command, stop: Command, *, running: bool, obstacle: str = "") -> None:
        """The button starts what is asked for, or stops what runs; `obstacle` says why it can't start."""
        if running:
            self.bind(stop)
        else:
            self.bind(generate, "Write code" if self.instruction.text() else "Go on from the cursor", obstacle)

    def show_seen(self, rows: list[tuple[str, str]], share: Share | None = None) -> None:
        """What the next request would show the model, or what the running one does."""
        self._rows = rows
        self._seen.setVisible(bool(rows))
        if share is not None and share.dropped:
            about = "" if share.measured else "about "
            rows = [*rows, ("Of that, too much for it", f"{about}{share.dropped:,} tokens")]
        self.facts.set_rows([*rows, ("In all", share.words)] if rows and share is not None else rows)

    def show_forecast(self, request: CodeRequest) -> None:
        """What the request at hand takes on this computer; where nothing can be written, that stays to be read."""
        if self._able:
            self.forecast.set_forecast(self._studio.forecast(request))

    def show_use(self, use: ContextUse) -> None:
        """What the running request really takes of the model's window."""
        self.show_seen(self._rows, Share(use.used, use.used + use.left, use.dropped, measured=True))

    def state(self) -> dict[str, Any]:
        """The panel's values as plain JSON."""
        ref = self.model_ref()
        return {
            "instruction": self.instruction.text(),
            "model": str(ref) if ref else "",
            "variety": self.variety.value(),
            "length": self.length.value(),
            "automatic": self.automatic.isChecked(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up earlier values; what does not fit is ignored."""
        self.instruction.set_text(str(state.get("instruction", "")))
        self.model.choose(str(state.get("model", "")))
        self.automatic.setChecked(state.get("automatic") is not False)
        for slider, name in ((self.variety, "variety"), (self.length, "length")):
            value = state.get(name)
            if isinstance(value, int | float):
                slider.set_value(float(value))

    def _model_changed(self, entry: ShelfEntry | None) -> None:
        able = importlib.util.find_spec("llama_cpp") is not None
        self._able = able and entry is not None
        if not able:
            self.forecast.set_sentence(NO_LIBRARY, "warn")
        elif entry is None:
            self.forecast.set_sentence(NO_MODEL, "warn")
        self.edited.emit()
