"""Works out the board of judges from an archive: every version of every judge, beside the others and people."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from evaluator.errors import Cause, RapportError
from evaluator.judges.quality.board import Rated, judge_quality
from evaluator.judges.spec import JudgeSpec
from leaderboard.judge_board.gathering import Version, gather, training_of
from leaderboard.judge_board.gold import GoldLengths
from leaderboard.judge_board.human_sets import OfSets, said_of_sets
from leaderboard.judge_board.people import Heard, people_heard
from leaderboard.judge_board.records import ComputedQuality
from leaderboard.records import Moment
from leaderboard.store.base import Store

log = logging.getLogger("rapport.judges")

EPSILON = 0.1
"""What the alternative annotator test grants a judge unless somebody says who the annotators are: as beside a crowd."""


class Board(NamedTuple):
    """The board of judges as it was worked out."""

    qualities: tuple[ComputedQuality, ...]
    """Sorted by judge, commit, configuration and prompts."""
    people: tuple[Heard, ...]
    """Whose labels they were held against."""
    left_out: tuple[str, ...]
    """What could not be read, a sentence each."""


def compute_board(
    store: Store,
    judges: Sequence[JudgeSpec],
    at: Moment,
    *,
    epsilon: float = EPSILON,
    only: Collection[str] = (),
    human: Iterable[str] = (),
) -> Board:
    """Works out the quality of judges.

    Each version is held against one version of every other judge: the one that has judged the most answers.

    Args:
        store: The archive.
        judges: Those that are known, for their families and what they were trained on.
        at: Now.
        epsilon: What the alternative annotator test grants the judge; see `people_agreement`.
        only: Ids of the judges that are wanted; all if empty.
        human: Data sets of people's labels, beside which verifiers and rating judges are set: `demo`, folders, or ids
            on the Hub.

    Raises:
        RapportError: `not_found` if a judge that is wanted has said nothing; what opening a data set raises.
        StoreError: If the store as a whole cannot be read.
    """
    left_out: list[str] = []

    def note(told: str) -> None:
        log.error("%s", told)
        left_out.append(told)

    head = store.head()
    gathered = gather(store, judges, GoldLengths(note).of, note)
    people = people_heard(store, gathered)
    of_sets = said_of_sets(store, human, epsilon, note)
    known = {judge.id: judge for judge in judges}
    rated = (*gathered.rated, *_of_words(of_sets, known))
    runs = dict(gathered.runs) | {version: each.runs for version, each in of_sets.items()}
    if lacking := sorted(set(only) - {each.judge for each in rated}):
        raise RapportError(
            Cause.NOT_FOUND,
            f"There is no verdict of {', '.join(lacking)} on a published run.",
            "Check the spelling, or have it judge: `rapport rescore --judge ID`.",
        )
    others = _representatives(gathered.rated)
    found = []
    for each in rated:
        if only and each.judge not in only:
            continue
        version = each.judge, each.revision, each.config, each.prompt_pack
        quality = judge_quality(
            each,
            others,
            [heard.said for heard in people if heard.said.labels],
            gathered.items,
            gathered.families,
            epsilon=epsilon,
            human_sets=of_sets[version].agreements if version in of_sets else (),
        )
        found.append(ComputedQuality(quality=quality, computed_at=at, runs=runs[version], archive_revision=str(head)))
    return Board(tuple(found), tuple(people), tuple(left_out))


def _of_words(of_sets: Mapping[Version, OfSets], judges: Mapping[str, JudgeSpec]) -> Iterator[Rated]:
    """Yields the versions of judges that verify or rate: they said nothing of answers beside gold."""
    for version in sorted(of_sets):
        spec = judges.get(version[0])
        yield Rated(
            *version,
            family=spec.family if spec else None,
            training=training_of(spec),
            judged=(),
            costs=of_sets[version].costs,
        )


def _representatives(rated: Iterable[Rated]) -> list[Rated]:
    """Returns one version of each judge: that which has judged the most answers, of equal ones the first."""
    chosen: dict[str, Rated] = {}
    for each in rated:
        before = chosen.get(each.judge)
        if before is None or len(each.judged) > len(before.judged):
            chosen[each.judge] = each
    return list(chosen.values())
