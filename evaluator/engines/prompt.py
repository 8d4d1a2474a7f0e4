"""Chat messages to token ids, the same way for every engine that runs a model itself.

Templates come from strangers: they are written out in a sandbox with limits (`templates.py`), never with code of the
repository, and with a pinned date, so that a prompt does not change from one day to the next.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any, NamedTuple

from evaluator.engines.base import TEMPLATE_DATE, Completion, Message, Request, Sampling, Samplings, sampling_for
from evaluator.engines.prefixes import SharedPrefixes
from evaluator.engines.segments import SegmentTokenizer
from evaluator.engines.templates import Template
from evaluator.engines.thinking import Reader, find_markers
from evaluator.errors import Cause, RapportError
from evaluator.identity import digest, text_digest

_DATE_STRING = datetime.datetime.fromisoformat(TEMPLATE_DATE).strftime("%d %b %Y")
_PROBE = "Be brief, says the probe."


class Prompt(NamedTuple):
    """A rendered conversation.

    Attributes:
        token_ids: The generation prompt at the end, and no special token twice.
        opened: Whether it ends with the beginning of a thought.
    """

    token_ids: list[int]
    opened: bool


class Ready(NamedTuple):
    """A request that is ready to be asked.

    Attributes:
        request: What is asked.
        sampling: How its tokens are drawn.
        prompt: What the model reads.
        tokens: Most tokens that prompt, thought, its end marker and answer take together.
    """

    request: Request
    sampling: Sampling
    prompt: Prompt
    tokens: int


class PromptRenderer:
    """Renders chat messages with a model's own template and tokenizer.

    Attributes:
        tokenizer: The model's tokenizer.
        template_hash: SHA-256 of the chat template's text.
        arguments: What the template is told and how system messages reach it, as sorted name and value pairs.
    """

    def __init__(self, tokenizer: Any, model: str) -> None:
        """Takes the tokenizer of `model` and tries its template.

        Raises:
            RapportError: `no_chat_template` if the tokenizer has none, `load_error` if it cannot render a question.
        """
        if not tokenizer.chat_template:
            raise RapportError(
                Cause.NO_CHAT_TEMPLATE,
                f"{model} has no chat template, so it is a base model and cannot hold a conversation.",
                "Submit an instruction-tuned model, or add a chat template to its tokenizer.",
            )
        self.tokenizer = tokenizer
        self._segments = SegmentTokenizer(tokenizer)
        self._model = model
        template = tokenizer.get_chat_template()
        self._template = Template(template, tokenizer.special_tokens_map, model)
        self.template_hash = text_digest(template)
        markers = find_markers(template, tokenizer.get_vocab())
        self._reader = Reader(markers, self.ids(markers.end), self._raw_text) if markers else None
        self._native_system = self._knows_system_role()
        self.arguments = (
            ("date_string", _DATE_STRING),
            ("strftime_now", TEMPLATE_DATE),
            ("system_role", "native" if self._native_system else "first_user"),
        )

    def render(self, messages: Sequence[Message], thinking: bool = False) -> Prompt:
        """Returns the prompt of a conversation.

        A template that opens a thought although it is told not to gets it closed at once.

        Args:
            messages: The conversation.
            thinking: Whether the model is to think before it answers.

        Raises:
            RapportError: `load_error` with the template's own words, if it refuses the conversation, or with the limit
                that it goes beyond.
        """
        text = self._text(messages if self._native_system else without_system_role(messages), thinking)
        opened = self._reader is not None and text.rstrip().endswith(self._reader.markers.begin)
        if self._reader and opened and not thinking:
            text, opened = text + self._reader.markers.end, False
        return Prompt(self.ids(text), opened)

    def ready(self, requests: Sequence[Request], samplings: Samplings) -> list[Ready]:
        """Returns requests with their prompts: all of them, before the first is asked, for one may be refused.

        Raises:
            RapportError: As of `render` and `room`.
        """
        return [self._ready(request, sampling_for(samplings, request)) for request in requests]

    def prefixes(self, seen: Sequence[Request], samplings: Samplings) -> SharedPrefixes:
        """Returns what tells how much later prompts share with those that were `seen` before, and with each other."""
        prefixes = SharedPrefixes()
        for request in seen:
            thinking = sampling_for(samplings, request).thought_tokens > 0
            prefixes.add(request.group, self.render(request.messages, thinking).token_ids)
        return prefixes

    def ids(self, text: str) -> list[int]:
        """Returns the token ids of a text, without adding any special token."""
        return self._segments.ids(text)

    def text(self, token_ids: Sequence[int]) -> str:
        """Returns the text of an answer: without special tokens, and the same whichever engine produced it."""
        text: str = self.tokenizer.decode(token_ids, skip_special_tokens=True)
        return text

    def reader(self) -> Reader:
        """Returns what reads the drafts of a model that is to think.

        Raises:
            RapportError: `load_error` if the model has no known markers.
        """
        if self._reader is None:
            raise RapportError(
                Cause.LOAD_ERROR,
                f"{self._model} is to think, but neither its chat template nor its vocabulary holds a known marker of "
                "where a thought ends.",
                "Submit it as a model that does not think, or add its markers to the chat template.",
            )
        return self._reader

    def room(self, sampling: Sampling) -> int:
        """Returns how many tokens must be free after a prompt: thought, its end marker and answer.

        Raises:
            RapportError: `load_error` if the model is to think and has no known markers.
        """
        if not sampling.thought_tokens:
            return sampling.max_tokens
        return sampling.thought_tokens + len(self.reader().end_ids) + sampling.max_tokens

    def _ready(self, request: Request, sampling: Sampling) -> Ready:
        """Returns a request with its prompt."""
        room = self.room(sampling)
        prompt = self.render(request.messages, sampling.thought_tokens > 0)
        return Ready(request, sampling, prompt, len(prompt.token_ids) + room)

    def _raw_text(self, token_ids: Sequence[int]) -> str:
        """Returns the text of tokens exactly as they stand, special tokens among it."""
        exactly = {"clean_up_tokenization_spaces": False, "spaces_between_special_tokens": False}
        text: str = self.tokenizer.decode(token_ids, skip_special_tokens=False, **exactly)
        return text

    def _knows_system_role(self) -> bool:
        """Tells whether the text of a system message reaches the prompt; some templates refuse it, others drop it."""
        question = Message("user", "Hello")
        self._text([question], thinking=False)  # Must work, else it is not the role that the template minds.
        try:
            return _PROBE in self._text([Message("system", _PROBE), question], thinking=False)
        except RapportError:
            return False

    def _text(self, messages: Sequence[Message], thinking: bool) -> str:
        """Lets the template write the prompt; there are two names in use for whether a model is to think."""
        return self._template.write(
            [message._asdict() for message in messages],
            date_string=_DATE_STRING,
            enable_thinking=thinking,
            thinking=thinking,
        )


def without_system_role(messages: Sequence[Message]) -> tuple[Message, ...]:
    r"""Moves every system message into the next user message, before its text and with a blank line between them.

    Example:
        >>> without_system_role([Message("system", "Be kind."), Message("user", "Hello")])
        (Message(role='user', content='Be kind.\n\nHello'),)
    """
    moved: list[Message] = []
    held: list[str] = []
    for message in messages:
        if message.role == "system":
            held.append(message.content)
        elif message.role == "user":
            moved.append(Message("user", "\n\n".join([*held, message.content])))
            held = []
        else:
            moved.append(message)
    return (*moved, Message("user", "\n\n".join(held))) if held else tuple(moved)


def prompt_digest(token_ids: Sequence[int]) -> str:
    """Returns the SHA-256 that names a prompt, 64 hexadecimal characters."""
    return digest(list(token_ids))


def overflow(request: Request, prompt: Sequence[int]) -> Completion:
    """Returns the completion of a prompt that does not fit the context: reported, never cut."""
    return Completion(
        key=request.key,
        text=None,
        failure=Cause.CONTEXT_OVERFLOW,
        prompt_hash=prompt_digest(prompt),
        prompt_tokens=len(prompt),
        cached_tokens=0,
        shared_tokens=0,
        output_tokens=0,
        finish_reason="error",
        seconds=0.0,
    )
