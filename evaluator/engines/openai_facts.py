"""What a chat-completions server tells of itself: which model, how long a prompt, which template."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import NamedTuple

from openai import BadRequestError, NotFoundError

from evaluator.engines.base import EndpointSpec, Message
from evaluator.engines.openai_chat import PINNED_DATE, ModelList, TokenReply, VersionReply, token_body
from evaluator.engines.openai_client import Server
from evaluator.engines.prompt import prompt_digest
from evaluator.errors import Cause, RapportError

log = logging.getLogger("rapport.engine")

_TALK = (Message("user", "Hello"), Message("assistant", "Good day"), Message("user", "Who are you?"))
_SHOWN_MODELS = 10


class Served(NamedTuple):
    """What a server told.

    Attributes:
        version: Of the server; `unknown` where it does not tell.
        context_length: Tokens of prompt and answer together.
        template_hash: `remote-` and the digest of what template and tokenizer make of a fixed conversation, or
            `remote-unknown`: a server shows its template to nobody.
        template_arguments: What the template is told and how system messages reach it, as sorted name and value
            pairs; none for a plain server. A template that asks for today's date by `strftime_now` gets the server's
            own, since a function cannot be sent; its hash then changes with the day.
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
    talk = await token_ids(server, spec, _TALK)
    native = await _knows_system_role(server, spec)
    return Served(
        version=await _version(server, spec),
        context_length=context_length,
        template_hash="remote-unknown" if talk is None else f"remote-{prompt_digest(talk)}",
        template_arguments=(
            ("date_string", PINNED_DATE),
            ("strftime_now", "today"),
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
