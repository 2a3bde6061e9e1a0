"""Figures of the composer: do its tunes parse, and do their bars add up to the metre?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from studio.formats.music.bars import check_tune
from studio.train.starter.text_play import Player


def evaluate_tunes(player: Player, documents: Sequence[str], count: int) -> dict[str, object]:
    """Tunes written from held-out headers: share that parses, share of inner bars that add up to the metre."""
    parsed = bars = fitting = 0
    chosen = [text for text in documents if "K:" in text][:count]
    for seed, text in enumerate(chosen):
        key = re.search(r"^K:.*$", text, re.MULTILINE)
        head = text[: key.end() + 1] if key else text
        reply = player.write([player.end, *player.tokens(head)], 600, temperature=0.8, seed=seed)
        body = reply.text if reply.ended else reply.text[: reply.text.rfind("\n") + 1]
        result = check_tune(head + body)
        parsed, bars, fitting = parsed + result.parsed, bars + result.bars, fitting + result.fitting
    return {
        "tunes_parse": round(parsed / max(1, len(chosen)), 3),
        "bars_add_up": round(fitting / max(1, bars), 3),
        "tunes_counted": len(chosen),
    }
