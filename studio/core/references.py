"""Names for things that live outside a request: models, files, documents."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Commit = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{40}$")]

Task = Literal["image", "text", "code", "speech", "music", "motion", "upscale", "sprite", "embedding"]
"""What a model is for."""


class ModelRef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which weights: repository id, 40-hex commit, file in the repository, hash of the file.

    `repo` is `owner/name` for weights from the hub, `starter/NAME` for the ones that ship with the
    studio, and `local/NAME` for files of the user's own; the shelf (`studio.models`) knows where
    each one lies. `revision` and `sha256` are None where they are not known.
    """

    repo: Annotated[str, msgspec.Meta(min_length=1)]
    revision: Commit | None = None
    file: str | None = None
    sha256: Sha256 | None = None

    def __str__(self) -> str:
        return f"{self.repo}:{self.file}" if self.file else self.repo


class Asset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file in the project, by content: `id` is the SHA-256 of its bytes.

    `path` is relative to the project's folder; `size` is in bytes.
    """

    id: Sha256
    kind: Literal["image", "text", "code", "audio", "video", "mask"]
    path: str
    media_type: str
    size: Annotated[int, msgspec.Meta(ge=0)]


SUGGESTION = "ghost"
"""The anchor of a passing suggestion at the cursor: it comes with typing and is no work of the user's."""


class Destination(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a result lands: which document in which room, and where in it.

    `x`, `y`, `width`, `height` are canvas pixels; `anchor` is an opaque mark that the room gave out
    (a cursor position that follows edits), so that a late result never lands in the wrong place.
    """

    room: Literal["canvas", "write", "code", "file"]
    document: str = ""
    anchor: str = ""
    x: int = 0
    y: int = 0
    width: int = 0
    height: int = 0
