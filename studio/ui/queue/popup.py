"""The list that opens upward from the status strip."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QListView,
    QMenu,
    QPushButton,
    QToolButton,
    QWidget,
)

from studio.core.jobs import Job
from studio.ui.floating import SHADOW, Floating
from studio.ui.measures import count_words
from studio.ui.panel.facts import separator
from studio.ui.queue.delegate import QueueDelegate
from studio.ui.queue.rows import VERB_WORDS, QueueModel, verbs
from studio.ui.queue.watch import QueueWatch
from studio.ui.theme import Theme

_WIDTH = 460
_HEIGHT = 420
_OWN_KEYS = {Qt.Key.Key_Space, Qt.Key.Key_Delete, Qt.Key.Key_Backspace, Qt.Key.Key_R, Qt.Key.Key_Menu}
_MOVES = {Qt.Key.Key_Up, Qt.Key.Key_Down}
_KEYS = "Alt ↑ ↓ moves · Space holds · Del stops, removes · R tries again"


class QueuePopup(Floating):
    """`acted(verb, job)`, `move_wanted(job, before)`, `pause_wanted` and `clear_wanted` are for the window."""

    acted = Signal(str, str)
    move_wanted = Signal(str, str)
    pause_wanted = Signal()
    clear_wanted = Signal()

    def __init__(self, theme: Theme, watch: QueueWatch, parent: QWidget) -> None:
        super().__init__(theme, parent)
        self._watch = watch
        self.setAccessibleName("Queue")
        self.model = QueueModel(self)
        self.model.move_wanted.connect(self.move_wanted)
        self.list = self._list()
        self._title = QLabel("Queue")
        self._title.setProperty("look", "strong")
        self._count = QLabel()
        self._count.setProperty("look", "soft")
        self.pause = self._button("Pause all", "Begin nothing new until you let it go on")
        self.pause.clicked.connect(self.pause_wanted)
        self.clear = self._button("Clear finished", "Take everything that has ended off the list; results stay")
        self.clear.clicked.connect(self.clear_wanted)
        close = QToolButton()
        close.setToolTip("Close the list (Esc)")
        close.setAccessibleName("Close the list")
        close.clicked.connect(self.dismiss)
        theme.dress(close, "close", "text_soft", 16)
        self.empty = QLabel("Nothing is waiting.\nWhat you ask for appears here while it waits, runs and ends.")
        self.empty.setProperty("look", "soft")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        keys = QLabel(_KEYS)
        keys.setProperty("look", "soft")
        keys.setContentsMargins(16, 8, 16, 8)
        keys.setWordWrap(True)
        head = QHBoxLayout()
        head.setContentsMargins(16, 8, 8, 8)
        head.setSpacing(self.theme.space(2))
        head.addWidget(self._title)
        head.addWidget(self._count)
        head.addStretch(1)
        for button in (self.pause, self.clear, close):
            head.addWidget(button)
        self.column.addLayout(head)
        self.column.addWidget(separator())
        self.column.addWidget(self.list, 1)
        self.column.addWidget(self.empty, 1)
        self.column.addWidget(separator())
        self.column.addWidget(keys)
        watch.changed.connect(self._show)
        watch.moved.connect(self.model.show_moved)
        self._show()

    def open(self) -> None:
        """Show the list with the newest content."""
        self._show()
        self.popup(self.list if self.model.jobs else self.pause)
        if self.model.jobs and not self.list.currentIndex().isValid():
            self.list.setCurrentIndex(self.model.index(0))

    def place(self) -> None:
        """Above the right end of the status strip."""
        window = self.over.rect()
        strip = self.theme.pixels(36)
        width = min(self.theme.pixels(_WIDTH), window.width() - 24) + 2 * SHADOW
        rows = len(self.model.jobs) * self.theme.pixels(50) + self.theme.pixels(96)
        height = min(max(rows, self.theme.pixels(220)), self.theme.pixels(_HEIGHT), window.height() - strip - 60)
        height += 2 * SHADOW
        left = window.width() - width - 12 + SHADOW
        self.setGeometry(left, window.height() - strip - height - 8 + SHADOW, width, height)

    def current(self) -> Job | None:
        """The job that is marked."""
        row = self.list.currentIndex().row()
        return self.model.jobs[row] if 0 <= row < len(self.model.jobs) else None

    def wants(self, event: QKeyEvent) -> bool:
        """The keys that `_key` answers to."""
        moves = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        return super().wants(event) or event.key() in _OWN_KEYS or (moves and event.key() in _MOVES)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The keys of the list."""
        if watched is self.list and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            return self._key(event)
        return super().eventFilter(watched, event)

    def _key(self, event: QKeyEvent) -> bool:
        job = self.current()
        if job is None:
            return False
        key, can = event.key(), verbs(job)
        if event.modifiers() & Qt.KeyboardModifier.AltModifier and key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            before = self.model.neighbour(job.id, -1 if key == Qt.Key.Key_Up else 1)
            if before is not None:
                self.move_wanted.emit(job.id, before)
        elif key == Qt.Key.Key_Space and can[0] in {"hold", "resume"}:
            self.acted.emit(can[0], job.id)
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.acted.emit(can[-1], job.id)
        elif key == Qt.Key.Key_R and "retry" in can:
            self.acted.emit("retry", job.id)
        elif key == Qt.Key.Key_Menu:
            self._open_menu(self.list.visualRect(self.list.currentIndex()).center())
        else:
            return False
        return True

    def _show(self) -> None:
        kept = self.current()
        self.model.show_jobs(self._watch.jobs, self._watch.paces)
        row = self.model.row_of(kept.id) if kept else -1
        if row >= 0:
            self.list.setCurrentIndex(self.model.index(row))
        self.list.setVisible(bool(self._watch.jobs))
        self.empty.setVisible(not self._watch.jobs)
        self._count.setText(count_words(self._watch.waiting, "waiting", "waiting") if self._watch.waiting else "")
        self.pause.setText("Go on" if self._watch.paused else "Pause all")
        self.clear.setEnabled(any(job.state.ended for job in self._watch.jobs))
        if self.isVisible():
            self.place()

    def _open_menu(self, place: QPoint) -> None:
        job = self.current()
        if job is None:
            return
        menu = QMenu(self)
        for verb in verbs(job):
            menu.addAction(VERB_WORDS[verb]).triggered.connect(
                lambda _checked=False, verb=verb, job=job: self.acted.emit(verb, job.id)
            )
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.list.viewport().mapToGlobal(place))

    def _list(self) -> QListView:
        view = QListView()
        view.setProperty("look", "list")
        view.setAccessibleName("Jobs")
        view.setModel(self.model)
        delegate = QueueDelegate(self.theme, view)
        delegate.acted.connect(self.acted)
        view.setItemDelegate(delegate)
        view.setMouseTracking(True)
        view.setUniformItemSizes(True)
        view.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        view.setDropIndicatorShown(True)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.customContextMenuRequested.connect(self._open_menu)
        view.setToolTip("")
        view.installEventFilter(self)
        return view

    def _button(self, text: str, tooltip: str) -> QPushButton:
        button = QPushButton(text)
        button.setProperty("look", "link")
        button.setToolTip(tooltip)
        button.setAccessibleName(text)
        return button
