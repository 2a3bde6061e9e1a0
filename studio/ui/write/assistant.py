"""The help that the Write room gives: from the panel and the cursor to words in the text."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from studio.core.events import ContextUse, Event, JobCompleted
from studio.core.failure import StudioError
from studio.core.jobs import Job
from studio.core.references import Destination
from studio.core.requests import TextRequest
from studio.documents.manuscript import count_words
from studio.ui.editing.cleaning import Cleaner, Continuation, Passage
from studio.ui.editing.generation import Generation, Order
from studio.ui.editing.pill import Pill
from studio.ui.editing.stream import Target
from studio.ui.editing.window_use import Share, WindowUse
from studio.ui.room import RoomContext
from studio.ui.write.asking import TITLES, Situation, Task, build, shown_text
from studio.ui.write.editor import Page
from studio.ui.write.request_panel import NO_MODEL, WritePanel
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
        self._use = WindowUse()
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
        return not self.running and not self.obstacle()

    def obstacle(self) -> str:
        """What is missing before anything can be written, in words that say what to do; else empty."""
        if self._panel.model.entry() is None:
            return NO_MODEL
        if self._sheet is None:
            return "No text is open. Begin one, or choose one from the list."
        if self._panel.task() == "ask" and not self._panel.direction.text():
            return "Say under Direction what should be written."
        return ""

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
        request = build(task, situation, wishes)
        order = Order(
            request,
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
        generation.context_used.connect(lambda use: self._measured(situation, request, wishes.direction, use))

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
        generation.ended.connect(lambda: self._ended(sheet, generation))
        sheet.page.setFocus()
        self.changed.emit()

    def _ended(self, sheet: Sheet, generation: Generation) -> None:
        if sheet.generation is generation:
            sheet.generation = None
        generation.deleteLater()
        self._look.start()
        self.changed.emit()

    def _measured(self, situation: Situation, request: TextRequest, direction: str, use: ContextUse) -> None:
        """The running request has been read: the panel says the same as before, with what is known now."""
        share = self._use.measure(str(request.model), len(shown_text(request)), use)
        self._panel.show_seen(seen_rows(situation, request, direction, share), share)

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
        shown = len(shown_text(request))
        share = self._use.estimate(str(wishes.model), shown, wishes.context, request.max_tokens)
        rows = seen_rows(situation, request, wishes.direction, share)
        self._panel.show_seen(
            rows or [("Nothing yet: the page before the cursor is empty", "")], share if rows else None
        )


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


def seen_rows(situation: Situation, request: TextRequest, direction: str, share: Share) -> list[tuple[str, str]]:
    """What the panel says that the model sees of the text, and what does not fit, in words."""
    shown, whole = shown_text(request), situation.passage or situation.before
    sent = whole if situation.passage else whole[-len(shown) :]
    kept = min(len(sent), round(len(shown) * share.kept)) if share.dropped else len(sent)
    cut = len(whole) - kept if kept < len(whole.rstrip()) else 0
    about = "about " if cut else ""
    rows: list[tuple[str, str]] = []
    if whole.strip():
        name = "The passage" if situation.passage else "Text before the cursor"
        rows.append((name, about + _words(whole[cut:])))
    if cut and (request.prompt or situation.passage or share.dropped):
        rows.append(("Left out, further up", about + _words(whole[:cut])))
    if direction:
        rows.append(("Direction", _words(direction)))
    return rows


def _words(text: str) -> str:
    count = count_words(text)
    return f"{count:,} word{'' if count == 1 else 's'}"
