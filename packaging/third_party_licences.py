"""List the licences of every package that Atelier is made of, from the metadata of what is installed.

    .venv/bin/python packaging/third_party_licences.py            # a table
    .venv/bin/python packaging/third_party_licences.py --full DIR  # the table, and each package's licence texts

The About box reads them in the same way (studio/app/licences.py).
"""

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a script, it finds only its own folder

from studio.app.licences import Part, parts


def table(listed: Sequence[Part]) -> str:
    """Return the list as a Markdown table."""
    rows = [f"| {part.name} | {part.version} | {part.licence} |" for part in listed]
    return "\n".join(["| package | version | licence |", "| --- | --- | --- |", *rows, ""])


def main() -> int:
    """Print the table; ends with 1 if a licence is copyleft in a way that one process with ours may not be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", type=Path, metavar="DIR", help="also write the licence texts into this folder")
    folder: Path | None = parser.parse_args().full
    listed = parts()
    print(table(listed))
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "THIRD-PARTY.md").write_text(table(listed), encoding="utf-8")
        for part in listed:
            for number, file in enumerate(part.texts):
                shutil.copyfile(file, folder / f"{part.name}-{number}-{file.name}")
    unfit = [part.name for part in listed if not part.fits]
    for name in unfit:
        print(f"{name}: a licence that may not be used in this process", file=sys.stderr)
    return 1 if unfit else 0


if __name__ == "__main__":
    sys.exit(main())
