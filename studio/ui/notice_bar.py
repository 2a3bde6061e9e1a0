"""The quiet bar under the top: what happened, the next step as a button, and the details to copy.

A plain note goes away by itself once there was time to read it: while the window is in use, with no mouse over the
bar. What asks for something (an action), warnings and errors stay until they are dismissed.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QHideEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from studio.app.notices import Notice, Notices
from studio.ui.theme import Theme

_COLORS = {"note": "text_soft", "warning": "warn", "error": "bad"}
_GROUNDS = {"note": "hover", "warning": "warn_soft", "error": "bad_soft"}

_SHORTEST = 8000
_PER_LETTER = 60  # milliseconds: 200 words a minute
_TIMED_EVENTS = {QEvent.Type.Enter, QEvent.Type.Leave, QEvent.Type.WindowActivate, QEvent.Type.WindowDeactivate}


def reading_time(notice: Notice) -> int:
    """Milliseconds after which a notice may go away by itself; 0 for one that stays."""
    if notice.level != "note" or notice.action is not None:
        return 0
    return max(_SHORTEST, len(f"{notice.message} {notice.hint}") * _PER_LETTER)


class NoticeBar(QWidget):
    """Shows the newest message that concerns the room in front; hidden while there is none.

    `turned` comes at each change, before it is to be seen.
    """

    turned = Signal()

    def __init__(self, theme: Theme, notices: Notices) -> None:
        super().__init__()
        self._theme = theme
        theme.clothe(self)
        self._notices = notices
        self._notice: Notice | None = None
        self._room = ""
        self._under_mouse = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._dismiss)
        self._icon = QLabel()
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.action = QPushButton()
        self.action.clicked.connect(self._act)
        self.copy = self._link("Copy details", "Copy what happened, for a report")
        self.copy.clicked.connect(self._copy)
        self.more = self._link("", "Show the message before this one")
        self.more.clicked.connect(self._next)
        self.close_button = QToolButton()
        self.close_button.setAccessibleName("Dismiss this message")
        self.close_button.setToolTip("Dismiss this message")
        self.close_button.clicked.connect(self._dismiss)
        theme.dress(self.close_button, "close", "text_soft", 16)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.space(3), 6, theme.space(1), 6)
        row.setSpacing(theme.space(2))
        row.addWidget(self._icon)
        row.addWidget(self.message, 1)
        for widget in (self.more, self.copy, self.action, self.close_button):
            row.addWidget(widget)
        self.hide()
        notices.listen(self._show)
        theme.changed.connect(self._show)

    @property
    def notice(self) -> Notice | None:
        """The message that is shown."""
        return self._notice

    @property
    def passing(self) -> bool:
        """Whether what is shown goes by itself."""
        return self._notice is not None and reading_time(self._notice) > 0

    def set_room(self, room: str) -> None:
        """Another room is in front; what is about a room waits until that room is back."""
        self._room = room
        self._show()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt's signature
        """A tinted ground and a thin line."""
        if self._notice is None:
            return
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color(_GROUNDS[self._notice.level]))
        painter.fillRect(0, self.height() - 1, self.width(), 1, self._theme.color("line"))
        painter.end()

    def event(self, event: QEvent) -> bool:
        """The mouse comes or goes, the window is left or come back to."""
        done = super().event(event)
        if event.type() in _TIMED_EVENTS:
            if event.type() in {QEvent.Type.Enter, QEvent.Type.Leave}:
                self._under_mouse = event.type() == QEvent.Type.Enter
            self._time()
        return done

    def showEvent(self, event: QShowEvent) -> None:
        """Now it can be read."""
        super().showEvent(event)
        self._time()

    def hideEvent(self, event: QHideEvent) -> None:
        """No ticking out of sight."""
        super().hideEvent(event)
        self._under_mouse = False
        self._timer.stop()

    def _time(self) -> None:
        """Begin to count, from the start, or count no longer."""
        lasts = reading_time(self._notice) if self._notice is not None else 0
        if lasts and self.isVisible() and self.isActiveWindow() and not self._under_mouse:
            self._timer.start(lasts)
        else:
            self._timer.stop()

    def _show(self) -> None:
        current = [notice for notice in self._notices.current() if notice.place in ("", self._room)]
        self._notice = notice = current[-1] if current else None
        self._fill(len(current) - 1)
        self.turned.emit()
        self.setVisible(notice is not None)
        self._time()

    def _fill(self, behind: int) -> None:
        notice = self._notice
        if notice is None:
            return
        count = f" (×{notice.count})" if notice.count > 1 else ""
        words = f"{notice.message}{count} {notice.hint}".strip()
        self.message.setText(words)
        self.setAccessibleName(f"{notice.level}: {words}")
        icon = {"note": "note", "warning": "warning", "error": "error"}[notice.level]
        self._theme.dress(self._icon, icon, _COLORS[notice.level], 18)
        self.action.setVisible(notice.action is not None)
        if notice.action is not None:
            self.action.setText(notice.action.title)
            self.action.setAccessibleName(notice.action.title)
            self.action.setToolTip(notice.action.title)
        self.copy.setVisible(bool(notice.detail))
        self.more.setVisible(behind > 0)
        self.more.setText(f"{behind} more")
        self.more.setAccessibleName(f"{behind} more messages")
        self.update()

    def _act(self) -> None:
        notice = self._notice
        if notice is not None and notice.action is not None:
            self._notices.dismiss(notice.id)
            notice.action.run()

    def _copy(self) -> None:
        if self._notice is not None:
            QGuiApplication.clipboard().setText(self._notice.detail)
            self.copy.setText("Copied")

    def _dismiss(self) -> None:
        if self._notice is not None:
            self._notices.dismiss(self._notice.id)
        self.copy.setText("Copy details")

    def _next(self) -> None:
        self._dismiss()

    def _link(self, text: str, tooltip: str) -> QPushButton:
        button = QPushButton(text)
        button.setProperty("look", "link")
        button.setToolTip(tooltip)
        button.setAccessibleName(text)
        return button
