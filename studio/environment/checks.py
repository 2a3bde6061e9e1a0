"""`python main.py check`: every rule of the house that a machine can check, in one command.

Used by people, by the pre-commit hook (`check --install-hook` sets it up) and by the continuous integration.
All checks run even when one fails, so that one run shows everything.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
CEILING = 400
_SKIPPED = {".git", ".venv", "__pycache__", "build", "dist"}
HOOK_FOLDER = ".ci/hooks"


def _commands(*, fix: bool) -> list[tuple[str, list[str]]]:
    python = sys.executable
    lint = ["--fix"] if fix else []
    form = [] if fix else ["--check"]
    return [
        ("ruff check", [python, "-m", "ruff", "check", "--quiet", *lint, "."]),
        ("ruff format", [python, "-m", "ruff", "format", "--quiet", *form, "."]),
        ("mypy --strict", [python, "-m", "mypy", "--strict", "--no-error-summary"]),
        (
            "import contracts",
            [python, "-c", "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"],
        ),
    ]


def long_files(root: Path) -> list[str]:
    """Return "path: lines" of each Python file over the ceiling."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in _SKIPPED and not name.startswith(".")]
        for path in (Path(folder) / name for name in names if name.endswith(".py")):
            count = path.read_bytes().count(b"\n")
            if count > CEILING:
                found.append(f"{path.relative_to(root)}: {count} lines; the ceiling is {CEILING}")
    return sorted(found)


def run_checks(*, fix: bool) -> list[str]:
    """Run every check and print what each one says; returns the names of those that failed."""
    failed = []
    for name, command in _commands(fix=fix):
        begun = time.monotonic()
        answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        print(
            f"{'ok    ' if answer.returncode == 0 else 'FAILED'} {name} ({time.monotonic() - begun:.1f} s)", flush=True
        )
        if answer.returncode:
            failed.append(name)
            print((answer.stdout + answer.stderr).rstrip(), flush=True)
    long = long_files(ROOT)
    print("\n".join([f"{'FAILED' if long else 'ok    '} files of at most {CEILING} lines", *long]), flush=True)
    return [*failed, "long files"] if long else failed


def install_hook() -> int:
    """Point this clone's git to the checked-in hooks."""
    return subprocess.run(["git", "config", "core.hooksPath", HOOK_FOLDER], cwd=ROOT, check=False).returncode


def main(arguments: list[str]) -> int:
    """Check everything; `--fix` lets ruff correct what it can, `--install-hook` makes git check before each commit."""
    unknown = set(arguments) - {"--fix", "--install-hook"}
    if unknown:
        print(f"usage: python main.py check [--fix] [--install-hook]\n{main.__doc__}")
        return 0 if unknown <= {"-h", "--help"} else 2
    if "--install-hook" in arguments:
        return install_hook()
    return 1 if run_checks(fix="--fix" in arguments) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
