"""Notices that other programs changed files; leaves it to others to find out what."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal

_SETTLE_MILLISECONDS = 150


class FileWatcher(QObject):
    """`changed` comes once for any number of changes within a moment."""

    changed = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._wanted: set[str] = set()
        self._watcher = QFileSystemWatcher(self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SETTLE_MILLISECONDS)
        self._timer.timeout.connect(self._tell)
        self._watcher.fileChanged.connect(lambda _path: self._timer.start())
        self._watcher.directoryChanged.connect(lambda _path: self._timer.start())

    def watch(self, paths: Iterable[Path]) -> None:
        """From now on, watch exactly these files and folders; those that are missing are tried again."""
        self._wanted = {str(path) for path in paths}
        present = set(self._watcher.files()) | set(self._watcher.directories())
        if gone := sorted(present - self._wanted):
            self._watcher.removePaths(gone)
        self._add(self._wanted - present)

    def _tell(self) -> None:
        """A file that was replaced by a rename is no longer watched: watch its successor."""
        present = set(self._watcher.files()) | set(self._watcher.directories())
        self._add(self._wanted - present)
        self.changed.emit()

    def _add(self, paths: set[str]) -> None:
        existing = sorted(path for path in paths if Path(path).exists())
        if existing:
            self._watcher.addPaths(existing)
