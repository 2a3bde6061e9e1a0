"""Measures an exported text model on held-out text, next to its baselines."""

from __future__ import annotations

import ast
import logging
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from studio.train.starter.text_abc import evaluate_tunes
from studio.train.starter.text_baselines import Memory, ngram_bits_per_byte, xz_bits_per_byte
from studio.train.starter.text_corpus import Task, TextCorpus
from studio.train.starter.text_play import Player
from studio.train.starter.text_rules import KINDS, RULES, right_math, shared_words
from studio.train.starter.text_samples import draw_samples

log = logging.getLogger(__name__)

WINDOW, OVERLAP = 512, 128
LEARNED_BYTES = 12_000_000
"""How much of the training text the 5-gram model sees; more changes its figure in the third digit."""


class Amount:
    """How much to measure; the defaults take some minutes on one core."""

    def __init__(self, characters: int = 240_000, tasks: int = 40, holes: int = 100, functions: int = 60) -> None:
        self.characters, self.tasks, self.holes, self.functions = characters, tasks, holes, functions


def evaluate_text(name: str, texts: TextCorpus, folder: Path, amount: Amount | None = None) -> Mapping[str, object]:
    """All figures of the model in ``folder``; needs documents to measure on.

    Raises:
        ValueError: the data folder holds nothing held-out for this model.
    """
    if not texts.measured_documents:
        raise ValueError("The data folder holds no held-out documents for this model, so nothing can be measured.")
    amount = amount or Amount()
    player = Player(folder / f"starter-{name}.gguf")
    try:
        sample = slices(texts.measured_documents, amount.characters)
        figures: dict[str, object] = compression(player, texts, sample)
        log.info("%s", figures)
        if name == "writer":
            figures |= instructions(player, texts.measured_tasks, amount.tasks)
        if name == "coder":
            figures |= completions(player, texts.measured_tasks, amount.functions)
            figures |= fill_ins(player, texts.measured_documents, amount.holes)
        if name == "composer":
            figures |= evaluate_tunes(player, texts.measured_documents, amount.functions)
        written = "\n\n".join(text for _, text in draw_samples(player, name))
        if texts.documents:
            taught = [*texts.documents, *(f"{task.request}\n{task.output}" for task in texts.tasks)]
            figures["longest_overlap"] = Memory(taught).longest_overlap(written)
            figures["longest_overlap_characters"] = len(str(figures["longest_overlap"]))
    finally:
        player.close()
    return figures


def slices(documents: Sequence[str], characters: int) -> list[str]:
    """Beginnings of all documents, equally long, ``characters`` together."""
    each = max(400, characters // len(documents))
    return [text[:each] for text in documents]


def compression(player: Player, texts: TextCorpus, sample: Sequence[str]) -> dict[str, object]:
    """Bits per byte of the model, of xz and of a byte 5-gram model on the same text."""
    nats = sum(_nats(player, text) for text in sample)
    raw = "\n\n".join(sample).encode()
    size = sum(len(text.encode()) for text in sample)
    figures: dict[str, object] = {
        "bits_per_byte": round(nats / math.log(2) / size, 3),
        "bits_per_byte_xz": round(xz_bits_per_byte(raw), 3),
        "measured_bytes": size,
    }
    if texts.documents:
        learned = "\n\n".join(texts.documents).encode()[:LEARNED_BYTES]
        figures["bits_per_byte_5gram"] = round(ngram_bits_per_byte(learned, raw), 3)
    return figures


def _nats(player: Player, text: str) -> float:
    """What ``text`` costs the model, in windows that overlap by ``OVERLAP`` tokens."""
    tokens = [player.end, *player.tokens(text)]
    total, done = 0.0, 1
    while done < len(tokens):
        begin = max(0, done - OVERLAP)
        window = tokens[begin : begin + WINDOW]
        scores = player.scores(window[:-1]).astype(np.float64)
        scores -= scores.max(axis=1, keepdims=True)
        chances = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        fresh = np.arange(done - begin, len(window))
        total -= float(chances[fresh - 1, np.asarray(window)[fresh]].sum())
        done = begin + len(window)
    return total


def instructions(player: Player, tasks: Sequence[Task], count: int) -> dict[str, object]:
    """Share of held-out instructions followed, by kind, and how often the answer is right as well."""
    figures: dict[str, object] = {}
    shares: list[float] = []
    for kind in KINDS:
        chosen = [task for task in tasks if task.category == kind and len(task.request) < 1800][:count]
        replies = [(task, player.ask(task.request, 160)) for task in chosen]
        followed = [RULES[kind](task, reply) for task, reply in replies]
        shares.append(sum(followed) / max(1, len(followed)))
        figures[f"follows_{kind}"] = round(shares[-1], 3)
        if kind == "math":
            figures["right_math"] = round(sum(right_math(*pair) for pair in replies) / max(1, len(replies)), 3)
        if kind == "story-qa":
            figures["story-qa_word_f1"] = round(sum(shared_words(*p) for p in replies) / max(1, len(replies)), 3)
    figures["follows_instructions"] = round(sum(shares) / len(shares), 3)
    return figures


def completions(player: Player, tasks: Sequence[Task], count: int) -> dict[str, object]:
    """How often a function that was begun (head and docstring), or asked for in a sentence, parses when written."""
    begun = asked = 0
    chosen = [task for task in tasks if len(task.output) < 1500][:count]
    for task in chosen:
        head = function_head(task.output)
        # As the studio asks: the line end belongs to the indentation that the model writes.
        reply = player.write([player.end, *player.tokens(head.rstrip("\n"))], 200, stop=has_dedented)
        begun += parses(whole_function(head, reply.text.removeprefix("\n"), ended=reply.ended))
        answer = player.ask(task.request, 300)
        asked += parses(answer.text if answer.ended else whole_function("", answer.text, ended=False))
    return {
        "completions_parse": round(begun / max(1, len(chosen)), 3),
        "asked_functions_parse": round(asked / max(1, len(chosen)), 3),
        "completions_counted": len(chosen),
    }


def function_head(source: str) -> str:
    """The function up to the end of its docstring, or of its ``def`` where it has none."""
    node = ast.parse(source).body[0]
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return source.split("\n", maxsplit=1)[0] + "\n"
    first = node.body[0]
    last = (first.end_lineno or first.lineno) if ast.get_docstring(node) is not None else first.lineno - 1
    return "\n".join(source.split("\n")[: max(1, last)]) + "\n"


def has_dedented(text: str) -> bool:
    """Whether a whole line back at the left margin was begun: the function is over."""
    return any(line and not line[0].isspace() and line[0] not in ")]}#" for line in text.split("\n")[1:])


def whole_function(head: str, body: str, *, ended: bool) -> str:
    """Head and body, cut at the first line at the margin; an unfinished last line is dropped, as an editor would."""
    lines = body.split("\n")
    if not ended:
        lines = lines[:-1]
    for place, line in enumerate(lines):
        if place and head and line and not line[0].isspace() and line[0] not in ")]}#":
            lines = lines[:place]
            break
    return head + "\n".join(lines) + "\n"


def parses(source: str) -> bool:
    """Whether ``source`` is Python and says something."""
    try:
        return bool(ast.parse(source).body)
    except (SyntaxError, ValueError):
        return False


def fill_ins(player: Player, documents: Sequence[str], count: int) -> dict[str, object]:
    """Exact matches of single-line holes: the rest of a line from somewhere within it, and whole lines."""
    rng = np.random.default_rng(7)
    kinds: Mapping[str, Callable[[str], int]] = {
        "fill_in_rest_of_line_exact": lambda line: int(rng.integers(len(line) - len(line.lstrip()), len(line))),
        "fill_in_whole_line_exact": lambda line: len(line) - len(line.lstrip()),
    }
    figures: dict[str, object] = {}
    for name, cut in kinds.items():
        right = Counter[bool]()
        while right.total() < count:
            text = documents[int(rng.integers(len(documents)))]
            lines = text.split("\n")
            place = int(rng.integers(len(lines)))
            line = lines[place]
            if len(line.strip()) < 4 or line.lstrip().startswith("#"):
                continue
            column = cut(line)
            prefix = "\n".join([*lines[:place], line[:column]])[-700:]
            suffix = ("\n" + "\n".join(lines[place + 1 :]))[:350]
            reply = player.fill_in(prefix, suffix, 48, stop=lambda written: "\n" in written)
            right[reply.text.split("\n")[0].rstrip() == line[column:].rstrip()] += 1
        figures[name] = round(right[True] / count, 3)
    figures["fill_ins_counted"] = count
    return figures
