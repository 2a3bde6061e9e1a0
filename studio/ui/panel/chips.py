"""Chips: small round buttons that flow over as many lines as they need."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QLayout, QLayoutItem, QPushButton, QSizePolicy, QWidget


class FlowLayout(QLayout):
    """Puts widgets beside each other and begins a new line where the width ends."""

    def __init__(self, parent: QWidget | None = None, gap: int = 6) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self._gap = gap
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:
        """Put an item at the end."""
        self._items.append(item)

    def count(self) -> int:
        """How many items there are."""
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        """The item at `index`, or None past the end."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        """Take the item at `index` out."""
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def hasHeightForWidth(self) -> bool:
        """Narrower is taller."""
        return True

    def heightForWidth(self, width: int) -> int:
        """The height of all lines in `width` pixels."""
        return self._arrange(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, rect: QRect) -> None:
        """Lay the items out in `rect`."""
        super().setGeometry(rect)
        self._arrange(rect, move=True)

    def sizeHint(self) -> QSize:
        """As small as possible; the height follows the width."""
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        """The largest single item."""
        size = QSize()
        for item in self._items:
            size = size.expandedTo(item.minimumSize())
        return size

    def _arrange(self, rect: QRect, *, move: bool) -> int:
        x, y, line = rect.x(), rect.y(), 0
        for item in self._items:
            hint = item.sizeHint()
            if x > rect.x() and x + hint.width() > rect.right() + 1:
                x, y, line = rect.x(), y + line + self._gap, 0
            if move:
                item.setGeometry(QRect(QPoint(x, y), hint.boundedTo(QSize(max(rect.width(), 1), hint.height()))))
            x += hint.width() + self._gap
            line = max(line, hint.height())
        return y + line - rect.y()


class Chip(QPushButton):
    """One chip; `id` is what the row's signals carry."""

    def __init__(self, identity: str, text: str, tooltip: str = "") -> None:
        super().__init__(text)
        self.id = identity
        self.setProperty("look", "chip")
        self.setToolTip(tooltip or text)
        self.setAccessibleName(text)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)


class ChipRow(QWidget):
    """Chips in a row. `clicked(id)` for plain ones, `chosen(id)` when an exclusive row's choice changes."""

    clicked = Signal(str)
    chosen = Signal(str)

    def __init__(self, name: str, *, exclusive: bool = False) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self._exclusive = exclusive
        self._flow = FlowLayout(self)
        self._group = QButtonGroup(self)
        self._group.setExclusive(exclusive)
        self._chips: dict[str, Chip] = {}
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def add(self, identity: str, text: str, tooltip: str = "", *, checkable: bool = False) -> Chip:
        """Put a chip at the end."""
        chip = Chip(identity, text, tooltip)
        chip.setCheckable(checkable or self._exclusive)
        chip.clicked.connect(lambda: self._click(chip))
        self._chips[identity] = chip
        if self._exclusive:
            self._group.addButton(chip)
        self._flow.addWidget(chip)
        self.updateGeometry()
        return chip

    def remove(self, identity: str) -> None:
        """Take a chip away; unknown ids are fine."""
        chip = self._chips.pop(identity, None)
        if chip is not None:
            self._flow.removeWidget(chip)
            self._group.removeButton(chip)
            chip.deleteLater()
            self.updateGeometry()

    def clear(self) -> None:
        """Take all chips away."""
        for identity in tuple(self._chips):
            self.remove(identity)

    def chip(self, identity: str) -> Chip:
        """The chip with this id. Raises `KeyError`."""
        return self._chips[identity]

    def choice(self) -> str:
        """The id of the checked chip of an exclusive row, else empty."""
        return next((chip.id for chip in self._chips.values() if chip.isChecked()), "")

    def choose(self, identity: str) -> None:
        """Check a chip; unknown ids are ignored. `chosen` tells if that changed anything."""
        chip = self._chips.get(identity)
        if chip is not None and not chip.isChecked():
            chip.setChecked(True)
            self.chosen.emit(identity)

    def _click(self, chip: Chip) -> None:
        self.clicked.emit(chip.id)
        if self._exclusive:
            self.chosen.emit(chip.id)
