"""Undo for text, with room for a passage that is being generated while the person types on.

Qt's own undo stack is strictly in order of time: a generated passage and the words typed meanwhile
would be shuffled into each other. Here the passage stays outside the history while it streams
(`begin_passage`); edits around it are recorded as if it were not there; `end_passage` puts it on top
as one step. Positions are UTF-16 code units. No Qt.
"""

from __future__ import annotations

import dataclasses

from studio.documents.authorship import Runs
from studio.documents.units import cut, units

_MOST_STEPS = 2000


@dataclasses.dataclass(frozen=True)
class Edit:
    """At `position`, `removed` was replaced by `inserted`; the runs say who wrote each (empty: the person)."""

    position: int
    removed: str
    inserted: str
    removed_by: Runs = ()
    inserted_by: Runs = ()

    def reversed(self) -> Edit:
        """The edit that takes this one back."""
        return Edit(self.position, self.inserted, self.removed, self.inserted_by, self.removed_by)


@dataclasses.dataclass
class Step:
    """What one undo takes back; `open` while typing may still be added to it."""

    edits: list[Edit]
    open: bool = False
    generated: bool = False


@dataclasses.dataclass
class Passage:
    """The region of the text, `start` to `end`, that is being generated."""

    start: int
    end: int


class TextHistory:
    """The steps of one document. `passage` is the region outside the history, or None."""

    def __init__(self) -> None:
        self._done: list[Step] = []
        self._undone: list[Step] = []
        self.passage: Passage | None = None

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to do again."""
        return bool(self._undone)

    def clear(self) -> None:
        """Forget everything."""
        self._done.clear()
        self._undone.clear()
        self.passage = None

    def record(self, edit: Edit, *, typed: bool = False) -> None:
        """Note an edit that has been made to the text, in the text's own positions."""
        for part in self._without_passage(edit):
            self._add(part, typed=typed)

    def record_step(self, edits: list[Edit], *, generated: bool = False) -> None:
        """Note several edits as one step; there must be no passage."""
        if edits:
            self._push(Step(edits, generated=generated))

    def seal(self) -> None:
        """Have the next typed edit begin a new step."""
        if self._done:
            self._done[-1].open = False

    def begin_passage(self, position: int) -> None:
        """From now on, the (empty) region at `position` is outside the history."""
        self.seal()
        self.passage = Passage(position, position)

    def grow_passage(self, amount: int) -> None:
        """`amount` units have been inserted at the end of the passage."""
        if self.passage is not None:
            self.passage.end += amount

    def end_passage(self) -> None:
        """The passage is ordinary text again; the caller records the step that made it."""
        self.passage = None

    def undo(self) -> list[Edit]:
        """The edits to make, in order, to take the last step back."""
        if not self._done:
            return []
        step = self._done.pop()
        step.open = False
        self._undone.append(step)
        return [edit.reversed() for edit in reversed(step.edits)]

    def redo(self) -> list[Edit]:
        """The edits to make, in order, to do the last undone step again."""
        if not self._undone:
            return []
        step = self._undone.pop()
        self._done.append(step)
        return list(step.edits)

    def push_undone(self, edits: list[Edit]) -> None:
        """Offer `edits` for redo; they are not in the text now."""
        self._undone.append(Step(edits, generated=True))

    def _add(self, edit: Edit, *, typed: bool) -> None:
        last = self._done[-1] if self._done else None
        if typed and last is not None and last.open:
            merged = _merge(last.edits[-1], edit)
            if merged is not None:
                last.edits[-1] = merged
                self._undone.clear()
                return
        self._push(Step([edit], open=typed))

    def _push(self, step: Step) -> None:
        if self._done:
            self._done[-1].open = False
        self._done.append(step)
        del self._done[:-_MOST_STEPS]
        self._undone.clear()

    def _without_passage(self, edit: Edit) -> list[Edit]:
        """`edit` in the positions of the text without the passage; moves the passage along."""
        passage = self.passage
        if passage is None:
            return [edit]
        removed, inserted = units(edit.removed), units(edit.inserted)
        start, end = edit.position, edit.position + removed
        if end <= passage.start:
            passage.start += inserted - removed
            passage.end += inserted - removed
            return [edit]
        if start >= passage.end:
            return [dataclasses.replace(edit, position=start - (passage.end - passage.start))]
        if start >= passage.start and end <= passage.end:
            passage.end += inserted - removed  # the person corrects what is being generated: part of it
            return []
        return self._straddling(edit, passage)

    @staticmethod
    def _straddling(edit: Edit, passage: Passage) -> list[Edit]:
        """An edit that removes part of the passage and text around it."""
        removed, inserted = units(edit.removed), units(edit.inserted)
        start, end = edit.position, edit.position + removed
        before, after = max(0, passage.start - start), max(0, end - passage.end)
        kept = (passage.end - passage.start) - (min(end, passage.end) - max(start, passage.start))
        outside = cut(edit.removed, 0, before) + cut(edit.removed, removed - after, removed)
        if before:
            passage.start = start + inserted
            passage.end = passage.start + kept
            return [Edit(start, outside, edit.inserted)]
        passage.end = passage.start + kept
        return [Edit(passage.start, outside, edit.inserted)]


def _merge(last: Edit, edit: Edit) -> Edit | None:
    """One edit for two that belong together: letters of a word, or repeated deleting."""
    if not edit.removed and not last.removed and edit.position == last.position + units(last.inserted):
        begins_word = last.inserted[-1:].isspace() and not edit.inserted[:1].isspace()
        if "\n" in edit.inserted or begins_word:
            return None
        both = (*last.inserted_by, *edit.inserted_by)
        return Edit(last.position, "", last.inserted + edit.inserted, inserted_by=both)
    if edit.inserted or last.inserted or not edit.removed:
        return None
    if edit.position + units(edit.removed) == last.position:
        both = (*edit.removed_by, *last.removed_by)
        return Edit(edit.position, edit.removed + last.removed, "", removed_by=both)
    if edit.position == last.position:
        both = (*last.removed_by, *edit.removed_by)
        return Edit(edit.position, last.removed + edit.removed, "", removed_by=both)
    return None
