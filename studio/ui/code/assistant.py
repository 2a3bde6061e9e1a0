"""The help that the Code room gives: from the panel and the cursor to code in the file."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from studio.core.events import Event, JobCompleted
from studio.core.failure import StudioError
from studio.core.jobs import Job
from studio.core.references import SUGGESTION, Destination
from studio.ui.code.asking import Place, instructed
from studio.ui.code.editor import SourceArea
from studio.ui.code.indenting import leading
from studio.ui.code.request_panel import NO_MODEL, CodePanel
from studio.ui.code.sheet import Sheet
from studio.ui.editing.cleaning import Cleaner, Code, Plain
from studio.ui.editing.generation import Generation, Order
from studio.ui.editing.pill import Pill
from studio.ui.editing.stream import Target
from studio.ui.measures import count_words
from studio.ui.room import RoomContext

_LOOK_DELAY = 200
_LONGEST = 200_000


class Assistant(QObject):
    """Starts and stops generations. `changed` comes when one begins or ends."""

    changed = Signal()

    def __init__(self, context: RoomContext, panel: CodePanel, parent: QObject) -> None:
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
        """Another file is in front."""
        if self._sheet is not None:
            self._sheet.area.moved.disconnect(self._moved)
        self._sheet = sheet
        if sheet is not None:
            sheet.suggestions.automatic = self._may_suggest
            sheet.area.moved.connect(self._moved)
        self._look.start()

    @property
    def running(self) -> bool:
        """Whether code is on its way into the file in front."""
        return self._sheet is not None and self._sheet.generation is not None

    def possible(self) -> bool:
        """Whether there is a file, a model, and nothing running in this file."""
        return not self.running and not self.obstacle()

    def obstacle(self) -> str:
        """What is missing before anything can be written, in words that say what to do; else empty."""
        if self._panel.model_ref() is None:
            return NO_MODEL
        return "" if self._sheet is not None else "No file is open. Begin one, or choose one from the list."

    def start(self) -> None:
        """Do what the panel says in the file in front."""
        sheet = self._sheet
        wishes = self._panel.wishes(self._context.studio.new_seed())
        if sheet is None or wishes is None or not self.possible():
            return
        sheet.suggestions.stop()
        target, place, cleaner = _where(sheet.area, instruction=bool(wishes.instruction))
        title = wishes.instruction[:60] or f"Code in {sheet.path.name}"
        destination = Destination(room="code", document=sheet.path.as_posix(), anchor=str(target.end))
        order = Order(instructed(place, wishes), destination, title, cleaner)
        self._show_seen()
        try:
            generation = Generation(self._context, sheet.area, target, order)
        except StudioError as error:
            self._context.notices.fail(error.failure)
            return
        self._begin(sheet, generation, target)

    def stop(self) -> None:
        """Stop what is written in the file in front."""
        if self._sheet is not None and self._sheet.generation is not None:
            self._sheet.generation.stop()

    def look(self) -> None:
        """Read again soon what the panel says about the request."""
        self._look.start()

    def late_result(self, job: Job, event: Event) -> str | None:
        """The code of a finished job that no open file is waiting for, as after a retry; else None."""
        place = job.destination
        if not isinstance(event, JobCompleted) or place.room != "code" or place.anchor == SUGGESTION:
            return None
        return event.text if event.text and job.attempt > self._seen.get(job.id, -1) else None

    def _begin(self, sheet: Sheet, generation: Generation, target: Target) -> None:
        sheet.generation = generation
        self._seen[generation.job.id] = generation.job.attempt
        sheet.area.select(target.end, target.end)
        Pill(sheet.area, generation, self._context.theme)
        generation.context_used.connect(self._panel.show_use)
        generation.ended.connect(lambda: self._ended(sheet, generation))
        sheet.area.setFocus()
        self.changed.emit()

    def _ended(self, sheet: Sheet, generation: Generation) -> None:
        if sheet.generation is generation:
            sheet.generation = None
        generation.deleteLater()
        self._look.start()
        self.changed.emit()

    def _may_suggest(self) -> bool:
        return self._panel.automatic.isChecked() and not self.running

    def _moved(self, _line: int, _column: int) -> None:
        self._look.start()

    def _show_seen(self) -> None:
        sheet, wishes = self._sheet, self._panel.wishes(0)
        if sheet is None or wishes is None:
            self._panel.show_seen([])
            return
        if sheet.generation is not None:
            return
        _, place, _ = _where(sheet.area, instruction=bool(wishes.instruction))
        request = instructed(place, wishes)
        self._panel.show_forecast(request)
        rows = [("Above the cursor", _lines(request.prefix))]
        if request.suffix:
            rows.append(("Below the cursor", _lines(request.suffix)))
        left_out = place.before.count("\n") - request.prefix.count("\n")
        if left_out:
            rows.append(("Left out, further up", count_words(left_out, "line")))
        if place.selected and wishes.instruction:
            rows.append(("The selection, to be replaced", _lines(place.selected)))
        self._panel.show_seen(rows)


def _where(area: SourceArea, *, instruction: bool) -> tuple[Target, Place, Cleaner]:
    """An instruction replaces the selection; otherwise the code goes on at its end."""
    cursor = area.textCursor()
    start, end = cursor.selectionStart(), cursor.selectionEnd()
    if not instruction:
        start = end
    before = area.between(max(0, start - _LONGEST), start)
    after = area.between(end, min(area.length, end + _LONGEST))
    place = Place(before, after, area.between(start, end), area.language)
    return Target(start, end), place, _code(area, place) if instruction else Plain()


def _code(area: SourceArea, place: Place) -> Code:
    """Code for an instruction begins a line of its own where the cursor stands at the end of one."""
    line, rest = place.before.rpartition("\n")[2], place.after.partition("\n")[0]
    if line.strip() and not rest.strip() and not place.selected:
        indent = area.indent_after(line)
        return Code(indent, f"\n{indent}")
    return Code(leading(line))


def _lines(text: str) -> str:
    return count_words(text.count("\n") + 1 if text else 0, "line")
