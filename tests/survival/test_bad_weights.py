"""Weights that are broken, dangerous or gone, through the whole studio: each ends in words, and the next job runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from studio.core.events import JobCompleted, JobFailed, Stage, TextDelta
from studio.core.failure import FailureCode, StudioError
from studio.core.jobs import Family
from studio.engines.diffusion import weights_file
from studio.models.safetensors_header import read_safetensors_header
from studio.models.shelf import Shelf
from tests.survival import damage
from tests.survival.damage import Harm
from tests.survival.sessions import PICTURE, WORDS, Session, open_session, picture, understood, words

DAMAGED, MISSING, REFUSED = FailureCode.MODEL_DAMAGED, FailureCode.MODEL_MISSING, FailureCode.MODEL_REFUSED
# Harm, and what it is to be called; None where the bits that fall may as well do no harm.
_PICTURE_HARM: dict[str, tuple[Harm, FailureCode | None]] = {
    "truncated": (damage.truncate, DAMAGED),
    "emptied": (damage.empty, DAMAGED),
    "deleted": (damage.delete, MISSING),
    "pickle": (damage.become_pickle, REFUSED),
    "long": (damage.overwrite(0, 1 << 60), DAMAGED),
    **{f"head-{seed}": (damage.flip_bits(seed, 8, 900), None) for seed in range(4)},
    **{f"body-{seed}": (damage.flip_bits(seed, -5000, 0, 400), None) for seed in range(2)},
}
_TEXT_HARM: dict[str, tuple[Harm, FailureCode | None]] = {
    "truncated": (damage.truncate, DAMAGED),
    "emptied": (damage.empty, DAMAGED),
    "deleted": (damage.delete, MISSING),
    "pickle": (damage.become_pickle, REFUSED),
    "tensors": (damage.overwrite(8, 1 << 40), DAMAGED),
    "pairs": (damage.overwrite(16, 1 << 40), DAMAGED),
    "magic": (damage.flip_bits(1, 0, 4), FailureCode.MODEL_UNSUPPORTED),
    **{f"head-{seed}": (damage.flip_bits(seed, 24, 600), None) for seed in range(8)},
    **{f"body-{seed}": (damage.flip_bits(seed, -20000, 0, 2000), None) for seed in range(4)},
}


def _check(session: Session, name: str, code: FailureCode | None) -> None:
    request = words(name) if session.family is Family.LANGUAGE else picture(name)
    end = session.run(request)
    if code is None and isinstance(end, JobCompleted):
        return
    assert isinstance(end, JobFailed), name
    failure = understood(end.failure)
    assert code is None or failure.code is code, (name, failure)


def test_pictures(tmp_path: Path, picture_models: Path) -> None:
    models = tmp_path / "models"
    for name in (PICTURE, *_PICTURE_HARM):
        shutil.copytree(picture_models / PICTURE, models / name)
    with open_session(tmp_path / "Work", models) as session:
        session.family = Family.DIFFUSION
        assert isinstance(session.run(picture()), JobCompleted)
        worker = session.worker(session.family).process
        for name, (harm, code) in _PICTURE_HARM.items():
            harm(models / name / "unet" / "diffusion_pytorch_model.safetensors")
            _check(session, name, code)
        # Gone while it draws: what is in memory is enough for this picture, and the next one says what is missing.
        drawing = session.submit(picture(steps=200))
        session.reaches(drawing, Stage.DENOISE, 3)
        shutil.rmtree(models / PICTURE / "unet")
        assert isinstance(session.end_of(drawing), JobCompleted)
        assert session.told_failure(picture()).code is MISSING
        shutil.copytree(picture_models / PICTURE, models / PICTURE, dirs_exist_ok=True)
        assert isinstance(session.run(picture()), JobCompleted)
        assert session.worker(session.family).process == worker, "none of this was worth a process"
    assert not list(models.rglob("exploded"))


def test_texts(tmp_path: Path, text_models: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    for name in (WORDS, *_TEXT_HARM):
        shutil.copy(text_models / f"{WORDS}.gguf", models / f"{name}.gguf")
    with open_session(tmp_path / "Work", models) as session:
        assert isinstance(session.run(words()), JobCompleted)
        worker = session.worker().process
        for name, (harm, code) in _TEXT_HARM.items():
            harm(models / f"{name}.gguf")
            _check(session, name, code)
        assert session.worker().process == worker, "none of this was worth a process"
        assert isinstance(session.run(words()), JobCompleted)
    assert not list(models.rglob("exploded"))


def test_a_file_that_shrinks_while_it_is_read(tmp_path: Path, text_models: Path) -> None:
    """The system ends whoever touches what is no longer there; that costs a process and one job."""
    path = tmp_path / "models" / f"{WORDS}.gguf"
    path.parent.mkdir()
    shutil.copy(text_models / path.name, path)
    with open_session(tmp_path / "Work", path.parent) as session:
        job = session.submit(words(max_tokens=3000))
        session.seen(job, TextDelta)
        with path.open("r+b") as file:
            file.truncate(4096)
        end = session.end_of(job)
        assert isinstance(end, JobFailed)
        failure = understood(end.failure)
        assert failure.code is FailureCode.WORKER_DIED
        assert "a file that it was reading changed or vanished" in failure.message
        assert session.queue.get(job).text
        assert session.told_failure(words()).code is DAMAGED
        shutil.copy(text_models / path.name, path)
        assert isinstance(session.run(words()), JobCompleted)


@pytest.mark.parametrize(
    ("name", "harm", "told"),
    [
        ("old.safetensors", damage.become_pickle, (REFUSED, "pickle")),
        ("cut.safetensors", damage.truncate, (DAMAGED, "cut off")),
        ("void.safetensors", damage.empty, (DAMAGED, "safetensors")),
        ("void.gguf", damage.empty, (DAMAGED, "empty")),
        ("torn.gguf", damage.overwrite(16, 1 << 40), (DAMAGED, "header")),
        ("old.gguf", damage.become_pickle, (REFUSED, "pickle")),
    ],
)
def test_the_shelf_says_what_it_leaves_out(
    tmp_path: Path, text_models: Path, name: str, harm: Harm, told: tuple[FailureCode, str]
) -> None:
    """Where such a file lies in a folder of the user's, or is named, one reads why it is not offered."""
    code, said = told
    path = tmp_path / name
    good = text_models / f"{WORDS}.gguf"
    path.write_bytes(good.read_bytes() if name.endswith("gguf") else _SAFE)
    harm(path)
    shelf = Shelf([tmp_path], tmp_path / "none")
    assert shelf.entries() == ()
    listed = [understood(failure) for failure in shelf.unreadable()]
    assert [failure.code for failure in listed] == [code], listed
    assert said in listed[0].message
    with pytest.raises(StudioError) as caught:
        shelf.named(str(path))
    assert caught.value.failure == listed[0]


_SAFE = b'\x40\0\0\0\0\0\0\0{"a":{"dtype":"F32","shape":[64],"data_offsets":[0,256]}}' + b" " * 7 + bytes(256)


@pytest.mark.parametrize("length", [640, 896, 1152, 1408, 640 + 65536])
def test_a_sound_file_whose_length_reads_like_a_pickle(tmp_path: Path, length: int) -> None:
    """The first bytes of a safetensors file are a number, which may be any."""
    path = tmp_path / "sound.safetensors"
    table = b'{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}'
    path.write_bytes(length.to_bytes(8, "little") + table.ljust(length) + bytes(4))
    assert read_safetensors_header(path)["a"].shape == (4,)
    assert weights_file.header(path)["a"].shape == (4,)
