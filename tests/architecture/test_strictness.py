"""The suite's strictness bites: each thing that a test may not do or leave fails where it is planted."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

CHILD = "import urllib.request as u, contextlib as c\nwith c.suppress(OSError): u.urlopen('http://example.invalid')"
PLANTED = {
    "log": (
        "import logging; logging.getLogger('engine').warning('the lamp is out')",
        "log record engine: the lamp is out",
    ),
    "warning": ("import warnings; warnings.warn('old ways')", "UserWarning: old ways"),
    "qt": ("from PySide6.QtCore import qWarning; qWarning('paint on the floor')", "paint on the floor"),
    "thread": (
        "import threading; threading.Thread(target=STOP.wait, name='left-over', daemon=True).start()",
        "thread left-over",
    ),
    "process": ("import subprocess; KEPT.append(subprocess.Popen(['sleep', '60']))", "sleep 60"),
    "orphan": ("import subprocess; subprocess.run(['sh', '-c', 'sleep 61 >/dev/null 2>&1 &'])", "sleep 61"),
    "memory": (
        "from multiprocessing import shared_memory as s; KEPT.append(s.SharedMemory('at-left', True, 8))",
        "/dev/shm/at-left",
    ),
    "file": ("import tempfile; KEPT.append(tempfile.mkdtemp(prefix='left'))", "temporary file left"),
    "window": (
        "from PySide6.QtWidgets import QWidget; w = QWidget(); w.show(); KEPT.append(w)",
        "visible window QWidget",
    ),
    "timer": ("from PySide6.QtCore import QTimer; t = QTimer(); t.start(50); KEPT.append(t)", "running timer"),
    "network": ("import socket; socket.create_connection(('192.0.2.1', 80), 1)", "reached for the network: 192.0.2.1"),
    "name": ("import socket; socket.getaddrinfo('example.invalid', 80)", "reached for the network: example.invalid"),
    "child": (f"import subprocess, sys; subprocess.run([sys.executable, '-c', {CHILD!r}])", "network: example.invalid"),
}
LOOPBACK = """
    import socket
    with socket.create_server(("", 0)) as server:
        socket.create_connection(server.getsockname()).close()
"""
ALLOWED = {
    "expected_log": "import logging; logging.getLogger('engine').warning('the lamp is out')",
    "loopback": LOOPBACK,
}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Run a suite of the planted tests once, under the real conftest, and give what it printed."""
    lines = ["import threading", "import pytest", "STOP, KEPT = threading.Event(), []"]
    for name, (statement, _) in PLANTED.items():
        lines += [f"def test_{name}({'qapp' if name in {'window', 'timer'} else ''}):", f"    {statement}"]
    lines += ["@pytest.mark.expected_log('the lamp')", f"def test_expected_log():\n    {ALLOWED['expected_log']}"]
    lines += [f"def test_loopback():\n    {ALLOWED['loopback']}"]
    folder = tmp_path_factory.mktemp("planted")
    (folder / "test_planted.py").write_text("\n".join(lines), encoding="utf-8")
    options = [
        "-c",
        str(ROOT / "pyproject.toml"),
        "-p",
        "tests.conftest",
        "-p",
        "no:cacheprovider",
        "-rA",
        "--tb=short",
    ]
    command = [sys.executable, "-m", "pytest", *options, str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_is_found(outcome: str, name: str) -> None:
    assert f"::test_{name}\n" in outcome.replace(" - ", "\n"), outcome
    summary = outcome.rpartition("short test summary info")[2]
    assert any(
        line.startswith(("FAILED", "ERROR")) and f"::test_{name} " in f"{line} " for line in summary.splitlines()
    ), outcome
    assert PLANTED[name][1] in outcome


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_allowed_passes(outcome: str, name: str) -> None:
    summary = outcome.rpartition("short test summary info")[2]
    lines = [line for line in summary.splitlines() if f"::test_{name}" in line]
    assert [line.split()[0] for line in lines] == ["PASSED"], outcome
