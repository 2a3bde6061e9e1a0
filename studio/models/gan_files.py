"""Which upscaling model or sprite generator some weights are, told by the names of their tensors.

The names are those by which spandrel (which loads them) tells the architectures that people share most.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

_PREFIXES = ("module.", "netG.")
_UPSCALERS: dict[str, tuple[frozenset[str], ...]] = {
    "esrgan": (
        frozenset({"body.0.weight", "body.1.weight"}),  # Real-ESRGAN compact
        frozenset({"model.0.weight", "model.1.sub.0.RDB1.conv1.0.weight"}),
        frozenset({"model.0.weight", "model.1.sub.0.RDB1.conv1x1.weight"}),
        frozenset({"conv_first.weight", "body.0.rdb1.conv1.weight", "conv_last.weight"}),
        frozenset({"conv_first.weight", "RRDB_trunk.0.RDB1.conv1.weight", "conv_last.weight"}),
    ),
    "span": (frozenset({"conv_1.sk.weight", "block_1.c1_r.sk.weight", "upsampler.0.weight"}),),
    "hat": (frozenset({"relative_position_index_SA", "conv_first.weight", "conv_last.weight"}),),
    "dat": (frozenset({"conv_first.weight", "before_RG.1.weight", "layers.0.blocks.0.attn.qkv.weight"}),),
    "swinir": (frozenset({"layers.0.residual_group.blocks.0.norm1.weight", "conv_first.weight"}),),
    "cugan": (frozenset({"unet1.conv1.conv.0.weight", "unet2.conv_bottom.weight"}),),
    "plksr": (frozenset({"feats.0.weight", "feats.1.refine.weight"}),),
    "omnisr": (frozenset({"residual_layer.0.residual_layer.0.layer.0.fn.0.weight", "up.0.weight"}),),
    "safmn": (frozenset({"to_feat.weight", "feats.0.safm.aggr.weight", "to_img.0.weight"}),),
}


def upscaler_of(tensors: Collection[str]) -> str:
    """The architecture of an upscaling model with these tensors, empty where it is none that we know."""
    names = set(tensors)
    for prefix in _PREFIXES:
        if names and all(name.startswith(prefix) for name in names):
            names = {name.removeprefix(prefix) for name in names}
    for family, signatures in _UPSCALERS.items():
        if any(signature <= names for signature in signatures):
            return family
    return ""


def is_sprite_folder(path: Path) -> bool:
    """Whether the folder holds a sprite generator as the studio's own training writes it."""
    config, weights = path / "config.json", path / "generator.safetensors"
    if not (config.is_file() and weights.is_file()):
        return False
    try:
        described = json.loads(config.read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(described, dict) and {"kinds", "latent", "widths"} <= described.keys()
