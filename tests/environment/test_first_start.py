"""The first start of main.py, for real: real environments and real pip, with tiny packages from a folder."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from studio.environment.problem import ExitCode
from tests.environment.conftest import Checkout
from tests.environment.package_folder import write_wheel


def test_a_fresh_machine_is_set_up_then_the_window_opens_and_the_next_start_does_nothing(checkout: Checkout) -> None:
    first = checkout.run()
    assert first.returncode == 7, first.stderr
    assert first.stdout == f"window {checkout.folder / '.venv'}\n"
    stages = (
        "Making an environment",
        "Fetching torch",
        "Installing",
        "Building llama-cpp-python from source",
        "Ready after",
    )
    for stage in stages:
        assert stage in first.stderr
    assert "kind = 'cpu'" in (checkout.site / "torch.py").read_text(encoding="utf-8")
    assert list(checkout.site.glob("__pycache__/torch.*.pyc")), "compiled at set-up"
    second = checkout.run()
    assert (second.returncode, second.stdout, second.stderr) == (7, first.stdout, "")


def test_results_on_standard_output_stay_clean_and_arguments_reach_the_command_line(ready: Checkout) -> None:
    ready.forget("tiny_paint")
    result = ready.run("generate", "text", "a b", "--seed", "1")
    assert result.stdout == "command ['generate', 'text', 'a b', '--seed', '1'] True\n"


def test_a_built_wheel_is_kept_for_the_next_fresh_clone(ready: Checkout, tmp_path: Path) -> None:
    ready.forget("llama_cpp_python")
    assert "from source" in ready.run("doctor").stderr
    wheels = list((tmp_path / "cache" / "atelier" / "wheels").glob("*/llama_cpp_python-0.3.36-*.whl"))
    assert len(wheels) == 1
    ready.forget("llama_cpp_python")
    again = ready.run("doctor")
    assert "the wheel built earlier" in again.stderr
    assert "from source" not in again.stderr
    assert again.stdout == "command ['doctor'] True\n"


def test_without_a_compiler_it_says_so_and_opens_and_adds_the_text_engine_once_there_is_one(
    ready: Checkout, tmp_path: Path
) -> None:
    ready.forget("llama_cpp_python")
    bare = tmp_path / "bin"
    bare.mkdir()
    result = ready.run("doctor", PATH=str(bare), CXX="")
    assert "no C++ compiler" in result.stderr
    assert "PIP_EXTRA_INDEX_URL" in result.stderr
    assert (result.returncode, result.stdout) == (0, "command ['doctor'] False\n")
    assert ready.run("doctor", PATH=str(bare), CXX="").stderr == "", "and does not say it at every start"
    compiler = bare / "c++"
    compiler.write_text("#!/bin/sh\n", encoding="ascii")
    compiler.chmod(0o755)
    assert ready.run("doctor", PATH=str(bare), CXX="").stdout == "command ['doctor'] True\n"


def test_a_build_that_fails_costs_the_text_features_only(ready: Checkout) -> None:
    ready.forget("llama_cpp_python")
    result = ready.run("doctor", TINY_BUILD_FAILS="1")
    assert "Building llama-cpp-python failed" in result.stderr
    assert result.stdout == "command ['doctor'] False\n"
    assert "no luck" in (ready.folder / ".venv" / "setup.log").read_text(encoding="utf-8")


def test_the_tests_get_their_extras_and_have_the_last_word(ready: Checkout) -> None:
    (ready.folder / "requirements-test.lock").write_text("pytest==9.9  # 10 kB\n", encoding="utf-8")
    result = ready.run("test", "-k", "queue")
    assert (result.returncode, result.stdout) == (3, "== 2 passed ['-k', 'queue'] ==\n")
    assert ready.run("doctor").stderr == "", "nothing is left to set up for the studio either"


def test_killed_in_the_middle_it_goes_on_where_it_was(checkout: Checkout) -> None:
    process = subprocess.Popen(checkout.command("doctor"), env=checkout.environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if "Fetching the other packages" in line:
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stderr.close()
    # What a pip that dies while it writes a package leaves: files, and a record folder without its last file.
    half = checkout.site / "tiny_paint-1.0.dist-info"
    half.mkdir(exist_ok=True)
    (half / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-paint\nVersion: 1.0\n", encoding="utf-8")
    (half / "INSTALLER").unlink(missing_ok=True)
    result = checkout.run()
    assert result.returncode == 7, result.stderr
    assert "Fetching torch" not in result.stderr, "what was whole is not fetched again"


def test_two_starts_at_once_share_one_set_up(ready: Checkout) -> None:
    ready.forget("torch")
    first = subprocess.Popen(ready.command("doctor"), env=ready.environment, stderr=subprocess.PIPE, text=True)
    assert first.stderr is not None
    said = first.stderr.readline()
    second = ready.run("doctor")
    said += first.stderr.read()
    first.stderr.close()
    assert (first.wait(), second.returncode) == (0, 0)
    assert f"process {first.pid}" in second.stderr
    assert "waiting for it" in second.stderr
    assert "Fetching torch" in said
    assert "Fetching torch" not in second.stderr


def test_without_a_network_it_says_so(ready: Checkout) -> None:
    ready.forget("tiny_paint")
    result = ready.run(PIP_NO_INDEX="", PIP_FIND_LINKS="", PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="0")
    assert result.returncode == ExitCode.NO_NETWORK
    assert "there is no network" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_disk_that_is_too_small_is_noticed_before_anything_is_fetched(checkout: Checkout) -> None:
    lock = checkout.folder / "requirements.lock"
    lock.write_text(lock.read_text(encoding="utf-8").replace("# 100 kB", "# 900000000000 kB"), encoding="utf-8")
    result = checkout.run()
    assert result.returncode == ExitCode.DISK_FULL
    assert re.search(r"needs about \d+\.\d GB, and .* are free", result.stderr)
    assert "Fetching" not in result.stderr
    assert not list((checkout.folder / ".venv").glob("bin/python*")), "nor an environment made"


@pytest.mark.skipif(os.name != "posix", reason="limits of a process are POSIX's")
def test_a_disk_that_fills_up_on_the_way_is_told_in_one_sentence(ready: Checkout, package_folder: Path) -> None:
    big = package_folder / "big"
    big.mkdir(exist_ok=True)
    write_wheel(big, "tiny-paint", "2.0", "#" * 3_000_000)
    lock = ready.folder / "requirements.lock"
    lock.write_text(lock.read_text(encoding="utf-8").replace("tiny-paint==1.0", "tiny-paint==2.0"), encoding="utf-8")
    limited = f"ulimit -f 2000; exec {' '.join(ready.command('doctor'))}"
    surroundings = {**ready.environment, "PIP_FIND_LINKS": f"{package_folder} {big}"}
    result = subprocess.run(["sh", "-c", limited], env=surroundings, capture_output=True, text=True, check=False)
    assert result.returncode == ExitCode.DISK_FULL, result.stderr
    assert "The disk is full" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_package_that_is_not_to_be_had_is_named(ready: Checkout) -> None:
    lock = ready.folder / "requirements.lock"
    lock.write_text("tiny-paint==9.9\n", encoding="utf-8")
    result = ready.run()
    assert result.returncode == ExitCode.OTHER
    assert "tiny-paint==9.9 is not to be had" in result.stderr


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_to_is_named(checkout: Checkout) -> None:
    checkout.folder.chmod(0o555)
    result = checkout.run()
    checkout.folder.chmod(0o755)
    assert result.returncode == ExitCode.OTHER
    assert "may not be written to" in result.stderr


def _interrupted(ready: Checkout) -> tuple[int, str]:
    """Press Ctrl-C as soon as torch is being fetched; the exit code and what was said."""
    ready.forget("torch")
    # A background job of a script inherits an ignored SIGINT, and then Python ignores it too.
    listening = (
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", listening, *ready.command("doctor")],
        env=ready.environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    said = process.stderr.readline()
    while "Fetching torch" not in said:
        said += process.stderr.readline()
    os.killpg(process.pid, signal.SIGINT)
    said += process.stderr.read()
    process.stderr.close()
    return process.wait(), said


def test_ctrl_c_stops_it_and_says_that_it_goes_on(ready: Checkout) -> None:
    code, said = _interrupted(ready)
    for _ in range(5):
        if code != 0:  # on a busy machine the tiny package can be there before the signal is
            break
        code, said = _interrupted(ready)
    assert code == ExitCode.INTERRUPTED
    assert "goes on from here" in said
    assert "Traceback" not in said


def test_without_a_display_the_tour_runs(ready: Checkout) -> None:
    result = ready.run(QT_QPA_PLATFORM="", DISPLAY="", WAYLAND_DISPLAY="")
    assert "no display" in result.stderr
    assert result.stdout == "command ['tour'] True\n"


def test_the_second_start_sets_nothing_up(ready: Checkout) -> None:
    log = ready.folder / ".venv" / "setup.log"
    before = log.read_bytes(), log.stat().st_mtime_ns
    again = subprocess.run(
        ready.command("doctor"), env=ready.environment, cwd=ready.folder, capture_output=True, text=True, check=True
    )
    assert "sets itself up" not in again.stdout + again.stderr
    assert (log.read_bytes(), log.stat().st_mtime_ns) == before


def _other_pythons() -> list[str]:
    names = ["python2.7", "python3.6", "python3.7", "python3.8", "python3.9", "python3.10"]
    folders = [Path.home() / ".pyenv" / "versions", Path("/usr/bin"), Path("/usr/local/bin")]
    found = [
        path for folder in folders for name in names for path in (*folder.glob(name), *folder.glob(f"*/bin/{name}"))
    ]
    return [str(path) for path in found]


@pytest.mark.parametrize(
    "python", _other_pythons() or [pytest.param("", marks=pytest.mark.skip(reason="no old Python here"))]
)
def test_an_old_python_is_told_which_one_is_needed(checkout: Checkout, python: str) -> None:
    checkout.python = python
    result = checkout.run()
    assert result.returncode == ExitCode.WRONG_PYTHON
    assert result.stderr.startswith("Atelier needs Python 3.11, 3.12, 3.13 or 3.14; this is Python ")
