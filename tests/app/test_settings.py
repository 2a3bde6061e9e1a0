"""One schema: types, defaults, migrations; a bad file never keeps the studio from opening."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.app.settings import MIGRATIONS, VERSION, Preferences, Settings, option, options
from studio.core.failure import InvalidField


def test_changes_are_kept_and_told(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    settings = Settings.load(path)
    heard: list[frozenset[str]] = []
    stop = settings.listen(heard.append)
    settings.change(theme="light", threads=2)
    settings.change(theme="light")
    stop()
    settings.change(threads=3)
    assert heard == [frozenset({"theme", "threads"})]
    again = Settings.load(path)
    assert (again.values.theme, again.values.threads) == ("light", 3)
    assert json.loads(path.read_text())["version"] == VERSION


@pytest.mark.parametrize(
    ("name", "value"), [("theme", "pink"), ("threads", -1), ("threads", 2.5), ("text_scale", 9.0), ("nothing", 1)]
)
def test_what_does_not_fit_is_refused_by_name(tmp_path: Path, name: str, value: object) -> None:
    settings = Settings(tmp_path / "settings.json")
    with pytest.raises(InvalidField) as refused:
        settings.change(**{name: value, "warm_start": False})
    assert refused.value.field == name
    assert settings.values == Preferences()
    assert not settings.path.exists()


def test_values_that_do_not_fit_fall_back_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"version": VERSION, "theme": "pink", "threads": 3, "from_the_future": [1]}))
    settings = Settings.load(path)
    assert (settings.values.theme, settings.values.threads) == ("system", 3)
    assert "Theme" in settings.trouble
    settings.change(threads=4)
    assert json.loads(path.read_text())["from_the_future"] == [1]


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff\xfe", b""])
def test_a_damaged_file_is_set_aside(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    settings = Settings.load(path)
    assert settings.values == Preferences()
    assert "settings.json.damaged" in settings.trouble
    assert (tmp_path / "settings.json.damaged").read_bytes() == content


def test_an_old_file_is_migrated(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"version": 1, "idle_seconds": 300}))
    settings = Settings.load(path)
    assert settings.values.idle_minutes == 5
    assert settings.trouble == ""
    assert set(MIGRATIONS) == set(range(1, VERSION))


def test_every_option_is_described() -> None:
    known = options()
    assert [line.name for line in known] == list(Preferences.__struct_fields__)
    for line in known:
        assert line.title
        assert line.description.endswith(".")
        assert line.section
        if line.kind == "choice":
            assert line.default in [value for value, _ in line.choices]
        elif line.kind in ("number", "integer"):
            assert line.minimum <= float(str(line.default)) <= line.maximum
    assert option("theme").kind == "choice"


def test_reset_puts_everything_back(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "settings.json")
    settings.change(theme="dark", model_folders=("/models",))
    settings.reset()
    assert settings.values == Preferences()
