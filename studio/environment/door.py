"""The way from `python main.py …` to the studio: ready in well under 100 ms when set-up is done, through it otherwise.

The start after the first imports this module, `stamp` and `os` alone, then becomes the environment's own Python
(`execv`: the same process, 20 to 30 ms). Everything else is imported only when it is needed.
"""

import os
import sys

from studio.environment import native_note, stamp

WINDOW = "window"
COMMAND_LINE = "command line"
_FOR_DEVELOPERS = ("test", "check")


def prepare(root: str, arguments: list[str]) -> tuple[str, list[str]]:
    """Return where to go (WINDOW or COMMAND_LINE) and with which arguments, in the environment's Python.

    Does not return where the answer is another program (the tests, the checks) or set-up failed.
    """
    command = arguments[0] if arguments else ""
    testing = command in _FOR_DEVELOPERS
    if command == "setup" or _can_build_now(root):
        stamp.remove(root)
    if not stamp.is_ready(root, testing=testing):
        _set_up(root, testing=testing)
    if command == "setup":
        sys.exit(0)
    python = stamp.python_path(root)
    main = os.path.join(root, "main.py")
    if command == "test":
        _become(python, ["-m", "pytest", *arguments[1:]], root)
    if command == "check":
        _become(python, ["-m", "studio.environment.checks", *arguments[1:]], root)
    if not stamp.running_inside(root):
        _become(python, [main, *arguments], os.getcwd())
    return _destination(arguments)


def _can_build_now(root: str) -> bool:
    """Tell whether the text engine was left out for want of a compiler, and there is one (or a wheel) now."""
    if not native_note.waits_for_a_compiler(root):
        return False
    from studio.environment.native_build import cache_folder, compiler

    return bool(compiler()) or any(cache_folder().glob("llama_cpp_python-*.whl"))


def _destination(arguments: list[str]) -> tuple[str, list[str]]:
    if arguments:
        return COMMAND_LINE, arguments
    if _has_display():
        return WINDOW, []
    print(
        "There is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set), so no window: the tour instead.",
        file=sys.stderr,
    )
    return COMMAND_LINE, ["tour"]


def _has_display() -> bool:
    if not sys.platform.startswith("linux"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def _set_up(root: str, *, testing: bool) -> None:
    """Run set-up, and end here with a sentence and an exit code where it fails."""
    from studio.environment.problem import ExitCode, SetupProblem
    from studio.environment.setup import set_up

    try:
        set_up(root, testing=testing)
    except SetupProblem as problem:
        print(f"\n{problem}", file=sys.stderr)
        sys.exit(problem.exit_code)
    except KeyboardInterrupt:
        print("\nSet-up was stopped. Run main.py again: it goes on from here.", file=sys.stderr)
        sys.exit(ExitCode.INTERRUPTED)


def _become(python: str, arguments: list[str], folder: str) -> None:
    """Replace this process by the environment's Python (on Windows: run it, and end with its exit code)."""
    command = [python, *arguments]
    sys.stdout.flush()
    sys.stderr.flush()
    os.chdir(folder)
    if os.name != "nt":
        os.execv(python, command)  # noqa: S606 (no shell is wanted: this becomes the environment's Python)
    import subprocess

    process = subprocess.Popen(command)
    while True:
        try:
            sys.exit(process.wait())
        except KeyboardInterrupt:
            continue  # the child got it too, and decides
