"""The note that the text engine is missing, and why: asked for at every start, so it must cost nothing."""

import os

from studio.environment import stamp

NAME = "atelier.without-text"
NO_COMPILER = "no compiler"


def waits_for_a_compiler(root: str) -> bool:
    """Tell whether the text engine is missing for want of a compiler (a build that failed is not tried each time)."""
    try:
        with open(os.path.join(stamp.folder(root), NAME), encoding="utf-8") as file:
            return file.read() == NO_COMPILER
    except OSError:
        return False
