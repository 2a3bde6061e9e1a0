"""PNG with its record, and pictures from outside."""

from __future__ import annotations

import io
import json
import struct
import zlib

import pytest
from PIL import Image

from studio.core.events import Picture
from studio.core.failure import FailureCode, StudioError
from studio.core.provenance import Provenance
from studio.core.references import ModelRef
from studio.core.requests import ImageRequest
from studio.formats.png import decode_picture, encode_png

REQUEST = ImageRequest(prompt="a fox – “red”", negative_prompt="blue", model=ModelRef(repo="starter/image"), seed=7)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pixels_come_back_exactly(channels: int) -> None:
    pixels = bytes(range(256))[: 8 * 4 * channels] + bytes(8 * 4 * channels - min(256, 8 * 4 * channels))
    picture = Picture(width=8, height=4, channels=channels, pixels=pixels)
    back = decode_picture(encode_png(picture))
    if channels == 1:
        assert back.pixels[::3] == pixels
    else:
        assert (back.width, back.height, back.channels, back.pixels) == (8, 4, channels, pixels)


def test_the_record_is_readable_by_other_programs() -> None:
    provenance = Provenance(
        request=REQUEST, studio_version="1", library="x", model_name="Starter image", licence="MIT", created=1.0, seed=9
    )
    data = encode_png(Picture(width=1, height=1, channels=3, pixels=b"abc"), provenance)
    with Image.open(io.BytesIO(data)) as image:
        lines = image.info["parameters"].splitlines()
        record = json.loads(image.info["atelier"])
        assert "trainedAlgorithmicMedia" in image.info["XML:com.adobe.xmp"]
    assert lines[0] == REQUEST.prompt
    assert lines[1] == "Negative prompt: blue"
    assert "Seed: 9" in lines[2]
    assert record["request"]["prompt"] == REQUEST.prompt


def _png_claiming(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "data",
    [b"", b"no picture", _png_claiming(60_000, 60_000), _png_claiming(2, 2)[:-30]],
    ids=["empty", "text", "bomb", "cut"],
)
def test_broken_and_absurd_pictures_are_refused(data: bytes) -> None:
    with pytest.raises(StudioError) as caught:
        decode_picture(data, "holiday.png")
    assert caught.value.failure.code is FailureCode.INPUT_DAMAGED
    assert "holiday.png" in caught.value.failure.message
