"""The one way in which set-up fails: a sentence for a person, the next step, and an exit code."""

from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """What `python main.py` ends with when it could not open the studio; documented in the README."""

    OTHER = 1
    WRONG_PYTHON = 2
    NO_NETWORK = 3
    DISK_FULL = 4
    SYSTEM_LIBRARIES = 5
    INTERRUPTED = 130


@dataclass
class SetupProblem(Exception):
    """Set-up cannot go on: what happened and what it means, what to do next, and the exit code."""

    message: str
    hint: str
    exit_code: ExitCode = ExitCode.OTHER

    def __str__(self) -> str:
        """Both sentences, as they are printed."""
        return f"{self.message}\n{self.hint}"
