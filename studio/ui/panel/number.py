"""A field for a whole number that takes whatever is typed and says where its limits are."""

from __future__ import annotations

from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QSpinBox

_MOST_DIGITS = 9  # what a spin box can hold


class NumberSpin(QSpinBox):
    """Takes any number while it is typed; one that is out of range becomes the nearest one when it is left.

    Qt's own box refuses the digit that would lead out of the range, so that 300 becomes 30 and nobody is told.
    """

    def typed(self) -> int | None:
        """The number that stands there, in range or not; None where there is none."""
        digits = self._digits(self.text())
        return int(digits) if digits.isdecimal() and len(digits) <= _MOST_DIGITS else None

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Digits are never refused for what they add up to."""
        digits = self._digits(text)
        if digits and (not digits.isdecimal() or len(digits) > _MOST_DIGITS):
            return QValidator.State.Invalid, text, position
        inside = bool(digits) and self.minimum() <= int(digits) <= self.maximum()
        state = QValidator.State.Acceptable if inside else QValidator.State.Intermediate
        return state, text, position

    def fixup(self, text: str) -> str:
        """The nearest number that can be used; nothing typed leaves what was there."""
        digits = self._digits(text)
        number = self.value() if not digits.isdecimal() else int(digits)
        return f"{self.prefix()}{self.nearest(number)}{self.suffix()}"

    def nearest(self, number: int) -> int:
        """`number`, or the limit that it goes beyond."""
        return max(self.minimum(), min(self.maximum(), number))

    def limit_words(self) -> str:
        """What is to be said of the number that stands there: `at most 1000`, or nothing."""
        typed = self.typed()
        if typed is None or self.nearest(typed) == typed:
            return ""
        return f"at most {self.maximum()}" if typed > self.maximum() else f"at least {self.minimum()}"

    def _digits(self, text: str) -> str:
        return text.removesuffix(self.suffix()).strip()
