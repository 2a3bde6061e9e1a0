"""A shelf with models that the scripted engine of `tests.fakes` stands for."""

from __future__ import annotations

from pathlib import Path


def fake_starter(folder: Path) -> Path:
    """A starter folder with one picture model named Fake, `starter/fake`."""
    model = folder / "fake"
    model.mkdir(parents=True)
    (model / "model.toml").write_text(
        'id = "fake"\nname = "Fake"\ntask = "image"\nfamily = "sd15"\nlicence = "MIT"\ncommercial = true\n'
        'native_size = 64\nstyles = ["flat emoji", "pixel art"]\n',
        encoding="utf-8",
    )
    (model / "weights.safetensors").write_bytes(b"x" * 100)
    return folder
