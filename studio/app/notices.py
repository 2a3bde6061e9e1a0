"""Messages for the quiet bar: what happened, what it means, and what to do next.

Equal messages collapse into one with a count. The window shows the newest one and how many wait
behind it; nothing here ever opens a dialog.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Literal

import msgspec

from studio.core.failure import Failure

Level = Literal["note", "warning", "error"]


class Action(msgspec.Struct, frozen=True):
    """The next step, as a button."""

    title: str
    run: Callable[[], None]


class Notice(msgspec.Struct, frozen=True):
    """One message. `detail` is what “Copy details” copies; `count` is how often it came.

    `place` is the room that it is about and where alone it is shown; empty where it concerns all.
    """

    id: int
    level: Level
    message: str
    hint: str = ""
    detail: str = ""
    action: Action | None = None
    count: int = 1
    place: str = ""


class Notices:
    """The messages that have not been dismissed, newest last. Belongs to the main thread."""

    def __init__(self) -> None:
        self._place = ""
        self._notices: list[Notice] = []
        self._ids = itertools.count(1)
        self._listeners: list[Callable[[], None]] = []

    def of(self, place: str) -> Notices:
        """The same messages for a room: what it posts is shown there alone."""
        other = Notices()
        other._place = place
        other._notices, other._ids, other._listeners = self._notices, self._ids, self._listeners
        return other

    def post(
        self, message: str, *, level: Level = "note", hint: str = "", detail: str = "", action: Action | None = None
    ) -> Notice:
        """Show a message; the same one again only raises its count and takes the newer action."""
        known = (level, message, self._place)
        same = next((old for old in self._notices if (old.level, old.message, old.place) == known), None)
        if same is not None:
            self._notices.remove(same)
            details = same.detail if detail in same.detail else f"{same.detail}\n\n{detail}"
            notice = msgspec.structs.replace(same, count=same.count + 1, action=action, hint=hint, detail=details)
        else:
            notice = Notice(next(self._ids), level, message, hint, detail, action, place=self._place)
        self._notices.append(notice)
        self._tell()
        return notice

    def fail(self, failure: Failure, action: Action | None = None) -> Notice:
        """Show a failure with its hint and the next step."""
        detail = f"{failure.code}: {failure.message}\n{failure.hint}\n{failure.detail}".strip()
        return self.post(failure.message, level="error", hint=failure.hint, detail=detail, action=action)

    def dismiss(self, identity: int) -> None:
        """Take one message away, because it was read or its cause is gone; unknown ids are fine."""
        self._notices[:] = [notice for notice in self._notices if notice.id != identity]
        self._tell()

    def clear(self) -> None:
        """Take all messages away."""
        self._notices.clear()
        self._tell()

    def current(self) -> tuple[Notice, ...]:
        """What is there to show, newest last."""
        return tuple(self._notices)

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have `listener` called at each change; returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()
