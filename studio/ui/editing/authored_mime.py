"""Text on the clipboard with who wrote it, as a MIME type of our own beside the plain text."""

from __future__ import annotations

import msgspec
from PySide6.QtCore import QMimeData

from studio.documents.authorship import Runs

TYPE = "application/x-atelier-authorship"


def pack(text: str, runs: Runs) -> QMimeData:
    """`text` for the clipboard."""
    mime = QMimeData()
    mime.setText(text)
    mime.setData(TYPE, msgspec.json.encode(runs))
    return mime


def unpack(mime: QMimeData, length: int) -> Runs | None:
    """Who wrote the text in `mime`, which is `length` long; None where that is not known."""
    if not mime.hasFormat(TYPE):
        return None
    try:
        runs = msgspec.json.decode(mime.data(TYPE).data(), type=Runs)
    except msgspec.DecodeError:
        return None
    return runs if sum(part for part, _ in runs) == length else None
