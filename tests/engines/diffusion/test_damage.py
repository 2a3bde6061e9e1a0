"""Models that are broken, dangerous or gone: each ends in a failure that says what and what to do."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from studio.core.engine import LocalModel
from studio.core.events import Event, Stage
from studio.core.failure import FailureCode, StudioError
from studio.engines.diffusion.engine import DiffusionEngine
from tests.engines.diffusion import checkpoints
from tests.engines.diffusion.asking import IMAGE, MASK, Flag, assignment, draw, events, made, request, stages

_WEIGHTS = "unet/diffusion_pytorch_model.safetensors"


def _truncate(folder: Path) -> None:
    path = folder / _WEIGHTS
    path.write_bytes(path.read_bytes()[:-1000])


def _cut_to_nothing(folder: Path) -> None:
    (folder / _WEIGHTS).write_bytes(b"")


def _flip_header_bits(folder: Path) -> None:
    data = bytearray((folder / _WEIGHTS).read_bytes())
    for place in (7, 20, 40):
        data[place] ^= 0x55
    (folder / _WEIGHTS).write_bytes(data)


def _drop_a_tensor(folder: Path) -> None:
    tensors = load_file(folder / _WEIGHTS)
    del tensors["conv_in.weight"]
    save_file(tensors, folder / _WEIGHTS)


def _change_a_shape(folder: Path) -> None:
    save_file(load_file(folder / _WEIGHTS) | {"conv_in.bias": torch.zeros(3)}, folder / _WEIGHTS)


def _fill_with_nan(folder: Path) -> None:
    tensors = load_file(folder / _WEIGHTS)
    save_file(tensors | {"conv_out.bias": torch.full_like(tensors["conv_out.bias"], float("nan"))}, folder / _WEIGHTS)


def _break_settings(folder: Path) -> None:
    (folder / "unet/config.json").write_text('{"_class_name": "UNet2D', encoding="utf-8")


def _contradict_settings(folder: Path) -> None:
    config = json.loads((folder / "unet/config.json").read_text(encoding="utf-8"))
    (folder / "unet/config.json").write_text(json.dumps(config | {"block_out_channels": "wide"}), encoding="utf-8")


def _pickle_in_disguise(folder: Path) -> None:
    torch.save({"conv_in.weight": torch.zeros(1)}, folder / _WEIGHTS)


def _bare_pickle_in_disguise(folder: Path) -> None:
    (folder / _WEIGHTS).write_bytes(pickle.dumps({"conv_in.weight": 1}))


def _pickle_beside(folder: Path) -> None:
    torch.save({"conv_in.weight": torch.zeros(1)}, folder / "unet/diffusion_pytorch_model.bin")
    (folder / _WEIGHTS).unlink()


def _program_code(folder: Path) -> None:
    index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    (folder / "model_index.json").write_text(json.dumps(index | {"unet": ["my_code", "MyUnet"]}), encoding="utf-8")
    (folder / "unet/my_code.py").write_text("raise SystemExit(3)", encoding="utf-8")


def _program_pipeline(folder: Path) -> None:
    index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    changed = index | {"_class_name": ["pipeline", "MyPipeline"]}
    (folder / "model_index.json").write_text(json.dumps(changed), encoding="utf-8")


def _auto_map(folder: Path) -> None:
    config = json.loads((folder / "text_encoder/config.json").read_text(encoding="utf-8"))
    changed = config | {"auto_map": {"AutoModel": "code.Model"}}
    (folder / "text_encoder/config.json").write_text(json.dumps(changed), encoding="utf-8")


_Case = tuple[Callable[[Path], None], FailureCode, str]
_DAMAGED, _REFUSED = FailureCode.MODEL_DAMAGED, FailureCode.MODEL_REFUSED
_MISSING, _UNSUPPORTED = FailureCode.MODEL_MISSING, FailureCode.MODEL_UNSUPPORTED


@pytest.mark.parametrize(
    "case",
    [
        (_truncate, _DAMAGED, "cut off"),
        (_cut_to_nothing, _DAMAGED, "does not fit its size"),
        (_flip_header_bits, _DAMAGED, "diffusion_pytorch_model.safetensors"),
        (_drop_a_tensor, _DAMAGED, "1 of its weights are missing, the first is conv_in.weight"),
        (_change_a_shape, _DAMAGED, "conv_in.bias has the shape"),
        (_fill_with_nan, _DAMAGED, "no numbers"),
        (_break_settings, _DAMAGED, "cannot be read as JSON"),
        (_contradict_settings, _DAMAGED, "config.json does not fit"),
        (_pickle_in_disguise, _REFUSED, "is a Python pickle"),
        (_bare_pickle_in_disguise, _REFUSED, "is a Python pickle"),
        (_pickle_beside, _REFUSED, "diffusion_pytorch_model.bin is a Python pickle"),
        (_program_code, _REFUSED, "program code of its own"),
        (_program_pipeline, _REFUSED, "program code of its own"),
        (_auto_map, _REFUSED, "program code of its own"),
        (lambda folder: shutil.rmtree(folder / "vae"), _MISSING, "The part vae is missing"),
        (lambda folder: (folder / _WEIGHTS).unlink(), _MISSING, "weights of unet are missing"),
        (lambda folder: (folder / "model_index.json").unlink(), _MISSING, "no model_index.json"),
        (lambda folder: (folder / "tokenizer/tokenizer.json").unlink(), _MISSING, "words of tokenizer"),
        (shutil.rmtree, _MISSING, "not where it was expected"),
    ],
)
def test_harm_to_a_folder(engine: DiffusionEngine, models: Path, tmp_path: Path, case: _Case) -> None:
    harm, code, words = case
    folder = tmp_path / "model"
    shutil.copytree(models / "sd15", folder)
    harm(folder)
    with pytest.raises(StudioError) as caught:
        draw(engine, folder)
    failure = caught.value.failure
    assert failure.code is code, failure
    assert words in failure.message
    assert failure.hint
    assert "Traceback" not in failure.message
    # The engine goes on working.
    assert made(events(engine, assignment(models / "sd15")))


def test_pickles_and_strange_files_are_refused_unread(engine: DiffusionEngine, models: Path, tmp_path: Path) -> None:
    torch.save({"state_dict": {}}, tmp_path / "model.ckpt")
    (tmp_path / "old.ckpt").write_bytes(b"anything at all, for sixteen bytes")
    (tmp_path / "model.gguf").write_bytes(b"GGUF" + bytes(100))
    (tmp_path / "text.safetensors").write_bytes(b"not a model at all, just some words of text")
    codes = {"model.ckpt": _REFUSED, "old.ckpt": _REFUSED, "model.gguf": _UNSUPPORTED, "text.safetensors": _DAMAGED}
    for name, code in codes.items():
        with pytest.raises(StudioError) as caught:
            draw(engine, LocalModel(path=str(tmp_path / name)))
        assert caught.value.failure.code is code
    single = checkpoints.single_file(models / "sd15", tmp_path / "cut.safetensors")
    single.write_bytes(single.read_bytes()[:5000])
    with pytest.raises(StudioError) as caught:
        draw(engine, LocalModel(path=str(single)))
    assert caught.value.failure.code is _DAMAGED


def test_deleted_while_in_use(engine: DiffusionEngine, models: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(models / "sd15", folder)
    found: list[Event] = []
    for event in engine.run(assignment(folder, request(steps=2)), Flag()):
        found.append(event)
        if stages(found)[-1:] == [Stage.DENOISE] and folder.exists():
            shutil.rmtree(folder)
    assert made(found)[0].pixels == draw(engine, models / "sd15", request(steps=2)).pixels
    with pytest.raises(StudioError) as caught:
        draw(engine, folder)
    assert caught.value.failure.code is _MISSING


def test_replaced_weights_are_noticed(engine: DiffusionEngine, models: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(models / "sd15", folder)
    before = draw(engine, folder)
    tensors = load_file(folder / _WEIGHTS)
    save_file(tensors | {"conv_out.weight": tensors["conv_out.weight"] * 3}, folder / _WEIGHTS)
    assert draw(engine, folder).pixels != before.pixels


def test_inputs_that_are_missing_or_broken(engine: DiffusionEngine, models: Path, inputs: dict[str, str]) -> None:
    Path(inputs[MASK]).write_bytes(b"\x89PNG\r\n\x1a\n broken")
    cases = [
        (request(image=IMAGE), {}, FailureCode.INPUT_MISSING, "picture"),
        (request(image=IMAGE, mask=MASK), inputs, FailureCode.INPUT_DAMAGED, "mask"),
        (request(mask=MASK), inputs, FailureCode.INVALID_REQUEST, "no picture"),
    ]
    for wanted, paths, code, word in cases:
        with pytest.raises(StudioError, match=word) as caught:
            draw(engine, models / "sd15", wanted, inputs=paths)
        assert caught.value.failure.code is code


_LIMITED = """
import resource, sys
from studio.core.engine import Assignment, LocalModel, Placement
from studio.core.events import Event, Stage
from studio.core.failure import StudioError
from studio.core.references import ModelRef
from studio.core.requests import ImageRequest
from studio.engines.diffusion.engine import DiffusionEngine
from tests.engines.diffusion.asking import Flag

engine = DiffusionEngine()
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used, resource.RLIM_INFINITY))
request = ImageRequest(prompt="", model=ModelRef(repo="local/x"), seed=1, width=1024, height=1024, steps=1)
work = Assignment(job="j", request=request, model=LocalModel(path=sys.argv[1]), placement=Placement("cpu", threads=1))
try:
    list(engine.run(work, Flag()))
except StudioError as error:
    print(error.failure.code, error.failure.detail)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="address-space limits are a matter of the system")
def test_no_address_space_is_a_failure(models: Path) -> None:
    command = [sys.executable, "-c", _LIMITED, str(models / "sd15")]
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=100, check=False, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    assert result.stdout.split()[:1] == [FailureCode.OUT_OF_MEMORY], result.stdout + result.stderr
