"""The import contracts hold, and each one bites: a violation planted in a copy of the source breaks it."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
LINT = """
import sys
from importlinter.cli import lint_imports
sys.exit(lint_imports(limit_to_contracts=tuple(sys.argv[1:]), no_cache=True))
"""

# contract → (the module that gets a line, the line); inside functions where the rule must see those too.
PLANTED = {
    "layers": ("studio/jobs/planted.py", "import studio.app.settings"),
    "engines": ("studio/models/planted.py", "def load() -> None:\n    import studio.engines.diffusion.device"),
    "qt": ("studio/documents/planted.py", "def paint() -> None:\n    import PySide6.QtGui"),
    "model-libraries": ("studio/app/planted.py", "def load() -> None:\n    import torch"),
    "rooms": ("studio/ui/canvas/planted.py", "import studio.ui.write"),
    "cycles": ("studio/core/failure.py", "def again() -> None:\n    import studio.core.events"),
    "environment": ("studio/environment/planted.py", "import msgspec"),
    "core": ("studio/core/planted.py", "import numpy"),
}


def _lint(folder: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", LINT, *contracts], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a copy of the source that violations may be planted in."""
    folder = tmp_path_factory.mktemp("planted")
    shutil.copytree(ROOT / "studio", folder / "studio", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_every_contract_is_kept() -> None:
    result = _lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_contract_has_a_planted_violation() -> None:
    assert set(PLANTED) == {contract["id"] for contract in CONTRACTS}


@pytest.mark.parametrize("contract", PLANTED)
def test_a_planted_violation_breaks_the_contract(contract: str, source: Path) -> None:
    name, line = PLANTED[contract]
    module = source / name
    before = module.read_text(encoding="utf-8") if module.exists() else None
    module.write_text(f"{before or ''}\n{line}\n", encoding="utf-8")
    try:
        result = _lint(source, contract)
    finally:
        if before is None:
            module.unlink()
        else:
            module.write_text(before, encoding="utf-8")
    assert result.returncode == 1, result.stdout + result.stderr
    assert "1 broken" in result.stdout
    assert name.rpartition("/")[0].replace("/", ".") in result.stdout


def test_every_room_is_in_the_contract_about_rooms() -> None:
    rooms = {f"studio.ui.{path.parent.name}" for path in (ROOT / "studio" / "ui").glob("*/room.py")}
    contract = next(contract for contract in CONTRACTS if contract["id"] == "rooms")
    assert rooms <= set(contract["modules"])


def test_the_modules_of_a_forbidden_contract_are_all_of_studio_but_its_exceptions() -> None:
    """A package added to studio must not slip through because a list was not extended."""
    entries = {
        entry.stem for entry in (ROOT / "studio").iterdir() if entry.suffix == ".py" or (entry / "__init__.py").exists()
    }
    exceptions = {"qt": {"ui", "launch"}, "model-libraries": {"engines", "worker", "train"}}
    for contract in CONTRACTS:
        if contract["id"] in exceptions:
            listed = {module.removeprefix("studio.") for module in contract["source_modules"]}
            assert listed == entries - exceptions[contract["id"]] - {"__init__"}
