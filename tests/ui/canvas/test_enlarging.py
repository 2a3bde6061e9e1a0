"""Upscale ×4 on the canvas, with the real engine and a tiny model: it lands beside the original."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from pytestqt.qtbot import QtBot

from studio.core.provenance import ALGORITHMICALLY_ENHANCED
from studio.core.requests import UpscaleRequest
from studio.documents.canvas.placement import Rect
from tests.engines.gan.making import compact
from tests.ui.canvas.conftest import Stage


def place(stage: Stage, folder: Path) -> str:
    """Put a picture of 24 × 16 pixels on the canvas and select it."""
    Image.new("RGB", (24, 16), (30, 120, 200)).save(folder / "blue.png")
    asset = stage.studio.import_picture(folder / "blue.png")
    placement = stage.room.document.place(asset, Rect(40, 8, 24, 16), "blue")
    stage.room.view.select(placement.id)
    return asset.id


def test_the_larger_picture_lands_beside_the_original(stage: Stage, qtbot: QtBot, tmp_path: Path) -> None:
    commands = {command.id: command for command in stage.room.commands()}
    enlarge = commands["canvas.enlarge"]
    assert not stage.room.can_enlarge()
    identity = place(stage, tmp_path)
    assert not stage.room.can_enlarge()  # there is no model yet
    stage.studio.shelf.add(compact(tmp_path / "x4.safetensors"))
    assert stage.room.can_enlarge()
    enlarge.run()
    assert [running.places for running in stage.room.scene.running.values()] == [(Rect(80, 8, 96, 64),)]
    qtbot.waitUntil(lambda: len(stage.room.document.placements()) == 2, timeout=30_000)
    _, large = stage.room.document.placements()
    assert large.rect == Rect(80, 8, 96, 64)
    assert large.label == "blue ×4"
    with Image.open(stage.studio.project.assets.path(large.asset.id)) as picture:
        assert picture.size == (96, 64)
    record = stage.studio.project.assets.provenance(large.asset.id)
    assert record is not None
    assert isinstance(record.request, UpscaleRequest)
    assert record.ingredients == (identity,)
    assert record.digital_source_type == ALGORITHMICALLY_ENHANCED  # the original was not made here
    assert not stage.room.scene.running
