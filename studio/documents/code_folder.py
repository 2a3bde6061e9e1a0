"""A folder of source files. No Qt."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from studio.core.failure import Failure, FailureCode, StudioError
from studio.documents.atomic import storage_error, write_atomically
from studio.documents.trash import discard, put_back

_SKIPPED = {"__pycache__", "node_modules", "venv"}
_FORBIDDEN = set('<>:"|?*\\\0')

_LANGUAGES = {
    ".py": "python", ".pyi": "python", ".js": "javascript", ".mjs": "javascript", ".ts": "typescript", ".c": "c",
    ".h": "c", ".cpp": "cpp", ".hpp": "cpp", ".rs": "rust", ".go": "go", ".java": "java", ".sh": "bash",
    ".html": "html", ".css": "css", ".json": "json", ".toml": "toml", ".yaml": "yaml", ".yml": "yaml",
    ".md": "markdown", ".lua": "lua", ".rb": "ruby", ".sql": "sql", ".r": "r", ".txt": "text",
}  # fmt: skip
_COMMENTS = {
    "python": "#", "bash": "#", "toml": "#", "yaml": "#", "ruby": "#", "r": "#", "javascript": "//", "typescript": "//",
    "c": "//", "cpp": "//", "rust": "//", "go": "//", "java": "//", "lua": "--", "sql": "--",
}  # fmt: skip


class Entry(msgspec.Struct, frozen=True):
    """A file or folder; `path` is absolute."""

    path: Path
    is_folder: bool


class CodeFolder:
    """The files below `folder`; deleted ones go to `trash`."""

    def __init__(self, folder: Path, trash: Path) -> None:
        self.folder = folder
        self._trash = trash

    def children(self, folder: Path) -> tuple[Entry, ...]:
        """What lies in `folder`: folders first, by name; hidden and generated things left out."""
        try:
            with os.scandir(folder) as found:
                entries = [Entry(Path(item.path), item.is_dir()) for item in found if _shown(item.name)]
        except OSError:
            return ()
        return tuple(sorted(entries, key=lambda entry: (not entry.is_folder, entry.path.name.casefold())))

    def files(self, most: int = 2000) -> tuple[Path, ...]:
        """Up to `most` files of the whole folder, for the switcher."""
        found: list[Path] = []
        for parent, folders, names in os.walk(self.folder):
            folders[:] = sorted(name for name in folders if _shown(name))
            found.extend(Path(parent) / name for name in sorted(names) if _shown(name))
            if len(found) >= most:
                break
        return tuple(found[:most])

    def create(self, name: str, within: Path | None = None) -> Path:
        """Make an empty file; `name` may hold folders. Raises `StudioError`."""
        path = self._checked(within or self.folder, name)
        write_atomically(path, b"")
        return path

    def create_folder(self, name: str, within: Path | None = None) -> Path:
        """Make a folder. Raises `StudioError`."""
        path = self._checked(within or self.folder, name)
        try:
            path.mkdir(parents=True)
        except OSError as error:
            raise storage_error(path, error) from error
        return path

    def rename(self, path: Path, name: str) -> Path:
        """Give a file or folder another name. Raises `StudioError`."""
        if path.name == name:
            return path
        same_file = path.name.casefold() == name.casefold()
        target = path.with_name(name) if same_file else self._checked(path.parent, name)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
        except OSError as error:
            raise storage_error(target, error) from error
        return target

    def discard(self, path: Path) -> Path:
        """Move to the trash; returns where it lies. Raises `StudioError`."""
        return discard(path, self._trash)

    def put_back(self, discarded: Path, path: Path) -> Path:
        """Undo `discard`. Raises `StudioError`."""
        return put_back(discarded, path)

    def name_of(self, path: Path) -> str:
        """`path` relative to the folder, with forward slashes; absolute if it lies elsewhere."""
        return path.relative_to(self.folder).as_posix() if path.is_relative_to(self.folder) else path.as_posix()

    def _checked(self, parent: Path, name: str) -> Path:
        path = parent / name.strip()
        inside = path.resolve().is_relative_to(self.folder.resolve()) and path != parent
        if not inside or _FORBIDDEN & set(name) or any(part.startswith("..") for part in Path(name).parts):
            raise _refused(f"“{name}” can't be the name of a file here.", "Use letters, digits, dots, dashes and /.")
        if path.exists():
            raise _refused(f"“{name}” exists already.", "Choose another name.")
        return path


def language_of(path: Path) -> str:
    """The language of a file by its name; `text` where it is not known."""
    return _LANGUAGES.get(path.suffix.lower(), "text")


def comment_mark(language: str) -> str:
    """What begins a comment line in `language`; empty where there is no such thing."""
    return _COMMENTS.get(language, "")


def _shown(name: str) -> bool:
    return not name.startswith(".") and name not in _SKIPPED and not name.endswith((".pyc", ".part"))


def _refused(message: str, hint: str) -> StudioError:
    return StudioError(Failure(FailureCode.STORAGE, message, hint))
