"""What a chat-completions server tells of itself: which model, how long a prompt, which template."""

from __future__ import annotations

import datetime
import logging
import re
from collections.abc import Sequence
from typing import NamedTuple

from openai import BadRequestError, NotFoundError

from evaluator.engines.base import EndpointSpec, Message
from evaluator.engines.openai_chat import PINNED_DATE, ModelList, TextReply, TokenReply, VersionReply, token_body
from evaluator.engines.openai_client import Server
from evaluator.engines.prompt import prompt_digest
from evaluator.errors import Cause, RapportError
from evaluator.identity import text_digest

log = logging.getLogger("rapport.engine")

_TALK = (Message("user", "Hello"), Message("assistant", "Good day"), Message("user", "Who are you?"))
_SHOWN_MODELS = 10
_DATES = (
    *("%d %B %Y", "%d %b %Y", "%d-%b-%Y", "%B %d, %Y", "%b %d, %Y", "%B %d %Y", "%b %d %Y"),
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y"),
)
"""How templates write dates, with and without leading zeros."""


class Served(NamedTuple):
    """What a server told.

    Attributes:
        version: Of the server; `unknown` where it does not tell.
        context_length: Tokens of prompt and answer together.
        template_hash: `remote-` and the digest of what template and tokenizer make of a fixed conversation, or
            `remote-unknown`: a server shows its template to nobody. Where today's date stands in it, the digest is
            that of the text with the pinned date in its place, so that it is the same one tomorrow.
        template_arguments: What the template is told and how system messages reach it, as sorted name and value
            pairs; none for a plain server. A template that asks for today's date by `strftime_now` gets the server's
            own, since a function cannot be sent: `date` is then `not pinned`. It is `unknown` if the server does not
            show the text of a prompt, and left out if no such date stands in it.
        native_system: Whether the template takes system messages.
    """

    version: str
    context_length: int
    template_hash: str
    template_arguments: tuple[tuple[str, str], ...]
    native_system: bool


async def inspect(server: Server, spec: EndpointSpec) -> Served:
    """Asks a server what it is.

    Raises:
        OpenAIError: If it does not answer, does not know us, or its template refuses a plain conversation.
        RapportError: `not_found` if it has no such model, `load_error` if its context is not known or contradicts the
            specification.
    """
    context_length = await _context_length(server, spec)
    if spec.flavour == "plain":
        return Served("unknown", context_length, "remote-unknown", (), True)
    template_hash, date = await _template(server, spec)
    native = await _knows_system_role(server, spec)
    return Served(
        version=await _version(server, spec),
        context_length=context_length,
        template_hash=template_hash,
        template_arguments=(
            *((("date", date),) if date else ()),
            ("date_string", PINNED_DATE),
            ("system_role", "native" if native else "first_user"),
        ),
        native_system=native,
    )


async def token_ids(server: Server, spec: EndpointSpec, messages: Sequence[Message]) -> tuple[int, ...] | None:
    """Returns a prompt's token ids; None where the server does not tell.

    Raises:
        OpenAIError: `BadRequestError` if the server's template refuses the conversation, or any other.
    """
    if spec.flavour == "plain":
        return None
    try:
        return (await server.ask(TokenReply, "//tokenize", token_body(spec, messages))).tokens
    except NotFoundError:
        return None


async def _template(server: Server, spec: EndpointSpec) -> tuple[str, str | None]:
    """Returns the hash that stands for a template, and what is to be said of its date."""
    talk = await token_ids(server, spec, _TALK)
    if talk is None:
        return "remote-unknown", "unknown"
    by_tokens = f"remote-{prompt_digest(talk)}"
    try:
        text = (await server.ask(TextReply, "//detokenize", {"model": spec.model, "tokens": talk})).prompt
    except NotFoundError:
        return by_tokens, "unknown"
    pinned = pin_dates(text, datetime.datetime.now(datetime.UTC).date())
    return (by_tokens, None) if pinned == text else (f"remote-{text_digest(pinned)}", "not pinned")


def pin_dates(text: str, today: datetime.date) -> str:
    """Returns a text with the pinned date wherever today's stands in it, in one and the same form.

    Yesterday's and tomorrow's are today's elsewhere on the earth. A weekday beside a date goes with it.

    Example:
        >>> pin_dates("It is Friday, March 6, 2026.", datetime.date(2026, 3, 5))
        'It is 01 Jan 2025.'
    """
    for days in (-1, 0, 1):
        text = re.sub(_pattern_of(today + datetime.timedelta(days)), PINNED_DATE, text, flags=re.IGNORECASE)
    return text


def _pattern_of(day: datetime.date) -> str:
    """Returns a pattern of how a day may be written."""
    written = {day.strftime(form) for form in _DATES}
    written |= {re.sub(r"\b0", "", date) for date in written}
    dates = "|".join(re.escape(date) for date in sorted(written))
    weekday = rf"\b(?:{day:%A}|{day:%a})\b"
    return rf"(?:{weekday},? )?(?<!\d)(?:{dates})(?!\d)(?:,? \(?{weekday}\)?)?"


async def _knows_system_role(server: Server, spec: EndpointSpec) -> bool:
    """Tells whether a system message makes a difference to the prompt; some templates refuse it, others drop it."""
    question = Message("user", "Hello")
    try:
        brief = await token_ids(server, spec, [Message("system", "Be brief."), question])
        kind = await token_ids(server, spec, [Message("system", "Be kind."), question])
    except BadRequestError:
        return False
    return brief is None or brief != kind


async def _version(server: Server, spec: EndpointSpec) -> str:
    """Returns the version of vLLM; a balancer may hide it."""
    try:
        return (await server.ask(VersionReply, "//version")).version
    except NotFoundError:
        log.warning("The server of %s does not tell its version.", spec.model)
        return "unknown"


async def _context_length(server: Server, spec: EndpointSpec) -> int:
    """Returns the tokens of prompt and answer together, as the server or else the specification tells."""
    served = await _served_length(server, spec)
    declared = spec.context_length
    if served is None and declared is None:
        raise RapportError(
            Cause.LOAD_ERROR,
            f"The server of {spec.model} does not tell how long a prompt may be.",
            "Declare the context length of the endpoint.",
        )
    if served is not None and declared is not None and served != declared:
        raise RapportError(
            Cause.LOAD_ERROR,
            f"{spec.model} is declared with a context of {declared} tokens, but served with {served}.",
            "Declare what the server is started with.",
        )
    length = served or declared
    assert length is not None
    return length


async def _served_length(server: Server, spec: EndpointSpec) -> int | None:
    """Returns the context length in the server's list of models; a plain server may have no list, or leave it out."""
    try:
        cards = {card.id: card for card in (await server.ask(ModelList, "/models")).data}
    except NotFoundError:
        if spec.flavour == "vllm":
            raise
        return None
    if spec.model in cards:
        return cards[spec.model].max_model_len
    if spec.flavour == "vllm":
        raise RapportError(
            Cause.NOT_FOUND,
            f"The server at {spec.base_url} does not serve {spec.model}, only: "
            f"{', '.join(sorted(cards)[:_SHOWN_MODELS])}.",
            "Name the model as the server does.",
        )
    return None
