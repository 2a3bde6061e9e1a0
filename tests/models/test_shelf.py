"""The shelf: what is on this machine, told by content, with broken files named and never fatal."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from studio.core.failure import FailureCode, StudioError
from studio.core.references import ModelRef
from studio.core.requests import ImageRequest, MusicRequest, Sampling, TextRequest
from studio.models.forecast import Run, forecast, memory_of
from studio.models.gguf_header import read_gguf_header
from studio.models.identify import identify
from studio.models.safetensors_header import read_safetensors_header
from studio.models.shelf import Shelf
from tests.starters import composer_starter

CROSS = "model.diffusion_model.input_blocks.2.1.transformer_blocks.0.attn2.to_k.weight"
CROSS_XL = "model.diffusion_model.input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight"
FIRST = "model.diffusion_model.input_blocks.0.0.weight"


def write_safetensors(path: Path, shapes: dict[str, list[int]]) -> Path:
    table: dict[str, object] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, shape in shapes.items():
        size = 2
        for edge in shape:
            size *= edge
        table[name] = {"dtype": "F16", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    raw = json.dumps(table).encode()
    path.write_bytes(struct.pack("<Q", len(raw)) + raw + bytes(at))
    return path


def write_gguf(path: Path, pairs: dict[str, str | int | list[str]]) -> Path:
    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value.encode())) + value.encode()

    body = b""
    for key, value in pairs.items():
        body += text(key)
        if isinstance(value, str):
            body += struct.pack("<I", 8) + text(value)
        elif isinstance(value, int):
            body += struct.pack("<II", 4, value)
        else:
            body += struct.pack("<IIQ", 9, 8, len(value)) + b"".join(text(item) for item in value)
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs)) + body)
    return path


def starter(folder: Path) -> Path:
    """A starter folder with one description and one file of weights."""
    model = folder / "writer"
    model.mkdir(parents=True)
    (model / "model.toml").write_text(
        'id = "starter-writer"\nname = "Starter writer"\ntask = "text"\nfamily = "llama"\nfile = "w.gguf"\n'
        'licence = "Apache-2.0"\ncommercial = true\ncontext_length = 512\nmemory_mb = 10\nfuture = 1\n'
    )
    write_gguf(model / "w.gguf", {"general.architecture": "llama"})
    return folder


@pytest.mark.parametrize(
    ("key", "width", "channels", "family"),
    [
        (CROSS, 768, 4, "sd15"),
        (CROSS, 768, 9, "sd15-inpaint"),
        (CROSS_XL, 2048, 4, "sdxl"),
        (CROSS_XL, 2048, 9, "sdxl-inpaint"),
        (CROSS_XL, 1280, 4, "sdxl-refiner"),
    ],
)
def test_single_files_are_told_by_their_tensors(
    tmp_path: Path, key: str, width: int, channels: int, family: str
) -> None:
    path = write_safetensors(tmp_path / "v2-xl-really.safetensors", {key: [1, width], FIRST: [1, channels, 1, 1]})
    entry = identify(path)
    assert entry is not None
    assert entry.family == family


@pytest.mark.parametrize(
    ("names", "family"),
    [
        (["body.0.weight", "body.1.weight", "body.2.weight"], "esrgan"),
        (["model.0.weight", "model.1.sub.0.RDB1.conv1.0.weight"], "esrgan"),
        (["module.conv_first.weight", "module.body.0.rdb1.conv1.weight", "module.conv_last.weight"], "esrgan"),
        (["conv_1.sk.weight", "block_1.c1_r.sk.weight", "upsampler.0.weight"], "span"),
        (["layers.0.residual_group.blocks.0.norm1.weight", "conv_first.weight"], "swinir"),
    ],
)
def test_upscaling_models_are_told_by_their_tensors(tmp_path: Path, names: list[str], family: str) -> None:
    entry = identify(write_safetensors(tmp_path / "unet.safetensors", {name: [2, 2] for name in names}))
    assert entry is not None
    assert (entry.task, entry.family) == ("upscale", family)


def test_a_folder_with_a_sprite_generator_is_told_by_its_description(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "generator.safetensors", {"paint.weight": [4, 8, 3, 3]})
    (tmp_path / "config.json").write_text('{"kinds": ["orc"], "latent": 8, "widths": [8, 8, 8, 8]}')
    entry = identify(tmp_path)
    assert entry is not None
    assert (entry.task, entry.path) == ("sprite", tmp_path)
    (tmp_path / "config.json").write_text("[]")
    assert identify(tmp_path) is None


def test_unknown_tensors_are_unknown(tmp_path: Path) -> None:
    assert identify(write_safetensors(tmp_path / "sdxl.safetensors", {"some.weight": [4, 4]})) is None


def test_gguf_headers_skip_arrays(tmp_path: Path) -> None:
    pairs: dict[str, str | int | list[str]] = {
        "general.architecture": "llama",
        "tokenizer.ggml.tokens": ["a"] * 1000,
        "llama.context_length": 4096,
        "general.name": "Tiny Coder",
        "general.license": "apache-2.0",
    }
    path = write_gguf(tmp_path / "x.gguf", pairs)
    assert read_gguf_header(path)["tokenizer.ggml.tokens"] == 1000
    entry = identify(path)
    assert entry is not None
    assert (entry.task, entry.context_length, entry.licence, entry.commercial) == ("code", 4096, "Apache-2.0", True)


def test_diffusers_folders_are_told_by_their_index(tmp_path: Path) -> None:
    folder = tmp_path / "some" / "model"
    (folder / "unet").mkdir(parents=True)
    (folder / "model_index.json").write_text('{"_class_name": "StableDiffusionXLPipeline"}')
    write_safetensors(folder / "unet" / "w.safetensors", {"a": [2]})
    shelf = Shelf([tmp_path], tmp_path / "no-starters")
    assert [(entry.family, entry.native_size) for entry in shelf.entries()] == [("sdxl", 1024)]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:100],
        lambda data: data[:-1],
        lambda data: b"\x80\x04\x95pickle" + data,
        lambda data: struct.pack("<Q", 2**60) + data[8:],
        lambda data: data[:8] + b"x" + data[9:],
        lambda _data: b"",
        lambda data: data.replace(b'"F16"', b'"F32"'),
    ],
    ids=["cut header", "cut weights", "pickle", "absurd length", "bad JSON", "empty", "wrong sizes"],
)
def test_damaged_weights_are_named(tmp_path: Path, damage: object) -> None:
    path = write_safetensors(tmp_path / "m.safetensors", {CROSS: [4, 768], FIRST: [4, 4, 3, 3]})
    assert callable(damage)
    path.write_bytes(damage(path.read_bytes()))
    expected = FailureCode.MODEL_REFUSED if path.read_bytes().startswith(b"\x80\x04") else FailureCode.MODEL_DAMAGED
    with pytest.raises(StudioError) as caught:
        read_safetensors_header(path)
    assert caught.value.failure.code is expected
    shelf = Shelf([tmp_path], tmp_path / "no-starters")
    assert shelf.entries() == ()
    assert [failure.code for failure in shelf.unreadable()] == [expected]


def test_damaged_gguf_files_are_named(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "x.gguf", {"general.architecture": "llama", "llama.context_length": 9})
    whole = path.read_bytes()
    for broken in (whole[:30], b"GGML" + whole[4:], whole[:16] + b"\xff" * 8 + whole[24:]):
        path.write_bytes(broken)
        with pytest.raises(StudioError) as caught:
            read_gguf_header(path)
        assert caught.value.failure.code is FailureCode.MODEL_DAMAGED


def test_names_references_and_paths_lead_to_a_model(tmp_path: Path) -> None:
    shelf = Shelf([], starter(tmp_path / "starter"))
    entry = shelf.entries()[0]
    for name in ("Starter writer", "starter/writer", "writer", "WRITER"):
        assert shelf.named(name) == entry
    assert shelf.default("text") == entry
    assert shelf.default("code") == entry, "a writing model stands in where there is no coder"
    assert shelf.default("image") is None
    assert shelf.resolve(entry.ref).path.endswith("w.gguf")
    other = write_gguf(tmp_path / "other.gguf", {"general.architecture": "llama", "llama.context_length": 9})
    assert shelf.named(str(other)).path == other
    assert len(shelf.entries()) == 2
    for missing in ("nothing", str(tmp_path / "x.gguf")):
        with pytest.raises(StudioError) as caught:
            shelf.named(missing)
        assert caught.value.failure.code is FailureCode.MODEL_MISSING
    with pytest.raises(StudioError):
        shelf.find(ModelRef(repo="local/none"))
    (tmp_path / "notes.txt").write_text("no model")
    with pytest.raises(StudioError) as caught:
        shelf.named(str(tmp_path / "notes.txt"))
    assert caught.value.failure.code is FailureCode.MODEL_UNSUPPORTED


@pytest.mark.parametrize(("name", "task"), [("Some-Composer", "music"), ("codestar", "code"), ("teller", "text")])
def test_language_models_are_told_apart_by_their_names(tmp_path: Path, name: str, task: str) -> None:
    pairs: dict[str, str | int | list[str]] = {"general.architecture": "llama", "general.name": name}
    path = write_gguf(tmp_path / "x.gguf", {**pairs, "llama.context_length": 64})
    entry = identify(path)
    assert entry is not None
    assert entry.task == task


def test_a_composer_is_for_music_alone(tmp_path: Path) -> None:
    shelf = Shelf((), composer_starter(tmp_path))
    entry = shelf.default("music")
    assert entry is not None
    assert (entry.ref.repo, entry.repetition_penalty) == ("starter/composer", 0.0)  # music repeats itself
    assert shelf.default("text") is None
    request = MusicRequest(model=entry.ref, sampling=Sampling(seed=1), max_tokens=100)
    assert forecast(entry, request).memory > entry.size
    with pytest.raises(StudioError) as missing:
        Shelf((), tmp_path / "none").find(entry.ref)
    assert missing.value.failure.code is FailureCode.MODEL_MISSING


def test_the_forecast_learns(tmp_path: Path) -> None:
    entry = Shelf([], starter(tmp_path / "starter")).entries()[0]
    request = TextRequest(model=entry.ref, sampling=Sampling(seed=1), prompt="x", max_tokens=100)
    first = forecast(entry, request)
    assert first.seconds is None
    assert first.fits
    assert first.memory == memory_of(entry, request)
    from studio.core.events import RunReport

    runs = [Run(50.0, RunReport(run_seconds=seconds)) for seconds in (1.0, 2.0, 100.0)]
    assert forecast(entry, request, runs).seconds == pytest.approx(4.0), "the median, so that one bad run counts little"
    picture = ImageRequest(prompt="", model=entry.ref, seed=0, width=16384, height=16384)
    assert not forecast(entry, picture).fits


def test_starter_models_advise_against_repetition_and_others_leave_it(tmp_path: Path) -> None:
    folder = starter(tmp_path / "starter")
    description = folder / "writer" / "model.toml"
    said = Sampling(seed=1, temperature=0.3, repetition_penalty=1.2)
    writer = Shelf([], folder).entries()[0].advised(said)
    assert (writer.repetition_penalty, writer.dry_multiplier) == (1.05, 1.0)
    words = description.read_text().replace('task = "text"', 'task = "code"')
    description.write_text(words)
    coder = Shelf([], folder).entries()[0].advised(said)
    assert (coder.repetition_penalty, coder.dry_multiplier, coder.temperature) == (1.1, 1.0, 0.3)
    description.write_text(words + "repetition_penalty = 1.0\ndry_multiplier = 0.0\n")
    assert Shelf([], folder).entries()[0].advised(Sampling(seed=1)) == Sampling(seed=1)
    other = write_gguf(tmp_path / "other.gguf", {"general.architecture": "llama", "llama.context_length": 9})
    theirs = identify(other)
    assert theirs is not None
    assert theirs.advised(said) == said
