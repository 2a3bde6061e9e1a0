"""The request panel itself: sections that scroll, and the forecast and one primary button that don't."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from studio.core.command import Command
from studio.ui.elided import ElidedLabel
from studio.ui.measures import keys_words, tip
from studio.ui.panel.facts import ForecastBox
from studio.ui.theme import Theme


class Section(QWidget):
    """A titled part of the panel: title at the left, a note or a link at the right, content below."""

    link_clicked = Signal()

    def __init__(self, title: str, content: QWidget, note: str = "", link: str = "") -> None:
        super().__init__()
        self.content = content
        self._title = QLabel(title)
        self._title.setProperty("look", "caption")
        self._title.setBuddy(content)
        self._note = ElidedLabel(note)
        self._note.setProperty("look", "caption")
        self._link = QPushButton(link)
        self._link.setProperty("look", "link")
        if not link:
            self._link.hide()  # never `setVisible(True)`: without a parent yet it would be a window of its own
        self._link.setAccessibleName(f"{title}: {link}")
        self._link.setToolTip(f"{link} · {title}")
        self._link.clicked.connect(self.link_clicked)
        if not content.accessibleName():
            content.setAccessibleName(title)
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        head.addWidget(self._title)
        head.addStretch(1)
        head.addWidget(self._note)
        head.addWidget(self._link)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(content)

    @property
    def link(self) -> QPushButton:
        """The link at the right of the title."""
        return self._link

    def set_title(self, title: str) -> None:
        """Say something else above the content."""
        self._title.setText(title)
        self.content.setAccessibleName(title)

    def set_note(self, note: str, look: str = "caption") -> None:
        """The words at the right of the title; `look` may be `bad` or `warn`."""
        self._note.setText(note)
        if self._note.property("look") != look:
            self._note.setProperty("look", look)
            self._note.style().polish(self._note)


class Disclosure(QWidget):
    """Parts that few people need each time, behind one line that opens them. `toggled` tells."""

    toggled = Signal(bool)

    def __init__(self, theme: Theme, title: str) -> None:
        super().__init__()
        self._theme = theme
        self._button = QPushButton(title)
        self._button.setProperty("look", "link")
        self._button.setCheckable(True)
        self._button.setAccessibleName(title)
        self._button.setToolTip(f"Show or hide: {title}")
        self._button.toggled.connect(self._toggle)
        self._body = QWidget()
        self._column = QVBoxLayout(self._body)
        self._column.setContentsMargins(0, 4, 0, 0)
        self._column.setSpacing(theme.space(2))
        self._body.setVisible(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self._button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._body)
        theme.dress(self._button, "chevron-right", "accent_text", 12)

    @property
    def is_open(self) -> bool:
        """Whether the parts are shown."""
        return self._button.isChecked()

    def set_open(self, is_open: bool) -> None:
        """Show or hide the parts."""
        self._button.setChecked(is_open)

    def add(self, widget: QWidget) -> None:
        """Put a part at the end."""
        self._column.addWidget(widget)

    def _toggle(self, is_open: bool) -> None:
        self._body.setVisible(is_open)
        self._theme.dress(self._button, "chevron-down" if is_open else "chevron-right", "accent_text", 12)
        self.toggled.emit(is_open)


class PrimaryButton(QPushButton):
    """The one coloured button, showing its shortcut."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("look", "primary")
        self._command: Command | None = None
        self.clicked.connect(self._run)

    def bind(self, command: Command, text: str = "", obstacle: str = "") -> None:
        """Show and run `command`; `text` instead of its title where a number belongs in it; `obstacle`: why not."""
        self._command = command
        keys = keys_words(command.shortcut)
        words = text or command.title
        self.setText(f"{words}  ·  {keys}" if keys else words)
        self.setToolTip(obstacle or tip(command.tooltip or command.title, command.shortcut))
        self.setAccessibleName(words)
        self.setAccessibleDescription(obstacle)
        self.refresh()

    def refresh(self) -> None:
        """Ask the command again whether it can run now."""
        self.setEnabled(self._command is not None and self._command.when())

    def _run(self) -> None:
        if self._command is not None and self._command.when():
            self._command.run()


class RequestPanel(QWidget):
    """The right side of a room.

    Sections go in with `add` and `add_row`; `forecast` and `primary` stay at the foot.
    """

    def __init__(self, theme: Theme, title: str = "Request") -> None:
        super().__init__()
        self.theme = theme
        theme.clothe(self)
        self.setAccessibleName(title)
        self.setProperty("look", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.forecast = ForecastBox(theme)
        self.primary = PrimaryButton()
        body = QWidget()
        body.setProperty("look", "clear")
        self._column = QVBoxLayout(body)
        self._column.setContentsMargins(theme.space(3), theme.space(3), theme.space(3), theme.space(2))
        self._column.setSpacing(theme.space(2))
        self._column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(body)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.viewport().setAutoFillBackground(False)
        self._scroll = scroll
        scroll.verticalScrollBar().rangeChanged.connect(self._keep_edge)
        foot = QVBoxLayout()
        foot.setContentsMargins(theme.space(3), theme.space(1), theme.space(3), theme.space(3))
        foot.setSpacing(theme.space(2))
        self.obstacle = QLabel()
        self.obstacle.setProperty("look", "soft")
        self.obstacle.setWordWrap(True)
        self.obstacle.hide()
        for widget in (self.forecast, self.obstacle, self.primary):
            foot.addWidget(widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(scroll, 1)
        column.addLayout(foot)

    def add(self, widget: QWidget) -> None:
        """Put a widget below the others."""
        self._column.insertWidget(self._column.count() - 1, widget)

    def add_section(self, title: str, content: QWidget, note: str = "", link: str = "") -> Section:
        """Put a titled widget below the others."""
        section = Section(title, content, note, link)
        self.add(section)
        return section

    def add_row(self, *widgets: QWidget) -> None:
        """Put widgets side by side, equally wide."""
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(self.theme.space(1))
        for widget in widgets:
            line.addWidget(widget, 1)
        self.add(row)

    def _keep_edge(self, _least: int, most: int) -> None:
        """The right edge of the sections stays where it is when the scroll bar comes and goes."""
        edge = self.theme.space(3)
        bar = self._scroll.verticalScrollBar().sizeHint().width() if most > 0 else 0
        self._column.setContentsMargins(edge, edge, max(4, edge - bar), self.theme.space(2))

    def bind(self, command: Command, text: str = "", obstacle: str = "") -> None:
        """What the primary button does; `obstacle` says why it can't now, and what to do."""
        self.primary.bind(command, text, obstacle)
        self.obstacle.setText(obstacle)
        self.obstacle.setVisible(bool(obstacle) and obstacle != self.forecast.text())
