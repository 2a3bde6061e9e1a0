"""The benchmark's table: what was measured, against what, and whether it is good enough."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """One line. `measured` and `against` are texts with units; `ratio` is measured / against; `limit` says what
    the ratio must reach, in words; `ok` whether it does (None where nothing is demanded)."""

    what: str
    measured: str
    against: str
    ratio: float
    limit: str
    ok: bool | None
