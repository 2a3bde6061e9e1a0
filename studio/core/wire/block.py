"""Memory that the studio shares with one worker, without a name that could outlive them.

On POSIX it is an unlinked file (in memory, on Linux) whose descriptor the worker inherits; on Windows a
mapping that ends with its last user. Kill both sides at any moment: the system takes it back.
`multiprocessing.shared_memory` is not used since its names stay behind after a kill, and since its
resource tracker unlinks a segment when a process that merely attached to it ends.
"""

from __future__ import annotations

import mmap
import os
import secrets
import sys
import tempfile


class SharedBlock:
    """`size` bytes; `view` is their memory. `token` tells the worker where to find them."""

    def __init__(self, memory: mmap.mmap, size: int, token: str, descriptor: int | None = None) -> None:
        self.token = token
        self.size = size
        self.inherited = () if descriptor is None else (descriptor,)
        self._memory = memory
        self._descriptor = descriptor
        self.view = memoryview(memory)

    @classmethod
    def create(cls, size: int) -> SharedBlock:
        """New memory, zeroed; pages cost nothing before they are written. Raises `OSError`."""
        if sys.platform == "win32":
            name = f"atelier-{secrets.token_hex(16)}"
            return cls(mmap.mmap(-1, size, tagname=name), size, f"name:{name}:{size}")
        # The descriptor stays open for the worker to inherit.
        descriptor = _anonymous_file()
        try:
            os.ftruncate(descriptor, size)
            memory = mmap.mmap(descriptor, size)
        except BaseException:
            os.close(descriptor)
            raise
        return cls(memory, size, f"fd:{descriptor}:{size}", descriptor)

    @classmethod
    def attach(cls, token: str) -> SharedBlock:
        """The other side's memory. Raises `ValueError` for a token of another kind, and `OSError`."""
        kind, name, size = token.split(":")
        if sys.platform == "win32":
            if kind != "name":
                raise ValueError(token)
            return cls(mmap.mmap(-1, int(size), tagname=name), int(size), token)
        if kind != "fd":
            raise ValueError(token)
        memory = mmap.mmap(int(name), int(size))
        os.close(int(name))
        return cls(memory, int(size), token)

    def close(self) -> None:
        """Give it back; views made of `view` must have been released."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        self.view.release()
        self._memory.close()


def _anonymous_file() -> int:
    if sys.platform == "linux":
        return os.memfd_create("atelier-pixels")
    else:  # noqa: RET505 - tells the type checker that only one of the two exists
        with tempfile.TemporaryFile() as file:
            return os.dup(file.fileno())
