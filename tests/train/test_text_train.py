from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from studio.train.starter.checkpoint import load_checkpoint, save_checkpoint
from studio.train.starter.text_model import TextModel, TextShape
from studio.train.starter.text_streams import Flow, Mixture, Shelf
from studio.train.starter.text_train import Plan, Trainer

SHAPE = TextShape(vocabulary=64, width=32, layers=2, heads=2, kv_heads=1, hidden=64, context=64)


def _trainer(work: Path, steps: int | None, minutes: float = 1.0) -> Trainer:
    shelf = Shelf.of([[(n * place) % 64 for place in range(40)] for n in range(1, 30)])
    plan = Plan(
        minutes=minutes,
        tokens_per_step=128,
        micro_tokens=64,
        short=16,
        long=32,
        short_until=400,
        warm_up=2,
        steps=steps,
    )
    return Trainer(
        work, SHAPE, plan, [Mixture({"documents": (1.0, Flow(shelf))}, seed=1)] * 2, lambda _: {"bits_per_byte": 1.0}
    )


def _weights(trainer: Trainer) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in trainer.model.parameters()])


def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path: Path) -> None:
    whole = _trainer(tmp_path / "whole", 8)
    (tmp_path / "whole").mkdir()
    whole.run(None)
    (tmp_path / "parts").mkdir()
    _trainer(tmp_path / "parts", 3).run(None)
    again = _trainer(tmp_path / "parts", 8)
    assert again.progress.step == 3
    again.run(None)
    assert torch.equal(_weights(whole), _weights(again))
    assert whole.progress.cursors == again.progress.cursors


def test_a_finished_run_is_followed_by_one_from_the_stable_state(tmp_path: Path) -> None:
    first = _trainer(tmp_path, None)
    first.run(0.01)
    assert first.progress.done
    assert (tmp_path / "final.pt").is_file()
    second = _trainer(tmp_path, None)
    assert (second.progress.run, second.progress.done, second.progress.falling) == (1, False, False)
    assert second.progress.step <= first.progress.step


def test_the_log_forgets_what_the_checkpoint_does_not_know(tmp_path: Path) -> None:
    _trainer(tmp_path, 3).run(None)
    with (tmp_path / "log.jsonl").open("a") as stream:
        stream.write(json.dumps({"run": 0, "step": 9, "tokens": 0, "seconds": 0, "loss": 1}) + "\n" + '{"run": 0, "st')
    _trainer(tmp_path, 3)
    entries = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [entry["step"] for entry in entries] == [3]


def test_a_kill_while_saving_leaves_the_old_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    save_checkpoint(path, {"step": 1})
    (tmp_path / "state.pt.part").write_bytes(b"half of a")
    assert load_checkpoint(path) == {"step": 1}
    save_checkpoint(path, {"step": 2})
    assert load_checkpoint(path) == {"step": 2}
    assert [file.name for file in tmp_path.iterdir()] == ["state.pt"]


def test_the_model_never_looks_ahead() -> None:
    torch.manual_seed(0)
    model = TextModel(SHAPE)
    tokens = torch.randint(0, 64, (1, 12))
    other = tokens.clone()
    other[0, 8:] = (other[0, 8:] + 1) % 64
    with torch.no_grad():
        one, two = model(tokens), model(other)
    assert torch.allclose(one[0, :8], two[0, :8], atol=1e-6)
    assert not torch.allclose(one[0, 8:], two[0, 8:], atol=1e-3)


def test_a_loss_that_is_no_number_stops_the_training(tmp_path: Path) -> None:
    trainer = _trainer(tmp_path, 2)
    with torch.no_grad():
        trainer.model.embedding[:] = float("nan")
    with pytest.raises(FloatingPointError, match="Lower the rates"):
        trainer.run(None)
