"""All figures of a judge at once, beside the other judges and people: a pure function of what they said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from evaluator.hicupid.questions import Item
from evaluator.judges.quality.between import agreement_between
from evaluator.judges.quality.family import family_preference, others_of
from evaluator.judges.quality.judged import Judged, in_order
from evaluator.judges.quality.length import length_preference
from evaluator.judges.quality.people import PeopleSaid, majority_by_source, people_agreement
from evaluator.judges.quality.reading import position_figures, reading_figures
from evaluator.judges.quality.records import Costs, HumanSetAgreement, JudgeQuality, Training


class Rated(NamedTuple):
    """One version of a judge, and what it said."""

    judge: str
    """Its id; unique among those that are compared."""
    revision: str
    config: str
    """Digest of its whole configuration."""
    prompt_pack: str
    """Its prompts, and how answers are set into them."""
    family: str | None
    """Family of the model that it is made of; None where nobody says."""
    training: Training
    judged: Sequence[Judged]
    """Of all models whose answers it owes a verdict on, as `judged_of` returns them."""
    costs: Costs
    """As `evaluator.judges.quality.reading.costs_of` returns them."""


def judge_quality(
    judge: Rated,
    others: Sequence[Rated],
    people: Sequence[PeopleSaid],
    items: Mapping[str, Item],
    families: Mapping[str, str | None],
    *,
    epsilon: float,
    human_sets: Sequence[HumanSetAgreement] = (),
) -> JudgeQuality:
    """Returns all that is told of a judge; the order in which anything is given changes nothing.

    Args:
        judge: Which.
        others: The other judges; one of the same id is left out.
        people: Labels, source by source.
        items: Items by question id, those of all labels among them.
        families: The family of each model by its name on the board; None, or no entry, where nobody says.
        epsilon: What the alternative annotator test grants the judge; see `people_agreement`.
        human_sets: What `evaluator.judges.quality.human_sets` found, if the judge is asked that; it is passed on.
    """
    rest = {other.judge: other for other in others if other.judge != judge.judge}
    held = others_of(judge.family, {name: other.family for name, other in rest.items()})
    own, said = in_order(judge.judged), {name: in_order(other.judged) for name, other in rest.items()}
    return JudgeQuality(
        judge=judge.judge,
        revision=judge.revision,
        config=judge.config,
        prompt_pack=judge.prompt_pack,
        family=judge.family,
        training=judge.training,
        answers=len(own),
        models=len({each.model for each in own}),
        users=len({each.user for each in own}),
        reading=reading_figures(own),
        positions=position_figures(own),
        length=length_preference(own, said | majority_by_source(people, items)),
        family_preference=family_preference(judge.family, own, {name: said[name] for name in held}, families),
        agreement=tuple(agreement_between(own, name, said[name], judge.training) for name in sorted(said)),
        people=tuple(
            found
            for some in sorted(people, key=lambda some: some.source)
            for found in people_agreement(own, some, items, judge.training, epsilon)
        ),
        human_sets=tuple(sorted(human_sets, key=lambda each: (each.source, each.task, each.kind))),
        costs=judge.costs,
    )
