"""The bar at the top: menu, the document and whether it is saved, the search field, and where the work happens."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QWidget

from studio.ui.elided import ElidedLabel
from studio.ui.measures import keys_words, tip
from studio.ui.theme import Theme


class SearchButton(QPushButton):
    """Looks like a field; opens the palette. The shortcut stands at its right."""

    def __init__(self, theme: Theme, shortcut: str) -> None:
        super().__init__("Search or do anything")
        self._theme = theme
        self._keys = keys_words(shortcut)
        self.setProperty("look", "search")
        self.setToolTip(tip("Find and run any command, or describe what you want", shortcut))
        self.setAccessibleName("Search or do anything")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(180)
        self.setMaximumWidth(340)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The field, then the keys."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setFont(self._theme.font("small"))
        painter.setPen(self._theme.color("text_soft"))
        area = self.rect().adjusted(0, 0, -10, 0)
        painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight), self._keys)
        painter.end()


class TopBar(QWidget):
    """`menu_wanted` and `search_wanted` are for the window to answer."""

    menu_wanted = Signal()
    search_wanted = Signal()
    panel_wanted = Signal()

    def __init__(self, theme: Theme, search_keys: str, panel_keys: str, menu_keys: str) -> None:
        super().__init__()
        self._theme = theme
        theme.clothe(self)
        self.setProperty("look", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.menu_button = self._tool("menu", tip("All commands by menu", menu_keys), "Menu")
        self.menu_button.clicked.connect(self.menu_wanted)
        self._project = ElidedLabel(most=170)
        self._project.setProperty("look", "soft")
        self._step = QLabel("›")
        self._step.setProperty("look", "soft")
        self._name = ElidedLabel()
        self._name.setProperty("look", "strong")
        self._state = QLabel()
        self._state.setProperty("look", "soft")
        self.search = SearchButton(theme, search_keys)
        self.search.clicked.connect(self.search_wanted)
        self._offline = QLabel()
        self._offline.setTextFormat(Qt.TextFormat.RichText)
        self._offline.setAccessibleName("Offline: everything happens on this computer, nothing is sent anywhere")
        self._offline.setToolTip("Everything happens on this computer. Nothing is sent anywhere.")
        self.panel_button = self._tool("panel", tip("Show or hide the request panel", panel_keys), "Request panel")
        self.panel_button.clicked.connect(self.panel_wanted)
        self._arrange()
        self.set_project("", "")
        theme.changed.connect(self._repaint)
        self._repaint()

    def set_project(self, name: str, place: str) -> None:
        """Show which project is open; `place` is its folder."""
        self._project.setText(name)
        self._project.setToolTip(f"The project in {place}")
        self._show_project()

    def set_document(self, name: str, state: str) -> None:
        """Show the document's name and a word on it."""
        self._name.setText(name)
        self._state.setText(state)
        self._show_project()

    def document(self) -> tuple[str, str]:
        """What is shown of the document."""
        return self._name.text(), self._state.text()

    def _arrange(self) -> None:
        left = QHBoxLayout()
        left.setSpacing(self._theme.space(1))
        left.addWidget(self.menu_button)
        left.addWidget(self._project)
        left.addWidget(self._step)
        left.addWidget(self._name)
        left.addWidget(self._state)
        left.addStretch(1)
        right = QHBoxLayout()
        right.setSpacing(self._theme.space(2))
        right.addStretch(1)
        right.addWidget(self._offline)
        right.addWidget(self.panel_button)
        row = QHBoxLayout(self)
        row.setContentsMargins(self._theme.space(2), 0, self._theme.space(2), 0)
        row.addLayout(left, 3)
        row.addWidget(self.search, 4)
        row.addLayout(right, 3)

    def _tool(self, icon: str, tooltip: str, name: str) -> QToolButton:
        button = QToolButton()
        button.setToolTip(tooltip)
        button.setAccessibleName(name)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._theme.dress(button, icon)
        return button

    def _show_project(self) -> None:
        """The project, unless nothing of it is open and its name stands there already."""
        name = self._project.text()
        for widget in (self._project, self._step):
            widget.setVisible(name not in ("", self._name.text()))

    def _repaint(self) -> None:
        self.setFixedHeight(self._theme.pixels(44))
        self._offline.setText(f"<span style='color:{self._theme.css('good')}'>●&nbsp;Offline</span>")
