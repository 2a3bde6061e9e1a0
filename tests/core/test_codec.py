"""The vocabulary's JSON: exact round trips, and refusals that name the field."""

from __future__ import annotations

import json

import pytest

from studio.core.codec import decode, encode, validated
from studio.core.events import AnyEvent, JobCompleted, JobFailed, JobProgress, RunReport, Stage, is_terminal
from studio.core.failure import Failure, FailureCode, InvalidField
from studio.core.jobs import Family, Job, JobState, family_of
from studio.core.references import Asset, Destination, ModelRef
from studio.core.requests import (
    CodeRequest,
    ImageRequest,
    Message,
    MusicRequest,
    Request,
    Sampling,
    TextRequest,
    input_assets,
)

MODEL = ModelRef(repo="starter/image", revision="0" * 40, file="a.gguf", sha256="f" * 64)
REQUESTS: list[Request] = [
    ImageRequest(prompt="a fox", model=MODEL, seed=7, image="a" * 64, mask="b" * 64, scheduler="dpm++ 2m"),
    TextRequest(
        model=MODEL,
        sampling=Sampling(seed=1, top_k=3),
        messages=(Message("system", "be brief"), Message("user", "„hallo“ \u0000 🦊")),
        stop=("\n\n",),
        json_schema='{"type":"object"}',
        template_arguments={"enable_thinking": False, "depth": 2, "tone": "dry"},
    ),
    CodeRequest(model=MODEL, sampling=Sampling(seed=0), prefix="def f(", suffix="):\n    pass", single_line=True),
    MusicRequest(model=MODEL, sampling=Sampling(seed=2), kind="chorale", metre="6/8", key="F#m", title="Für L."),
]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: type(request).__name__)
def test_jobs_round_trip(request_: Request) -> None:
    job = Job(
        id="j1",
        request=request_,
        state=JobState.FAILED,
        destination=Destination(room="canvas", document="d", x=-5, width=128),
        failure=Failure(FailureCode.OUT_OF_MEMORY, "It did not fit.", "Make it smaller.", "detail"),
        assets=(Asset(id="c" * 64, kind="image", path="Pictures/x.png", media_type="image/png", size=3),),
        position=1.5,
        started=2.25,
    )
    assert decode(Job, encode(job)) == job


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("steps", {"steps": 0}),
        ("steps", {"steps": "many"}),
        ("seed", {"seed": -1}),
        ("scheduler", {"scheduler": "magic"}),
        ("model.repo", {"model": {"repo": ""}}),
        ("model.revision", {"model": {"repo": "a/b", "revision": "main"}}),
        ("image", {"image": "../../etc/passwd"}),
        ("stepz", {"stepz": 3}),
        ("model.colour", {"model": {"repo": "a/b", "colour": "red"}}),
        ("width", {"width": 10**9}),
    ],
)
def test_a_wrong_field_is_named(field: str, change: dict[str, object]) -> None:
    plain = json.loads(encode(REQUESTS[0])) | change
    with pytest.raises(InvalidField) as caught:
        decode(ImageRequest, json.dumps(plain))
    assert caught.value.field == field
    assert field in caught.value.failure.message


def test_a_missing_field_is_named() -> None:
    plain = json.loads(encode(REQUESTS[0]))
    del plain["prompt"]
    with pytest.raises(InvalidField) as caught:
        decode(ImageRequest, json.dumps(plain))
    assert caught.value.field == "prompt"


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"[1]", b'{"type":"sculpture"}', b"null"])
def test_nonsense_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidField):
        decode(Request, text)  # type: ignore[arg-type] # a union is a type form


def test_values_made_in_python_are_checked_at_the_boundary() -> None:
    good = ImageRequest(prompt="", model=MODEL, seed=0)
    assert validated(good) is good
    with pytest.raises(InvalidField) as caught:
        validated(ImageRequest(prompt="", model=MODEL, seed=0, strength=1.5))
    assert caught.value.field == "strength"


def test_events_keep_their_type() -> None:
    events: list[AnyEvent] = [
        JobProgress(job="j", sequence=1, stage=Stage.DENOISE, step=3, total=20),
        JobFailed(job="j", sequence=2, failure=Failure(FailureCode.INTERNAL, "x")),
        JobCompleted(job="j", sequence=3, text="done", report=RunReport(run_seconds=1.5)),
    ]
    for event in events:
        assert decode(AnyEvent, encode(event)) == event  # type: ignore[arg-type] # a union is a type form
    assert [is_terminal(event) for event in events] == [False, True, True]


def test_families_and_inputs() -> None:
    assert [family_of(request) for request in REQUESTS] == [Family.DIFFUSION] + 3 * [Family.LANGUAGE]
    assert input_assets(REQUESTS[0]) == ("a" * 64, "b" * 64)
    assert input_assets(REQUESTS[1]) == ()
