"""Is the environment beside main.py the one that the lock files describe?

Every start asks this before anything else, so the module uses nothing but `os` and `sys`, which Python has loaded
already: the answer costs well under a millisecond. The stamp holds the lock files' own text, which is stricter than a
hash and cheaper than importing one.
"""

import os
import sys

FOLDER = ".venv"
LOCKS = ("requirements.lock", "requirements-test.lock")
_FORMAT = "atelier environment 1"
_END = "=== libraries ==="


def folder(root: str) -> str:
    """Return the environment's folder."""
    return os.path.join(root, FOLDER)


def python_path(root: str) -> str:
    """Return the environment's interpreter, whether or not it exists."""
    if os.name == "nt":
        return os.path.join(root, FOLDER, "Scripts", "python.exe")
    return os.path.join(root, FOLDER, "bin", "python")


def running_inside(root: str) -> bool:
    """Tell whether this process is the environment's own interpreter."""
    return os.path.normcase(os.path.realpath(sys.prefix)) == os.path.normcase(os.path.realpath(folder(root)))


def python_version() -> str:
    """Return the running interpreter's "major.minor"."""
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def _path(root: str, *, testing: bool) -> str:
    return os.path.join(root, FOLDER, "atelier-test.stamp" if testing else "atelier.stamp")


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


def _expected(root: str, *, testing: bool) -> str:
    locks = LOCKS if testing else LOCKS[:1]
    return "\n".join([_FORMAT, *(_text(os.path.join(root, name)) for name in locks), _END, ""])


def is_ready(root: str, *, testing: bool) -> bool:
    """Tell whether set-up has finished for the present lock files and nothing that it relied on has gone since."""
    expected, written = _expected(root, testing=testing), _text(_path(root, testing=testing))
    if not written.startswith(expected) or not os.path.exists(python_path(root)):
        return False
    version, *libraries = written[len(expected) :].splitlines()
    if running_inside(root) and version != python_version():
        return False  # the Python under the environment was replaced by another minor version
    return all(os.path.exists(library) for library in libraries)


def write(root: str, *, testing: bool, version: str, libraries: list[str]) -> None:
    """Record that set-up has finished; written last, and in one step, so that an interrupted set-up leaves no stamp."""
    target = _path(root, testing=testing)
    with open(target + ".part", "w", encoding="utf-8") as file:
        file.write("\n".join([_expected(root, testing=testing) + version, *libraries, ""]))
        file.flush()
        os.fsync(file.fileno())
    os.replace(target + ".part", target)


def remove(root: str) -> None:
    """Forget that set-up ever finished, so that the next start looks at everything again."""
    for testing in (False, True):
        if os.path.exists(_path(root, testing=testing)):
            os.remove(_path(root, testing=testing))
