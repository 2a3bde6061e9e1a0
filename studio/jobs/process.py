"""One worker process as the studio sees it: started, talked to, ended with all its children, buried."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from multiprocessing import AuthenticationError

import psutil

from studio.core.jobs import Family
from studio.core.wire.block import SharedBlock
from studio.core.wire.frames import Channel
from studio.core.wire.messages import FromWorker, ToWorker
from studio.core.wire.pipe import Invitation
from studio.core.wire.pixels import BLOCK_SIZE, CancelWord, PixelReceiver
from studio.jobs.limits import WorkerCommand

LOG_TAIL = 8 << 10
LOG_LIMIT = 1 << 20


class WorkerProcess:
    """A running worker and everything that belongs to it; `close` gives all of it back.

    Raises `OSError` where it can't be started.
    """

    def __init__(self, command: WorkerCommand, family: Family) -> None:
        self.resident = 0
        self.loaded = 0
        self.quiet = 0.0
        self.listening = False
        self.warming = False
        self.warmed = False
        self.used = False
        self._kept = b""
        with contextlib.ExitStack() as undo:
            # Without a name on disk, so that it is gone with its last user whatever happens.
            self._log = undo.enter_context(tempfile.TemporaryFile())
            _append_only(self._log.fileno())
            self._block = SharedBlock.create(BLOCK_SIZE)
            undo.callback(self._block.close)
            invitation = Invitation()
            undo.callback(invitation.withdraw)
            self._child = self._spawn(command, family, invitation)
            undo.callback(self._end_child)
            self.pid = self._child.pid
            try:
                connection = invitation.accept(lambda: self._child.poll() is None)
            except (EOFError, AuthenticationError) as error:
                raise OSError("the worker did not connect") from error
            undo.pop_all()
        self.channel: Channel[FromWorker, ToWorker] = Channel(connection, FromWorker)
        self.word = CancelWord(self._block)
        self.pixels = PixelReceiver(self._block)

    def _spawn(self, command: WorkerCommand, family: Family, invitation: Invitation) -> subprocess.Popen[bytes]:
        arguments = [*command.arguments, "--family", family.value]
        arguments += ["--address", invitation.address, "--memory", self._block.token]
        if family in command.engines:
            arguments += ["--engine", command.engines[family]]
        flags = 0
        if sys.platform == "win32":
            flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        return subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            cwd=command.folder,
            env={**os.environ, **command.environment, **invitation.environment},
            pass_fds=(*invitation.inherited, *self._block.inherited),
            start_new_session=True,
            creationflags=flags,
        )

    def terminate(self) -> None:
        """Ask the process to end; it takes its children along."""
        with contextlib.suppress(OSError):
            self._child.terminate()

    def kill(self) -> None:
        """End the process and all that it has started, now."""
        children: list[psutil.Process] = []
        with contextlib.suppress(psutil.Error):
            children = psutil.Process(self._child.pid).children(recursive=True)
        self._kill_group()
        with contextlib.suppress(OSError):
            self._child.kill()
        for child in children:  # those that left the group
            with contextlib.suppress(psutil.Error):
                child.kill()

    def has_exited(self) -> bool:
        """Whether the process has ended; it is left unburied, so that its group's number stays its own."""
        if sys.platform != "linux" or self._child.returncode is not None:  # others lack `waitid` before Python 3.13
            return self._child.poll() is not None
        try:
            return os.waitid(os.P_PID, self._child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True

    def wait(self, seconds: float) -> bool:
        """Wait for the end; says whether it came."""
        deadline = time.monotonic() + seconds
        pause = 0.0005
        while not self.has_exited():
            if time.monotonic() >= deadline:
                return False
            time.sleep(pause)
            pause = min(pause * 2, 0.02)
        return True

    def bury(self, patience: float) -> int | None:
        """Wait for the end, `patience` seconds by itself and then by force; the exit code, None if there is none.

        What is left of its process group goes too.
        """
        if not self.wait(patience):
            self.kill()
            self.wait(5.0)
        self._kill_group()
        return self._child.poll()

    def output(self) -> str:
        """The end of what the process has written to its standard output and error."""
        with contextlib.suppress(OSError, ValueError):
            return (self._kept + self._tail())[-LOG_TAIL:].decode("utf-8", "replace").strip()
        return ""

    def trim_output(self) -> None:
        """Keep the output from filling the disk: beyond a limit only its end is remembered."""
        with contextlib.suppress(OSError, ValueError):
            if sys.platform != "win32" and os.fstat(self._log.fileno()).st_size > LOG_LIMIT:
                self._kept = self._tail()
                os.ftruncate(self._log.fileno(), 0)

    def _tail(self) -> bytes:
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - LOG_TAIL))
        return self._log.read(LOG_TAIL)

    def close(self) -> None:
        """Give back the channel, the memory and the log of a process that has been buried."""
        self.channel.close()
        self.word.release()
        self.pixels.forget()
        self._block.close()
        self._log.close()

    def _kill_group(self) -> None:
        buried = sys.platform == "linux" and self._child.returncode is not None
        if sys.platform != "win32" and not buried:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._child.pid, signal.SIGKILL)

    def _end_child(self) -> None:
        self.kill()
        self._child.wait()


def _append_only(descriptor: int) -> None:
    """Let every write go to the end, also after the file has been cut."""
    if sys.platform != "win32":
        import fcntl

        fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_APPEND)
