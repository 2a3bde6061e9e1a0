"""An engine for the text rooms' tests: writes what the request's own words ask for, at a pace, and can be stopped.

In the prompt (or the last message, or the code's instruction or prefix): `says=WORDS_WITH_UNDERSCORES` is what
comes (`_` is a space, `\\n` a line end), `pause=SECONDS` waits before each piece, `fails=N` breaks after N pieces,
`waits` never goes on, `cut` says that the length was used up, `drops=N` that N tokens did not fit. Without `says`,
it counts: one two three …
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

from studio.core.engine import Assignment, Cancel
from studio.core.events import ContextUse, Event, JobCompleted, JobProgress, JobStarted, RunReport, Stage, TextDelta
from studio.core.failure import Failure, FailureCode, StudioError
from studio.core.requests import CodeRequest, TextRequest

PROGRAM = "tests.ui.author_engine:AuthorEngine"
COUNTED = "one two three four five six seven eight"


class AuthorEngine:
    """Streams words with the space before them, as language models do."""

    def run(self, assignment: Assignment, cancel: Cancel) -> Iterator[Event]:
        """Write what was asked for."""
        wanted = _wanted(assignment.request)
        found = dict(re.findall(r"(says|pause|fails|drops)=(\S+)", wanted))
        text = found["says"].replace("_", " ").replace("\\n", "\n") if "says" in found else f" {COUNTED}"
        pieces = re.findall(r"\s*\S+|\s+$", text)
        pause, fails = float(found.get("pause", 0)), int(found.get("fails", -1))
        yield JobStarted(device="cpu")
        yield JobProgress(stage=Stage.PROMPT, step=1, total=1)
        yield ContextUse(used=len(wanted.split()), left=1000, dropped=int(found.get("drops", 0)))
        for place, piece in enumerate(pieces):
            _rest(pause, cancel)
            if place == fails:
                raise StudioError(Failure(FailureCode.CONTEXT_FULL, "The text is too long.", "Make it shorter."))
            yield TextDelta(text=piece)
        while "waits" in wanted:
            _rest(0.01, cancel)
        finish = "length" if "cut" in wanted.split() else "eos"
        report = RunReport(device="cpu", library="author", output_tokens=len(pieces), finish=finish)
        yield JobCompleted(text=text, report=report)

    def unload(self) -> None:
        """Nothing is held."""

    def loaded_bytes(self) -> int:
        """Nothing is held."""
        return 0


def _wanted(request: object) -> str:
    if isinstance(request, TextRequest):
        return request.messages[-1].content if request.messages else request.prompt
    if isinstance(request, CodeRequest):
        return request.instruction or request.prefix
    return ""


def _rest(pause: float, cancel: Cancel) -> None:
    cancel.check()
    if pause:
        threading.Event().wait(pause)
    cancel.check()
