"""Makes endpoints of Gradio's API from methods: names and types from their signatures, errors with their causes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

import gradio as gr
from pydantic import TypeAdapter, ValidationError

from evaluator.errors import Cause, RapportError
from leaderboard.api.endpoints import Endpoints
from leaderboard.api.tokens import Tokens
from leaderboard.pages.identity import person_of
from leaderboard.people import Person
from leaderboard.settings import Settings

NAMES = (
    *("check", "submit", "status", "logs", "submissions"),
    *("cancel", "retry", "withdraw", "correct", "dispute"),
    *("answer", "lift", "pause", "resume"),
    *("board", "agreement", "scorecard", "compare"),
)
"""All that the API reaches: what the pages show and do, and nothing else."""
_AT_ONCE = 8
"""Calls of one endpoint that run at the same time; the others wait in Gradio's queue."""
_PERSON = "person"

Method = Callable[..., Any]
Identify = Callable[[gr.OAuthProfile | None, gr.Request | None], Person]
"""Returns who acts, as the server knows it."""


def attach(endpoints: Endpoints, settings: Settings, tokens: Tokens | None = None) -> None:
    """Adds all endpoints to the Gradio app that is being made.

    Args:
        endpoints: What answers.
        settings: Says who maintains, and whether there is a local user.
        tokens: Tells whose tokens are; the Hub is asked if left out.
    """
    identify = identity(settings, tokens or Tokens())
    for name in NAMES:
        method = getattr(endpoints, name)
        gr.api(
            handler(method, identify),
            api_name=name,
            api_description=inspect.getdoc(method),
            concurrency_limit=_AT_ONCE,
        )


def identity(settings: Settings, tokens: Tokens) -> Identify:
    """Returns what tells who acts: the server's session, or else a token, where people can log in at all."""

    def identify(profile: gr.OAuthProfile | None, request: gr.Request | None) -> Person:
        sent = request.headers.get("authorization") if request is not None else None
        if profile is None and sent and settings.can_log_in:
            return tokens.person(sent)
        return person_of(profile, settings)

    return identify


def handler(method: Method, identify: Identify) -> Callable[..., Any]:
    """Returns a handler for Gradio, which fills in profile and request from the server's side.

    It takes what `method` takes but for `person`. What fails is answered as an error whose title is the cause.
    """
    hints = get_type_hints(method, include_extras=True)
    returns = hints.pop("return")
    asked = [each for each in inspect.signature(method).parameters.values() if each.name != _PERSON]
    readers = {each.name: TypeAdapter(hints[each.name]) for each in asked}

    def handle(*values: Any) -> Any:
        *given, profile, request = values
        try:
            arguments = read_arguments(readers, dict(zip(readers, given, strict=True)))
            if _PERSON in hints:
                arguments[_PERSON] = identify(profile, request)
            return method(**arguments)
        except RapportError as error:
            raise gr.Error(str(error), title=error.cause.value, print_exception=False) from None

    filled_in = {"profile": gr.OAuthProfile | None, "request": gr.Request}
    handle.__name__ = method.__name__
    handle.__annotations__ = {**{each.name: hints[each.name] for each in asked}, **filled_in, "return": returns}
    positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
    handle.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            *(each.replace(kind=positional) for each in asked),
            *(inspect.Parameter(name, positional, default=None, annotation=hint) for name, hint in filled_in.items()),
        ],
        return_annotation=returns,
    )
    return handle


def read_arguments(readers: Mapping[str, TypeAdapter[Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    """Reads what was sent.

    Raises:
        RapportError: `data_error` naming the argument that is wrong, and not what was sent.
    """
    arguments = {}
    for name, reader in readers.items():
        try:
            arguments[name] = reader.validate_python(given[name])
        except ValidationError as error:
            raise RapportError(
                Cause.DATA_ERROR,
                f"The argument `{name}` is not filled in properly: {error.errors()[0]['msg']}.",
                "docs/api.md says what it takes.",
            ) from error
    return arguments
