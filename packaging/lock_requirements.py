"""Write requirements.lock and requirements-test.lock from pyproject.toml and the environment that runs this.

    .venv/bin/python packaging/lock_requirements.py

Every package that the studio needs is pinned at the version that is installed here, with its installed size, which
set-up uses to tell how much is left. Packages that only another system or Python version wants are named in ELSEWHERE.
torch's own GPU libraries are not pinned: torch names them exactly, and only its GPU build wants them.
"""

import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
ENVIRONMENTS = [
    (version, system) for version in ("3.11", "3.12", "3.13", "3.14") for system in ("linux", "win32", "darwin")
]
ELSEWHERE = {
    "colorama": "colorama==0.4.6; sys_platform=='win32'",
    "pyside6-essentials": "pyside6-essentials==6.12.0; python_version>='3.12'",
    "shiboken6": "shiboken6==6.12.0; python_version>='3.12'",
}
ONLY_BEFORE_312 = {"pyside6-essentials", "shiboken6"}
# Its builds do not fit every build of torch, and nothing of it is used: spandrel is given a stand-in.
NEVER = {"torchvision"}
FROM_TORCH_ITSELF = ("nvidia-", "cuda-", "triton")
PIP = "26.1.2"
HEADER = "# Written by packaging/lock_requirements.py: what was tried together. The numbers are installed sizes.\n"


def _on(version: str, system: str, extra: str) -> dict[str, str]:
    names = {"linux": "Linux", "win32": "Windows", "darwin": "Darwin"}
    own = {name: str(value) for name, value in default_environment().items()}
    other = {"python_version": version, "python_full_version": f"{version}.0", "sys_platform": system}
    return {**own, **other, "platform_system": names[system], "extra": extra}


def _wanted_by(requirements: list[str], extras: frozenset[str] = frozenset()) -> Iterator[Requirement]:
    """Yield the requirements that hold on any system and Python version that Atelier runs on."""
    for requirement in map(Requirement, requirements):
        marker = requirement.marker
        places = [_on(*environment, extra) for environment in ENVIRONMENTS for extra in extras or {""}]
        if marker is None or any(marker.evaluate(place) for place in places):
            yield requirement


def _closure(requirements: list[str]) -> dict[str, Distribution | None]:
    """Return all packages that the requirements pull in, by canonical name; None for those not installed here."""
    found: dict[str, Distribution | None] = {}
    todo = list(_wanted_by(requirements))
    while todo:
        requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        if name in found or name in NEVER or name.startswith(FROM_TORCH_ITSELF):
            continue
        try:
            package = distribution(name)
        except PackageNotFoundError:
            found[name] = None
            continue
        found[name] = package
        todo += _wanted_by(package.requires or [], frozenset(requirement.extras))
    return found


def _size(package: Distribution) -> int:
    return sum(file.size or 0 for file in package.files or [] if not str(file).endswith(".pyc")) // 1000


def _lines(packages: dict[str, Distribution | None]) -> Iterator[str]:
    for name in sorted(packages):
        package = packages[name]
        if package is not None:
            marker = "; python_version<'3.12'" if name in ONLY_BEFORE_312 else ""
            yield f"{name}=={package.version.split('+')[0]}{marker}  # {_size(package)} kB"
        if name in ELSEWHERE:
            yield f"{ELSEWHERE[name]}{f'  # {_size(package)} kB' if package else ''}"
        elif package is None:
            print(f"{name} is wanted somewhere, is not installed here and not named in ELSEWHERE", file=sys.stderr)


def main() -> None:
    """Write both lock files."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    studio = _closure(project["dependencies"])
    tests = {
        name: found for name, found in _closure(project["optional-dependencies"]["test"]).items() if name not in studio
    }
    pip = f"pip=={PIP}  # 12000 kB"
    (ROOT / "requirements.lock").write_text(HEADER + "\n".join([pip, *_lines(studio), ""]), encoding="utf-8")
    (ROOT / "requirements-test.lock").write_text(HEADER + "\n".join([*_lines(tests), ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
