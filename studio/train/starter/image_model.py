"""The parts of starter-image: tokenizer, text encoder, denoising UNet and noise schedule.

The UNet reads the text twice: by cross-attention at 8 x 8 and 4 x 4, and pooled into the
time embedding (`addition_embed_type="text"`), which lets a small network learn what is
asked for much sooner and needs nothing from the pipeline.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from diffusers import DDPMScheduler, UNet2DConditionModel
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from studio.train.starter.image_progress import Component
from studio.train.starter.image_vae import LATENT_CHANNELS

PROMPT_LENGTH = 32
START, END = "<|startoftext|>", "<|endoftext|>"
TRAIN_STEPS = 1000


@dataclass(frozen=True)
class ImagePlan:
    """Sizes of the text encoder and the UNet."""

    vocabulary: int = 2560
    text_width: int = 192
    text_layers: int = 2
    text_heads: int = 3
    widths: tuple[int, int, int] = (64, 128, 192)
    heads: tuple[int, int, int] = (2, 4, 6)
    groups: int = 16
    pooled_heads: int = 6


def train_tokenizer(lines: Iterable[str], folder: Path, vocabulary: int) -> CLIPTokenizer:
    """Learn a byte-pair vocabulary of lower-case text and save it in CLIP's layout."""
    bpe = Tokenizer(models.BPE(unk_token=END, end_of_word_suffix="</w>"))
    bpe.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    word = Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(word, behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        end_of_word_suffix="</w>",
        special_tokens=[START, END],
        show_progress=False,
    )
    bpe.train_from_iterator(lines, trainer)
    model = json.loads(bpe.to_str())["model"]
    vocab = _clip_order(model["vocab"])
    merges = [(left, right) for left, right in model["merges"]]
    tokenizer: CLIPTokenizer = CLIPTokenizer(
        vocab=vocab,
        merges=cast(list[str], merges),  # the annotation is older than the code: pairs are wanted
        model_max_length=PROMPT_LENGTH,
        bos_token=START,
        eos_token=END,
        unk_token=END,
        pad_token=END,
    )
    tokenizer.save_pretrained(folder)
    return tokenizer


def _clip_order(vocab: dict[str, int]) -> dict[str, int]:
    """Ids as CLIP wants them: every byte also as a whole word, specials last (END highest)."""
    letters = pre_tokenizers.ByteLevel.alphabet()
    names = [n for n, _ in sorted(vocab.items(), key=lambda item: item[1])]
    known = set(names)
    names += [f"{letter}</w>" for letter in sorted(letters) if f"{letter}</w>" not in known]
    ordered = [n for n in names if n not in (START, END)] + [START, END]
    return {name: i for i, name in enumerate(ordered)}


def make_text_encoder(plan: ImagePlan, tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """An untrained CLIP text encoder for this tokenizer."""
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=plan.text_width,
        intermediate_size=4 * plan.text_width,
        projection_dim=plan.text_width,
        num_hidden_layers=plan.text_layers,
        num_attention_heads=plan.text_heads,
        max_position_embeddings=PROMPT_LENGTH,
        hidden_act="gelu",
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    encoder: CLIPTextModel = CLIPTextModel(config)
    return encoder


def make_unet(plan: ImagePlan) -> Component:
    """An untrained UNet on (8, 16, 16) latents."""
    unet: Component = UNet2DConditionModel(
        sample_size=16,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=plan.widths,
        layers_per_block=1,
        cross_attention_dim=plan.text_width,
        attention_head_dim=plan.heads,
        norm_num_groups=plan.groups,
        resnet_time_scale_shift="scale_shift",
        addition_embed_type="text",
        addition_embed_type_num_heads=plan.pooled_heads,
        mid_block_type=None,
    )
    return unet


class Denoiser(nn.Module):
    """Text encoder and UNet as one trainable module."""

    def __init__(self, plan: ImagePlan, tokenizer: CLIPTokenizer) -> None:
        super().__init__()
        self.text_encoder = make_text_encoder(plan, tokenizer)
        self.unet: Component = make_unet(plan)

    def forward(self, noisy: Tensor, times: Tensor, tokens: Tensor) -> Tensor:
        """Velocity (n, 8, 16, 16) predicted for noisy latents, times (n,), tokens (n, 32)."""
        states = self.text_encoder(tokens)[0]
        velocity: Tensor = self.unet(noisy, times, encoder_hidden_states=states).sample
        return velocity


def make_schedule() -> Component:
    """The forward process: 1000 scaled-linear steps, velocity prediction, no signal at the end."""
    return DDPMScheduler(
        num_train_timesteps=TRAIN_STEPS,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        clip_sample=False,
        timestep_spacing="trailing",
    )


def tokenise(tokenizer: CLIPTokenizer, prompts: list[str]) -> Tensor:
    """Prompts to (n, 32) token ids, padded and cut as the pipeline does it."""
    ids: Tensor = tokenizer(
        prompts, padding="max_length", max_length=PROMPT_LENGTH, truncation=True, return_tensors="pt"
    ).input_ids
    return ids


def parameters_of(module: nn.Module) -> int:
    """Number of trained values."""
    return sum(p.numel() for p in module.parameters())


__all__ = [
    "Denoiser",
    "ImagePlan",
    "make_schedule",
    "make_text_encoder",
    "make_unet",
    "parameters_of",
    "tokenise",
    "train_tokenizer",
]
