"""Writes a trained text model as GGUF, the file that llama.cpp and everything built on it reads."""

from __future__ import annotations

import json
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, LlamaFileType, TokenType
from numpy.typing import NDArray
from tokenizers import Tokenizer

from studio.train.starter.text_model import EPSILON, ROPE_BASE, Block, TextModel, TextShape
from studio.train.starter.text_tokenizer import (
    CHAT_TEMPLATE,
    END,
    FILL_IN_ORDER,
    MIDDLE,
    PREFIX,
    SPECIALS,
    SUFFIX,
    TURN_END,
)

Matrix = NDArray[np.float32]


def write_gguf(path: Path, model: TextModel, tokenizer: Tokenizer, name: str, description: str) -> None:
    """Write ``model`` to ``path``: matrices as Q8_0, norms as F32, tokenizer and chat template inside."""
    aside = path.with_suffix(".part")
    writer = GGUFWriter(aside, "llama")
    _describe(writer, model.shape, name, description)
    _add_tokenizer(writer, tokenizer)
    _add_matrix(writer, "token_embd.weight", _array(model.embedding))
    writer.add_tensor("output_norm.weight", _array(model.final_norm))
    for number, block in enumerate(model.blocks):
        if isinstance(block, Block):
            _add_block(writer, f"blk.{number}", block)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    aside.replace(path)


def _describe(writer: GGUFWriter, shape: TextShape, name: str, description: str) -> None:
    writer.add_name(name)
    writer.add_author("The Atelier project")
    writer.add_license("apache-2.0")
    writer.add_description(description)
    writer.add_languages(["en"])
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.hidden)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(EPSILON)
    writer.add_rope_dimension_count(shape.head_width)
    writer.add_rope_freq_base(ROPE_BASE)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_file_type(LlamaFileType.MOSTLY_Q8_0)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def _add_tokenizer(writer: GGUFWriter, tokenizer: Tokenizer) -> None:
    content = json.loads(tokenizer.to_str())["model"]
    pieces = sorted(content["vocab"], key=content["vocab"].__getitem__)
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in content["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(pieces)
    writer.add_token_types([TokenType.CONTROL if piece in SPECIALS else TokenType.NORMAL for piece in pieces])
    writer.add_token_merges(merges)
    number = {piece: place for place, piece in enumerate(pieces)}
    writer.add_bos_token_id(number[END])
    writer.add_eos_token_id(number[TURN_END])
    writer.add_eot_token_id(number[TURN_END])
    writer.add_pad_token_id(number[END])
    writer.add_add_bos_token(False)
    writer.add_add_space_prefix(False)
    writer.add_uint32("tokenizer.ggml.fim_pre_token_id", number[PREFIX])
    writer.add_uint32("tokenizer.ggml.fim_suf_token_id", number[SUFFIX])
    writer.add_uint32("tokenizer.ggml.fim_mid_token_id", number[MIDDLE])
    writer.add_string(*FILL_IN_ORDER)
    writer.add_chat_template(CHAT_TEMPLATE)


def _add_block(writer: GGUFWriter, name: str, block: Block) -> None:
    shape = block.shape
    writer.add_tensor(f"{name}.attn_norm.weight", _array(block.attention_norm))
    writer.add_tensor(f"{name}.ffn_norm.weight", _array(block.feed_norm))
    _add_matrix(writer, f"{name}.attn_q.weight", interleave(_array(block.query), shape.heads))
    _add_matrix(writer, f"{name}.attn_k.weight", interleave(_array(block.key), shape.kv_heads))
    _add_matrix(writer, f"{name}.attn_v.weight", _array(block.value))
    _add_matrix(writer, f"{name}.attn_output.weight", _array(block.output))
    _add_matrix(writer, f"{name}.ffn_gate.weight", _array(block.gate))
    _add_matrix(writer, f"{name}.ffn_up.weight", _array(block.up))
    _add_matrix(writer, f"{name}.ffn_down.weight", _array(block.down))


def interleave(matrix: Matrix, heads: int) -> Matrix:
    """Reorder the rows of each head: we rotate its two halves against each other, llama.cpp neighbouring pairs."""
    rows, columns = matrix.shape
    halves = matrix.reshape(heads, 2, rows // heads // 2, columns)
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(rows, columns))


def _array(parameter: object) -> Matrix:
    import torch

    if not isinstance(parameter, torch.Tensor):
        raise TypeError(f"Expected a tensor, got {type(parameter).__name__}.")
    return np.ascontiguousarray(parameter.detach().float().numpy())


def _add_matrix(writer: GGUFWriter, name: str, matrix: Matrix) -> None:
    packed = gguf.quants.quantize(matrix, GGMLQuantizationType.Q8_0)
    writer.add_tensor(name, packed, raw_dtype=GGMLQuantizationType.Q8_0)
