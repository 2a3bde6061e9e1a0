"""The model card: which model will be used, what its licence allows, and a way to change it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QLabel, QMenu, QVBoxLayout, QWidget

from studio.core.references import ModelRef
from studio.ui.measures import size_words
from studio.ui.panel.frame import Section
from studio.ui.theme import Theme

if TYPE_CHECKING:
    from studio.models.entry import ShelfEntry


class ModelCard(QWidget):
    """Shows one of the models that `entries` gives; “Change” opens the list of them.

    `changed` carries the `ShelfEntry`. `folders_wanted` is emitted when the user asks for more models.
    """

    changed = Signal(object)
    folders_wanted = Signal()

    def __init__(self, theme: Theme, entries: Callable[[], Sequence[ShelfEntry]], title: str = "Model") -> None:
        super().__init__()
        self._theme = theme
        self._entries = entries
        self._entry: ShelfEntry | None = None
        self._card = QFrame()
        self._card.setProperty("look", "card")
        self._name = QLabel()
        self._licence = QLabel()
        self._licence.setProperty("look", "soft")
        for label in (self._name, self._licence):
            label.setWordWrap(True)
        inner = QVBoxLayout(self._card)
        inner.setContentsMargins(10, 8, 10, 8)
        inner.setSpacing(2)
        inner.addWidget(self._name)
        inner.addWidget(self._licence)
        self._section = Section(title, self._card, link="Change")
        self._section.link.setToolTip("Choose another model on this computer")
        self._section.link_clicked.connect(self.open_menu)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._section)
        self.setFocusProxy(self._section.link)
        self.refresh()

    def entry(self) -> ShelfEntry | None:
        """The model that is shown, or None where there is none."""
        return self._entry

    def set_entry(self, entry: ShelfEntry | None) -> None:
        """Show another model."""
        different = self._entry is None or entry is None or entry.ref != self._entry.ref
        self._entry = entry
        self._show()
        if different:
            self.changed.emit(entry)

    def choose(self, ref: ModelRef | str) -> bool:
        """Show the model with this reference (or its words); False where it is not there."""
        found = next((entry for entry in self._entries() if ref in (entry.ref, str(entry.ref))), None)
        if found is not None:
            self.set_entry(found)
        return found is not None

    def refresh(self) -> None:
        """Look at the shelf again; keeps the model while it is still there."""
        entries = self._entries()
        kept = next((entry for entry in entries if self._entry and entry.ref == self._entry.ref), None)
        self.set_entry(kept or (entries[0] if entries else None))

    def open_menu(self) -> None:
        """Open the list of models."""
        menu = self.menu()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self._card.mapToGlobal(QPoint(0, self._card.height() + 4)))

    def menu(self) -> QMenu:
        """The list of models as a menu."""
        menu = QMenu(self)
        menu.setMinimumWidth(self._card.width())
        for entry in self._entries():
            action = QAction(f"{entry.name} · {size_words(entry.size)}\t{entry.licence}", menu)
            action.setCheckable(True)
            action.setChecked(self._entry is not None and entry.ref == self._entry.ref)
            action.triggered.connect(lambda _checked=False, entry=entry: self.set_entry(entry))
            menu.addAction(action)
        if menu.actions():
            menu.addSeparator()
        menu.addAction("Add a folder with models…").triggered.connect(self.folders_wanted)
        return menu

    def _show(self) -> None:
        entry = self._entry
        if entry is None:
            self._name.setText("No model on this computer yet")
            self._licence.setText("“Change” adds a folder with models.")
        else:
            self._name.setText(f"{entry.name} · {size_words(entry.size)}")
            self._licence.setText(entry.licence_sentence)
        self._card.setToolTip(entry.description if entry else "")
        self._card.setAccessibleName(self._name.text())
        self._card.setAccessibleDescription(self._licence.text())
