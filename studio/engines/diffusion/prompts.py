"""From words to what the UNet of SD 1.5 and SDXL layouts listens to."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from studio.engines.diffusion.failures import unsupported
from studio.engines.diffusion.library import Component
from studio.engines.diffusion.loading import LoadedModel


@dataclass(frozen=True)
class Conditioning:
    """Embeddings (1, tokens, width), for SDXL also pooled ones (1, width). `lost` prompt tokens did not fit."""

    positive: torch.Tensor
    negative: torch.Tensor | None = None
    pooled: torch.Tensor | None = None
    negative_pooled: torch.Tensor | None = None
    lost: int = 0


def encode(model: LoadedModel, prompt: str, negative: str, *, guided: bool) -> Conditioning:
    """Both prompts' embeddings; the negative ones only if `guided`."""
    embeddings, pooled, lost = _encode_one(model, prompt)
    if not guided:
        return Conditioning(embeddings, pooled=pooled, lost=lost)
    if not negative and model.plan.options.get("force_zeros_for_empty_prompt", pooled is not None):
        # So SDXL was trained: no negative prompt is silence, and not the embedding of an empty text.
        zeros = None if pooled is None else torch.zeros_like(pooled)
        return Conditioning(embeddings, torch.zeros_like(embeddings), pooled, zeros, lost)
    against, against_pooled, _ = _encode_one(model, negative)
    return Conditioning(embeddings, against, pooled, against_pooled, lost)


@torch.inference_mode()
def _encode_one(model: LoadedModel, text: str) -> tuple[torch.Tensor, torch.Tensor | None, int]:
    if "text_encoder_2" not in model.parts:
        encoder = model.parts["text_encoder"]
        ids, mask, lost = _tokens(model.parts["tokenizer"], encoder, text)
        masked = getattr(encoder.config, "use_attention_mask", False)
        found: torch.Tensor = encoder(ids, attention_mask=mask if masked else None)[0]
        return found, None, lost
    parts = []
    lost = 0
    pooled = None
    for suffix in ("", "_2"):
        encoder = model.parts.get(f"text_encoder{suffix}")
        if encoder is not None:
            ids, _, beyond = _tokens(model.parts[f"tokenizer{suffix}"], encoder, text)
            result = encoder(ids, output_hidden_states=True)
            # The last but one layer, as SDXL was trained (Podell et al. 2023, section 2).
            parts.append(result.hidden_states[-2])
            pooled = result[0]
            lost = max(lost, beyond)
    return torch.cat(parts, dim=-1), pooled, lost


def _tokens(tokenizer: Component, encoder: Component, text: str) -> tuple[torch.Tensor, torch.Tensor, int]:
    length = min(int(tokenizer.model_max_length), int(encoder.config.max_position_embeddings))
    taken = tokenizer(text, padding="max_length", max_length=length, truncation=True, return_tensors="pt")
    lost = max(0, len(tokenizer(text).input_ids) - length)
    if int(taken.input_ids.max()) >= int(encoder.config.vocab_size):
        raise unsupported(
            "The tokenizer knows more words than the model's text encoder: they do not belong together.",
            "Use the tokenizer files of this very model.",
        )
    device = encoder.device
    return taken.input_ids.to(device), taken.attention_mask.to(device), lost
