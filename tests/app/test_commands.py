"""One list of commands: no id or shortcut twice, and found by a few letters."""

from __future__ import annotations

import pytest

from studio.app.commands import Commands, DuplicateCommand, fuzzy
from studio.core.command import Command


def command(identity: str, title: str = "", shortcut: str = "", room: str = "", menu: str = "") -> Command:
    return Command(identity, title or identity, lambda: None, shortcut, menu, room)


def test_an_id_is_taken_once() -> None:
    commands = Commands()
    commands.add([command("a.one")])
    with pytest.raises(DuplicateCommand, match=r"“a\.one”"):
        commands.add([command("a.two"), command("a.one")])
    assert [known.id for known in commands.all()] == ["a.one"]


def test_a_shortcut_is_taken_once_where_it_is_heard() -> None:
    commands = Commands()
    commands.add([command("canvas.a", shortcut="Ctrl+Shift+S", room="canvas")])
    commands.add([command("write.a", shortcut="Ctrl+Shift+S", room="write")])
    with pytest.raises(DuplicateCommand):
        commands.add([command("app.a", shortcut="Shift+Ctrl+S")])
    with pytest.raises(DuplicateCommand):
        commands.add([command("canvas.b", shortcut="Ctrl+Shift+S", room="canvas")])


def test_search_puts_the_best_first() -> None:
    commands = Commands()
    commands.add(
        [command("a", "Show the queue"), command("b", "Save as"), command("c", "Quit"), command("d", "Resume")]
    )
    assert [match.command.id for match in commands.search("q")][:2] == ["c", "a"]
    assert commands.search("stq")[0].command.id == "a"
    assert commands.search("zzz") == ()
    assert [match.command.id for match in commands.search("", recent=["d", "b"])][:2] == ["d", "b"]
    assert len(commands.search("")) == 4


def test_the_room_in_front_comes_first() -> None:
    commands = Commands()
    commands.add(
        [
            command("code.save", "Save", room="code"),
            command("code.save-all", "Save all files", room="code"),
            command("canvas.save", "Save the picture…", room="canvas"),
            command("app.quit", "Quit"),
        ]
    )
    for recent in ([], ["code.save"]):
        assert commands.search("save", recent, "canvas")[0].command.id == "canvas.save"
        assert commands.search("save", recent, "code")[0].command.id == "code.save"
    assert commands.search("quit", ["code.save"], "canvas")[0].command.id == "app.quit"


def test_fuzzy_marks_the_letters() -> None:
    fit = fuzzy("stq", "Show the queue")
    assert fit is not None
    assert fit[1] == (0, 5, 9)
    assert fuzzy("xyz", "Show the queue") is None


def test_menus_and_running() -> None:
    ran: list[str] = []
    commands = Commands()
    allowed = [False]
    commands.add(
        [
            Command("a", "A", lambda: ran.append("a"), menu="File", when=lambda: allowed[0]),
            Command("b", "B", lambda: ran.append("b"), menu="View"),
            Command("c", "C", lambda: ran.append("c"), menu="File"),
        ]
    )
    assert {title: [known.id for known in menu] for title, menu in commands.menus().items()} == {
        "File": ["a", "c"],
        "View": ["b"],
    }
    assert not commands.run("a")
    allowed[0] = True
    assert commands.run("a")
    assert not commands.run("nothing")
    assert ran == ["a"]
    heard: list[int] = []
    stop = commands.listen(lambda: heard.append(1))
    commands.remove(["a", "unknown"])
    stop()
    commands.remove(["b"])
    assert len(heard) == 1
    assert commands.find("a") is None
