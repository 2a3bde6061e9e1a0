"""The first page: what can be made right now, one click away."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from studio.core.references import Task
from studio.ui.rooms import RoomEntry
from studio.ui.theme import Theme

_CARD = 232
_NARROW = 640


class OfferCard(QPushButton):
    """A large button: icon, title, a few words, and the prompt that it will use."""

    def __init__(self, theme: Theme, entry: RoomEntry) -> None:
        super().__init__()
        self.entry = entry
        self.setProperty("look", "tile")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(f"Make {entry.offer.lower()}")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        icon = QLabel()
        theme.dress(icon, entry.icon, "accent", 28)
        title = QLabel(entry.offer)
        title.setProperty("look", "large")
        words = QLabel(entry.words)
        words.setProperty("look", "soft")
        words.setWordWrap(True)
        words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._sample = QLabel(f"“{entry.sample}”")
        self._sample.setWordWrap(True)
        self._state = QLabel("Make it now  →")
        self._state.setProperty("look", "accent")
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 20, 20, 18)
        column.setSpacing(theme.space(1))
        column.addWidget(icon)
        column.addSpacing(theme.space(1))
        column.addWidget(title)
        column.addWidget(words, 1)
        column.addSpacing(theme.space(0))
        column.addWidget(self._sample)
        column.addSpacing(theme.space(1))
        column.addWidget(self._state)
        for label in (icon, title, words, self._sample, self._state):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.set_possible(possible=True)

    def sizeHint(self) -> QSize:
        """What the words need."""
        return self.minimumSizeHint()

    def minimumSizeHint(self) -> QSize:
        """What the words need in a card's width."""
        layout = self.layout()
        width = _CARD
        height = layout.totalHeightForWidth(max(width, self.width())) if layout else 0
        return QSize(width, max(236, height))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width, another height."""
        super().resizeEvent(event)
        self.updateGeometry()

    def set_possible(self, *, possible: bool) -> None:
        """Whether a model for this is here."""
        self.setEnabled(possible)
        self._state.setText("Make it now  →" if possible else "No model for this yet")
        self._state.setProperty("look", "accent" if possible else "soft")
        self._state.style().polish(self._state)
        sentence = f"Make {self.entry.offer.lower()} from “{self.entry.sample}”"
        self.setToolTip(sentence if possible else "Add a folder with models in Settings to make this.")


class Greeting(QWidget):
    """`make_wanted(room, prompt)` when a card is clicked; `settings_wanted` for the link to the models."""

    make_wanted = Signal(str, str)
    settings_wanted = Signal()

    def __init__(self, theme: Theme, entries: tuple[RoomEntry, ...]) -> None:
        super().__init__()
        self._theme = theme
        theme.clothe(self)
        self.setAccessibleName("Welcome")
        self.cards = [OfferCard(theme, entry) for entry in entries if entry.offer]
        self._grid = QGridLayout()
        self._grid.setSpacing(theme.space(3))
        self._columns = 0
        for card in self.cards:
            card.clicked.connect(
                lambda _checked=False, card=card: self.make_wanted.emit(card.entry.id, card.entry.sample)
            )
        page = QWidget()
        page.setProperty("look", "clear")
        column = QVBoxLayout(page)
        column.setContentsMargins(theme.space(5), theme.space(5), theme.space(5), theme.space(5))
        column.addStretch(2)
        column.addLayout(self._head())
        column.addSpacing(theme.space(4))
        column.addLayout(self._grid)
        column.addSpacing(theme.space(3))
        column.addLayout(self._foot())
        column.addStretch(3)
        scroll = QScrollArea()
        scroll.setWidget(page)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.viewport().setAutoFillBackground(False)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)
        self._page = page
        if self.cards:
            self.setFocusProxy(self.cards[0])
        self._flow()

    def set_possible(self, has_model: Callable[[Task], bool]) -> None:
        """Ask for each card whether there is a model for it."""
        for card in self.cards:
            card.set_possible(possible=card.entry.task is None or has_model(card.entry.task))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Beside each other where there is room, else below each other."""
        super().resizeEvent(event)
        self._flow()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt's signature
        """The quiet ground."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("ground"))
        painter.end()

    def _flow(self) -> None:
        wanted = 1 if self.width() < _NARROW else max(1, len(self.cards))
        side = max(0, (self.width() - 1040) // 2)
        margin = self._theme.space(5)
        layout = self._page.layout()
        if layout is not None:
            layout.setContentsMargins(margin + side, margin, margin + side, margin)
        if wanted == self._columns:
            return
        self._columns = wanted
        for index, card in enumerate(self.cards):
            self._grid.addWidget(card, index // wanted, index % wanted)

    def _head(self) -> QVBoxLayout:
        title = QLabel("What would you like to make?")
        title.setProperty("look", "title")
        words = QLabel("Everything is made on this computer by models that are already here. Nothing is sent anywhere.")
        words.setWordWrap(True)
        words.setProperty("look", "soft")
        column = QVBoxLayout()
        column.setSpacing(self._theme.space(1))
        column.addWidget(title)
        column.addWidget(words)
        return column

    def _foot(self) -> QHBoxLayout:
        more = QPushButton("Use models that you already have…")
        more.setProperty("look", "link")
        more.setAccessibleName("Use models that you already have")
        more.setToolTip("Name folders with models in Settings; they are used where they are")
        more.clicked.connect(self.settings_wanted)
        row = QHBoxLayout()
        row.addWidget(more)
        row.addStretch(1)
        return row
