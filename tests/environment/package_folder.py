"""A folder of tiny packages for pip, in place of an index: wheels, and a source package that has to be built."""

import base64
import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

_BACKEND = '''
"""Builds the package as a real backend would: slowly enough to be watched, with ninja's kind of output."""
import os, sys
from pathlib import Path
sys.path.insert(0, str(Path(__file__).parent))
import wheels


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    assert "-DLLAVA_BUILD=OFF" in os.environ["CMAKE_ARGS"], os.environ["CMAKE_ARGS"]
    for number in (1, 2, 3):
        print(f"[{number}/3] Building CXX object src/part{number}.cpp.o", flush=True)
    if os.environ.get("TINY_BUILD_FAILS"):
        sys.exit("c++: fatal error: no luck")
    return wheels.write_wheel(Path(wheel_directory), NAME, VERSION, CODE).name
'''


def write_wheel(folder: Path, name: str, version: str, code: str = "", requires: tuple[str, ...] = ()) -> Path:
    """Write a wheel with one module (llama-cpp-python's is called llama_cpp); returns its path."""
    stem = name.replace("-", "_")
    module, record = stem.removesuffix("_python"), f"{stem}-{version}.dist-info"
    requirements = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
    files = {
        f"{module}.py": code,
        f"{record}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requirements}",
        f"{record}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = []
    path = folder / f"{stem}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in files.items():
            archive.writestr(file, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            rows.append(f"{file},sha256={digest},{len(text.encode())}")
        archive.writestr(f"{record}/RECORD", "\n".join([*rows, f"{record}/RECORD,,", ""]))
    return path


def write_source_package(folder: Path, name: str, version: str, code: str) -> Path:
    """Write a source package whose own backend makes the wheel; returns its path."""
    backend = f"NAME, VERSION, CODE = {name!r}, {version!r}, {code!r}\n" + _BACKEND
    project = (
        f'[project]\nname = "{name}"\nversion = "{version}"\n'
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    files = {
        "pyproject.toml": project,
        "backend.py": backend,
        "wheels.py": Path(__file__).read_text(encoding="utf-8"),
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
    }
    stem = f"{name.replace('-', '_')}-{version}"
    path = folder / f"{stem}.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for file, text in files.items():
            entry = tarfile.TarInfo(f"{stem}/{file}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return path
