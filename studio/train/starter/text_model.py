"""A Llama-type language model, small enough to train on one CPU core.

Pre-norm, RMSNorm, rotary positions, grouped-query attention, SwiGLU, tied embeddings: exactly the graph that
llama.cpp runs for the architecture ``llama``, so that the exported file needs no special reader.
"""

from __future__ import annotations

import math
from typing import cast

import msgspec
import torch
from torch import Tensor, nn
from torch.nn import functional

EPSILON = 1e-5
ROPE_BASE = 10000.0


class TextShape(msgspec.Struct, frozen=True):
    """The sizes of a model. ``width`` is split into ``heads``; ``kv_heads`` divides ``heads``."""

    vocabulary: int
    width: int
    layers: int
    heads: int
    kv_heads: int
    hidden: int
    context: int

    @property
    def head_width(self) -> int:
        """Channels of one attention head."""
        return self.width // self.heads


def _rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotary positions on (…, time, head width), the two halves of the head forming the pairs."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat((first * cosine - second * sine, second * cosine + first * sine), dim=-1)


def _norm(x: Tensor, gain: Tensor) -> Tensor:
    return functional.rms_norm(x, (x.shape[-1],), gain.to(x.dtype), EPSILON)


class Block(nn.Module):
    """One layer: attention, then the gated feed-forward part."""

    def __init__(self, shape: TextShape) -> None:
        """Draw the weights; the two projections back into the stream start smaller, by the depth."""
        super().__init__()
        self.shape = shape
        keys = shape.kv_heads * shape.head_width
        self.attention_norm = nn.Parameter(torch.ones(shape.width))
        self.feed_norm = nn.Parameter(torch.ones(shape.width))
        self.query = _matrix(shape.width, shape.width)
        self.key = _matrix(keys, shape.width)
        self.value = _matrix(keys, shape.width)
        self.output = _matrix(shape.width, shape.width, 1 / math.sqrt(2 * shape.layers))
        self.gate = _matrix(shape.hidden, shape.width)
        self.up = _matrix(shape.hidden, shape.width)
        self.down = _matrix(shape.width, shape.hidden, 1 / math.sqrt(2 * shape.layers))

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor, mask: Tensor) -> Tensor:
        """``x``: (batch, time, width); ``mask``: (group × time, time), added to the scores."""
        x = x + self._attend(_norm(x, self.attention_norm), cosine, sine, mask)
        h = _norm(x, self.feed_norm)
        gated = functional.silu(functional.linear(h, self.gate.to(h.dtype))) * functional.linear(h, self.up.to(h.dtype))
        return x + functional.linear(gated, self.down.to(h.dtype))

    def _attend(self, h: Tensor, cosine: Tensor, sine: Tensor, mask: Tensor) -> Tensor:
        # Written out: on a CPU the backward pass of the fused kernel takes a third of the whole step.
        shape, (batch, time, _) = self.shape, h.shape
        group, head = shape.heads // shape.kv_heads, shape.head_width
        query = functional.linear(h, self.query.to(h.dtype)).view(batch, time, shape.heads, head).transpose(1, 2)
        key = functional.linear(h, self.key.to(h.dtype)).view(batch, time, shape.kv_heads, head).transpose(1, 2)
        value = functional.linear(h, self.value.to(h.dtype)).view(batch, time, shape.kv_heads, head).transpose(1, 2)
        query = _rotate(query, cosine, sine).reshape(batch * shape.kv_heads, group * time, head)
        key = _rotate(key, cosine, sine).reshape(batch * shape.kv_heads, time, head)
        value = value.reshape(batch * shape.kv_heads, time, head)
        scores = torch.baddbmm(mask, query, key.transpose(1, 2), alpha=1 / math.sqrt(head))
        mixed = torch.bmm(scores.softmax(dim=-1), value)
        mixed = mixed.view(batch, shape.heads, time, head).transpose(1, 2).reshape(batch, time, shape.width)
        return functional.linear(mixed, self.output.to(h.dtype))


def _matrix(rows: int, columns: int, scale: float = 1.0) -> nn.Parameter:
    return nn.Parameter(torch.randn(rows, columns) * (scale / math.sqrt(columns)))


class TextModel(nn.Module):
    """The whole model: token numbers in, scores of the next token out. Weights are float32 masters."""

    def __init__(self, shape: TextShape) -> None:
        """Draw the weights from torch's default generator."""
        super().__init__()
        self.shape = shape
        self.embedding = nn.Parameter(torch.randn(shape.vocabulary, shape.width) * 0.02)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.final_norm = nn.Parameter(torch.ones(shape.width))

    def forward(self, tokens: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """(batch, time) token numbers → (batch, time, vocabulary) scores, computed in ``dtype``."""
        shape, time = self.shape, tokens.shape[1]
        x = functional.embedding(tokens, self.embedding).to(dtype)
        steps = torch.arange(0, shape.head_width, 2, dtype=torch.float32) / shape.head_width
        angles = torch.outer(torch.arange(time, dtype=torch.float32), ROPE_BASE**-steps)
        cosine, sine = angles.cos().to(dtype), angles.sin().to(dtype)
        mask = torch.full((time, time), float("-inf"), dtype=dtype).triu(1).repeat(shape.heads // shape.kv_heads, 1)
        for block in self.blocks:
            x = cast(Tensor, block(x, cosine, sine, mask))
        return functional.linear(_norm(x, self.final_norm), self.embedding.to(dtype))

    def loss(self, tokens: Tensor, weights: Tensor, dtype: torch.dtype = torch.bfloat16) -> Tensor:
        """Mean cross-entropy in nats of each next token, weighted; ``tokens``, ``weights``: (batch, time + 1)."""
        scores = self(tokens[:, :-1], dtype).float().flatten(0, 1)
        losses = functional.cross_entropy(scores, tokens[:, 1:].flatten(), reduction="none")
        share = weights[:, 1:].flatten()
        return (losses * share).sum() / share.sum().clamp(min=1.0)

    def size(self) -> int:
        """How many numbers the model holds."""
        return sum(parameter.numel() for parameter in self.parameters())
