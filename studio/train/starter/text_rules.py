"""Rules that tell whether an instruction was followed: the form of the answer and its link to the question."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from studio.train.starter.text_corpus import Task
from studio.train.starter.text_play import Reply

KINDS = ("story-qa", "definition", "math", "synonym")
"""The four commonest instruction kinds of the data."""

_QUOTED = re.compile(r'"([^"]+)"')
_NUMBER = re.compile(r"The answer is \$?(-?[\d,]*\.?\d+)[%\w ]*\.?\s*$")


def _asked_word(task: Task) -> str:
    found = _QUOTED.search(task.instruction)
    return found.group(1).lower() if found else ""


def follows_definition(task: Task, reply: Reply) -> bool:
    """Names the word that was asked for, its part of speech, and explains it without simply repeating it."""
    found = re.match(r'"([^"]+)" \((noun|verb|adjective|adverb)[^)]*\) means: (.+)', reply.text.strip(), re.DOTALL)
    if not (reply.ended and found):
        return False
    meaning = found.group(3).strip()
    return found.group(1).lower() == _asked_word(task) and len(meaning) > 5 and meaning.endswith((".", '"'))


def follows_synonym(task: Task, reply: Reply) -> bool:
    """Gives one other word for the word that was asked for."""
    words = [word.lower() for word in _QUOTED.findall(reply.text)]
    known = len(words) == 2 and words[0] == _asked_word(task)
    return reply.ended and known and words[1] != words[0] and re.fullmatch(r"[a-z][a-z' -]+", words[1]) is not None


def follows_math(task: Task, reply: Reply) -> bool:
    """Reckons with numbers of the question and ends with the answer as a number. Not: that it is the right one."""
    asked = set(re.findall(r"\d+", task.request))
    used = set(re.findall(r"\d+", reply.text))
    return reply.ended and _NUMBER.search(reply.text) is not None and (not asked or bool(asked & used))


def right_math(task: Task, reply: Reply) -> bool:
    """The number at the end is the right one."""
    found, wanted = _NUMBER.search(reply.text), _NUMBER.search(task.output)
    return found is not None and wanted is not None and found.group(1) == wanted.group(1)


def follows_story(task: Task, reply: Reply) -> bool:
    """A short answer, most of whose longer words stand in the passage or the question."""
    words = re.findall(r"[a-z']{4,}", reply.text.lower())
    known = set(re.findall(r"[a-z']{4,}", task.request.lower()))
    inside = sum(word in known for word in words)
    short = 0 < len(reply.text.split()) <= 60
    return reply.ended and short and inside >= len(words) / 2


def shared_words(task: Task, reply: Reply) -> float:
    """Word F1 of the reply against the expert's answer, 0–1."""
    ours = re.findall(r"[a-z0-9']+", reply.text.lower())
    theirs = re.findall(r"[a-z0-9']+", task.output.lower())
    common = sum(min(ours.count(word), theirs.count(word)) for word in set(ours))
    return 2 * common / (len(ours) + len(theirs)) if common else 0.0


RULES: Mapping[str, Callable[[Task, Reply], bool]] = {
    "story-qa": follows_story,
    "definition": follows_definition,
    "math": follows_math,
    "synonym": follows_synonym,
}
