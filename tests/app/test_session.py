"""What the window remembers, and that losing it costs nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.app.session import Session, load_session, save_session


def test_a_session_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "session.json"
    session = Session(room="write", panel_width=333, rooms={"canvas": {"zoom": 2.5}})
    for identity in ("a", "b", "a"):
        session.note_command(identity)
    save_session(path, session)
    again = load_session(path)
    assert again == session
    assert again.recent == ["a", "b"]


@pytest.mark.parametrize("content", [b"", b"{", b'{"room": 7}', b"\xff"])
def test_a_damaged_session_is_a_fresh_one(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "session.json"
    path.write_bytes(content)
    assert load_session(path) == Session()


def test_a_disk_that_refuses_is_no_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    save_session(blocked / "session.json", Session())
    assert blocked.read_bytes() == b""
