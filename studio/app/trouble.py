"""One trouble that may pass: its message goes when it is over."""

from __future__ import annotations

from studio.app.notices import Action, Notices
from studio.core.failure import Failure


class Trouble:
    """Something that failed and is tried again, such as the saving of one document."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices.of("")  # whatever room is in front: work may be at stake
        self._shown: set[int] = set()

    def tell(self, failure: Failure, action: Action | None = None) -> None:
        """Show the failure with its next step."""
        self._shown.add(self._notices.fail(failure, action).id)

    def over(self) -> None:
        """It went well: nothing of it needs to be read any more."""
        for identity in self._shown:
            self._notices.dismiss(identity)
        self._shown.clear()
