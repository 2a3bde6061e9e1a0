"""A result that arrives after its stream is gone (a retry, another start) still lands where it was asked for."""

from __future__ import annotations

from studio.app.notices import Action, Notices
from studio.ui.editing.text_area import TextArea


def insert_late(area: TextArea, anchor: str, text: str, notices: Notices, title: str) -> None:
    """Insert `text` at `anchor` (a position; the end of the text where that is not known) as one step."""
    if area.history.passage is not None:
        return
    position = min(int(anchor), area.length) if anchor.isdecimal() else area.length
    area.insert_generated(position, text)
    notices.of("").post(  # whatever room is in front: a text elsewhere has changed
        f"“{title}” has been inserted into the text it was asked for.", action=Action("Take it out", area.undo)
    )
