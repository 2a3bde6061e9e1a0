"""One list of the models that this machine has, whatever brought them.

Starter models come first; then what lies in the folders that the user named, indexed in place and
never changed. A file that can't be read is kept on a list of its own, so that it can be shown.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from studio.core.engine import LocalModel
from studio.core.failure import Failure, FailureCode, StudioError
from studio.core.references import ModelRef, Task
from studio.models.entry import ShelfEntry
from studio.models.identify import identify
from studio.models.starter import STARTER_FOLDER, starter_entries

_DEEPEST = 4
_FALLBACK: dict[Task, tuple[Task, ...]] = {"text": ("text", "code"), "code": ("code", "text"), "image": ("image",)}


class Shelf:
    """The models of this machine. Scans on first use and on `refresh`; thread-safe."""

    def __init__(self, folders: Iterable[Path] = (), starter: Path = STARTER_FOLDER) -> None:
        self._folders = tuple(folders)
        self._starter = starter
        self._lock = threading.Lock()
        self._entries: tuple[ShelfEntry, ...] | None = None
        self._unreadable: tuple[Failure, ...] = ()

    def entries(self) -> tuple[ShelfEntry, ...]:
        """All models, the starter ones first."""
        with self._lock:
            if self._entries is None:
                self._scan()
            return self._entries or ()

    def unreadable(self) -> tuple[Failure, ...]:
        """What lay in the folders and could not be read."""
        self.entries()
        return self._unreadable

    def refresh(self, folders: Iterable[Path] | None = None) -> None:
        """Forget the list; with `folders`, look in those from now on."""
        with self._lock:
            if folders is not None:
                self._folders = tuple(folders)
            self._entries = None

    def for_task(self, task: Task) -> tuple[ShelfEntry, ...]:
        """The models that can do `task`, best suited first."""
        suited = _FALLBACK.get(task, (task,))
        entries = [entry for entry in self.entries() if entry.task in suited]
        return tuple(sorted(entries, key=lambda entry: suited.index(entry.task)))

    def default(self, task: Task) -> ShelfEntry | None:
        """The model that is used where none was chosen."""
        suited = self.for_task(task)
        return suited[0] if suited else None

    def find(self, ref: ModelRef) -> ShelfEntry:
        """The entry for `ref`. Raises `StudioError` (`MODEL_MISSING`)."""
        for entry in self.entries():
            if entry.ref.repo == ref.repo and (ref.file is None or ref.file == entry.ref.file):
                return entry
        raise StudioError(
            Failure(
                FailureCode.MODEL_MISSING,
                f"The model “{ref}” is not on this computer.",
                hint="Choose another model, or add the folder that holds it in the settings.",
            )
        )

    def named(self, name: str) -> ShelfEntry:
        """The entry whose name, repository or path `name` is.

        Raises `StudioError`: `MODEL_MISSING`, or what is wrong with the file.
        """
        wanted = name.casefold()
        for entry in self.entries():
            names = (entry.name, entry.ref.repo, entry.ref.repo.partition("/")[2], str(entry.ref))
            if wanted in (known.casefold() for known in names):
                return entry
        path = Path(name).expanduser()
        if path.exists():
            return self.add(path)
        raise StudioError(
            Failure(
                FailureCode.MODEL_MISSING,
                f"There is no model “{name}” here.",
                hint="`models list` shows those that there are; a path to a file or folder works too.",
            )
        )

    def add(self, path: Path) -> ShelfEntry:
        """Put the file or folder `path` on the list for as long as the studio runs.

        Raises `StudioError` where it is damaged or of an unknown kind.
        """
        entry = identify(path.resolve())
        if entry is None:
            raise StudioError(
                Failure(
                    FailureCode.MODEL_UNSUPPORTED,
                    f"“{path.name}” is no model that Atelier knows.",
                    hint="Diffusers folders, SD 1.5, SDXL and upscaling safetensors files and GGUF models work.",
                    detail=str(path),
                )
            )
        known = self.entries()
        with self._lock:
            self._entries = (*(other for other in known if other.path != entry.path), entry)
        return entry

    def resolve(self, ref: ModelRef) -> LocalModel:
        """Where the weights of `ref` lie. Raises `StudioError` (`MODEL_MISSING`)."""
        entry = self.find(ref)
        config = str(entry.config) if entry.config else None
        return LocalModel(path=str(entry.path), family=entry.family, config=config)

    def _scan(self) -> None:
        found: list[ShelfEntry] = list(starter_entries(self._starter))
        unreadable: list[Failure] = []
        seen: set[Path] = set()
        for folder in self._folders:
            for path in _candidates(folder):
                if path.resolve() in seen:
                    continue
                seen.add(path.resolve())
                try:
                    entry = identify(path)
                except StudioError as error:
                    unreadable.append(error.failure)
                else:
                    if entry is not None:
                        found.append(entry)
        self._entries, self._unreadable = tuple(found), tuple(unreadable)


def _candidates(folder: Path, depth: int = 0) -> Iterator[Path]:
    """Model folders and single files below `folder`; a model folder is not looked into."""
    if (folder / "model_index.json").is_file():
        yield folder
        return
    try:
        children = sorted(os.scandir(folder), key=lambda item: item.name)
    except OSError:
        return
    for child in children:
        if child.name.startswith("."):
            continue
        if child.is_dir() and depth < _DEEPEST:
            yield from _candidates(Path(child.path), depth + 1)
        elif child.name.endswith((".safetensors", ".gguf")):
            yield Path(child.path)
