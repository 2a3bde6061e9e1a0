"""A request as the tokens that the model reads, cut to its context without silence.

Where not everything fits, chats keep the system's words and the newest turns, texts their newest end, and
code what stands nearest to the cursor; how many tokens were dropped goes to the context meter.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from studio.core.failure import FailureCode, StudioError
from studio.core.requests import CodeRequest, Message, MusicRequest, TextRequest, prompt_room
from studio.core.tune_header import tune_header, voice_names
from studio.engines.language.bars import BarGuard
from studio.engines.language.chat import Chat, ChatWriter
from studio.engines.language.metre_grammar import metre_grammar
from studio.engines.language.trouble import bad_request, model_trouble
from studio.engines.language.vocabulary import Vocabulary
from studio.engines.language.writing import Guard

_PREFIX_SHARE = 3 / 4  # of the room for code, where both sides are too long
_FREE_METRE = "The bars of this metre can't be counted while they are written, so they may not add up."
_LINE_ENDS = ("\n", "\r")
_CODE_SYSTEM = (
    "You write {language} code for a place in a file. Answer with the code for that place only: "
    "no explanation, no repetition of the surrounding code."
)


class Prompt(msgspec.Struct, frozen=True):
    """What the model reads. `head` tokens at the start stay when the context overflows while writing;
    `fenced` output may come wrapped in a Markdown fence. `opening` belongs to the result and stands before what is
    written; `guard` says where that ends. `typed` is white space that was left off the end for the model to write.
    """

    tokens: list[int]
    head: int = 0
    dropped: int = 0
    stops: tuple[str, ...] = ()
    fenced: bool = False
    spaced: bool = False
    opening: str = ""
    typed: str = ""
    guard: Guard | None = None
    notices: tuple[str, ...] = ()


class PromptMaker:
    """Makes prompts for one model whose context has `length` tokens."""

    def __init__(self, vocabulary: Vocabulary, template: str | None, length: int) -> None:
        self._vocabulary = vocabulary
        self._chat = ChatWriter(vocabulary, template)
        self._length = length

    def make(self, request: TextRequest | CodeRequest | MusicRequest) -> Prompt:
        """The prompt of `request`.

        Raises `StudioError`: `INVALID_REQUEST` where there is nothing to read, `MODEL_UNSUPPORTED` where the
        model can't do what is asked, `CONTEXT_FULL` where nothing of it fits.
        """
        room = prompt_room(self._length, request.max_tokens)
        if isinstance(request, TextRequest):
            if request.messages:
                return self._of_chat(request, list(request.messages), room)
            return self._of_text(request.prompt, room, request.stop)
        if isinstance(request, MusicRequest):
            return self._of_music(request, room)
        return self._of_code(request, room)

    # Texts

    def _of_text(self, text: str, room: int, stops: tuple[str, ...]) -> Prompt:
        text, typed = _without_typed_space(text)
        tokens = self._vocabulary.tokens(text, start=True)
        begin = [token for token in tokens[:1] if token == self._vocabulary.begins]
        if not tokens:
            tokens = [self._start()]
        kept = tokens if len(tokens) <= room else begin + tokens[len(tokens) - room + len(begin) :]
        return Prompt(kept, head=len(begin), dropped=len(tokens) - len(kept), stops=stops, typed=typed)

    def _of_music(self, request: MusicRequest, room: int) -> Prompt:
        """The header, after the mark that stands before each tune; it stays when the context overflows."""
        header = tune_header(request)
        tokens = self._vocabulary.tokens(header, start=True)
        if tokens[:1] != [self._start()]:
            tokens.insert(0, self._start())
        if len(tokens) > room:
            raise model_trouble(
                FailureCode.CONTEXT_FULL,
                f"The header of this tune is longer than this model's context of {self._length:,} tokens.",
                "Shorten the title, or choose another model.",
            )
        guard = BarGuard(request.bars, voice_names(request)) if request.bars else None
        # A model may begin a second tune below the first; the rest of its words would be no part of this one.
        notices = (_FREE_METRE,) if request.in_metre and metre_grammar(request) is None else ()
        return Prompt(tokens, len(tokens), stops=("\nX:",), opening=header, guard=guard, notices=notices)

    def _start(self) -> int:
        """The token that a text from nothing begins with."""
        for token in (self._vocabulary.begins, self._vocabulary.ends):
            if token >= 0:
                return token
        raise bad_request("There is nothing to continue.", "Write a few words first.")

    # Chats

    def _of_chat(self, request: TextRequest, messages: list[Message], room: int) -> Prompt:
        def written(some: list[Message]) -> Chat:
            return self._chat.write(some, request.template_arguments)

        lead = [message for message in messages[:1] if message.role == "system"]
        whole = written(messages)
        kept = whole
        if len(whole.tokens) > room:
            kept = self._newest(lead, messages[len(lead) :], written, room)
        head = self._head(lead, written, kept) if lead and len(messages) > 1 else 0
        return Prompt(
            kept.tokens,
            head=head,
            dropped=max(len(whole.tokens) - len(kept.tokens), 0),
            stops=request.stop + whole.stops,
            spaced=self._vocabulary.spaces_first,
            notices=(whole.notice,) if whole.notice else (),
        )

    def _head(self, lead: list[Message], written: Callable[[list[Message]], Chat], kept: Chat) -> int:
        """How many tokens of `kept` are the system's."""
        try:
            return _shared(written(lead).tokens, kept.tokens)
        except StudioError:  # some templates insist on a user's turn
            return 0

    def _newest(
        self, lead: list[Message], turns: list[Message], written: Callable[[list[Message]], Chat], room: int
    ) -> Chat:
        """The lead and as many of the newest turns as fit, beginning with a user's; at worst the end of the last."""
        best: Chat | None = None
        for count in range(1, len(turns) + 1):
            if turns[-count].role != "user" and count < len(turns):
                continue
            chat = written(lead + turns[-count:])
            if len(chat.tokens) > room:
                break
            best = chat
        if best is not None:
            return best
        last = turns[-1] if turns else lead[-1]
        before = lead if turns else []
        low, high = 0, len(last.content)
        while low < high:  # the longest end of the last message that fits
            middle = (low + high + 1) // 2
            chat = written([*before, _ending(last, middle)])
            low, high = (middle, high) if len(chat.tokens) <= room else (low, middle - 1)
        if low == 0:
            raise model_trouble(
                FailureCode.CONTEXT_FULL,
                f"The instructions alone are longer than this model's context of {self._length:,} tokens.",
                "Shorten them, or choose a longer context or another model.",
            )
        return written([*before, _ending(last, low)])

    # Code

    def _of_code(self, request: CodeRequest, room: int) -> Prompt:
        stops = request.stop + (_LINE_ENDS if request.single_line else ())
        if request.instruction:
            return self._of_instruction(request, room, stops)
        if request.suffix:
            return self._of_gap(request, room, stops)
        return self._of_text(request.prefix, room, stops)

    def _of_gap(self, request: CodeRequest, room: int, stops: tuple[str, ...]) -> Prompt:
        vocabulary = self._vocabulary
        if not vocabulary.fills_in:
            raise model_trouble(
                FailureCode.MODEL_UNSUPPORTED,
                "This model can't fill in the middle: it knows no prefix, suffix and middle tokens.",
                "Choose a code model that does, or continue at the end of the text.",
            )
        prefix, suffix = vocabulary.tokens(request.prefix), vocabulary.tokens_inside(request.suffix)
        begin = [vocabulary.begins] if vocabulary.adds_begin and vocabulary.begins >= 0 else []
        total = len(prefix) + len(suffix)
        free = max(room - 3 - len(begin), 2)
        if total > free:
            before = min(len(prefix), max(int(free * _PREFIX_SHARE), free - len(suffix)))
            prefix, suffix = prefix[len(prefix) - before :], suffix[: free - before]
        marks = (vocabulary.fill_prefix, vocabulary.fill_suffix, vocabulary.fill_middle)
        tokens = [*begin, marks[0], *prefix, marks[1], *suffix, marks[2]]
        if vocabulary.suffix_first:
            tokens = [*begin, marks[0], marks[1], *suffix, marks[2], *prefix]
        return Prompt(tokens, dropped=total - len(prefix) - len(suffix), stops=stops)

    def _of_instruction(self, request: CodeRequest, room: int, stops: tuple[str, ...]) -> Prompt:
        language = request.language or "the file's"
        around = ""
        if request.prefix:
            around += f"The code before the place:\n```{request.language}\n{request.prefix}\n```\n\n"
        if request.suffix:
            around += f"The code after the place:\n```{request.language}\n{request.suffix}\n```\n\n"
        messages = [
            Message("system", _CODE_SYSTEM.format(language=language)),
            # The instruction comes last: where something must be dropped, it is the beginning.
            Message("user", f"{around}{request.instruction}"),
        ]
        asked = TextRequest(request.model, request.sampling, messages=tuple(messages), stop=stops)
        return msgspec.structs.replace(self._of_chat(asked, messages, room), fenced=True)


def _without_typed_space(text: str) -> tuple[str, str]:
    """`text` without the blanks at its end and the line end before them, and these; see `TypedSpace`.

    An empty line stays: it is a mark of its own, and those who leave one want something new to begin.
    """
    body = text.rstrip(" \t")
    if body.endswith("\n") and not body.endswith("\n\n"):
        body = body[:-1].rstrip(" \t")
    return (body, text[len(body) :]) if body else (text, "")


def _ending(message: Message, characters: int) -> Message:
    return Message(message.role, message.content[len(message.content) - characters :])


def _shared(first: list[int], second: list[int]) -> int:
    count = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        count += 1
    return count
