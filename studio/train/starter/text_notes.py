"""What stands in the cards of the text models besides the figures: data, attribution, limits."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from studio.train.starter.card import Figure


class Notes(msgspec.Struct, frozen=True):
    """The words of one card."""

    task: str
    description: str
    memory_mb: int
    data: tuple[str, ...]
    attribution: tuple[str, ...]
    limits: tuple[str, ...]


NOTES: Mapping[str, Notes] = {
    "writer": Notes(
        task="text",
        description="A very small language model that continues stories and follows a few simple instructions. "
        "Trained from scratch by the Atelier project; here so that writing works at first start, offline.",
        memory_mb=40,
        data=(
            "Public-domain stories and novels for children and adventure classics, about 34 MB of text",
            (
                "Instructions: questions on stories (FairytaleQA), definitions, synonyms and opposites (Open English "
                "WordNet), school sums (GSM8K), small talk, human-written seed tasks"
            ),
            "Conversations from Synthetic-Persona-Chat, and a page of answers about itself, written by hand",
        ),
        attribution=(
            "Stories from African Storybook and Pratham Books (CC BY)",
            "Open English WordNet and Princeton WordNet (CC BY 4.0)",
            "Synthetic-Persona-Chat by Google (CC BY 4.0)",
            "FairytaleQA by UC Irvine (Apache-2.0)",
            "hcandersenr by Emil Hvitfeldt (MIT), tales by H. C. Andersen (public domain)",
            "GSM8K by OpenAI (MIT)",
            "Self-Instruct seed tasks by Yizhong Wang (Apache-2.0)",
            "Personality Chat by Microsoft (MIT)",
            "chatterbot-corpus by Gunther Cox (BSD-3-Clause)",
        ),
        limits=(
            "It knows next to nothing: facts, sums and definitions are mostly wrong. Check everything.",
            (
                "English only, and mostly the English of a hundred years ago; the old texts hold the prejudices of "
                "their time, and the model can repeat them."
            ),
            "It was trained on 512 tokens at a time; beyond that it loses the thread.",
            "Not for advice, not for children without an adult beside them.",
        ),
    ),
    "coder": Notes(
        task="code",
        description="A very small language model for Python: completes code, fills in the middle, writes small "
        "functions from a sentence. Trained from scratch by the Atelier project, to work at first start, offline.",
        memory_mb=40,
        data=(
            (
                "About 3,900 Python files, 20 MB: the CPython 3.11 standard library, TheAlgorithms, networkx, napari, "
                "huggingface_hub, werkzeug, keon/algorithms, geekcomputers, superqt, app-model, psygnal, exercism, "
                "30-seconds-of-python"
            ),
            "About 3,000 functions with their docstring turned into a request",
        ),
        attribution=(
            "CPython standard library (PSF-2.0)",
            "TheAlgorithms/Python, keon/algorithms, geekcomputers/Python, exercism/python (MIT)",
            "networkx, napari, werkzeug, superqt, app-model, psygnal (BSD-3-Clause)",
            "huggingface_hub (Apache-2.0)",
            "30-seconds-of-python (CC0-1.0)",
        ),
        limits=(
            "It writes code that looks right and is often wrong. Read it and test it before you run it.",
            "Python only. It knows few libraries, and none that appeared lately.",
            "It can repeat passages of its training files; see the longest overlap above.",
            "It was trained on 512 tokens at a time; it does not see a whole project.",
        ),
    ),
    "composer": Notes(
        task="music",
        description="A very small model that writes melodies and four-part chorales in ABC notation from header "
        "lines. Trained from scratch by the Atelier project, to work at first start, offline.",
        memory_mb=24,
        data=("1,400 song melodies from OpenScore Lieder and 1,200 chorales from JS Fake Chorales, as ABC",),
        attribution=("OpenScore Lieder (CC0 1.0)", "JS Fake Chorales by Omar Peracha (CC BY 4.0)"),
        limits=(
            (
                "It imitates two kinds of music only: nineteenth-century songs, and chorales in Bach's manner that "
                "were themselves composed by an algorithm."
            ),
            "Left to itself it miscounts some bars. The studio holds it to the metre, unless it is set free.",
        ),
    ),
}

_WANTED: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "writer": {
        "bits_per_byte": ("bits per byte, held-out prose", "≤ 1.45 (without a GPU ≤ 1.9)"),
        "follows_instructions": ("follows the four commonest instruction kinds, by rule", "≥ 70 % (≥ 40 %)"),
        "follows_story-qa": ("… questions on a story: short answer out of the passage", ""),
        "follows_definition": ("… definitions: right form, right word", ""),
        "follows_math": ("… sums: works with the numbers, ends in an answer", ""),
        "follows_synonym": ("… synonyms: one other word", ""),
        "right_math": ("sums with the right answer", ""),
        "story-qa_word_f1": ("story questions, words shared with the expert's answer (F1)", ""),
    },
    "coder": {
        "bits_per_byte": ("bits per byte, held-out Python", "≤ 1.0 (without a GPU ≤ 1.4)"),
        "completions_parse": ("begun functions that parse when completed", "≥ 90 %"),
        "asked_functions_parse": ("functions asked for in a sentence that parse", ""),
        "fill_in_rest_of_line_exact": ("single-line fill-in, rest of the line, exact match", "≥ 20 %"),
        "fill_in_whole_line_exact": ("single-line fill-in, whole line, exact match", "≥ 20 %"),
    },
    "composer": {
        "bits_per_byte": ("bits per byte, held-out tunes", ""),
        "tunes_parse": ("tunes that parse as ABC", "≥ 95 %"),
        "bars_add_up": ("inner bars that add up to the metre", "≥ 90 %"),
    },
}


def figures_of(name: str, measured: Mapping[str, object]) -> list[Figure]:
    """The measured values as rows of the card."""
    rows: list[Figure] = []
    for key, (label, wanted) in _WANTED[name].items():
        if key not in measured:
            continue
        baseline = ""
        if key == "bits_per_byte":
            baseline = f"xz {measured['bits_per_byte_xz']}, byte 5-gram {measured.get('bits_per_byte_5gram', '–')}"
        value = measured[key]
        percent = isinstance(value, float) and key not in {"bits_per_byte", "story-qa_word_f1"}
        rows.append(Figure(label, f"{float(str(value)):.0%}" if percent else str(value), baseline, wanted))
    if "longest_overlap" in measured:
        passage = " ".join(str(measured["longest_overlap"]).split()).replace("|", "\\|")
        length = f"{measured['longest_overlap_characters']} characters: “{passage[:200]}”"
        rows.append(Figure("longest passage of the samples that stands in the training text", length))
    return rows
