"""A checkout of Atelier's front door in a folder of its own, with tiny packages instead of the real ones."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.environment.package_folder import write_source_package, write_wheel

ROOT = Path(__file__).parent.parent.parent
LOCK = "torch==2.13.0  # 100 kB\ntiny-paint==1.0  # 10 kB\nllama-cpp-python==0.3.36  # 10 kB\n"
TEXT_ENGINE = "def llama_backend_init():\n    print('initialised')\n"
# Two programs in place of the studio's: what the front door hands over to is none of its business.
LAUNCH = "import sys\n\ndef main():\n    import tiny_paint\n    print('window', sys.prefix)\n    return 7\n"
PYTEST = "import sys\n\nif __name__ == '__main__':\n    print('== 2 passed', sys.argv[1:], '==')\n    sys.exit(3)\n"
CLI = """
import importlib.util

def app(args, prog_name):
    print('command', args, importlib.util.find_spec('llama_cpp') is not None)
"""


@dataclass
class Checkout:
    """A folder with main.py, and the surroundings that it is started in."""

    folder: Path
    environment: dict[str, str]
    python: str = sys.executable

    def command(self, *arguments: str) -> list[str]:
        """Return the command line for main.py."""
        return [self.python, str(self.folder / "main.py"), *arguments]

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run main.py to its end."""
        surroundings = {**self.environment, **more}
        return subprocess.run(self.command(*arguments), env=surroundings, capture_output=True, text=True, check=False)

    def forget(self, name: str) -> None:
        """Take a package, and the word that set-up has finished, out of the environment."""
        (self.folder / ".venv" / "atelier.stamp").unlink(missing_ok=True)
        for record in self.site.glob(f"{name}-*.dist-info"):
            shutil.rmtree(record)
        module = self.site / f"{name.removesuffix('_python')}.py"
        module.unlink(missing_ok=True)

    @property
    def site(self) -> Path:
        """The environment's packages."""
        return next((self.folder / ".venv").glob("lib/python*/site-packages"))


@pytest.fixture(scope="session")
def package_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the tiny packages that the tiny lock file pins."""
    folder = tmp_path_factory.mktemp("packages")
    write_wheel(folder, "torch", "2.13.0+cpu", "kind = 'cpu'\n", requires=("tiny-graph",))
    write_wheel(folder, "torch", "2.13.0", "kind = 'gpu'\n", requires=("tiny-graph",))
    write_wheel(folder, "tiny-graph", "1.0")
    write_wheel(folder, "tiny-paint", "1.0")
    write_wheel(folder, "pytest", "9.9", PYTEST)
    write_source_package(folder, "llama-cpp-python", "0.3.36", TEXT_ENGINE)
    return folder


def _fresh(place: Path, package_folder: Path) -> Checkout:
    folder = place / "atelier"
    shutil.copytree(
        ROOT / "studio" / "environment", folder / "studio" / "environment", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(ROOT / "main.py", folder)
    (folder / "studio" / "__init__.py").write_text("", encoding="utf-8")
    (folder / "studio" / "launch.py").write_text(LAUNCH, encoding="utf-8")
    (folder / "studio" / "cli.py").write_text(CLI, encoding="utf-8")
    (folder / "requirements.lock").write_text(LOCK, encoding="utf-8")
    (folder / "requirements-test.lock").write_text("", encoding="utf-8")
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON", "CMAKE_", "TMP"))
    }
    environment = {
        **kept,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(package_folder),
        "XDG_CACHE_HOME": str(place / "cache"),
        "HOME": str(place),
        "QT_QPA_PLATFORM": "offscreen",
    }
    return Checkout(folder, environment)


@pytest.fixture
def checkout(tmp_path: Path, package_folder: Path) -> Checkout:
    """Give a fresh checkout on a machine with nothing but Python, whose pip knows the folder of packages only."""
    return _fresh(tmp_path, package_folder)


@pytest.fixture(scope="session")
def _set_up_once(tmp_path_factory: pytest.TempPathFactory, package_folder: Path) -> Path:
    made = _fresh(tmp_path_factory.mktemp("made"), package_folder)
    result = made.run("doctor")
    assert result.returncode == 0, result.stderr
    return made.folder / ".venv"


@pytest.fixture
def ready(tmp_path: Path, package_folder: Path, _set_up_once: Path) -> Checkout:
    """Give a checkout that has been set up already (and an empty cache of built wheels)."""
    made = _fresh(tmp_path, package_folder)
    shutil.copytree(_set_up_once, made.folder / ".venv", symlinks=True)
    return made
