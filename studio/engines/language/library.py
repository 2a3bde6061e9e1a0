"""llama.cpp itself: found, initialised once per process, and kept silent.

Portable builds bring the processor-specific parts as separate files that must be loaded before a model
is (`ggml_backend_load_all_from_path`); native builds have them inside. Both work here. The library's log
never reaches the terminal: its last lines are kept for `Failure.detail`.
"""

from __future__ import annotations

import ctypes
import importlib
import os
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from studio.core.failure import Failure, FailureCode, StudioError

_WARNING, _ERROR, _CONTINUED = 3, 4, 5
_KEPT_LINES = 40
_GPU_TYPES = (1, 2)  # ggml_backend_dev_type: GPU, and GPU that shares the host's memory


class Device:
    """One accelerator that this build of llama.cpp can use. `index` counts accelerators only."""

    def __init__(self, index: int, handle: int, name: str, free: int, total: int) -> None:
        self.index = index
        self.handle = handle
        self.name = name
        self.free = free
        self.total = total

    @property
    def place(self) -> str:
        """The studio's word for it: `cuda:N` or `mps`."""
        return "mps" if self.name.lower().startswith(("metal", "mtl")) else f"cuda:{self.index}"


class Library:
    """The loaded library. `c` is the module of its functions (`llama_cpp.llama_cpp`)."""

    def __init__(self, module: ModuleType, version: str) -> None:
        self.c = module
        self.version = version
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._level = 0
        # The callback must live as long as the library may call it.
        self._log_callback = module.llama_log_callback(self._log)
        module.llama_log_set(self._log_callback, None)
        self._load_backends()
        module.llama_backend_init()

    def function(self, name: str, result: type | None, *arguments: type) -> Callable[..., int]:
        """A function of ours to prototype: the package's own object stays as it is.

        ggml's functions are looked up through llama.cpp's handle, so that they belong to the very copy
        that llama.cpp uses (the package carries it under several names).
        """
        try:
            found = self.c._lib[name]  # noqa: SLF001 - the package offers no public handle
        except AttributeError:
            if os.name != "nt":
                raise
            found = _from_windows(name)
        found.restype, found.argtypes = result, list(arguments)
        callable_: Callable[..., int] = found
        return callable_

    def devices(self) -> list[Device]:
        """The accelerators that models can be put on, with their memory in bytes; often none."""
        count = self.function("ggml_backend_dev_count", ctypes.c_size_t)
        get = self.function("ggml_backend_dev_get", ctypes.c_void_p, ctypes.c_size_t)
        kind = self.function("ggml_backend_dev_type", ctypes.c_int, ctypes.c_void_p)
        name = self.function("ggml_backend_dev_name", ctypes.c_char_p, ctypes.c_void_p)
        size = ctypes.POINTER(ctypes.c_size_t)
        memory = self.function("ggml_backend_dev_memory", None, ctypes.c_void_p, size, size)
        found: list[Device] = []
        for at in range(count()):
            handle = get(at)
            if kind(handle) not in _GPU_TYPES:
                continue
            free, total = ctypes.c_size_t(), ctypes.c_size_t()
            memory(handle, ctypes.byref(free), ctypes.byref(total))
            label: bytes | int = name(handle)
            text = label.decode("utf-8", "replace") if isinstance(label, bytes) else ""
            found.append(Device(len(found), handle, text, free.value, total.value))
        return found

    def forget_log(self) -> None:
        """Begin a new chapter, so that a failure's details are its own."""
        self._lines.clear()

    def log_tail(self) -> str:
        """The library's last warnings and errors, or its last lines where there are none."""
        return "\n".join(line.rstrip() for line in self._lines if line.strip())

    def _log(self, level: int, text: bytes | None, _: object) -> None:
        if level == _CONTINUED:
            level = self._level
        self._level = level
        if level in (_WARNING, _ERROR) and text:
            self._lines.append(text.decode("utf-8", "replace"))

    def _load_backends(self) -> None:
        count = self.function("ggml_backend_dev_count", ctypes.c_size_t)
        load = self.function("ggml_backend_load_all_from_path", None, ctypes.c_char_p)
        package = Path(str(self.c.__file__)).resolve().parent
        for folder in (package / "lib", package.parent / "bin", package.parent / "lib"):
            if count():
                return
            if folder.is_dir():
                load(str(folder).encode())
        if not count():
            raise _missing("it was built without a part that fits this processor")


def _from_windows(name: str) -> Any:  # noqa: ANN401 - a ctypes function, which has no public type
    """Windows looks into the named library alone; ggml's functions are spread over two, both loaded already."""
    for file in ("ggml.dll", "ggml-base.dll"):
        try:
            return ctypes.CDLL(file)[name]
        except AttributeError:
            continue
    raise AttributeError(name)


@lru_cache(maxsize=1)
def library() -> Library:
    """The process's llama.cpp, loaded at the first call.

    Raises `StudioError` (`LIBRARY_MISSING`) where it is not installed or does not load.
    """
    # On a failed assertion ggml would start a debugger on this very process.
    os.environ.setdefault("GGML_NO_BACKTRACE", "1")
    try:
        module = importlib.import_module("llama_cpp.llama_cpp")
        version = str(importlib.import_module("llama_cpp").__version__)
    except (ImportError, OSError, RuntimeError) as error:
        raise _missing(str(error)) from error
    return Library(module, f"llama-cpp-python {version}")


def _missing(reason: str) -> StudioError:
    return StudioError(
        Failure(
            FailureCode.LIBRARY_MISSING,
            "llama.cpp, the library that writes words and code, can't be loaded.",
            hint="Install llama-cpp-python again for this machine, then try again.",
            detail=reason,
        )
    )
