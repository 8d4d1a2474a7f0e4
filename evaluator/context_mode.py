"""Which part of a user's history a model is shown: part of a protocol, so plain data."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from evaluator.records import Record

Unit: TypeAlias = Literal["utterance", "dialogue"]
"""What is retrieved: one turn, which is what the user said and what the assistant answered, or a whole dialogue."""


class FullHistory(Record):
    """All dialogues."""

    mode: Literal["full"]


class GoldEvidence(Record):
    """Only the dialogues that hold the facts a question needs: what a perfect retrieval would show."""

    mode: Literal["gold"]


class TokenWindow(Record):
    """The newest whole dialogues that fit a number of tokens, counted with the submitted model's own tokenizer."""

    mode: Literal["window"]
    tokens: int = Field(gt=0)
    """For the history alone, as the model's chat template writes it; instruction and question come on top."""


class Bm25(Record):
    """The parts that share the most telling words with the question."""

    mode: Literal["bm25"]
    unit: Unit
    k: int = Field(gt=0)


class Dense(Record):
    """The parts nearest to the question in the space of an encoder.

    Every encoder is used as Contriever was trained: mean over the tokens, compared by dot product, no prefix. One that
    was made for another use is not recognised, and would be used wrongly.
    """

    mode: Literal["dense"]
    encoder: str = Field(default="facebook/contriever", pattern=r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$")
    """Hub id, or `local/NAME`."""
    revision: str | None = None
    """Branch, tag or commit; None takes the default branch. It is pinned to a SHA before the run."""
    unit: Unit
    k: int = Field(gt=0)


ContextMode = Annotated[FullHistory | GoldEvidence | TokenWindow | Bm25 | Dense, Field(discriminator="mode")]
"""What a model is shown of a history before it is asked, by the context mode of the protocol."""
