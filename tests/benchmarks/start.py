"""From the command to the first painted frame, against a bare PySide6 window with one button.

A probe in `sitecustomize` prints the time at which the first frame has been painted and ends the process; it is
put in front of both windows in the same way.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from studio.environment import stamp
from tests.benchmarks.table import Row

ROOT = Path(__file__).resolve().parents[2]
_HEAVY = ("torch", "diffusers", "transformers", "llama_cpp")

_PROBE = '''
import sys


class _Probe:
    """Patches the first window's class as soon as its module has been run."""

    def find_spec(self, name, path=None, target=None):
        if name != "studio.ui.shell":
            return None
        sys.meta_path.remove(self)
        import importlib.util

        spec = importlib.util.find_spec(name)
        run = spec.loader.exec_module

        def exec_module(module):
            run(module)
            paint = module.Shell.paintEvent

            def painted(shell, event):
                from PySide6.QtCore import QTimer

                QTimer.singleShot(0, _report)  # asked for before the studio asks for its next step, so it comes first
                paint(shell, event)

            module.Shell.paintEvent = painted

        spec.loader.exec_module = exec_module
        return spec


def _report():
    import os, time

    heavy = [name for name in HEAVY if name in sys.modules]
    os.write(1, f"{time.time()} {','.join(heavy)}\\n".encode())
    os._exit(0)


sys.meta_path.insert(0, _Probe())
'''

_BARE = """
import os, time
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QPushButton


class Button(QPushButton):
    def paintEvent(self, event):
        super().paintEvent(event)
        QTimer.singleShot(0, report)


def report():
    os.write(1, f"{time.time()} \\n".encode())
    os._exit(0)


application = QApplication([])
button = Button("Button")
button.resize(1280, 820)
button.show()
application.exec()
"""


def run(quick: bool) -> list[Row]:
    """The rows of the table."""
    ready = stamp.is_ready(str(ROOT), testing=False)
    command = (
        [sys.executable, "main.py"] if ready else [sys.executable, "-c", "from studio import launch; launch.main()"]
    )
    with tempfile.TemporaryDirectory(prefix="atelier-") as folder:
        (Path(folder) / "sitecustomize.py").write_text(f"HEAVY = {_HEAVY!r}\n{_PROBE}")
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([folder, str(ROOT)]),
            "ATELIER_STATE": f"{folder}/state",
            "ATELIER_PROJECT": f"{folder}/project",
        }
        ours: list[float] = []
        bare: list[float] = []
        heavy = ""
        for _ in range(3 if quick else 11):
            bare.append(_start([sys.executable, "-c", _BARE], environment)[0])
            seconds, heavy = _start(command, environment)
            ours.append(seconds)
    mine, theirs = statistics.median(ours[1:]), statistics.median(bare[1:])
    how = "main.py" if ready else "launch"
    return [
        Row(
            f"{how} to first painted frame, warm",
            f"{mine * 1000:.0f} ms",
            f"bare PySide6 window {theirs * 1000:.0f} ms",
            mine / theirs,
            "≤ 1.5 ×, no model library imported",
            mine / theirs <= 1.5 and not heavy,
        )
    ]


def _start(command: list[str], environment: dict[str, str]) -> tuple[float, str]:
    """Seconds from the command to its first frame, and which model libraries were imported until then."""
    begun = time.time()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=True)
    at, _, heavy = done.stdout.strip().partition(" ")
    return float(at) - begun, heavy
