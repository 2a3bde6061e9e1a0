"""The canvas's request panel: from its fields to an `ImageRequest`, and back."""

from __future__ import annotations

from typing import Any, get_args

from PySide6.QtCore import Signal

from studio.app.studio import Studio
from studio.core.references import ModelRef
from studio.core.requests import ImageRequest, Scheduler, denoising_steps
from studio.models.entry import ShelfEntry
from studio.ui.panel import (
    ChipRow,
    ChoiceField,
    Disclosure,
    ModelCard,
    NumberField,
    PromptBox,
    RequestPanel,
    Section,
    SeedField,
    ValueSlider,
)
from studio.ui.theme import Theme

LARGEST_EDGE = 4096
_MOST_PICTURES = 16
_MOST_STEPS = 1000  # what a request may ask for
_STEPS_WORDS = (
    "More steps take longer and settle the picture. "
    "A picture that starts from another one has part of the way behind it: steps × strength of change are run."
)


class CanvasPanel(RequestPanel):
    """Prompt, style, model, what to start from, and a few numbers.

    `edited` tells of each change; `size_edited` carries the new width and height; `input_wanted` says
    whether the selected picture is to be started from.
    """

    edited = Signal()
    size_edited = Signal(int, int)
    input_wanted = Signal(bool)

    def __init__(self, theme: Theme, studio: Studio) -> None:
        super().__init__(theme, "Picture request")
        self._studio = studio
        self._silent = False
        self._changing = False  # a picture is started from
        self.prompt = PromptBox(theme, "What should the picture show?")
        self._prompt_section = self.add_section("Prompt", self.prompt)
        self.styles = ChipRow("Styles")
        self._style_section = self.add_section("Style", self.styles)
        self.model = ModelCard(theme, lambda: studio.shelf.for_task("image"))
        self.add(self.model)
        self.source = ChipRow("Start from", exclusive=True)
        self.source.add("nothing", "Nothing", "A new picture from noise")
        self.source.add("picture", "Selected picture", "Change the picture that is selected on the canvas")
        self.source.choose("nothing")
        self.add_section("Start from", self.source)
        self.strength = ValueSlider(
            "Strength of change", 0.05, 1.0, 0.6, tooltip="How far the result may go from the picture it starts from"
        )
        self.add(self.strength)
        self.steps = NumberField("Steps", 1, _MOST_STEPS, 20, tooltip=_STEPS_WORDS)
        self.seed = SeedField(theme)
        self.add_row(self.steps, self.seed)
        self.pictures = NumberField("Pictures", 1, _MOST_PICTURES, 1, tooltip="How many, each with the next seed")
        self.guidance = ValueSlider(
            "Guidance", 1.0, 15.0, 4.0, step=0.5, tooltip="How closely the picture follows the prompt"
        )
        self.width_field = NumberField("Width", 16, LARGEST_EDGE, 512, step=8, unit="px")
        self.height_field = NumberField("Height", 16, LARGEST_EDGE, 512, step=8, unit="px")
        self._build_more(theme)
        self._connect()
        self._model_changed(self.model.entry())

    def _build_more(self, theme: Theme) -> None:
        self.add(self.pictures)
        self.more = Disclosure(theme, "More")
        self.negative = PromptBox(theme, "What should not be in it", lines=2)
        self.more.add(Section("Negative prompt", self.negative))
        self.more.add(self.guidance)
        self.more.add(self.width_field)
        self.more.add(self.height_field)
        names = [(name, "The model's own" if name == "default" else name) for name in get_args(Scheduler)]
        self.scheduler = ChoiceField(theme, "Scheduler", names, "The method that removes the noise")
        self.more.add(self.scheduler)
        self.add(self.more)

    def _connect(self) -> None:
        self.prompt.edited.connect(self._changed)
        self.negative.edited.connect(self._changed)
        self.model.changed.connect(self._model_changed)
        self.styles.clicked.connect(self._add_style)
        self.source.chosen.connect(lambda choice: self.input_wanted.emit(choice == "picture"))
        for field in (self.steps, self.pictures, self.strength, self.guidance, self.scheduler):
            field.value_changed.connect(self._changed)
        for field in (self.width_field, self.height_field):
            field.value_changed.connect(self._size_changed)

    def request(self, seed: int, image: str | None = None) -> ImageRequest | None:
        """What the fields say, or None without a model."""
        entry = self.model.entry()
        if entry is None:
            return None
        return ImageRequest(
            prompt=self.prompt.text(),
            model=entry.ref,
            seed=seed,
            negative_prompt=self.negative.text(),
            width=self.width_field.value(),
            height=self.height_field.value(),
            steps=self.steps.value(),
            guidance_scale=self.guidance.value(),
            scheduler=self.scheduler.value(),  # type: ignore[arg-type] # the combo box holds the literal's own values
            batch_size=self.pictures.value(),
            image=image,
            strength=self.strength.value(),
        )

    def show_size(self, width: int, height: int) -> None:
        """Show the frame's size without telling about it."""
        self._silent = True
        self.width_field.set_value(width)
        self.height_field.set_value(height)
        self._silent = False
        self.edited.emit()

    def show_input(self, *, possible: bool, chosen: bool) -> None:
        """Whether a picture can be started from, and whether it is."""
        self.source.chip("picture").setEnabled(possible)
        self.source.choose("picture" if chosen else "nothing")
        self.strength.setVisible(chosen)
        self._changing = chosen
        self._note_steps()

    def native_size(self) -> int:
        """The picture edge that the model was made for."""
        entry = self.model.entry()
        return (entry.native_size if entry else 0) or 512

    def state(self) -> dict[str, Any]:
        """What is remembered until the next start."""
        entry = self.model.entry()
        return {
            "prompt": self.prompt.text(),
            "negative": self.negative.text(),
            "model": str(entry.ref) if entry else "",
            "steps": self.steps.value(),
            "pictures": self.pictures.value(),
            "guidance": self.guidance.value(),
            "strength": self.strength.value(),
            "scheduler": self.scheduler.value(),
            "seed": self.seed.value(),
            "more": self.more.is_open,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up an earlier state; what does not fit is ignored."""
        for key, box in (("prompt", self.prompt), ("negative", self.negative)):
            if isinstance(state.get(key), str):
                box.set_text(state[key])
        if isinstance(state.get("model"), str):
            self.model.choose(state["model"])
        for key, field in (("steps", self.steps), ("pictures", self.pictures)):
            if isinstance(state.get(key), int):
                field.set_value(state[key])
        for key, slider in (("guidance", self.guidance), ("strength", self.strength)):
            if isinstance(state.get(key), int | float):
                slider.set_value(float(state[key]))
        if isinstance(state.get("scheduler"), str):
            self.scheduler.set_value(state["scheduler"])
        if isinstance(state.get("seed"), int):
            self.seed.set_value(state["seed"])
        self.more.set_open(state.get("more") is True)

    def take_over(self, request: ImageRequest) -> None:
        """Fill in everything as it was in `request`."""
        self.prompt.set_text(request.prompt)
        self.negative.set_text(request.negative_prompt)
        self.choose_model(request.model)
        self.steps.set_value(request.steps)
        self.guidance.set_value(request.guidance_scale)
        self.scheduler.set_value(request.scheduler)
        self.seed.set_value(request.seed)

    def choose_model(self, ref: ModelRef) -> bool:
        """Use the model `ref` if it is there."""
        return self.model.choose(ref)

    def update_forecast(self, image: str | None = None) -> None:
        """Ask again what the request would take."""
        request = self.request(0, image)
        if request is None:
            self.forecast.set_sentence(
                "There is no model for pictures yet. Add a folder with models in Settings.", "warn"
            )
        else:
            count = request.batch_size
            self.forecast.set_forecast(self._studio.forecast(request), "" if count == 1 else f"for all {count}")
        self.primary.refresh()

    def _model_changed(self, entry: ShelfEntry | None) -> None:
        self.styles.clear()
        for style in entry.styles if entry else ():
            self.styles.add(style, style, f"Add “{style}” to the prompt")
        self._style_section.setVisible(bool(entry and entry.styles))
        if entry is not None and entry.steps:
            self.steps.set_value(entry.steps)
        if entry is not None and entry.guidance:
            self.guidance.set_value(entry.guidance)
        if entry is not None and entry.native_size:
            self.width_field.set_value(entry.native_size)
            self.height_field.set_value(entry.native_size)
        self._changed()

    def _add_style(self, style: str) -> None:
        parts = [part.strip() for part in self.prompt.text().split(",")]
        entry = self.model.entry()
        known = set(entry.styles) if entry else set()
        kept = [part for part in parts if part and part not in known]
        self.prompt.set_text(", ".join([*kept, style]))

    def _size_changed(self) -> None:
        if not self._silent:
            self.size_edited.emit(self.width_field.value(), self.height_field.value())
            self._changed()

    def _note_steps(self) -> None:
        """How many of the steps are run where a picture is changed; progress counts those."""
        run = denoising_steps(self.steps.value(), self.strength.value())
        self.steps.set_note(f"{run} run" if self._changing and run != self.steps.value() else "")

    def _changed(self) -> None:
        self._note_steps()
        self.edited.emit()
