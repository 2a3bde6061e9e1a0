"""Single-file checkpoints made from folders: the names of the original training code, by the layouts' own rules."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

Tensors = dict[str, torch.Tensor]

_RESNET = {
    "norm1": "in_layers.0", "conv1": "in_layers.2", "norm2": "out_layers.0", "conv2": "out_layers.3",
    "time_emb_proj": "emb_layers.1", "conv_shortcut": "skip_connection",
}  # fmt: skip
_UNET = {
    "time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2", "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0", "conv_out": "out.2", "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
}  # fmt: skip
_VAE = {
    "mid_block.attentions.0.group_norm": "mid.attn_1.norm", "mid_block.attentions.0.to_q": "mid.attn_1.q",
    "mid_block.attentions.0.to_k": "mid.attn_1.k", "mid_block.attentions.0.to_v": "mid.attn_1.v",
    "mid_block.attentions.0.to_out.0": "mid.attn_1.proj_out", "mid_block.resnets.0": "mid.block_1",
    "mid_block.resnets.1": "mid.block_2", "conv_norm_out": "norm_out", "conv_shortcut": "nin_shortcut",
    "downsamplers.0.conv": "downsample.conv", "upsamplers.0.conv": "upsample.conv",
}  # fmt: skip
_OPEN_CLIP = {
    "text_model.embeddings.token_embedding.weight": "token_embedding.weight",
    "text_model.embeddings.position_embedding.weight": "positional_embedding",
    "text_model.final_layer_norm": "ln_final", "text_model.encoder.layers": "transformer.resblocks",
    "layer_norm1": "ln_1", "layer_norm2": "ln_2", "self_attn.out_proj": "attn.out_proj", "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj", "text_projection.weight": "text_projection",
}  # fmt: skip


def _replaced(name: str, table: dict[str, str]) -> str:
    for new, old in table.items():
        name = name.replace(new, old)
    return name


def unet_name(name: str, layers: int, attention_at: Iterable[int]) -> str:
    """The original name of a UNet tensor; `attention_at` lists the up blocks that have attention."""
    for new, old in _UNET.items():
        if name.startswith(f"{new}."):
            return name.replace(new, old, 1)
    if middle := re.match(r"mid_block\.(resnets|attentions)\.(\d)\.(.*)", name):
        number = 1 if middle[1] == "attentions" else 2 * int(middle[2])
        rest = middle[3] if middle[1] == "attentions" else _replaced(middle[3], _RESNET)
        return f"middle_block.{number}.{rest}"
    parts = re.match(r"(down|up)_blocks\.(\d)\.(\w+)\.(\d)\.(.*)", name)
    assert parts is not None, name
    side, block, kind, layer, rest = parts[1], int(parts[2]), parts[3], int(parts[4]), parts[5]
    if side == "down":
        first = 1 + block * (layers + 1)
        if kind == "downsamplers":
            return f"input_blocks.{first + layers}.0.op.{rest.removeprefix('conv.')}"
        place, inner = f"input_blocks.{first + layer}", kind == "attentions"
    else:
        first = block * (layers + 1)
        if kind == "upsamplers":
            return f"output_blocks.{first + layers}.{2 if block in attention_at else 1}.{rest}"
        place, inner = f"output_blocks.{first + layer}", kind == "attentions"
    return f"{place}.1.{rest}" if inner else f"{place}.0.{_replaced(rest, _RESNET)}"


def vae_name(name: str, levels: int) -> str:
    """The original name of an autoencoder's tensor."""
    name = _replaced(name, _VAE)
    name = re.sub(r"down_blocks\.(\d)\.resnets", r"down.\1.block", name).replace("down_blocks", "down")
    if up := re.search(r"up_blocks\.(\d)", name):
        name = name.replace(up[0], f"up.{levels - 1 - int(up[1])}").replace(".resnets.", ".block.")
    return name


def _open_clip(tensors: Tensors) -> Tensors:
    found: Tensors = {}
    for name, value in tensors.items():
        if ".self_attn.q_proj." in name:
            parts = [tensors[name.replace(".q_proj.", f".{letter}_proj.")] for letter in "qkv"]
            kind = name.rpartition(".")[2]
            place = _replaced(name.partition(".self_attn.")[0], _OPEN_CLIP)
            found[f"{place}.attn.in_proj_{kind}"] = torch.cat(parts)
        elif ".k_proj." not in name and ".v_proj." not in name:
            found[_replaced(name, _OPEN_CLIP)] = value.T.contiguous() if name == "text_projection.weight" else value
    return found


def _part(folder: Path, name: str) -> Tensors:
    files = sorted((folder / name).glob("*.safetensors"))
    return load_file(files[0]) if files else {}


def _with_prefix(tensors: Tensors) -> Tensors:
    return {f"text_model.{name.removeprefix('text_model.')}": value for name, value in tensors.items()}


def single_file(folder: Path, path: Path) -> Path:
    """The tiny model in `folder` as one checkpoint at `path`."""
    tensors: Tensors = {}
    for name, value in _part(folder, "unet").items():
        tensors["model.diffusion_model." + unet_name(name, 1, attention_at=(0,))] = value
    for name, value in _part(folder, "vae").items():
        old = vae_name(name, 4)
        is_matrix = "attn_1" in old and value.ndim == 2
        tensors[f"first_stage_model.{old}"] = value[..., None, None] if is_matrix else value
    first, second = _part(folder, "text_encoder"), _part(folder, "text_encoder_2")
    place = "conditioner.embedders.0.transformer." if second else "cond_stage_model.transformer."
    tensors |= {place + name: value for name, value in _with_prefix(first).items()}
    number = 1 if first else 0
    tensors |= {f"conditioner.embedders.{number}.model.{name}": value for name, value in _open_clip(second).items()}
    save_file({name: value.contiguous() for name, value in tensors.items()}, path)
    return path


def settings_folder(folder: Path, target: Path) -> Path:
    """The model in `folder` without its weights: what a store keeps for a single file."""
    shutil.copytree(folder, target, ignore=shutil.ignore_patterns("*.safetensors"))
    return target
