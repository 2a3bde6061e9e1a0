"""Messages collapse, count, and go away one by one."""

from __future__ import annotations

from studio.app.notices import Action, Notices
from studio.core.failure import Failure, FailureCode


def test_the_same_message_is_counted() -> None:
    notices = Notices()
    failure = Failure(FailureCode.WORKER_DIED, "It ended.", "Try again.", "signal 11")
    notices.fail(failure)
    notices.post("Something else")
    again = notices.fail(failure, Action("Try again", lambda: None))
    assert again.count == 2
    assert [notice.message for notice in notices.current()] == ["Something else", "It ended."]
    assert again.detail.count("signal 11") == 1
    other = notices.fail(Failure(FailureCode.WORKER_DIED, "It ended.", "Try again.", "signal 6"))
    assert "signal 11" in other.detail
    assert "signal 6" in other.detail
    assert other.count == 3


def test_dismissing_and_clearing_tell() -> None:
    notices = Notices()
    heard: list[int] = []
    stop = notices.listen(lambda: heard.append(len(notices.current())))
    first = notices.post("one")
    notices.post("two", level="warning")
    notices.dismiss(first.id)
    notices.dismiss(99)
    notices.clear()
    stop()
    notices.post("three")
    assert heard == [1, 2, 1, 1, 0]
