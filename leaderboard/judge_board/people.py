"""What people said of answers on the board, source by source: the site's own labels, and labelled verdict files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from evaluator.judges.quality.labelled import LabelledVerdict, labels_of_people
from evaluator.judges.quality.people import PeopleSaid
from evaluator.records import Verdict
from leaderboard.judge_board.gathering import Gathered, name_of
from leaderboard.judge_board.labels import SITE, KeptLabels, labels_in
from leaderboard.rescoring.compared import people_of
from leaderboard.store.base import Store


class Heard(NamedTuple):
    """One source of people's labels, and how much of it counts."""

    said: PeopleSaid
    left_out: int
    """Labels on answers that no published run holds by now, or that several data sets have."""
    conflicting: int
    """Answers of an annotator who said two different things of them."""


def people_heard(store: Store, gathered: Gathered) -> list[Heard]:
    """Returns what people said of the board's answers, sorted by source; a source of which nothing counts is there too.

    Args:
        store: The archive.
        gathered: What the board is of.

    Raises:
        RapportError: `data_error` if labels cannot be read.
        StoreError: If the store cannot be read.
    """
    site = _of_site(people_of(store), gathered)
    return [*([site] if site else []), *(_of_file(kept, gathered) for kept in labels_in(store))]


def _of_site(by_run: Mapping[str, Iterable[Verdict]], gathered: Gathered) -> Heard | None:
    """Returns what people said on the site; None if nobody did."""
    by_data: dict[str, list[Verdict]] = defaultdict(list)
    for rows in by_run.values():
        for row in rows:
            by_data[row.key.data_sha].append(row)
    labels, left_out, conflicting = list[LabelledVerdict](), 0, 0
    for data_sha, rows in sorted(by_data.items()):
        told = labels_of_people(rows)
        conflicting += told.conflicting
        named = [_renamed(label, name_of(data_sha, label.question_id)) for label in told.labels]
        known = [label for label in named if (label.question_id, label.content_hash) in gathered.answers]
        labels, left_out = labels + known, left_out + len(named) - len(known)
    return Heard(PeopleSaid(SITE, labels), left_out, conflicting) if by_data else None


def _of_file(kept: KeptLabels, gathered: Gathered) -> Heard:
    """Returns what a labelled verdict file says."""
    labels = []
    for label in kept.labels:
        names = gathered.asked_as.get(label.question_id, ())
        found = [name for name in names if (name, label.content_hash) in gathered.answers]
        if len(found) == 1:
            labels.append(_renamed(label, found[0]))
    return Heard(PeopleSaid(kept.terms.name, labels), len(kept.labels) - len(labels), 0)


def _renamed(label: LabelledVerdict, name: str) -> LabelledVerdict:
    """Returns a label on the question by the name that the board has for it."""
    return label.model_copy(update={"question_id": name})
