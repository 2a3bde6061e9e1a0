"""The building blocks of the request panel: the same look and behaviour in every room."""

from studio.ui.panel.chips import Chip, ChipRow, FlowLayout
from studio.ui.panel.facts import FactsBox, ForecastBox
from studio.ui.panel.fields import ChoiceField, NumberField, SeedField, ValueSlider
from studio.ui.panel.frame import Disclosure, PrimaryButton, RequestPanel, Section
from studio.ui.panel.model import ModelCard
from studio.ui.panel.prompt import PromptBox
from studio.ui.panel.variants import VariantsStrip

__all__ = [
    "Chip",
    "ChipRow",
    "ChoiceField",
    "Disclosure",
    "FactsBox",
    "FlowLayout",
    "ForecastBox",
    "ModelCard",
    "NumberField",
    "PrimaryButton",
    "PromptBox",
    "RequestPanel",
    "Section",
    "SeedField",
    "ValueSlider",
    "VariantsStrip",
]
