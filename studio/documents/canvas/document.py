"""One canvas document: one SQLite file, written at every change, so that there is nothing to save.

The undo journal lies in the same file and the same transaction as the change, so both are there or
neither is, whatever ends the program.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec.structs import replace

from studio.core.codec import decode, encode
from studio.core.references import Asset
from studio.documents import database
from studio.documents.canvas.opening import open_canvas
from studio.documents.canvas.placement import Change, FramePlace, Placement, Rect

SUFFIX = ".canvas"
SHEET_GAP = 16
SHEET_COLUMNS = 4


class CanvasDocument:
    """The pictures of one canvas, bottom first. Thread-safe; `on_change` is called after each change."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.on_change: Callable[[], None] = lambda: None
        self._lock = threading.RLock()
        self._connection = open_canvas(path)
        self._placements = {item.id: item for item in self._stored()}
        self._done = int(self._meta("done", "0"))
        self._sizing = -1  # the step that sized the frame; more of the same belongs to it
        self.id = self._meta("id", "")
        """What destinations name: it stays when the file is renamed."""

    @property
    def name(self) -> str:
        """What the window shows."""
        return self.path.stem

    def placements(self) -> tuple[Placement, ...]:
        """All pictures, bottom first."""
        with self._lock:
            return tuple(sorted(self._placements.values(), key=lambda item: (item.order, item.id)))

    def find(self, identity: str) -> Placement | None:
        """The placement with this id, or None."""
        return self._placements.get(identity)

    def at(self, x: float, y: float) -> Placement | None:
        """The topmost placement at a canvas point."""
        return next((item for item in reversed(self.placements()) if item.rect.contains(x, y)), None)

    def place(self, asset: Asset, rect: Rect, label: str = "", job: str = "") -> Placement:
        """Put a picture on top of everything."""
        with self._lock:
            placement = Placement(secrets.token_hex(8), asset, rect, label, job, self._top() + 1.0)
            self._record(Change(after=placement))
        self.on_change()
        return placement

    def land(self, job: str, pictures: list[tuple[Asset, Rect]], label: str) -> tuple[Placement, ...]:
        """Place a job's results, once: a job that has landed here before changes nothing."""
        with self._lock:
            if self.has_landed(job):
                return ()
            top = self._top()
            placements = tuple(
                Placement(secrets.token_hex(8), asset, rect, label, job, top + number)
                for number, (asset, rect) in enumerate(pictures, 1)
            )
            self._record(*(Change(after=placement) for placement in placements), landed=job)
        self.on_change()
        return placements

    def has_landed(self, job: str) -> bool:
        """Whether the results of `job` were placed here, even if they were removed since."""
        with self._lock:
            row = self._connection.execute("SELECT 1 FROM landed WHERE job = ?", (job,)).fetchone()
        return row is not None

    def move(self, identity: str, rect: Rect) -> None:
        """Give the placement another place or size."""
        self._replace(identity, lambda item: replace(item, rect=rect))

    def raise_to_top(self, identity: str) -> None:
        """Bring the placement in front of all others."""
        self._replace(identity, lambda item: replace(item, order=self._top() + 1.0))

    def remove(self, identity: str) -> None:
        """Take the picture off the canvas; its file stays in the project."""
        with self._lock:
            before = self._placements.get(identity)
            if before is None:
                return
            self._record(Change(before=before))
        self.on_change()

    def move_frame(self, before: FramePlace, after: FramePlace, *, sizing: bool = False) -> None:
        """Record that the person moved the frame. Sizes that follow each other (`sizing`) become one step."""
        with self._lock:
            last = self._step(self._done) if sizing and self._sizing == self._done else None
            first = last.frame_before if last is not None else None
            change = Change(frame_before=first or before, frame_after=after)
            self._record(change, instead=first is not None)
            self._sizing = self._done if sizing else -1
        self.on_change()

    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return self._done > 0

    def can_redo(self) -> bool:
        """Whether there is a step to do again."""
        return self._step(self._done + 1) is not None

    def undo(self) -> FramePlace | None:
        """Take the last step back, where there is one; returns where the frame is then, if the step moved it."""
        with self._lock:
            change = self._step(self._done)
            return self._apply(change.reversed(), self._done - 1) if change is not None else None

    def redo(self) -> FramePlace | None:
        """Do the step again that was taken back last; returns where the frame is then, if the step moved it."""
        with self._lock:
            change = self._step(self._done + 1)
            return self._apply(change, self._done + 1) if change is not None else None

    def free_place(self, near: Rect, taken: tuple[Rect, ...] = (), count: int = 1) -> Rect:
        """The next place of the size of `near` where a sheet of `count` covers nothing: rightwards, then down.

        A sheet begins where its first row still ends within the four columns.
        """
        occupied = [item.rect for item in self.placements()] + list(taken)
        for slot in range(10_000):
            row, column = divmod(slot, SHEET_COLUMNS)
            if column + min(count, SHEET_COLUMNS) > SHEET_COLUMNS:
                continue
            candidate = near.moved(column * (near.width + SHEET_GAP), row * (near.height + SHEET_GAP))
            wanted = sheet(candidate, count)
            if not any(place.overlaps(other) for place in wanted for other in occupied):
                return candidate
        return near

    def setting(self, key: str, fallback: str = "") -> str:
        """A value that the document remembers (the frame, the view)."""
        return self._meta(f"setting-{key}", fallback)

    def set_setting(self, key: str, value: str) -> None:
        """Remember a value; no undo step."""
        self._write("INSERT OR REPLACE INTO meta VALUES (?, ?)", (f"setting-{key}", value))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _replace(self, identity: str, change: Callable[[Placement], Placement]) -> None:
        with self._lock:
            before = self._placements.get(identity)
            if before is None or change(before) == before:
                return
            self._record(Change(before, change(before)))
        self.on_change()

    def _top(self) -> float:
        return max((item.order for item in self._placements.values()), default=0.0)

    def _record(self, *changes: Change, landed: str = "", instead: bool = False) -> None:
        """Write new steps and their effects, all or none; steps that had been taken back are forgotten.

        With `landed`, that this job's results are here is part of it. `instead` puts them in the last step's place.
        """
        kept = self._done - int(instead)
        steps = tuple(enumerate(changes, kept + 1))
        with database.change(self._connection, self.path):
            if landed:
                self._connection.execute("INSERT INTO landed (job) VALUES (?)", (landed,))
            self._connection.execute("DELETE FROM journal WHERE step > ?", (kept,))
            for step, change in steps:
                self._connection.execute("INSERT INTO journal (step, json) VALUES (?, ?)", (step, encode(change)))
                self._effect(change, step)
        for step, change in steps:
            self._remember(change, step)

    def _apply(self, change: Change, done: int) -> FramePlace | None:
        with database.change(self._connection, self.path):
            self._effect(change, done)
        self._remember(change, done)
        self.on_change()
        return change.frame_after

    def _effect(self, change: Change, done: int) -> None:
        old, new = change.before, change.after
        if new is not None:
            self._connection.execute("INSERT OR REPLACE INTO placements VALUES (?, ?)", (new.id, encode(new)))
        elif old is not None:
            self._connection.execute("DELETE FROM placements WHERE id = ?", (old.id,))
        if change.frame_after is not None:
            kept = rect_text(change.frame_after.home)
            self._connection.execute("INSERT OR REPLACE INTO meta VALUES ('setting-frame', ?)", (kept,))
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES ('done', ?)", (str(done),))

    def _remember(self, change: Change, done: int) -> None:
        old, new = change.before, change.after
        if new is not None:
            self._placements[new.id] = new
        elif old is not None:
            self._placements.pop(old.id, None)
        self._done = done

    def _step(self, number: int) -> Change | None:
        with self._lock:
            row = self._connection.execute("SELECT json FROM journal WHERE step = ?", (number,)).fetchone()
        return decode(Change, row[0]) if row else None

    def _stored(self) -> list[Placement]:
        rows = self._connection.execute("SELECT json FROM placements").fetchall()
        return [decode(Placement, row[0]) for row in rows]

    def _meta(self, key: str, fallback: str) -> str:
        with self._lock:
            row = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else fallback

    def _write(self, statement: str, values: tuple[object, ...]) -> None:
        with self._lock, database.change(self._connection, self.path):
            self._connection.execute(statement, values)


def sheet(first: Rect, count: int) -> tuple[Rect, ...]:
    """The places of `count` pictures that were asked for together: rows of four, the first one at `first`."""
    across, down = first.width + SHEET_GAP, first.height + SHEET_GAP
    return tuple(
        first.moved(index % SHEET_COLUMNS * across, index // SHEET_COLUMNS * down) for index in range(max(1, count))
    )


def rect_from(text: str) -> Rect | None:
    """A rectangle that `set_setting` kept, or None where there is none or it is damaged."""
    try:
        return msgspec.json.decode(text, type=Rect) if text else None
    except msgspec.MsgspecError:
        return None


def rect_text(rect: Rect) -> str:
    """`rect` for `set_setting`."""
    return encode(rect).decode()
