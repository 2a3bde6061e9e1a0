"""The help that the Write room gives: from the panel and the cursor to words in the text."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from studio.core.events import Event, JobCompleted
from studio.core.failure import StudioError
from studio.core.jobs import Job
from studio.core.references import Destination
from studio.documents.manuscript import count_words
from studio.ui.editing.cleaning import Cleaner, Continuation, Passage
from studio.ui.editing.generation import Generation, Order
from studio.ui.editing.pill import Pill
from studio.ui.editing.stream import Target
from studio.ui.room import RoomContext
from studio.ui.write.asking import TITLES, Situation, Task, build
from studio.ui.write.editor import Page
from studio.ui.write.request_panel import WritePanel
from studio.ui.write.sheet import Sheet

_LOOK_DELAY = 200
_LONGEST_BEFORE = 400_000
_NEED_PASSAGE: tuple[Task, ...] = ("rewrite", "shorten", "expand")


class Assistant(QObject):
    """Starts and stops generations. `changed` comes when one begins or ends."""

    changed = Signal()

    def __init__(self, context: RoomContext, panel: WritePanel, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._panel = panel
        self._sheet: Sheet | None = None
        self._seen: dict[str, int] = {}
        self._look = QTimer(self)
        self._look.setSingleShot(True)
        self._look.setInterval(_LOOK_DELAY)
        self._look.timeout.connect(self._show_seen)
        panel.edited.connect(self._look.start)

    def attend(self, sheet: Sheet | None) -> None:
        """Another text is in front."""
        if self._sheet is not None:
            self._sheet.page.cursorPositionChanged.disconnect(self._look.start)
        self._sheet = sheet
        if sheet is not None:
            sheet.page.cursorPositionChanged.connect(self._look.start)
        self._look.start()

    @property
    def running(self) -> bool:
        """Whether words are on their way into the text in front."""
        return self._sheet is not None and self._sheet.generation is not None

    def possible(self) -> bool:
        """Whether there is a text, a model, and nothing running in this text."""
        sheet = self._sheet
        if sheet is None or sheet.generation is not None or self._panel.model.entry() is None:
            return False
        return self._panel.task() != "ask" or bool(self._panel.direction.text())

    def start(self, document: str) -> None:
        """Do what the panel says in the text in front, which is called `document`."""
        sheet = self._sheet
        wishes = self._panel.wishes(self._context.studio.new_seed())
        if sheet is None or wishes is None or not self.possible():
            return
        task, page = self._panel.task(), sheet.page
        target = _target(task, page)
        situation = _situation(page, target)
        if task in _NEED_PASSAGE and not situation.passage:
            self._context.notices.post("Nothing to work on here. Select some words, or click into a paragraph.")
            return
        title = TITLES[task] if task != "ask" else wishes.direction[:60]
        order = Order(
            build(task, situation, wishes),
            Destination(room="write", document=document, anchor=str(target.end)),
            title,
            _cleaner(task, situation),
        )
        try:
            generation = Generation(self._context, page, target, order)
        except StudioError as error:
            self._context.notices.fail(error.failure)
            return
        self._begin(sheet, generation, target)

    def stop(self) -> None:
        """Stop what is written in the text in front."""
        if self._sheet is not None and self._sheet.generation is not None:
            self._sheet.generation.stop()

    def look(self) -> None:
        """Read again soon what the panel says about the request."""
        self._look.start()

    def late_result(self, job: Job, event: Event) -> str | None:
        """The words of a finished job that no open text is waiting for, as after a retry; else None."""
        if not isinstance(event, JobCompleted) or job.destination.room != "write" or not event.text:
            return None
        return event.text if job.attempt > self._seen.get(job.id, -1) else None

    def _begin(self, sheet: Sheet, generation: Generation, target: Target) -> None:
        self._show_seen()
        sheet.generation = generation
        self._seen[generation.job.id] = generation.job.attempt
        if target.replaces:
            cursor = sheet.page.textCursor()
            cursor.setPosition(target.end)
            sheet.page.setTextCursor(cursor)
        Pill(sheet.page, generation, self._context.theme)
        generation.context_used.connect(self._panel.show_use)
        generation.ended.connect(lambda: self._ended(sheet, generation))
        sheet.page.setFocus()
        self.changed.emit()

    def _ended(self, sheet: Sheet, generation: Generation) -> None:
        if sheet.generation is generation:
            sheet.generation = None
        generation.deleteLater()
        self._look.start()
        self.changed.emit()

    def _show_seen(self) -> None:
        """The panel's counts for the request as it stands."""
        sheet, wishes = self._sheet, self._panel.wishes(0)
        self._panel.show_authors(sheet.page.authorship.generated_share() if sheet and sheet.page.length else None)
        if sheet is None or wishes is None:
            self._panel.show_seen([])
            return
        if sheet.generation is not None:
            return
        task = self._panel.task()
        situation = _situation(sheet.page, _target(task, sheet.page))
        request = build(task, situation, wishes)
        self._panel.show_forecast(request)
        rows: list[tuple[str, str]] = []
        if situation.passage:
            rows.append(("The passage", _words(situation.passage)))
        shown = request.prompt or "".join(message.content for message in request.messages)
        if not situation.passage and situation.before.strip():
            kept = min(len(shown), len(situation.before))
            rows.append(("Text before the cursor", _words(situation.before[-kept:])))
            if task == "continue" and len(situation.before.rstrip()) > len(shown):
                rows.append(("Left out, further up", _words(situation.before[:-kept])))
        if wishes.direction:
            rows.append(("Direction", _words(wishes.direction)))
        self._panel.show_seen(rows or [("Nothing yet: the page before the cursor is empty", "")])


def _target(task: Task, page: Page) -> Target:
    cursor = page.textCursor()
    if task == "continue":
        return Target(cursor.selectionEnd(), cursor.selectionEnd())
    start, end = cursor.selectionStart(), cursor.selectionEnd()
    if start == end and task == "ask":
        return Target(end, end)
    if start == end:
        return Target(*page.paragraph_at(cursor.position()))
    text = page.between(start, end)
    start += len(text) - len(text.lstrip())
    return Target(start, max(start, end - (len(text) - len(text.rstrip()))))


def _situation(page: Page, target: Target) -> Situation:
    start = max(0, target.position - _LONGEST_BEFORE)
    return Situation(
        before=page.between(start, target.position),
        passage=page.between(target.position, target.end),
        after="",
    )


def _cleaner(task: Task, situation: Situation) -> Cleaner:
    return Continuation(situation.before) if task == "continue" else Passage(situation.passage)


def _words(text: str) -> str:
    count = count_words(text)
    return f"{count:,} word{'' if count == 1 else 's'}"
