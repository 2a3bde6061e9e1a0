"""Fields for numbers and choices."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QObject, QRegularExpression, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QRegularExpressionValidator, QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio.ui.panel.number import NumberSpin
from studio.ui.theme import Theme

_TEXT_INSET = 8
_LARGEST_SEED = 2**32 - 1


class _CalmWheel(QObject):
    """Lets the wheel scroll the panel instead of changing a field that does not have the focus."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QWheelEvent) and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return False


def calm(widget: QWidget) -> None:
    """Keep the wheel from changing `widget` by accident."""
    widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    widget.installEventFilter(_CalmWheel(widget))


class ValueSlider(QWidget):
    """A slider with its name at the left and its value at the right. `value_changed` carries the value."""

    value_changed = Signal(float)

    def __init__(
        self, title: str, minimum: float, maximum: float, value: float, *, step: float = 0.01, tooltip: str = ""
    ) -> None:
        super().__init__()
        self._minimum = minimum
        self._step = step
        self._decimals = max(0, len(f"{step:g}".partition(".")[2]))
        self._title = QLabel(title)
        self._title.setProperty("look", "caption")
        self._shown = QLabel()
        self._shown.setProperty("look", "caption")
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, round((maximum - minimum) / step))
        self.slider.setPageStep(max(1, self.slider.maximum() // 10))
        self.slider.setAccessibleName(title)
        self.slider.setToolTip(tooltip or title)
        calm(self.slider)
        self._title.setBuddy(self.slider)
        head = QHBoxLayout()
        head.addWidget(self._title)
        head.addStretch(1)
        head.addWidget(self._shown)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(self.slider)
        self.set_value(value)
        self._show()
        self.slider.valueChanged.connect(self._changed)

    def value(self) -> float:
        """The value, rounded to the step."""
        return round(self._minimum + self.slider.value() * self._step, 10)

    def set_value(self, value: float) -> None:
        """Move the slider; values outside stop at the ends."""
        self.slider.setValue(round((value - self._minimum) / self._step))

    def _changed(self) -> None:
        self._show()
        self.value_changed.emit(self.value())

    def _show(self) -> None:
        self._shown.setText(f"{self.value():.{self._decimals}f}")
        self.slider.setAccessibleDescription(self._shown.text())


class NumberField(QWidget):
    """A whole number with its name above it. Arrow keys and the wheel change it.

    A number that is out of range becomes the nearest one in it; the name says so until the next change.
    """

    value_changed = Signal(int)

    def __init__(
        self, title: str, minimum: int, maximum: int, value: int, *, step: int = 1, tooltip: str = "", unit: str = ""
    ) -> None:
        super().__init__()
        self.spin = NumberSpin()
        self.spin.setRange(minimum, maximum)
        self.spin.setSingleStep(step)
        self.spin.setValue(value)
        self.spin.setSuffix(f" {unit}" if unit else "")
        self.spin.setAccessibleName(title)
        self.spin.setToolTip(tooltip or title)
        self.spin.setKeyboardTracking(False)
        self.spin.lineEdit().setTextMargins(_TEXT_INSET, 0, 0, 0)
        calm(self.spin)
        self.spin.valueChanged.connect(self.value_changed)
        self.spin.lineEdit().textEdited.connect(self._typed)
        self.spin.editingFinished.connect(lambda: self._say(self._limit))
        self.spin.valueChanged.connect(self._moved)
        self._title = title
        self._limit: str = ""
        self._note: str = ""
        self.label = _titled(self, title, self.spin)

    def value(self) -> int:
        """The number, even while it is being typed."""
        typed = self.spin.typed()
        return self.spin.value() if typed is None else self.spin.nearest(typed)

    def set_value(self, value: int) -> None:
        """Show another number."""
        self.spin.setValue(value)

    def set_note(self, words: str) -> None:
        """Say something about the number behind the name."""
        self._note = words
        self._say(self._limit)

    def _typed(self) -> None:
        self._limit = self.spin.limit_words()
        # A number that is too small may still grow.
        self._say(self._limit if self._limit.startswith("at most") else "")

    def _moved(self) -> None:
        if self.spin.value() not in (self.spin.minimum(), self.spin.maximum()):
            self._limit = ""
            self._say("")

    def _say(self, limit: str) -> None:
        words = limit or self._note
        self.label.setText(f"{self._title} · {words}" if words else self._title)
        self.spin.setAccessibleDescription(words)


class SeedField(QWidget):
    """A seed. Empty means a new one each time; the dice empties it, a typed number stays.

    `value` is the pinned seed or None. `show_used` shows, in grey, which seed the last run took; the
    lock button pins that one.
    """

    value_changed = Signal()

    def __init__(self, theme: Theme, title: str = "Seed") -> None:
        super().__init__()
        self._theme = theme
        self._used: int | None = None
        self.edit = QLineEdit()
        self.edit.setPlaceholderText("random")
        self.edit.setAccessibleName(title)
        self.edit.setToolTip("The number that a result grows from. The same seed gives the same result again.")
        self.edit.setMaxLength(10)
        self.edit.setValidator(QRegularExpressionValidator(QRegularExpression(r"\d{0,10}"), self.edit))
        self.edit.textChanged.connect(self._changed)
        self.dice = QToolButton(self.edit)
        self.dice.setCursor(Qt.CursorShape.ArrowCursor)
        self.dice.clicked.connect(self._roll)
        line = QHBoxLayout(self.edit)
        line.setContentsMargins(0, 0, 3, 0)
        line.addStretch(1)
        line.addWidget(self.dice)
        self.edit.setTextMargins(0, 0, 26, 0)
        _titled(self, title, self.edit)
        self._changed()

    def value(self) -> int | None:
        """The pinned seed, or None for a new one each time."""
        text = self.edit.text()
        return min(int(text), _LARGEST_SEED) if text else None

    def set_value(self, seed: int | None) -> None:
        """Pin a seed, or None for a new one each time."""
        self.edit.setText("" if seed is None else str(seed))

    def show_used(self, seed: int) -> None:
        """Say which seed the last run took."""
        self._used = seed
        self.edit.setPlaceholderText(str(seed))
        self._changed()

    def _roll(self) -> None:
        self.set_value(None if self.edit.text() else self._used)

    def _changed(self) -> None:
        pinned = bool(self.edit.text())
        words = "Take a new seed each time" if pinned or self._used is None else f"Keep seed {self._used}"
        self.dice.setToolTip(words)
        self.dice.setAccessibleName(words)
        self.dice.setEnabled(pinned or self._used is not None)
        self._theme.dress(self.dice, "dice" if pinned or self._used is None else "lock", "text_soft", 16)
        self.value_changed.emit()


class Choice(QComboBox):
    """A drop-down with our own arrow."""

    def __init__(self, theme: Theme, name: str, choices: Iterable[tuple[str, str]], tooltip: str = "") -> None:
        super().__init__()
        self._theme = theme
        self.setAccessibleName(name)
        self.setToolTip(tooltip or name)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)
        calm(self)
        for value, words in choices:
            self.addItem(words, value)

    def value(self) -> str:
        """The chosen value."""
        return str(self.currentData() or "")

    def set_value(self, value: str) -> None:
        """Choose a value; unknown ones are ignored."""
        index = self.findData(value)
        if index >= 0:
            self.setCurrentIndex(index)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The field and a small arrow."""
        super().paintEvent(event)
        edge = self._theme.pixels(14)
        painter = QPainter(self)
        painter.drawPixmap(
            self.width() - edge - 7, (self.height() - edge) // 2, self._theme.pixmap("chevron-down", size=edge)
        )
        painter.end()


class ChoiceField(QWidget):
    """One of several values, with its name above it. `choices` are (value, words)."""

    value_changed = Signal(str)

    def __init__(self, theme: Theme, title: str, choices: Iterable[tuple[str, str]], tooltip: str = "") -> None:
        super().__init__()
        self.combo = Choice(theme, title, choices, tooltip)
        self.combo.currentIndexChanged.connect(lambda: self.value_changed.emit(self.value()))
        _titled(self, title, self.combo)

    def value(self) -> str:
        """The chosen value."""
        return self.combo.value()

    def set_value(self, value: str) -> None:
        """Choose a value; unknown ones are ignored."""
        self.combo.set_value(value)


def _titled(owner: QWidget, title: str, field: QWidget) -> QLabel:
    label = QLabel(title)
    label.setProperty("look", "caption")
    label.setBuddy(field)
    column = QVBoxLayout(owner)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(4)
    # Fields side by side are as tall as the tallest of them; alone, none is taller than it wants to be.
    label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    field.setSizePolicy(field.sizePolicy().horizontalPolicy(), QSizePolicy.Policy.Minimum)
    column.addWidget(label)
    column.addWidget(field)
    owner.setFocusProxy(field)
    return label
