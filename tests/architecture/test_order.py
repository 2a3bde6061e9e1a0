"""Order in the house that no linter knows: sizes, names, the top level, broad excepts, what set-up may import."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.environment.checks import CEILING, long_files

ROOT = Path(__file__).parent.parent.parent
TOP_LEVEL = {
    "studio", "resources", "tests", "packaging", "main.py", "pyproject.toml", "README.md",
    "LICENSE", "CONTRIBUTING.md", "CHANGELOG.md", "requirements.lock", "requirements-test.lock",
}  # fmt: skip
FORBIDDEN_MODULES = {"utils", "util", "helpers", "helper", "common", "misc"}
FORBIDDEN_CLASSES = re.compile(r"(Manager|Handler|Util|Utils|Helper|Data|Info)$")
BROAD = {"Exception", "BaseException"}
BROAD_SHARE = 0.03


def _modules(folder: str) -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def _kept_by_git() -> set[str]:
    """Return the names at the top level that are, or would be, in the repository."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return {line.split("/")[0] for line in listed.stdout.splitlines()}


def test_no_file_is_over_the_ceiling() -> None:
    assert long_files(ROOT) == []


def test_the_ceiling_bites(tmp_path: Path) -> None:
    (tmp_path / "long.py").write_text("pass\n" * (CEILING + 1), encoding="utf-8")
    (tmp_path / "short.py").write_text("pass\n" * CEILING, encoding="utf-8")
    assert long_files(tmp_path) == [f"long.py: {CEILING + 1} lines; the ceiling is {CEILING}"]


def test_the_top_level_holds_what_the_design_names() -> None:
    assert {name for name in _kept_by_git() if not name.startswith(".")} == TOP_LEVEL


def test_no_module_or_class_has_a_name_that_says_nothing() -> None:
    modules = [path for folder in ("studio", "tests") for path, _ in _modules(folder) if path.stem in FORBIDDEN_MODULES]
    folders = [path for path in (ROOT / "studio").rglob("*") if path.is_dir() and path.name in FORBIDDEN_MODULES]
    classes = [
        f"{path.name}: {node.name}"
        for path, tree in _modules("studio")
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and FORBIDDEN_CLASSES.search(node.name)
    ]
    assert (modules, folders, classes) == ([], [], [])


def _is_broad(handler: ast.ExceptHandler) -> bool:
    """Tell whether everything is caught and kept: one that tidies up and raises again catches nothing."""
    last = handler.body[-1]
    if isinstance(last, ast.Raise) and last.exc is None:
        return False
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or (isinstance(kind, ast.Name) and kind.id in BROAD) for kind in caught)


def test_broad_excepts_are_few_and_give_their_reason() -> None:
    handlers, broad, unexplained = 0, 0, []
    for path, tree in _modules("studio"):
        lines = path.read_text(encoding="utf-8").splitlines()
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler):
                handlers += 1
                if _is_broad(node):
                    broad += 1
                    around = lines[max(0, node.lineno - 3) : node.body[0].lineno]
                    if not any("#" in line for line in around):
                        unexplained.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert unexplained == []
    assert broad <= BROAD_SHARE * handlers, f"{broad} of {handlers} excepts are broad"


def test_every_function_is_typed() -> None:
    untyped = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path, tree in _modules("studio")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is None
    ]
    assert untyped == []


def test_set_up_imports_the_standard_library_only() -> None:
    imported = set()
    for _, tree in _modules("studio/environment"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                imported |= {name.name for name in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module or "")
    foreign = {
        name
        for name in imported
        if name.split(".")[0] not in sys.stdlib_module_names and not name.startswith("studio.environment")
    }
    assert foreign == set()


def test_the_front_door_can_be_read_by_older_pythons() -> None:
    tree = ast.parse((ROOT / "main.py").read_text(encoding="utf-8"), feature_version=(3, 4))
    assert not any(isinstance(node, ast.JoinedStr | ast.FunctionDef | ast.AnnAssign) for node in ast.walk(tree))
