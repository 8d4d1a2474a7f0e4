"""One line of the checklist, what is to be checked, and what has been found at the end."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, NamedTuple

from pydantic import BeforeValidator, Field

from evaluator.errors import Cause, RapportError
from evaluator.facts import ModelFacts
from evaluator.models import PinnedModel
from evaluator.records import Record


class CheckName(StrEnum):
    """What is looked at, in this order."""

    ID = "id"
    EXISTS = "exists"
    ACCESS = "access"
    REVISION = "revision"
    WEIGHTS = "weights"
    LICENCE = "licence"
    ARCHITECTURE = "architecture"
    SIZE = "size"
    CONTEXT = "context"
    CHAT_TEMPLATE = "chat_template"
    ADAPTER = "adapter"
    FIT = "fit"
    DUPLICATE = "duplicate"
    QUOTA = "quota"
    ESTIMATE = "estimate"


class CheckResult(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    WARNED = "warned"
    """It may be submitted, and something is worth knowing before."""
    FAILED = "failed"
    UNANSWERED = "unanswered"
    """Whoever was asked did not answer: this says nothing of the model."""
    SKIPPED = "skipped"
    """Not looked at, for the reason that its message gives."""


REFUSING = (CheckResult.FAILED, CheckResult.UNANSWERED)
"""Results with which nothing is submitted."""

_LONGEST = 1000
"""Characters of a message."""

Fact = str | int | float | bool | None


def shown(text: str) -> str:
    r"""Returns a text that can be stored and shown: what would not print is spelled out, what has no end is cut.

    Errors may quote names that a stranger chose.

    Example:
        >>> shown("no \ud800\x1b[31m id")
        'no \\ud800\\x1b[31m id'
    """
    spelled = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text[: _LONGEST + 1])
    return spelled if len(spelled) <= _LONGEST else f"{spelled[:_LONGEST]} …"


Words = Annotated[str, BeforeValidator(shown)]


class Check(Record):
    """One line of the checklist.

    Example:
        >>> Check(name=CheckName.ID, result=CheckResult.PASSED, message="It is org/model.").refuses
        False
    """

    name: CheckName
    result: CheckResult
    message: Words
    """One sentence; may hold a stranger's words, so it is to be escaped where it is shown."""
    remedy: Words = ""
    """What the reader can do; empty where nothing needs to be done."""
    cause: Cause | None = None
    """Why, in the words of failed runs; given where it refuses."""
    facts: dict[str, Fact] = Field(default_factory=dict)
    """What was found, for programs."""

    @property
    def refuses(self) -> bool:
        """Whether nothing is submitted with this result."""
        return self.result in REFUSING

    def error(self) -> RapportError:
        """Returns the error that a refusing check stands for."""
        return RapportError(self.cause or Cause.INFRASTRUCTURE, self.message, self.remedy)


class CheckRequest(NamedTuple):
    """What a person wants to submit, as typed."""

    model: str
    """`owner/name`, `local/NAME`, or a path below the models folder."""
    revision: str | None = None
    """Branch, tag or commit; None for the default branch."""
    adapter: str | None = None
    """LoRA adapter, named as models are."""
    adapter_revision: str | None = None
    protocols: tuple[str, ...] = ("demo-v1",)
    """Those that it is run on."""
    thinking: bool = False
    """Whether it is declared to think before it answers."""


class CheckedModel(NamedTuple):
    """What passed, pinned to what was looked at."""

    model: PinnedModel
    adapter: PinnedModel | None
    facts: ModelFacts


class CheckReport(Record):
    """The whole list, as the command line and the API give it."""

    schema_version: Literal[1] = 1
    allowed: bool
    """Whether it can be submitted."""
    model: str | None
    """As the Hub calls it; None where it was not found, as all below."""
    revision: str | None
    """SHA of the model's files."""
    adapter: str | None
    adapter_revision: str | None
    facts: ModelFacts | None
    checks: tuple[Check, ...]
