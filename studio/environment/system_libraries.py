"""The system libraries that Qt needs on Linux: which are missing, and the one command that brings them.

The list was read off the NEEDED entries of Qt 6.11's own libraries and its xcb platform plugin. On Debian, as root,
the missing ones are installed; elsewhere the command for this system is printed.
"""

import ctypes
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from studio.environment.commands import Runner

# soname → (Debian's package, Arch's). Fedora and openSUSE resolve `soname()(64bit)`, Alpine `so:soname`, by themselves.
LIBRARIES: dict[str, tuple[str, str]] = {
    "libEGL.so.1": ("libegl1", "libglvnd"),
    "libGL.so.1": ("libgl1", "libglvnd"),
    "libX11-xcb.so.1": ("libx11-xcb1", "libx11"),
    "libX11.so.6": ("libx11-6", "libx11"),
    "libdbus-1.so.3": ("libdbus-1-3", "dbus"),
    "libfontconfig.so.1": ("libfontconfig1", "fontconfig"),
    "libfreetype.so.6": ("libfreetype6", "freetype2"),
    "libglib-2.0.so.0": ("libglib2.0-0", "glib2"),
    "libgomp.so.1": ("libgomp1", "gcc-libs"),
    "libgthread-2.0.so.0": ("libglib2.0-0", "glib2"),
    "libxcb-cursor.so.0": ("libxcb-cursor0", "xcb-util-cursor"),
    "libxcb-icccm.so.4": ("libxcb-icccm4", "xcb-util-wm"),
    "libxcb-image.so.0": ("libxcb-image0", "xcb-util-image"),
    "libxcb-keysyms.so.1": ("libxcb-keysyms1", "xcb-util-keysyms"),
    "libxcb-randr.so.0": ("libxcb-randr0", "libxcb"),
    "libxcb-render-util.so.0": ("libxcb-render-util0", "xcb-util-renderutil"),
    "libxcb-render.so.0": ("libxcb-render0", "libxcb"),
    "libxcb-shape.so.0": ("libxcb-shape0", "libxcb"),
    "libxcb-shm.so.0": ("libxcb-shm0", "libxcb"),
    "libxcb-sync.so.1": ("libxcb-sync1", "libxcb"),
    "libxcb-util.so.1": ("libxcb-util1", "xcb-util"),
    "libxcb-xfixes.so.0": ("libxcb-xfixes0", "libxcb"),
    "libxcb-xkb.so.1": ("libxcb-xkb1", "libxcb"),
    "libxcb.so.1": ("libxcb1", "libxcb"),
    "libxkbcommon-x11.so.0": ("libxkbcommon-x11-0", "libxkbcommon-x11"),
    "libxkbcommon.so.0": ("libxkbcommon0", "libxkbcommon"),
    "libzstd.so.1": ("libzstd1", "zstd"),
}
FONT = "a font"
_FONT_PACKAGES = {
    "apt-get": "fonts-dejavu-core",
    "dnf": "dejavu-sans-fonts",
    "pacman": "ttf-dejavu",
    "zypper": "dejavu-fonts",
    "apk": "font-dejavu",
}
_FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")
_INSTALL = {
    "apt-get": "apt-get install -y --no-install-recommends",
    "dnf": "dnf install -y",
    "pacman": "pacman -S --needed",
    "zypper": "zypper install",
    "apk": "apk add",
}


@dataclass(frozen=True)
class Probe:
    """What is missing (sonames, or FONT), and where the libraries that were found lie."""

    missing: tuple[str, ...]
    found: tuple[str, ...]


def _has_font() -> bool:
    suffixes = {".ttf", ".otf", ".ttc", ".pfb"}
    folders = (Path(folder).expanduser() for folder in _FONT_FOLDERS)
    return any(file.suffix.lower() in suffixes for folder in folders if folder.is_dir() for file in folder.rglob("*"))


def _loaded_paths() -> tuple[str, ...]:
    """Return the files behind the libraries that this process has loaded and that our list names."""
    wanted = tuple(name.split(".so")[0] + ".so" for name in LIBRARIES)
    lines = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    paths = {line.split(maxsplit=5)[5] for line in lines if line.count(" ") > 4 and "/" in line}
    return tuple(sorted(path for path in paths if path.rsplit("/", 1)[-1].startswith(wanted)))


def probe() -> Probe:
    """Try to load each library, as Qt would; nothing is missing on macOS and Windows, whose Qt carries its own."""
    if sys.platform != "linux":
        return Probe((), ())
    missing = []
    for soname in LIBRARIES:
        try:
            ctypes.CDLL(soname)
        except OSError:
            missing.append(soname)
    if not _has_font():
        missing.append(FONT)
    return Probe(tuple(missing), _loaded_paths())


def package_manager() -> str:
    """Return this system's package manager, "" where it is not one of those known here."""
    return next((name for name in _INSTALL if shutil.which(name)), "")


def packages(missing: tuple[str, ...], manager: str) -> tuple[str, ...]:
    """Return what to ask the package manager for."""
    names: list[str] = []
    for soname in missing:
        if soname == FONT:
            names.append(_FONT_PACKAGES[manager])
        elif manager in {"apt-get", "pacman"}:
            names.append(LIBRARIES[soname][0 if manager == "apt-get" else 1])
        else:
            names.append(f"so:{soname}" if manager == "apk" else f"'{soname}()(64bit)'")
    return tuple(dict.fromkeys(names))


def command(missing: tuple[str, ...], manager: str, *, root: bool) -> str:
    """Return the one command that brings what is missing on this system."""
    if not manager:
        return f"Install, with your system's package manager, what holds {', '.join(missing)}."
    return f"{'' if root else 'sudo '}{_INSTALL[manager]} {' '.join(packages(missing, manager))}"


def may_install() -> bool:
    """Tell whether set-up installs system packages itself: on Debian and its children, as root."""
    return sys.platform == "linux" and os.geteuid() == 0 and package_manager() == "apt-get"


def install(names: tuple[str, ...], runner: Runner) -> bool:
    """Install Debian packages, with a fresh package list where the old one does not know them; True if it worked."""
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    install_command = [*_INSTALL["apt-get"].split(), *names]
    if runner.run(install_command, environment=quiet).exit_code == 0:
        return True
    runner.run(["apt-get", "update"], environment=quiet)
    return runner.run(install_command, environment=quiet).exit_code == 0
