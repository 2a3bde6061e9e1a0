"""Makes GGUF models of a few hundred kilobytes for tests: real files, real architecture, no training.

Three sorts: random weights (text is noise, so invalid UTF-8 is common), random weights that never end
by themselves, and a script (a model that writes the given pieces in order and then ends).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
END_OF_TEXT, TURN_START, TURN_END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
FILL_IN = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
_MERGES = ("Ġ t", "h e", "Ġt he", "i n", "r e", "o n", "Ġ a", "e r", "Ġ Ġ", "ĠĠ ĠĠ")

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True)
class TinyModel:
    """What to make. `script` pieces must differ from each other; `width` must be above their number."""

    layers: int = 2
    width: int = 64
    heads: int = 4
    feed_forward: int = 128
    context: int = 512
    seed: int = 0
    words: int = 0
    chat_template: str | None = CHATML
    fill_in: bool = True
    never_ends: bool = False
    script: tuple[str, ...] = ()
    quantised: bool = False
    metadata: dict[str, str] = field(default_factory=dict)


def byte_alphabet() -> list[str]:
    """The 256 characters that stand for bytes in GPT-2's byte-level vocabularies."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    letters = {byte: chr(byte) for byte in shown} | {byte: chr(256 + at) for at, byte in enumerate(hidden)}
    return [letters[byte] for byte in range(256)]


def spelled(text: bytes) -> str:
    """`text` in the byte-level alphabet."""
    alphabet = byte_alphabet()
    return "".join(alphabet[byte] for byte in text)


def make_tiny_gguf(path: Path, model: TinyModel | None = None) -> Path:
    """Write `model` to `path` and return `path`."""
    model = model or TinyModel()
    tokens, kinds = _vocabulary(model)
    writer = gguf.GGUFWriter(path, "llama")
    _describe(writer, model, tokens, kinds)
    for name, matrix in _weights(model, tokens).items():
        _add(writer, name, matrix, model)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _vocabulary(model: TinyModel) -> tuple[list[str], list[int]]:
    tokens = [*byte_alphabet(), *("".join(merge.split()) for merge in _MERGES)]
    for piece in model.script:
        word = spelled(piece.encode())
        if word not in tokens:
            tokens.append(word)
    tokens += [f"Ġword{number}" for number in range(model.words)]
    kinds = [int(gguf.TokenType.NORMAL)] * len(tokens)
    special = [END_OF_TEXT, TURN_START, TURN_END, *(FILL_IN if model.fill_in else ())]
    return tokens + special, kinds + [int(gguf.TokenType.CONTROL)] * len(special)


def _describe(writer: gguf.GGUFWriter, model: TinyModel, tokens: list[str], kinds: list[int]) -> None:
    writer.add_name("tiny")
    writer.add_context_length(model.context)
    writer.add_embedding_length(model.width)
    writer.add_block_count(model.layers)
    writer.add_feed_forward_length(model.feed_forward)
    writer.add_head_count(model.heads)
    writer.add_head_count_kv(model.heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(model.width // model.heads)
    writer.add_rope_freq_base(10000.0)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(list(_MERGES))
    writer.add_bos_token_id(tokens.index(END_OF_TEXT))
    writer.add_eos_token_id(tokens.index(END_OF_TEXT))
    writer.add_eot_token_id(tokens.index(TURN_END))
    writer.add_add_bos_token(False)
    if model.chat_template is not None:
        writer.add_chat_template(model.chat_template)
    for key, value in model.metadata.items():
        writer.add_string(key, value)


def _weights(model: TinyModel, tokens: list[str]) -> dict[str, Matrix]:
    random = np.random.default_rng(model.seed)
    width, hidden = model.width, model.feed_forward

    def matrix(rows: int, columns: int) -> Matrix:
        scale = 0.0 if model.script else columns**-0.5
        return (random.standard_normal((rows, columns)) * scale).astype(np.float32)

    ones = np.ones(width, np.float32)
    tensors = {"token_embd.weight": matrix(len(tokens), width) * 4, "output_norm.weight": ones}
    tensors["output.weight"] = matrix(len(tokens), width) * 2
    for layer in range(model.layers):
        block = f"blk.{layer}."
        tensors |= {block + name: ones for name in ("attn_norm.weight", "ffn_norm.weight")}
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            tensors[f"{block}{name}.weight"] = matrix(width, width)
        tensors[block + "ffn_gate.weight"] = matrix(hidden, width)
        tensors[block + "ffn_up.weight"] = matrix(hidden, width)
        tensors[block + "ffn_down.weight"] = matrix(width, hidden)
    if model.script:
        _write_script(tensors, model.script, tokens)
    if model.never_ends:
        _never_end(tensors, tokens)
    return tensors


def _write_script(tensors: dict[str, Matrix], script: Sequence[str], tokens: list[str]) -> None:
    """Each piece leads to the next one; any other token leads to the first, the last one to the end."""
    order = [tokens.index(spelled(piece.encode())) for piece in script] + [tokens.index(END_OF_TEXT)]
    embedding, output = tensors["token_embd.weight"], tensors["output.weight"]
    embedding[:, 0] = 1.0
    for at, token in enumerate(order[:-1], start=1):
        embedding[token] = 0.0
        embedding[token, at] = 1.0
    for at, token in enumerate(order):
        output[token, at] = 10.0


def _never_end(tensors: dict[str, Matrix], tokens: list[str]) -> None:
    """The first dimension is always large and positive, and every special token hates it."""
    tensors["token_embd.weight"][:, 0] = 12.0
    tensors["output.weight"][:, 0] = 0.0
    for at, token in enumerate(tokens):
        if token.startswith("<|"):
            tensors["output.weight"][at, 0] = -30.0


def _add(writer: gguf.GGUFWriter, name: str, matrix: Matrix, model: TinyModel) -> None:
    if model.quantised and matrix.ndim == 2:
        kind = gguf.GGMLQuantizationType.Q8_0
        writer.add_tensor(name, gguf.quants.quantize(matrix, kind), raw_dtype=kind)
    else:
        writer.add_tensor(name, matrix)
