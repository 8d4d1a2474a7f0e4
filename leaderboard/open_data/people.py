"""The rows of what people said on the labelling page; verdicts of theirs stand among the judges' as `OpenVerdict`."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from leaderboard.open_data.records import OpenRecord
from leaderboard.records import Moment


class OpenLabel(OpenRecord):
    """One label that one person gave to one item: a word or a number."""

    schema_version: Literal[1] = 1
    """Version of this row's layout."""
    data_set: str
    """Data set that the item stands in, as `owner/name` or a name of ours."""
    data_sha: str
    """Commit or digest of that data set as the person saw it."""
    stage: str
    """What was asked of the person: `verification`, `relevance` or `rating`."""
    item_id: str
    """Name of the item in that data set: an attribute, or a prompt or response, `/`, and an attribute."""
    annotator: str
    """Pseudonym of the person, the same in all rows; who it is stands nowhere in public."""
    number: float | None
    """The label where it is a number, in the unit and range of its stage: of `rating` 1 (much worse than the generic
    answer) to 5 (much better); null where it is a word."""
    word: str | None
    """The label where it is a word of its stage's list; null where it is a number."""
    order: str | None
    """Which of two answers the person saw first, such as `generic_first`; null where there are no two."""
    wording: str
    """What the person was told: id of the instruction, `@`, and the first 16 digits of its SHA-256."""
    seconds: float
    """Seconds from showing the item to the label, at least 0; pauses count."""
    consent: str
    """Version of the text under which the person agreed that the label is public."""
    created_at: Moment
    """When it was given, in UTC."""
    licence: str
    """Licence that the person gave the label under."""

    @model_validator(mode="after")
    def _has_one_value(self) -> Self:
        if (self.number is None) == (self.word is None):
            raise ValueError("a label is a number or a word, never both or neither")
        return self


class OpenAnnotator(OpenRecord):
    """One person who labels, or has withdrawn all labels."""

    schema_version: Literal[1] = 1
    """Version of this row's layout."""
    annotator: str
    """Pseudonym of the person, as in the configs `labels` and `verdicts`."""
    consent: str | None
    """Version of the text that the person has agreed to by now; null for one who has withdrawn."""
    withdrawn_at: Moment | None
    """When the person last withdrew all labels that there were, in UTC; null for one who never did."""
    labels: int
    """Labels and verdicts of the person that stand, at least 0; those on attention items are not among them."""
    attention_items: int
    """Attention items, whose answer is known, that the person has answered, at least 0. Which they are is not told."""
    attention_right: int
    """How many of these answers were right, 0 to `attention_items`."""
