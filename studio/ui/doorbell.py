"""Lets a second start of the studio on the same project bring the first one's window to the front.

The first one listens on a local socket that only this user may use. Which socket that is stands in a small file in
the state folder; a file that was left by a killed studio names a socket at which nobody answers, and is replaced.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sys
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from PySide6.QtNetwork import QLocalServer

PATIENCE = 1.0
_LONGEST_PATH = 90  # of the 104 bytes that the address of a socket may have on macOS, 108 on Linux; Qt adds a few
_TOKENS = ("XDG_ACTIVATION_TOKEN", "DESKTOP_STARTUP_ID")


def ring(state: Path, project: Path, patience: float = PATIENCE) -> bool:
    """Ask a studio that has `project` open to come to the front; whether one answered within `patience` seconds."""
    server = _server_of(state, project)
    if not server:
        return False
    from PySide6.QtNetwork import QLocalSocket

    end = time.monotonic() + patience

    def left() -> int:
        return max(1, round((end - time.monotonic()) * 1000))

    socket = QLocalSocket()
    socket.connectToServer(server)
    if not socket.waitForConnected(left()):
        return False
    _let_take_the_front()
    tokens = {name: os.environ[name] for name in _TOKENS if name in os.environ}
    socket.write(json.dumps(tokens).encode() + b"\n")
    answered = socket.waitForReadyRead(left()) and bytes(socket.readAll().data()).startswith(b"here")
    socket.abort()
    return answered


class Doorbell(QObject):
    """Listens for second starts. `rung` when there is one; a desktop's permission to take the front is passed on."""

    rung = Signal()

    def __init__(self, state: Path, project: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._file = _file(state, project)
        self._project = project
        self._server: QLocalServer | None = None
        self._name = ""

    def listen(self) -> bool:
        """Begin; call it only once the project is ours. False where this system has no such sockets."""
        from PySide6.QtNetwork import QLocalServer

        left_behind = _named_in(self._file, self._project)
        if left_behind:
            QLocalServer.removeServer(left_behind)
        server = QLocalServer(self)
        server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        server.newConnection.connect(self._come)
        self._name = _free_name(self._file)
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if server.listen(self._name):
                self._server = server
                content = {"server": self._name, "project": str(self._project.resolve())}
                self._file.write_text(json.dumps(content), encoding="utf-8")
        return self._server is not None

    def stop(self) -> None:
        """Listen no longer."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        if _named_in(self._file, self._project) == self._name:
            with contextlib.suppress(OSError):
                self._file.unlink(missing_ok=True)

    def _come(self) -> None:
        server = self._server
        socket = server.nextPendingConnection() if server is not None else None
        if socket is None:
            return

        def answer() -> None:
            if not socket.canReadLine():
                return
            _take_tokens(bytes(socket.readLine().data()))
            socket.write(b"here\n")
            socket.flush()
            self.rung.emit()

        socket.readyRead.connect(answer)
        socket.disconnected.connect(socket.deleteLater)
        answer()


def _file(state: Path, project: Path) -> Path:
    return state / "open" / f"{zlib.crc32(str(project.resolve()).encode()):08x}.json"


def _free_name(file: Path) -> str:
    """A name for the socket: a path in the user's own folder, or one that nobody can guess."""
    path = file.with_suffix(".socket").resolve()
    if os.name == "posix" and len(os.fsencode(path)) <= _LONGEST_PATH:
        return str(path)
    return f"atelier-{secrets.token_hex(8)}"


def _server_of(state: Path, project: Path) -> str:
    return _named_in(_file(state, project), project)


def _named_in(file: Path, project: Path) -> str:
    """The name of the socket in `file`, empty where there is none for this project."""
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return ""
    if not isinstance(content, dict) or content.get("project") != str(project.resolve()):
        return ""
    return str(content.get("server", ""))


def _take_tokens(line: bytes) -> None:
    """Put the second start's permission to take the front where Qt looks for it."""
    try:
        tokens = json.loads(line)
    except ValueError:
        return
    for name in _TOKENS:
        if isinstance(tokens, dict) and isinstance(tokens.get(name), str):
            os.environ[name] = tokens[name]


def _let_take_the_front() -> None:
    """Windows lets a program come to the front only if the one that the user has just started allows it."""
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.user32.AllowSetForegroundWindow(-1)
