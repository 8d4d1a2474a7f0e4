"""What others have found that bears on how far this site's figures reach, each with where it was published."""

from __future__ import annotations

from typing import NamedTuple

_HUMANS = "arXiv 2606.06614"
_HICUPID = "arXiv 2506.01262"
_AUTHORS = "as its authors say in abstract or blog"
_SECOND_HAND = "at second hand, not checked here"


class Finding(NamedTuple):
    """One finding."""

    says: str
    source: str


FINDINGS: tuple[Finding, ...] = (
    Finding(
        "54.6 % of personalised responses were judged no better than generic ones by people.",
        f"{_HUMANS}, {_AUTHORS}",
    ),
    Finding(
        "Of single attributes, people's mean rating was 3.18 where 3 is no difference, and LLM judges' means were 3.41 "
        "to 4.02: judges see more use in personalisation than people do.",
        f"{_HUMANS}, {_SECOND_HAND}",
    ),
    Finding(
        "On ratings two people reach a Spearman correlation of 0.325, and LLM judges 0.11 to 0.38 with people.",
        f"{_HUMANS}, {_SECOND_HAND}",
    ),
    Finding(
        "On relevance Cohen's kappa is 0.426 between two people, 0.597 between two LLMs and 0.300 between a person and "
        "an LLM; people call about 20 % relevant, LLMs 40 to 60 %.",
        f"{_HUMANS}, {_AUTHORS}",
    ),
    Finding(
        "Attributes taken from real chats are problematic 22 % more often than those from synthetic ones.",
        f"{_HUMANS}, {_AUTHORS}",
    ),
    Finding(
        "HiCUPID's distilled judge agrees with GPT-4o to a Cohen's kappa of 0.70 to 0.75: with another model, not with "
        "people.",
        f"{_HICUPID}, {_SECOND_HAND}",
    ),
)
