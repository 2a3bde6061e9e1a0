"""Shelves for tests: one whose models the scripted engine of `tests.fakes` stands for, one with a composer."""

from __future__ import annotations

from pathlib import Path

from tests.tiny_gguf import TinyModel, make_tiny_gguf


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


def composer_starter(folder: Path, tiny: TinyModel | None = None) -> Path:
    """A starter folder with one composer, `starter/composer`, with weights that know nothing yet."""
    model = folder / "composer"
    model.mkdir(parents=True)
    (model / "model.toml").write_text(
        'id = "composer"\nname = "Tiny composer"\ntask = "music"\nfamily = "llama"\nlicence = "MIT"\n'
        'commercial = true\nfile = "tiny.gguf"\n',
        encoding="utf-8",
    )
    make_tiny_gguf(model / "tiny.gguf", tiny)
    return folder
