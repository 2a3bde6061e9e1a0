"""One complete, serialisable request per kind of generation.

A request holds everything that is needed to run it again. All values are concrete: a seed is a
number, never "random"; inputs are asset ids, never paths.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from studio.core.references import ModelRef, Sha256

Seed = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
Positive = Annotated[int, msgspec.Meta(ge=1)]
Fraction = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]

Scheduler = Literal[
    "default", "ddim", "dpm++ 2m", "dpm++ 2m karras", "euler", "euler ancestral", "heun", "lcm", "unipc", "flow euler"
]

TuneKind = Literal["melody", "chorale"]
"""One voice to be sung, or four: soprano, alto, tenor, bass."""


class ImageRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="image", tag_field="type"):
    """Text→image; image→image with `image`; inpainting with `image` and `mask`.

    `width` and `height` are pixels. `strength` is the denoising strength, used with `image` only.
    `mask` is white where the picture is to be made anew. `batch_size` pictures are made with the
    seeds `seed`, `seed + 1`, …. With the same request, the same pixels come out on the same machine.
    """

    prompt: str
    model: ModelRef
    seed: Seed
    negative_prompt: str = ""
    width: Annotated[int, msgspec.Meta(ge=8, le=16384)] = 512
    height: Annotated[int, msgspec.Meta(ge=8, le=16384)] = 512
    steps: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 20
    guidance_scale: Annotated[float, msgspec.Meta(ge=0.0, le=100.0)] = 7.0
    scheduler: Scheduler = "default"
    batch_size: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    image: Sha256 | None = None
    mask: Sha256 | None = None
    strength: Fraction = 0.6


_RESERVED_SHARE = 4


class Sampling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the next token is drawn.

    `temperature` 0 is greedy. `top_k` 0, `top_p` 1, `min_p` 0, `repetition_penalty` 1,
    `dry_multiplier` 0 and `xtc_probability` 0 each switch their step off.
    """

    seed: Seed
    temperature: Annotated[float, msgspec.Meta(ge=0.0, le=5.0)] = 0.8
    top_k: Annotated[int, msgspec.Meta(ge=0)] = 40
    top_p: Fraction = 0.95
    min_p: Fraction = 0.05
    repetition_penalty: Annotated[float, msgspec.Meta(ge=0.5, le=3.0)] = 1.0
    repetition_window: Annotated[int, msgspec.Meta(ge=0)] = 64
    dry_multiplier: Annotated[float, msgspec.Meta(ge=0.0, le=5.0)] = 0.0
    dry_base: Annotated[float, msgspec.Meta(ge=1.0, le=4.0)] = 1.75
    dry_allowed_length: Annotated[int, msgspec.Meta(ge=1)] = 2
    xtc_probability: Fraction = 0.0
    xtc_threshold: Fraction = 0.1


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One turn of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


class TextRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="text", tag_field="type"):
    """Words: raw completion of `prompt`, or, with `messages`, the next turn of a chat.

    Exactly one of `prompt` and `messages` is used; `messages` wins where both are given.
    `json_schema` is the text of a JSON Schema that the output must satisfy. `logprobs` asks for that
    many alternatives per token. `context_length` 0 means what the model was trained for.
    `template_arguments` go to the chat template (for example `enable_thinking`).
    """

    model: ModelRef
    sampling: Sampling
    prompt: str = ""
    messages: tuple[Message, ...] = ()
    max_tokens: Positive = 256
    stop: tuple[str, ...] = ()
    json_schema: str | None = None
    logprobs: Annotated[int, msgspec.Meta(ge=0, le=20)] = 0
    context_length: Annotated[int, msgspec.Meta(ge=0)] = 0
    template_arguments: dict[str, bool | int | str] = {}


class CodeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="code", tag_field="type"):
    """Code at a place: what stands before it, what stands after it, and what is wanted.

    With `instruction` it is a chat request for code; without it and with `suffix` it is
    fill-in-the-middle; otherwise `prefix` is continued. `max_lines` ends it at the end of that line, 0 nowhere.
    """

    model: ModelRef
    sampling: Sampling
    prefix: str = ""
    suffix: str = ""
    instruction: str = ""
    language: str = "python"
    max_tokens: Positive = 128
    stop: tuple[str, ...] = ()
    single_line: bool = False
    max_lines: Annotated[int, msgspec.Meta(ge=0)] = 0
    context_length: Annotated[int, msgspec.Meta(ge=0)] = 0


class MusicRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="music", tag_field="type"):
    """A tune in ABC notation: a header made of these fields, and the music that the model writes below it.

    The result's text is the whole tune, header included. `key` and `unit_length` are ABC's (`F#m`, `1/8`). `bars`
    ends the tune after so many bars, 0 lets the model end it. `in_metre` draws only what lets each bar add up.
    """

    model: ModelRef
    sampling: Sampling
    kind: TuneKind = "melody"
    metre: Annotated[str, msgspec.Meta(pattern="^[1-9][0-9]?/(1|2|4|8|16|32)\\Z")] = "4/4"
    key: Annotated[str, msgspec.Meta(pattern="^[A-G][#b]?m?\\Z")] = "C"
    unit_length: Annotated[str, msgspec.Meta(pattern="^1/(1|2|4|8|16|32)\\Z")] = "1/8"
    title: Annotated[str, msgspec.Meta(max_length=200, pattern="^[^\\r\\n]*\\Z")] = ""
    bars: Annotated[int, msgspec.Meta(ge=0, le=999)] = 0
    in_metre: bool = True
    max_tokens: Positive = 800
    context_length: Annotated[int, msgspec.Meta(ge=0)] = 0


class UpscaleRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="upscale", tag_field="type"):
    """A larger version of `image`, `scale` times as wide and high, by a model that draws the edges anew.

    A model enlarges by a number of its own; where `scale` is another one, the result is resized to it. `tile` is
    the edge in pixels of the parts that a large picture is cut into, 0 lets the engine choose.
    """

    image: Sha256
    model: ModelRef
    scale: Annotated[int, msgspec.Meta(ge=1, le=16)] = 4
    tile: Annotated[int, msgspec.Meta(ge=0, le=4096)] = 0


class SpriteRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="sprite", tag_field="type"):
    """Little pictures out of a generator's latents.

    `kind` is one of the model's own words, or empty for any. `truncation` pulls the latents towards the middle of
    their kind: 1 leaves them alone, less is tamer, 0 is always the same picture. Without `toward`, `batch_size`
    pictures are made with the seeds `seed`, `seed + 1`, …; with it they are a walk from the latent of `seed` to
    the latent of `toward` (and of `toward_kind`, where given). Each pixel becomes a block `enlarge` pixels wide.
    """

    model: ModelRef
    seed: Seed
    kind: str = ""
    truncation: Annotated[float, msgspec.Meta(ge=0.0, le=2.0)] = 0.8
    batch_size: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    toward: Seed | None = None
    toward_kind: str = ""
    enlarge: Annotated[int, msgspec.Meta(ge=1, le=32)] = 4


Request = ImageRequest | TextRequest | CodeRequest | MusicRequest | UpscaleRequest | SpriteRequest
PictureRequest = ImageRequest | UpscaleRequest | SpriteRequest
"""The requests whose results are pictures."""


def input_assets(request: Request) -> tuple[str, ...]:
    """The ids of the assets that `request` reads."""
    if isinstance(request, ImageRequest):
        return tuple(asset for asset in (request.image, request.mask) if asset is not None)
    return (request.image,) if isinstance(request, UpscaleRequest) else ()


def denoising_steps(steps: int, strength: float) -> int:
    """How many of `steps` are run from a picture: as many as the strength says, but at least one."""
    return max(1, min(int(steps * strength), steps))


def picture_count(request: Request) -> int:
    """How many pictures come of `request`, 1 for what makes none."""
    return request.batch_size if isinstance(request, ImageRequest | SpriteRequest) else 1


def words_of(request: Request) -> str:
    """What was asked for, as a name for what comes of it; empty where no words were used."""
    match request:
        case ImageRequest(prompt=prompt):
            return prompt
        case UpscaleRequest(scale=scale):
            return f"Upscaled {scale} times"
        case SpriteRequest(kind=kind):
            return kind or "sprite"
        case MusicRequest(title=title, kind=kind):
            return title or kind
    return ""


def prompt_room(length: int, max_tokens: int) -> int:
    """How many tokens of a window of `length` a prompt may take: at most a quarter is kept free for the answer."""
    return max(length - min(max_tokens, max(length // _RESERVED_SHARE, 1)), 1)
