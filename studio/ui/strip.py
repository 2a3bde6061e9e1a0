"""The status strip: what runs, with a bar, a pace and a stop button; queue, memory and device at the right."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from studio.core.jobs import Job
from studio.ui.bar import Bar
from studio.ui.elided import ElidedLabel
from studio.ui.measures import size_words, tip
from studio.ui.pace import Pace, job_title
from studio.ui.queue.watch import QueueWatch
from studio.ui.theme import Theme

_MOST_LINES = 2
_NARROW = 1200
_TIGHT = 940


def _beside_icon(text: str) -> str:
    """Words with a little air after the icon, for which a style sheet has no measure."""
    return f"\N{THIN SPACE}{text}"


class JobLine(QWidget):
    """One running job. `stop_wanted` carries its id."""

    stop_wanted = Signal(str)

    def __init__(self, theme: Theme, stop_keys: str) -> None:
        super().__init__()
        self.job = ""
        self._title = ElidedLabel(most=170, least=84)
        self._title.setProperty("look", "soft")
        self.bar = Bar(theme)
        self.words = QLabel()
        self.words.setProperty("look", "soft")
        self.stop = QToolButton()
        self.stop.setProperty("look", "strip")
        self.stop.setText(_beside_icon("Stop"))
        self.stop.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.stop.setToolTip(tip("Stop this now", stop_keys))
        self.stop.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.stop.clicked.connect(lambda: self.stop_wanted.emit(self.job))
        theme.dress(self.stop, "stop", "text_soft", 14)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.space(2))
        row.addWidget(self._title)
        row.addWidget(self.bar, 1)
        row.addWidget(self.words)
        row.addWidget(self.stop)

    def set_narrow(self, *, narrow: bool) -> None:
        """Leave the stop button's word out where there is little room."""
        style = Qt.ToolButtonStyle
        self.stop.setToolButtonStyle(style.ToolButtonIconOnly if narrow else style.ToolButtonTextBesideIcon)

    def show_job(self, job: Job, pace: Pace | None) -> None:
        """Show how far `job` is."""
        if job.id != self.job:
            self.job = job.id
            self._title.setText(job_title(job))
            self.stop.setAccessibleName(f"Stop: {job_title(job)}")
        self.bar.set_fraction(pace.fraction if pace else None)
        words = pace.words() if pace else "starting"
        if words != self.words.text():
            self.words.setText(words)


class StatusStrip(QWidget):
    """`stop_wanted` carries a job's id; `queue_wanted` opens the list; `resume_wanted` ends a pause."""

    stop_wanted = Signal(str)
    queue_wanted = Signal()
    resume_wanted = Signal()

    def __init__(self, theme: Theme, queue_keys: str, stop_keys: str) -> None:
        super().__init__()
        self._theme = theme
        theme.clothe(self)
        self._watch: QueueWatch | None = None
        self.setProperty("look", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Status")
        self.lines = [JobLine(theme, stop_keys) for _ in range(_MOST_LINES)]
        self.ready = QLabel("Ready")
        self.ready.setProperty("look", "soft")
        self.resume = self._tool("Go on", "Let the queue go on", "play")
        self.resume.clicked.connect(self.resume_wanted)
        self.queue_button = self._tool("Queue 0", tip("What waits, runs and is done", queue_keys), "queue")
        self.queue_button.clicked.connect(self.queue_wanted)
        self.memory = QLabel()
        self.memory.setProperty("look", "soft")
        self.memory.setToolTip("What the models and their workers hold in memory")
        self.device = QLabel("CPU")
        self.device.setProperty("look", "soft")
        self.device.setToolTip("Where models run")
        self._arrange()
        theme.changed.connect(self._resize)
        self._resize()

    def follow(self, watch: QueueWatch) -> None:
        """Show the jobs of this queue from now on."""
        self._watch = watch
        watch.changed.connect(self._show_all)
        watch.moved.connect(self._show_moved)
        self._show_all()

    def say(self, words: str) -> None:
        """Say what happens before there is a session."""
        self.ready.setText(words)

    def show_memory(self, size: int) -> None:
        """Bytes held by models and workers."""
        self.memory.setText(f"Memory {size_words(size)}" if size else "")
        self._fit()

    def show_device(self, name: str) -> None:
        """`cpu`, `cuda`, `cuda:0` or `mps`."""
        words = {"cpu": "CPU", "mps": "Apple GPU", "cuda": "GPU"}
        self.device.setText(words.get(name, name.upper().replace("CUDA:", "GPU ")))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Say less where there is less room."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        running = sum(1 for line in self.lines if not line.isHidden())
        for line in self.lines:
            line.set_narrow(narrow=running > 1 and self.width() < self._theme.pixels(_NARROW))
        room = running < _MOST_LINES or self.width() >= self._theme.pixels(_TIGHT)
        self.memory.setVisible(room and bool(self.memory.text()))

    def _show_all(self) -> None:
        watch = self._watch
        if watch is None:
            return
        running = [job for job in watch.jobs if job.state.active][:_MOST_LINES]
        for line, job in zip(self.lines, running, strict=False):
            line.show_job(job, watch.paces.get(job.id))
        for index, line in enumerate(self.lines):
            line.setVisible(index < len(running))
        self._fit()
        self.ready.setText("The queue is paused" if watch.paused else "Ready")
        self.ready.setVisible(not running)
        self.resume.setVisible(watch.paused)
        self.queue_button.setText(_beside_icon(f"Queue {watch.open}"))
        going = watch.open - watch.waiting
        self.queue_button.setAccessibleName(f"Queue, {going} running, {watch.waiting} waiting")

    def _show_moved(self, job_id: str) -> None:
        pace = self._watch.paces.get(job_id) if self._watch else None
        for line in self.lines:
            if line.job == job_id and pace is not None:
                line.show_job(pace.job, pace)
        if pace is not None and pace.device:
            self.show_device(pace.device)

    def _tool(self, text: str, tooltip: str, icon: str) -> QToolButton:
        button = QToolButton()
        button.setProperty("look", "strip")
        button.setText(_beside_icon(text))
        button.setToolTip(tooltip)
        button.setAccessibleName(text)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._theme.dress(button, icon, "text_soft", 14)
        return button

    def _arrange(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(self._theme.space(3), 0, self._theme.space(2), 0)
        row.setSpacing(self._theme.space(3))
        for line in self.lines:
            line.stop_wanted.connect(self.stop_wanted)
            line.hide()
            row.addWidget(line, 2)
        row.addWidget(self.ready)
        row.addWidget(self.resume)
        row.addStretch(1)
        row.addWidget(self.queue_button)
        row.addWidget(self.memory)
        row.addWidget(self.device)
        self.resume.hide()

    def _resize(self) -> None:
        self.setFixedHeight(self._theme.pixels(36))
