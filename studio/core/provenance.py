"""How a result came to be, so that it can be explained and made again."""

from __future__ import annotations

import msgspec

from studio.core.requests import Request

TRAINED_ALGORITHMIC_MEDIA = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
ALGORITHMICALLY_ENHANCED = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicallyEnhanced"
COMPOSITE_WITH_TRAINED = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"


class Provenance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The record beside each result.

    `created` is seconds since the epoch; `ingredients` are ids of the assets that went in; `licence` is
    the SPDX id of the model's licence; `digital_source_type` is the IPTC term's address
    (cv.iptc.org/newscodes/digitalsourcetype).
    """

    request: Request
    studio_version: str
    library: str
    model_name: str
    licence: str
    created: float
    seed: int | None = None
    device: str = ""
    ingredients: tuple[str, ...] = ()
    digital_source_type: str = TRAINED_ALGORITHMIC_MEDIA
