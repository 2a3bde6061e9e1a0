"""The Markdown files of a project: ordinary files in an ordinary folder. No Qt.

The Markdown source is the document; nothing is ever converted and written back.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec

from studio.core.failure import Failure, FailureCode, StudioError
from studio.documents.assets import safe_name
from studio.documents.atomic import storage_error, write_atomically
from studio.documents.authorship import Runs, decode_runs, encode_runs
from studio.documents.trash import discard, put_back, set_aside

SUFFIXES = (".md", ".markdown")
_SKIPPED = {"node_modules", "__pycache__", "venv"}
_MOST_FILES = 5000
_WORD = re.compile(r"\w[\w'’\-]*")


class Chapter(msgspec.Struct, frozen=True):
    """One file. `path` is relative to the project with forward slashes; `title` is the file's name."""

    path: str
    title: str
    words: int

    @property
    def folder(self) -> str:
        """The folder it lies in, relative to the project; empty at the top."""
        return self.path.rpartition("/")[0]


class Manuscript:
    """The Markdown files below `folder`. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._inner = folder / ".atelier"
        self._lock = threading.Lock()
        self._words: dict[Path, tuple[tuple[int, int], int]] = {}

    def chapters(self) -> tuple[Chapter, ...]:
        """All files, folder by folder in the order of their names, numbers counted as numbers."""
        found = [self._chapter(path) for path in self._files()]
        return tuple(sorted((chapter for chapter in found if chapter), key=_natural))

    def create(self, title: str, text: str = "") -> Path:
        """Make a new file named after `title`; what stands in it is the person's. Raises `StudioError`."""
        name = safe_name(title)
        folder = self.folder / "Texts"
        path = folder / f"{name}.md"
        number = 2
        while path.exists():
            path = folder / f"{name} {number}.md"
            number += 1
        write_atomically(path, text.encode())
        return path

    def rename(self, path: Path, title: str) -> Path:
        """Give the file another name. Raises `StudioError` where the name is taken or the disk refuses."""
        target = path.with_name(f"{safe_name(title)}{path.suffix}")
        if target == path:
            return path
        if target.exists() and not target.samefile(path):
            raise StudioError(
                Failure(
                    FailureCode.STORAGE,
                    f"There is already a text called “{target.stem}” here.",
                    hint="Choose another name.",
                )
            )
        try:
            path.rename(target)
            if (record := self._record(path)).exists():
                record.replace(self._record(target))
        except OSError as error:
            raise storage_error(target, error) from error
        return target

    def discard(self, path: Path) -> Path:
        """Move the file to the project's trash; returns where it lies. Raises `StudioError`."""
        return discard(path, self._inner / "trash")

    def put_back(self, discarded: Path, path: Path) -> Path:
        """Undo `discard`. Raises `StudioError`."""
        return put_back(discarded, path)

    def set_aside(self, name: str, data: bytes) -> Path:
        """Keep another program's version of a text in the trash. Raises `StudioError`."""
        return set_aside(name, data, self._inner / "trash")

    def path(self, relative: str) -> Path | None:
        """The absolute path of a chapter's `path`; None if it would leave the project or is gone."""
        path = self.folder / relative
        inside = path.resolve().is_relative_to(self.folder.resolve())
        return path if inside and path.is_file() else None

    def relative(self, path: Path) -> str:
        """`path` as chapters name it."""
        return path.relative_to(self.folder).as_posix()

    def read_authorship(self, path: Path, data: bytes) -> Runs | None:
        """Who wrote what in the file whose bytes are `data`; None where that is not known."""
        try:
            return decode_runs(data, self._record(path).read_bytes())
        except OSError:
            return None

    def write_authorship(self, path: Path, data: bytes, runs: Runs) -> None:
        """Remember who wrote what. Raises `StudioError`."""
        write_atomically(self._record(path), encode_runs(data, runs))

    def _record(self, path: Path) -> Path:
        digest = hashlib.sha256(self.relative(path).encode()).hexdigest()[:32]
        return self._inner / "authorship" / f"{digest}.json"

    def _files(self) -> Iterator[Path]:
        count = 0
        for parent, folders, names in os.walk(self.folder):
            folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _SKIPPED)
            for name in names:
                if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                    count += 1
                    if count > _MOST_FILES:
                        return
                    yield Path(parent) / name

    def _chapter(self, path: Path) -> Chapter | None:
        with contextlib.suppress(OSError):
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            with self._lock:
                known = self._words.get(path)
            if known is None or known[0] != stamp:
                known = (stamp, count_words(path.read_bytes().decode("utf-8", "replace")))
                with self._lock:
                    self._words[path] = known
            return Chapter(self.relative(path), path.stem, known[1])
        return None


def count_words(text: str) -> int:
    """How many words a person would count; Markdown's marks are none."""
    return sum(1 for _ in _WORD.finditer(text))


def _natural(chapter: Chapter) -> tuple[str, list[tuple[int, str]]]:
    parts = re.split(r"(\d+)", chapter.title.casefold())
    return chapter.folder.casefold(), [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
