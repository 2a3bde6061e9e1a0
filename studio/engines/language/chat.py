"""Chats as the model was trained to read them.

What people typed can't pose as markup: names of control tokens in it are found by the model's own
tokeniser and marked before the template runs; afterwards the text is tokenised in parts, cut at the marks,
so that no part holds a whole name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from studio.core.failure import FailureCode
from studio.core.requests import Message
from studio.engines.language.sandbox import TemplateTrouble, render
from studio.engines.language.trouble import model_trouble
from studio.engines.language.vocabulary import Vocabulary

_MARKS = "\ue0f1\ue0f2\ue0f3\ue0f4"  # private use; one that nobody typed is chosen
_NAMES = {"system": "System", "user": "User", "assistant": "Assistant"}
_PLAIN_STOPS = ("\nUser:", "\nSystem:", "\nAssistant:")


class Chat(msgspec.Struct, frozen=True):
    """A chat as tokens; `stops` and `notice` are for models without a template of their own."""

    tokens: list[int]
    stops: tuple[str, ...] = ()
    notice: str = ""


class ChatWriter:
    """Turns messages into tokens for one model.

    A model without a template gets the chat as a plain transcript (`User: … Assistant:`), stops at the next
    speaker's name, and the user is told.
    """

    def __init__(self, vocabulary: Vocabulary, template: str | None) -> None:
        self._vocabulary = vocabulary
        self._template = template
        self._mark = _MARKS[0]

    def write(self, messages: Sequence[Message], arguments: Mapping[str, bool | int | str]) -> Chat:
        """`messages` and the opening of the next turn.

        Raises `StudioError` (`MODEL_UNSUPPORTED`) where the template fails.
        """
        typed = "".join(message.content for message in messages)
        self._mark = next((mark for mark in _MARKS if mark not in typed), _MARKS[0])
        turns = [{"role": each.role, "content": self._guarded(each.content)} for each in messages]
        if self._template is None:
            lines = [f"{_NAMES[turn['role']]}: {turn['content']}\n" for turn in turns]
            notice = "This model has no chat template, so it was given the chat as a plain transcript."
            return Chat(self._tokens("".join(lines) + "Assistant:"), _PLAIN_STOPS, notice)
        return Chat(self._tokens(self._rendered(self._template, turns, arguments)))

    def _rendered(self, template: str, turns: list[dict[str, str]], arguments: Mapping[str, bool | int | str]) -> str:
        special = {"bos_token": self._name(self._vocabulary.begins), "eos_token": self._name(self._vocabulary.ends)}
        variables = special | {"add_generation_prompt": True, "tools": None, "documents": None} | dict(arguments)
        try:
            try:
                return render(template, variables | {"messages": turns})
            except TemplateTrouble as trouble:
                folded = _folded(turns)
                if not trouble.refused or folded == turns:
                    raise
                return render(template, variables | {"messages": folded})
        except TemplateTrouble as trouble:
            raise model_trouble(
                FailureCode.MODEL_UNSUPPORTED,
                f"This model's chat template can't be used: {trouble}.",
                "Write without a chat, or choose another model.",
                str(trouble),
            ) from trouble

    def _name(self, token: int) -> str:
        return self._vocabulary.spelling(token, markup=True).decode("utf-8", "replace") if token >= 0 else ""

    def _guarded(self, content: str) -> str:
        """`content` with a mark inside each name of a control token."""
        content = content.replace(self._mark, "")
        while names := self._control_names(content):
            for name in sorted(names, key=len, reverse=True):
                content = content.replace(name, name[:1] + self._mark + name[1:])
        return content

    def _control_names(self, content: str) -> set[str]:
        vocabulary = self._vocabulary
        control = {token for token in set(vocabulary.tokens(content, markup=True)) if vocabulary.is_control(token)}
        names = {self._name(token) for token in control}
        return {name for name in names if name and name in content}

    def _tokens(self, text: str) -> list[int]:
        vocabulary = self._vocabulary
        begin = self._name(vocabulary.begins)
        start = vocabulary.adds_begin and not (begin and text.startswith(begin))
        first, *rest = text.split(self._mark)
        tokens = vocabulary.tokens(first, markup=True, start=start)
        for part in rest:
            tokens += vocabulary.tokens_inside(part, markup=True)
        return tokens


def _folded(turns: list[dict[str, str]]) -> list[dict[str, str]]:
    """The system's words put before the first user's, for templates that know no system."""
    if len(turns) < 2 or turns[0]["role"] != "system" or turns[1]["role"] != "user":
        return turns
    content = f"{turns[0]['content']}\n\n{turns[1]['content']}"
    return [{"role": "user", "content": content}, *turns[2:]]
