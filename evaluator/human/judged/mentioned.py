"""Whether personalised answers name the attributes openly that they were written from, found by a rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from evaluator.human.data import HumanData
from evaluator.human.judged.rules import rule_key, rule_row
from evaluator.human.judged.subjects import Pair, prompt_of
from evaluator.human.labelled import pair_item
from evaluator.human.stages.mentions import mentions
from evaluator.records import Outcome, Terms, Verdict

MENTIONS = "mentions"
"""The rule that finds whether an answer names an attribute openly; see `evaluator.human.stages.mentions`."""
MENTIONS_REVISION = "1"
"""Another one as soon as the rule says anything else of any answer."""
_SAYS = {True: Outcome.MENTIONED, False: Outcome.UNMENTIONED, None: Outcome.UNTOLD}


def mentions_in(pairs: Mapping[str, Pair], data: HumanData, terms: Terms, known: Iterable[str]) -> Iterator[Verdict]:
    """Yields for each attribute of each pair whether the personalised answer names it openly.

    Args:
        pairs: By item.
        data: Where the texts of attributes and prompts are.
        terms: Of the rows.
        known: Keys of the rows that are there.
    """
    there = set(known)
    for name, pair in pairs.items():
        answer, prompt = pair.personalised, data.prompts[prompt_of(pair.item)]
        for attribute_id in pair.item.attributes:
            question_id, content = pair_item(name, attribute_id), str(answer.content_hash)
            key = rule_key(MENTIONS, MENTIONS_REVISION, question_id, content, data.shown_sha)
            if key.digest() not in there:
                said = mentions(data.attributes[attribute_id].text, answer.answer or "", prompt.text)
                yield rule_row(key, _SAYS[said], terms)
