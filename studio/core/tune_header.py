"""The header of a tune in ABC notation: the lines from which the composer goes on."""

from __future__ import annotations

from studio.core.requests import MusicRequest, TuneKind

CHORALE_VOICES = ("S", "A", "T", "B")
_RHYTHM: dict[TuneKind, str] = {"melody": "song", "chorale": "chorale"}
_TITLE: dict[TuneKind, str] = {"melody": "Song", "chorale": "Chorale"}
_VOICES = f"%%score [{' '.join(CHORALE_VOICES)}]\n" + "".join(
    f"V:{voice} clef={'treble' if voice in 'SA' else 'bass'}\n" for voice in CHORALE_VOICES
)


def tune_header(request: MusicRequest) -> str:
    """The header lines of `request`, each with its line end, in the order that the composer learned them in."""
    title = " ".join(request.title.split()) or _TITLE[request.kind]
    voices = _VOICES if request.kind == "chorale" else ""
    return (
        f"X:1\nT:{title}\nR:{_RHYTHM[request.kind]}\nM:{request.metre}\nL:{request.unit_length}\n{voices}"
        f"K:{request.key}\n"
    )


def voice_names(request: MusicRequest) -> tuple[str, ...]:
    """The voices that take turns in the music; a single one where they have no names."""
    return CHORALE_VOICES if request.kind == "chorale" else ("",)
