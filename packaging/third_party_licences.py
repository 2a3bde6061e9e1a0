"""List the licences of every package that Atelier is made of, from the metadata of what is installed.

    .venv/bin/python packaging/third_party_licences.py            # a table
    .venv/bin/python packaging/third_party_licences.py --full DIR  # the table, and each package's licence texts

Only what requirements.lock pins is listed: the tools of the tests are not distributed.
"""

import argparse
import re
import shutil
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

LOCK = Path(__file__).parent.parent / "requirements.lock"
COPYLEFT = re.compile(r"(?<!L)GPL|AGPL", re.IGNORECASE)
LICENCE_FILE = re.compile(r"(licen[cs]e|copying|notice)", re.IGNORECASE)


def licence(package: Distribution) -> str:
    """Return a package's licence: its SPDX expression, else its classifiers, else what it calls its licence."""
    metadata = package.metadata
    if "License-Expression" in metadata:
        return str(metadata["License-Expression"])
    classifiers = [
        text.split(" :: ")[-1] for text in metadata.get_all("Classifier") or [] if text.startswith("License ::")
    ]
    named = [text for text in classifiers if text != "OSI Approved"]
    stated = metadata["License"].strip().splitlines() if "License" in metadata else []
    return " AND ".join(named) or (stated[0][:60] if stated else "not stated")


def licence_files(package: Distribution) -> list[Path]:
    """Return the licence texts that a package ships."""
    named = [file for file in package.files or [] if ".dist-info/" in str(file) and LICENCE_FILE.search(str(file))]
    paths = [Path(str(file.locate())) for file in named]
    return [path for path in paths if path.is_file()]


def packages() -> list[Distribution]:
    """Return the installed packages among those that the lock file pins."""
    found = {}
    for line in LOCK.read_text(encoding="utf-8").splitlines():
        if "==" in line:
            try:
                package = distribution(line.split("==")[0])
            except PackageNotFoundError:
                continue  # another system's, or the text engine where it could not be built
            found[package.metadata["Name"].lower()] = package
    return [found[name] for name in sorted(found)]


def table(listed: list[Distribution]) -> str:
    """Return the list as a Markdown table."""
    rows = [f"| {package.metadata['Name']} | {package.version} | {licence(package)} |" for package in listed]
    return "\n".join(["| package | version | licence |", "| --- | --- | --- |", *rows, ""])


def main() -> int:
    """Print the table; ends with 1 if a licence is copyleft in a way that one process with ours may not be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", type=Path, metavar="DIR", help="also write the licence texts into this folder")
    folder: Path | None = parser.parse_args().full
    listed = packages()
    print(table(listed))
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "THIRD-PARTY.md").write_text(table(listed), encoding="utf-8")
        for package in listed:
            for number, file in enumerate(licence_files(package)):
                shutil.copyfile(file, folder / f"{package.metadata['Name']}-{number}-{file.name}")
    choices = {str(package.metadata["Name"]): re.split(r"\s+OR\s+", licence(package)) for package in listed}
    unfit = [name for name, alternatives in choices.items() if all(COPYLEFT.search(choice) for choice in alternatives)]
    for name in unfit:
        print(f"{name}: a licence that may not be used in this process", file=sys.stderr)
    return 1 if unfit else 0


if __name__ == "__main__":
    sys.exit(main())
