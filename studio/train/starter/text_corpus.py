"""The texts of the starter models, as they lie in the data folder, split into learning and measuring parts."""

from __future__ import annotations

from pathlib import Path

import msgspec

from studio.train.starter.text_split import bucket, find_split, read_records, text_bucket

PROBE = 80
"""Characters of a passage that are looked for among held-back stories."""


class Prose(msgspec.Struct, frozen=True):
    """A story or chapter."""

    title: str
    author: str
    text: str
    source: str
    tier: int


class Task(msgspec.Struct, frozen=True):
    """One instruction with its answer; ``input`` may be empty. ``path`` names the source file of code."""

    instruction: str
    input: str
    output: str
    source: str
    category: str = "function"
    path: str = ""

    @property
    def request(self) -> str:
        """What the user says."""
        return f"{self.instruction}\n\n{self.input}" if self.input else self.instruction


class Message(msgspec.Struct, frozen=True):
    """One turn."""

    role: str
    content: str


class Dialogue(msgspec.Struct, frozen=True):
    """A conversation."""

    messages: list[Message]
    source: str


class Code(msgspec.Struct, frozen=True):
    """A Python file."""

    path: str
    licence: str
    text: str


class Tune(msgspec.Struct, frozen=True):
    """A piece in ABC notation."""

    id: str
    kind: str
    meter: str
    key: str
    abc: str


class TextCorpus(msgspec.Struct, frozen=True):
    """Everything for one model; ``learn`` and ``measure`` never share a story, a file or a question."""

    documents: list[str]
    tasks: list[Task]
    dialogues: list[Dialogue]
    measured_documents: list[str]
    measured_tasks: list[Task]


def writer_corpus(data: Path) -> TextCorpus:
    """Prose, instructions and dialogue."""
    stories = read_records(data / "prose/prose.jsonl.xz", Prose)
    buckets = [text_bucket(story.text) for story in stories]
    split = find_split(buckets)
    measured = [s for s, number in zip(stories, buckets, strict=True) if split.measures(number)]
    held = "\n".join(story.text for story in measured)
    learn: list[Task] = []
    measure: list[Task] = []
    for task in read_records(data / "instruct/instruct.jsonl.xz", Task):
        number = bucket(task.input or task.instruction)
        leaks = any(len(part) >= PROBE and part[:PROBE] in held for part in (task.input, task.output))
        if split.measures(number) or leaks:
            measure.append(task)
        elif split.learns(number):
            learn.append(task)
    dialogues = read_records(data / "instruct/dialogue.jsonl.xz", Dialogue)
    return TextCorpus(
        documents=[_headed(s) for s, number in zip(stories, buckets, strict=True) if split.learns(number)],
        tasks=learn,
        dialogues=[d for d in dialogues if split.learns(bucket(d.messages[0].content))],
        measured_documents=[story.text for story in measured],
        measured_tasks=measure,
    )


def _headed(story: Prose) -> str:
    return f"{story.title}\n\n{story.text}"


def coder_corpus(data: Path) -> TextCorpus:
    """Python files, and functions asked for in a sentence."""
    files = read_records(data / "code/code.jsonl.xz", Code)
    buckets = {code.path: text_bucket(code.text) for code in files}
    split = find_split(list(buckets.values()))
    tasks = read_records(data / "code/code_instruct.jsonl.xz", Task)
    places = [buckets.get(task.path, bucket(task.path or task.instruction)) for task in tasks]
    return TextCorpus(
        documents=[code.text for code in files if split.learns(buckets[code.path])],
        tasks=[task for task, number in zip(tasks, places, strict=True) if split.learns(number)],
        dialogues=[],
        measured_documents=[code.text for code in files if split.measures(buckets[code.path])],
        measured_tasks=[task for task, number in zip(tasks, places, strict=True) if split.measures(number)],
    )


def composer_corpus(data: Path) -> TextCorpus:
    """Tunes and chorales in ABC notation."""
    tunes = read_records(data / "music/music.jsonl.xz", Tune)
    buckets = [text_bucket(tune.abc) for tune in tunes]
    split = find_split(buckets)
    return TextCorpus(
        documents=[t.abc for t, number in zip(tunes, buckets, strict=True) if split.learns(number)],
        tasks=[],
        dialogues=[],
        measured_documents=[t.abc for t, number in zip(tunes, buckets, strict=True) if split.measures(number)],
        measured_tasks=[],
    )
