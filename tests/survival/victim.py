"""`python -m tests.survival.victim PROJECT MODELS…`: a studio in the middle of everything, until somebody kills it.

Once a picture denoises and a text is being written it prints the numbers of its workers, and from then on it changes
a canvas and stores pictures without a pause.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from studio.core.events import Picture, Stage
from studio.documents.canvas.document import CanvasDocument
from studio.documents.canvas.placement import Rect
from tests.survival.sessions import LONG_PROMPT, Session, open_session, picture, words

PLACE = Rect(0, 0, 64, 64)


def busy(session: Session) -> None:
    """Two families at work, and one job that waits."""
    drawing = session.submit(picture(steps=1000, width=128, height=128))
    session.reaches(drawing, Stage.DENOISE)
    writing = session.submit(words(prompt=LONG_PROMPT, max_tokens=3000))
    session.submit(words(prompt="the one that waits"))
    session.reaches(writing, Stage.GENERATE)


def work_without_end(session: Session, canvas: CanvasDocument) -> None:
    """Bring pictures in, let results land, move them, take steps back."""
    number = 0
    while True:
        number += 1
        noise = Picture(128, 128, 3, os.urandom(128 * 128 * 3))
        asset = session.studio.import_pixels(noise, "noise")
        landed = canvas.land(f"job-{number}", [(asset, PLACE), (asset, PLACE.moved(64, 0))], "pair")
        canvas.move(landed[0].id, PLACE.moved(0, number))
        canvas.undo()


def main(project: Path, models: list[Path]) -> None:
    """Work until the end comes from outside."""
    with open_session(project, *models) as session:
        canvas = CanvasDocument(project / "one.canvas")
        busy(session)
        sys.stdout.write(" ".join(str(state.process) for state in session.dispatcher.workers() if state.process) + "\n")
        sys.stdout.flush()
        work_without_end(session, canvas)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(argument) for argument in sys.argv[2:]])
