"""Whole picture models of a few hundred kilobytes with random weights, in the libraries' own folder layout."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import torch
from tokenizers.pre_tokenizers import ByteLevel

SEED = 20
_WIDTH = 32  # of the text encoders


def named(library: str, name: str) -> Any:
    """A library's class; their own types are of no use to a type checker."""
    return getattr(importlib.import_module(library), name)


def clip_tokenizer(length: int = 77) -> Any:
    """A tokenizer that knows the bytes and nothing longer."""
    letters = sorted(ByteLevel.alphabet())
    words = ["!", *(letter for letter in letters if letter != "!"), *(letter + "</w>" for letter in letters)]
    words += ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {word: number for number, word in enumerate(words)}
    return named("transformers", "CLIPTokenizer")(vocab=vocabulary, merges=[], model_max_length=length)


def t5_tokenizer() -> Any:
    """A tokenizer with one word per letter."""
    letters = [chr(code) for code in range(97, 123)]
    words = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0), *((letter, -3.0) for letter in letters)]
    return named("transformers", "T5Tokenizer")(vocab=words, extra_ids=0, model_max_length=32)


def clip(*, projected: bool = False, length: int = 77, activation: str = "quick_gelu") -> Any:
    """A text encoder of two layers."""
    tokens = len(clip_tokenizer(length))
    config = named("transformers", "CLIPTextConfig")(
        vocab_size=tokens, hidden_size=_WIDTH, intermediate_size=37, num_attention_heads=4, num_hidden_layers=2,
        max_position_embeddings=length, projection_dim=_WIDTH, hidden_act=activation, bos_token_id=tokens - 2,
        eos_token_id=tokens - 1, pad_token_id=tokens - 1,
    )  # fmt: skip
    return named("transformers", "CLIPTextModelWithProjection" if projected else "CLIPTextModel")(config)


def t5() -> Any:
    """A T5 encoder of one layer."""
    config = named("transformers", "T5Config")(
        vocab_size=64, d_model=_WIDTH, d_kv=8, d_ff=37, num_layers=1, num_heads=4, is_encoder_decoder=False
    )
    return named("transformers", "T5EncoderModel")(config)


def vae(channels: int = 4, scaling: float = 0.18215, levels: int = 4, **settings: Any) -> Any:
    """An autoencoder that shrinks by 2 at each level but the last."""
    return named("diffusers", "AutoencoderKL")(
        block_out_channels=(8, 8, 16, 16)[-levels:], down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels, latent_channels=channels, norm_num_groups=4,
        scaling_factor=scaling, sample_size=32, layers_per_block=1, **settings,
    )  # fmt: skip


def unet(inputs: int = 4, outputs: int = 4, cross: int = _WIDTH, **settings: Any) -> Any:
    """A UNet of two levels."""
    return named("diffusers", "UNet2DConditionModel")(
        block_out_channels=(16, 32), layers_per_block=1, sample_size=8, in_channels=inputs, out_channels=outputs,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=cross, attention_head_dim=4, norm_num_groups=4, **settings,
    )  # fmt: skip


def pndm() -> Any:
    """SD 1.5's own scheduler."""
    return named("diffusers", "PNDMScheduler")(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", skip_prk_steps=True, steps_offset=1,
        set_alpha_to_one=False,
    )  # fmt: skip


def sd15(folder: Path, *, inpaint: bool = False) -> Path:
    """SD 1.5's layout; with `inpaint` its UNet takes mask and covered picture as well."""
    torch.manual_seed(SEED)
    return _sd15(folder, unet(9 if inpaint else 4), vae(), inpaint=inpaint)


def lcm(folder: Path) -> Path:
    """A latent consistency model: it takes the guidance scale as an input."""
    torch.manual_seed(SEED)
    return _sd15(folder, unet(time_cond_proj_dim=16), vae())


def unusual(folder: Path) -> Path:
    """The layout with nothing of SD 1.5's sizes: eight latent channels, forty tokens, parts left out."""
    torch.manual_seed(SEED)
    parts = unet(8, 8, mid_block_type=None, addition_embed_type="text", addition_embed_type_num_heads=4)
    return _sd15(folder, parts, vae(8, scaling=1.0, mid_block_add_attention=False), length=40)


def _sd15(folder: Path, denoiser: Any, codec: Any, *, inpaint: bool = False, length: int = 77) -> Path:
    kind = named("diffusers", "StableDiffusionInpaintPipeline" if inpaint else "StableDiffusionPipeline")
    pipeline = kind(
        vae=codec, text_encoder=clip(length=length), tokenizer=clip_tokenizer(length), unet=denoiser,
        scheduler=pndm(), safety_checker=None,
        feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipeline.save_pretrained(folder)
    return folder


def sdxl(folder: Path, *, refiner: bool = False) -> Path:
    """SDXL's layout, or its refiner's, which reads one text encoder and a score for the looks."""
    torch.manual_seed(SEED)
    added = 8 * (5 if refiner else 6) + _WIDTH
    shared = {
        "vae": vae(scaling=0.13025), "text_encoder_2": clip(projected=True, activation="gelu"),
        "tokenizer_2": clip_tokenizer(), "scheduler": named("diffusers", "EulerDiscreteScheduler")(steps_offset=1),
        "unet": unet(
            cross=_WIDTH if refiner else 2 * _WIDTH, addition_embed_type="text_time", addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=added, use_linear_projection=True,
        ),
    }  # fmt: skip
    if refiner:
        pipeline = named("diffusers", "StableDiffusionXLImg2ImgPipeline")(
            **shared, text_encoder=None, tokenizer=None, requires_aesthetics_score=True,
            force_zeros_for_empty_prompt=False, add_watermarker=False,
        )  # fmt: skip
    else:
        pipeline = named("diffusers", "StableDiffusionXLPipeline")(
            **shared, text_encoder=clip(), tokenizer=clip_tokenizer(), add_watermarker=False
        )
    pipeline.save_pretrained(folder)
    return folder


def sd3(folder: Path) -> Path:
    """SD 3's layout without its optional T5: flow matching with a transformer."""
    torch.manual_seed(SEED)
    transformer = named("diffusers", "SD3Transformer2DModel")(
        sample_size=16, patch_size=2, in_channels=16, out_channels=16, num_layers=2, attention_head_dim=8,
        num_attention_heads=4, joint_attention_dim=2 * _WIDTH, caption_projection_dim=32,
        pooled_projection_dim=2 * _WIDTH, pos_embed_max_size=16,
    )  # fmt: skip
    pipeline = named("diffusers", "StableDiffusion3Pipeline")(
        transformer=transformer, scheduler=named("diffusers", "FlowMatchEulerDiscreteScheduler")(shift=3.0),
        vae=vae(16, scaling=1.5305, shift_factor=0.0609, use_quant_conv=False, use_post_quant_conv=False),
        text_encoder=clip(projected=True), tokenizer=clip_tokenizer(),
        text_encoder_2=clip(projected=True), tokenizer_2=clip_tokenizer(), text_encoder_3=None, tokenizer_3=None,
    )  # fmt: skip
    pipeline.save_pretrained(folder)
    return folder


def flux(folder: Path) -> Path:
    """Flux's layout: flow matching with latents in packs of 2×2."""
    torch.manual_seed(SEED)
    transformer = named("diffusers", "FluxTransformer2DModel")(
        patch_size=1, in_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=16, num_attention_heads=2,
        joint_attention_dim=_WIDTH, pooled_projection_dim=_WIDTH, axes_dims_rope=(4, 4, 8), guidance_embeds=False,
    )  # fmt: skip
    pipeline = named("diffusers", "FluxPipeline")(
        transformer=transformer, scheduler=named("diffusers", "FlowMatchEulerDiscreteScheduler")(),
        vae=vae(4, scaling=0.36, shift_factor=0.1, use_quant_conv=False, use_post_quant_conv=False),
        text_encoder=clip(), tokenizer=clip_tokenizer(), text_encoder_2=t5(), tokenizer_2=t5_tokenizer(),
    )  # fmt: skip
    pipeline.save_pretrained(folder)
    return folder


def pixart(folder: Path) -> Path:
    """PixArt's layout: a transformer trained like SD 1.5, text through T5."""
    torch.manual_seed(SEED)
    transformer = named("diffusers", "PixArtTransformer2DModel")(
        sample_size=8, num_layers=1, patch_size=2, attention_head_dim=8, num_attention_heads=2, caption_channels=_WIDTH,
        in_channels=4, out_channels=8, cross_attention_dim=16, use_additional_conditions=False,
    )  # fmt: skip
    pipeline = named("diffusers", "PixArtSigmaPipeline")(
        transformer=transformer, scheduler=named("diffusers", "DPMSolverMultistepScheduler")(),
        vae=vae(scaling=0.13025), text_encoder=t5(), tokenizer=t5_tokenizer(),
    )  # fmt: skip
    pipeline.save_pretrained(folder)
    return folder
