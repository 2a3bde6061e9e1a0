"""A result that arrives after its stream is gone (a retry, another start) still lands where it was asked for."""

from __future__ import annotations

from studio.app.notices import Action, Notices
from studio.documents.text_history import Edit
from studio.documents.units import units
from studio.ui.editing.text_area import TextArea


def insert_late(area: TextArea, anchor: str, text: str, notices: Notices, title: str) -> None:
    """Insert `text` at `anchor` (a position; the end of the text where that is not known) as one step."""
    if area.history.passage is not None:
        return
    position = min(int(anchor), area.length) if anchor.isdecimal() else area.length
    area.put_streamed(position, position, text)
    runs = area.authorship.between(position, position + units(text))
    area.history.record_step([Edit(position, "", text, inserted_by=runs)], generated=True)
    notices.post(
        f"“{title}” has been inserted into the text it was asked for.", action=Action("Take it out", area.undo)
    )
