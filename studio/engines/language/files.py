"""Which files a model on this machine consists of: one GGUF, or all parts of a split one."""

from __future__ import annotations

import re
from pathlib import Path

from studio.core.failure import FailureCode
from studio.engines.language.header import Header, read_header
from studio.engines.language.trouble import model_trouble

_PART = re.compile(r"^(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf$")


def model_files(path: Path) -> list[Path]:
    """The files of the model at `path` (a file, any part of a split one, or a folder with one model), in order.

    Raises `StudioError` (`MODEL_MISSING`, `MODEL_UNSUPPORTED`).
    """
    if path.is_dir():
        path = _in_folder(path)
    if not path.is_file():
        raise model_trouble(
            FailureCode.MODEL_MISSING,
            f"{path.name} is not there any more.",
            "Put the file back or choose another model.",
            str(path),
        )
    part = _PART.match(path.name)
    if part is None:
        return [path]
    count = int(part["count"])
    files = [path.with_name(f"{part['stem']}-{at:05d}-of-{count:05d}.gguf") for at in range(1, count + 1)]
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise model_trouble(
            FailureCode.MODEL_MISSING,
            f"This model comes in {count} parts, and {len(missing)} of them are missing: {', '.join(missing[:3])}.",
            "Put all parts into one folder, or get the model again.",
            str(path.parent),
        )
    return files


def _in_folder(folder: Path) -> Path:
    found = sorted(folder.glob("*.gguf"))
    firsts = [file for file in found if (part := _PART.match(file.name)) is None or int(part["number"]) == 1]
    if len(firsts) == 1:
        return firsts[0]
    if found and not firsts:
        return found[0]
    message = f"The folder {folder.name} holds {'several GGUF models' if firsts else 'no GGUF model'}."
    code = FailureCode.MODEL_UNSUPPORTED if firsts else FailureCode.MODEL_MISSING
    raise model_trouble(code, message, "Choose one .gguf file.", str(folder))


def check_files(files: list[Path]) -> tuple[Header, int]:
    """The first file's header and the weights' size in bytes, after checking every file.

    Raises `StudioError` (see `header.read_header`).
    """
    headers = [read_header(file) for file in files]
    first = headers[0]
    count = int(first.pairs.get("split.count", 0) or 0)
    if count > len(files):
        raise model_trouble(
            FailureCode.MODEL_MISSING,
            f"{files[0].name} is one of {count} parts, but its name does not say where the others are.",
            "Give the parts back their own names (…-00001-of-….gguf).",
        )
    return first, sum(max(head.tensor_bytes, 0) for head in headers)
