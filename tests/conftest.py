"""The suite's strictness: no network, no display needed, and nothing unexpected said or left behind by any test.

A test that provokes a log record on purpose says so: `@pytest.mark.expected_log("a pattern")`. Everything else that
the house forbids (STYLE: unexpected log lines, warnings, Qt messages, threads, processes, timers, files) fails it.
"""

import ctypes
import importlib.util
import os
import shutil
import socket
import struct
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import strictness

ROOT = Path(__file__).parent.parent
_OFFLINE = ROOT / "tests" / "offline"
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET of Linux's sched.h
_SET_FLAGS, _UP = 0x8914, 0x1  # SIOCSIFFLAGS and IFF_UP of Linux's sockios.h and if.h

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.update({"HF_HUB_OFFLINE": "1", "PYTHONUTF8": "1", strictness.RUN_VARIABLE: strictness.RUN})
_before = os.environ.get("PYTHONPATH")
os.environ["PYTHONPATH"] = os.pathsep.join([str(_OFFLINE), str(ROOT), *([_before] if _before else [])])


def _load_denial() -> None:
    specification = importlib.util.spec_from_file_location("network_denied", _OFFLINE / "sitecustomize.py")
    assert specification is not None
    assert specification.loader is not None
    specification.loader.exec_module(importlib.util.module_from_spec(specification))


def _leave_the_network() -> None:
    """On Linux, as root, move to an empty network, so that libraries without Python sockets are denied as well."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return
    import fcntl

    if ctypes.CDLL(None, use_errno=True).unshare(_NEW_NETWORK):
        return  # a sandbox that does not allow it; Python's own sockets are denied all the same
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SET_FLAGS, struct.pack("16sH14s", b"lo", _UP, b""))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Deny the network, and give the run a folder of its own for temporary files."""
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
    folder = tempfile.mkdtemp(prefix="at-")  # short: the paths of local sockets may not exceed 108 bytes
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    os.environ["ATELIER_NETWORK_ATTEMPTS"] = f"{folder}-network"
    config.add_cleanup(lambda: Path(f"{folder}-network").unlink(missing_ok=True))
    _leave_the_network()
    _load_denial()


_log = strictness.LogWatch()
_log.install()


def _network_attempts() -> list[str]:
    path = Path(os.environ["ATELIER_NETWORK_ATTEMPTS"])
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    path.unlink()
    return [f"reached for the network: {line}" for line in lines]


@pytest.fixture(autouse=True)
def _nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail the test for whatever it said or left that it should not have."""
    before = strictness.Surroundings.now()
    _log.records.clear()
    yield
    faults = strictness.widgets_left() if "qapp" in request.fixturenames else []
    faults += before.left_behind()
    faults += _network_attempts()
    patterns = [str(mark.args[0]) for mark in request.node.iter_markers("expected_log")]
    faults += [f"log record {line}" for line in _log.unexpected(patterns)]
    if faults:
        pytest.fail("the test left or said what it should not have:\n  " + "\n  ".join(faults), pytrace=False)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that import model libraries come last: the window's are told apart from them, and run faster without."""
    heavy = (ROOT / "tests" / "engines", ROOT / "tests" / "train")
    items.sort(key=lambda item: any(item.path.is_relative_to(folder) for folder in heavy))


def pytest_unconfigure() -> None:
    """Close what llama_cpp leaves open, or Python would complain below pytest's closing line."""
    opened = sys.modules.get("llama_cpp._utils")
    for name in ("outnull_file", "errnull_file"):
        file = getattr(opened, name, None)
        if file is not None:
            file.close()
