"""Servers that run a model or a judge in the place of an engine of our own, as options name them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, NamedTuple

import typer

from evaluator.engines.base import EndpointSpec
from evaluator.errors import Cause, RapportError


class FlavourChoice(StrEnum):
    """Kinds of servers."""

    VLLM = "vllm"
    PLAIN = "plain"


JudgeUrl = Annotated[str | None, typer.Option(help="Server that runs the judge; RAPPORT_JUDGE_URL if left out.")]
JudgeName = Annotated[str | None, typer.Option(help="The judge's name on that server; its model if left out.")]
Key = Annotated[str | None, typer.Option(help="Environment variable with that server's key.")]
Flavour = Annotated[
    FlavourChoice | None, typer.Option(help="vllm if left out; plain for any other OpenAI-compatible server.")
]
Context = Annotated[
    int | None, typer.Option(min=1, help="Tokens of prompt and answer there, if that server does not tell.")
]


class Server(NamedTuple):
    """What options say of a server."""

    url: str | None
    name: str | None
    key: str | None
    flavour: FlavourChoice | None
    context: int | None

    def endpoint(self, role: Literal["model", "judge"], name: str) -> EndpointSpec | None:
        """Returns the server, which knows the model of a role by `name` if the options do not say; None without one."""
        if self.url is None:
            if any(told is not None for told in self):
                others = ", ".join(f"--{role}-{option}" for option in self._fields[1:])
                raise typer.BadParameter(f"{others} belong to --{role}-url")
            return None
        try:
            return EndpointSpec(
                base_url=self.url,
                model=self.name or name,
                key_variable=self.key,
                flavour=(self.flavour or FlavourChoice.VLLM).value,
                context_length=self.context,
            )
        except ValueError as error:
            raise RapportError(
                Cause.MALFORMED_ID,
                "The server's address or key variable is malformed.",
                "Write it as http://host:8000/v1.",
            ) from error
