"""Makes GGUF models of a few hundred kilobytes for tests: real files, real architecture, no training.

Three sorts: random weights (text is noise, so invalid UTF-8 is common), random weights that never end
by themselves, and a script (a model that writes the given pieces in order and then ends). The architecture is
Llama's, or, with `recurrent`, Mamba's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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

_CONVOLUTION, _STATE, _RANK = 4, 16, 4  # of the recurrent architecture

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True)
class TinyModel:
    """What to make. `script` pieces must differ from each other; `width` must be above their number.

    A script that `loops` begins again at its end. A model that `never_ends` can be `plain` too: it writes ASCII only.
    """

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
    plain: bool = False
    script: tuple[str | bytes, ...] = ()
    loops: bool = False
    quantised: bool = False
    recurrent: bool = False
    tensors_per_file: int = 0
    metadata: dict[str, str] = field(default_factory=dict)


def byte_alphabet() -> list[str]:
    """The 256 characters that stand for bytes in GPT-2's byte-level vocabularies."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    letters = {byte: chr(byte) for byte in shown} | {byte: chr(256 + at) for at, byte in enumerate(hidden)}
    return [letters[byte] for byte in range(256)]


def spelled(text: str | bytes) -> str:
    """`text` in the byte-level alphabet."""
    alphabet = byte_alphabet()
    return "".join(alphabet[byte] for byte in (text.encode() if isinstance(text, str) else text))


def make_tiny_gguf(path: Path, model: TinyModel | None = None) -> Path:
    """Write `model` to `path` and return `path`, or the first part's where `tensors_per_file` makes several."""
    model = model or TinyModel()
    tokens, kinds = _vocabulary(model)
    architecture = "mamba" if model.recurrent else "llama"
    writer = gguf.GGUFWriter(path, architecture, split_max_tensors=model.tensors_per_file)
    _describe(writer, model, tokens, kinds)
    for name, matrix in _weights(model, tokens).items():
        _add(writer, name, matrix, model)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return next(iter(sorted(path.parent.glob(f"{path.stem}-00001-of-*.gguf"))), path)


def _vocabulary(model: TinyModel) -> tuple[list[str], list[int]]:
    tokens = [*byte_alphabet(), *("".join(merge.split()) for merge in _MERGES)]
    for piece in model.script:
        word = spelled(piece)
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
    if model.recurrent:
        writer.add_ssm_conv_kernel(_CONVOLUTION)
        writer.add_ssm_inner_size(2 * model.width)
        writer.add_ssm_state_size(_STATE)
        writer.add_ssm_time_step_rank(_RANK)
    else:
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
        if model.recurrent:
            tensors |= {block + name: value for name, value in _recurrent_block(width, matrix).items()}
            continue
        tensors |= {block + name: ones for name in ("attn_norm.weight", "ffn_norm.weight")}
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            tensors[f"{block}{name}.weight"] = matrix(width, width)
        tensors[block + "ffn_gate.weight"] = matrix(hidden, width)
        tensors[block + "ffn_up.weight"] = matrix(hidden, width)
        tensors[block + "ffn_down.weight"] = matrix(width, hidden)
    if model.script:
        _write_script(tensors, model.script, tokens, loops=model.loops)
    if model.never_ends:
        _never_end(tensors, tokens, plain=model.plain)
    return tensors


def _recurrent_block(width: int, matrix: Callable[[int, int], Matrix]) -> dict[str, Matrix]:
    inner = 2 * width
    return {
        "attn_norm.weight": np.ones(width, np.float32),
        "ssm_in.weight": matrix(2 * inner, width),
        "ssm_conv1d.weight": matrix(inner, _CONVOLUTION),
        "ssm_conv1d.bias": np.zeros(inner, np.float32),
        "ssm_x.weight": matrix(_RANK + 2 * _STATE, inner),
        "ssm_dt.weight": matrix(inner, _RANK),
        "ssm_dt.bias": np.zeros(inner, np.float32),
        "ssm_a": -np.ones((inner, _STATE), np.float32),
        "ssm_d": np.ones(inner, np.float32),
        "ssm_out.weight": matrix(width, inner),
    }


def _write_script(tensors: dict[str, Matrix], script: Sequence[str | bytes], tokens: list[str], *, loops: bool) -> None:
    """Each piece leads to the next one; any other token leads to the first, the last one to the end."""
    order = [tokens.index(spelled(piece)) for piece in script]
    order.append(order[0] if loops else tokens.index(END_OF_TEXT))
    embedding, output = tensors["token_embd.weight"], tensors["output.weight"]
    embedding[:, 0] = 1.0
    for at, token in enumerate(order[:-1], start=1):
        embedding[token] = 0.0
        embedding[token, at] = 1.0
    for at, token in enumerate(order):
        output[token, at] = 10.0


def _never_end(tensors: dict[str, Matrix], tokens: list[str], *, plain: bool) -> None:
    """The first dimension is always large and positive, and every special token hates it."""
    hated = set(byte_alphabet()[128:]) if plain else set()
    tensors["token_embd.weight"][:, 0] = 12.0
    tensors["output.weight"][:, 0] = 0.0
    for at, token in enumerate(tokens):
        if token.startswith("<|") or token in hated:
            tensors["output.weight"][at, 0] = -30.0


def _add(writer: gguf.GGUFWriter, name: str, matrix: Matrix, model: TinyModel) -> None:
    if model.quantised and matrix.ndim == 2:
        kind = gguf.GGMLQuantizationType.Q8_0
        writer.add_tensor(name, gguf.quants.quantize(matrix, kind), raw_dtype=kind)
    else:
        writer.add_tensor(name, matrix)
