"""Scores rows that builders make, for tests of what they come to."""

from evaluator.hicupid.outcomes import MadeOn
from evaluator.hicupid.scoring import score
from evaluator.results import Result
from tests.builders import PERSONA, PROFILE, SCHEDULE, Answered, answered, make_item


def result_of(*entries: Answered, made_on: MadeOn | None = None) -> Result:
    return score(
        [entry.item for entry in entries],
        [row for entry in entries for row in entry.generations],
        [row for entry in entries for row in entry.verdicts],
        made_on,
    )


def one_of_each(persona, profile, schedule) -> list[Answered]:
    """One item of each type with the given outcomes."""
    return [
        answered(make_item("test_1/persona", PERSONA), *persona),
        answered(make_item("test_1/profile", PROFILE), *profile),
        answered(make_item("test_1/schedule", SCHEDULE), *schedule),
    ]
