"""What verifiers and rating judges said of things that people labelled as well, data set by data set.

A run of a human-grounded task has its judge read what the data set itself holds beside what a model wrote; those words
are the same whatever model was asked, so every run of the same version of a judge adds to them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from evaluator.errors import RapportError
from evaluator.hicupid.outcomes import MadeOn, latest_rows
from evaluator.human.data import HumanData
from evaluator.human.items import HumanItem, Part
from evaluator.human.judged.prompts import RATINGS
from evaluator.human.labelled import problem_of
from evaluator.human.records import Verification
from evaluator.human.tasks import JudgedTask, Task
from evaluator.judges.quality.costs import AttemptColumns, CostTally
from evaluator.judges.quality.human_sets import human_set_agreement
from evaluator.judges.quality.records import Costs, HumanSetAgreement
from evaluator.protocol import PEOPLE
from evaluator.records import Outcome, Verdict
from leaderboard.decided import is_shown
from leaderboard.judge_board.gathering import Telling, Version
from leaderboard.labelling.pools import open_human_set, set_name
from leaderboard.results import HumanScorecard
from leaderboard.store import layout
from leaderboard.store.base import NotFound, Store, StoreCorrupt
from leaderboard.store.rows import read_record
from leaderboard.store.runs import StoredRun
from leaderboard.submissions.history import History

_GIVEN = "given/"
"""What the names of things begin with that the data set itself holds."""
_TASKS: Mapping[str, Literal[Task.VERIFICATION, Task.RATING]] = {
    JudgedTask.EXTRACTION: Task.VERIFICATION,
    JudgedTask.UPLIFT: Task.RATING,
}
_KEY_DIGITS = 16


class OfSets(NamedTuple):
    """What is known of one version of a judge that verifies or rates."""

    agreements: tuple[HumanSetAgreement, ...]
    costs: Costs
    """Of its verdicts on what the data sets hold."""
    runs: int


class _Said:
    """What one version of a judge said of one data set so far."""

    def __init__(self, task: Literal[Task.VERIFICATION, Task.RATING]) -> None:
        self.task = task
        self.labels: dict[str, float] = {}
        self.mentioned: dict[str, bool] = {}


def said_of_sets(store: Store, sources: Iterable[str], epsilon: float, note: Telling) -> dict[Version, OfSets]:
    """Returns how far verifiers and rating judges agree with people's labels, by version.

    Args:
        store: The archive.
        sources: Data sets of people's labels: `demo`, folders, or ids on the Hub.
        epsilon: What the alternative annotator test grants a judge.
        note: Is told what is left out, and why.

    Raises:
        RapportError: As of `open_human_set`.
        StoreError: If the store as a whole cannot be read.
    """
    agreements: dict[Version, list[HumanSetAgreement]] = defaultdict(list)
    costs: dict[Version, CostTally] = defaultdict(CostTally)
    runs: dict[Version, set[str]] = defaultdict(set)
    for source in dict.fromkeys(sources):
        data, name = open_human_set(source), set_name(source)
        heard: dict[tuple[Version, Task], _Said] = {}
        for card in _judged_cards(store, note):
            try:
                for version, item, row, attempts in _words(store, card, data):
                    task = _TASKS[item.task]
                    said = heard.setdefault((version, task), _Said(task))
                    runs[version].add(card.run_id)
                    costs[version].add(attempts)
                    if row.outcome is not None:
                        said.labels.setdefault(item.question_id.removeprefix(_GIVEN), _number(row.outcome, task))
                    if item.mentioned is not None:
                        said.mentioned[item.question_id.removeprefix(_GIVEN)] = item.mentioned
            except (RapportError, NotFound, StoreCorrupt) as error:
                note(f"What {card.judge} said at {card.run_id} is left out: {error}")
        for (version, _), said in sorted(heard.items()):
            agreements[version] += human_set_agreement(
                name, data.tables, said.task, said.labels, epsilon=epsilon, mentioned=said.mentioned
            )
    return {
        version: OfSets(tuple(found), costs[version].costs(), len(runs[version]))
        for version, found in agreements.items()
    }


def _judged_cards(store: Store, note: Telling) -> Iterator[HumanScorecard]:
    """Yields the public scorecards of tasks in which a judge reads what a model wrote."""
    buried = {path.rpartition("/")[2].removesuffix(".json") for path in store.list(layout.TOMBSTONES)}
    shown: dict[str, bool] = dict.fromkeys(buried, False)
    for path in sorted(store.list(layout.HUMAN_SCORECARDS)):
        try:
            card = read_record(store.read(path), HumanScorecard, path)
            if card.submission_id not in shown:
                of_it = layout.submission_path(card.submission_id)
                shown[card.submission_id] = is_shown(read_record(store.read(of_it), History, of_it))
        except (RapportError, NotFound, StoreCorrupt) as error:
            note(f"{path} is left out: {error}")
            continue
        if card.judge != PEOPLE and card.result.task in _TASKS and shown[card.submission_id]:
            yield card


def _words(
    store: Store, card: HumanScorecard, data: HumanData
) -> Iterator[tuple[Version, HumanItem, Verdict, AttemptColumns]]:
    """Yields the word that counts on each thing of a data set that a run had judged, with all attempts at it."""
    run = StoredRun(store, card.run_id)
    plan = run.plan()
    if plan is None or plan.asked_sha != data.shown_sha:
        return
    own = [
        row
        for row in run.rows().verdicts
        if row.rater_kind == "model" and (row.key.rater, row.key.rater_revision) == (card.judge, card.judge_revision)
    ]
    made_on = MadeOn(card.engine, card.dtype, card.judge_engine, card.judge_dtype)
    counting = latest_rows((), own, made_on)[1]
    attempts: dict[tuple[str, str], list[Verdict]] = defaultdict(list)
    for row in own:
        attempts[row.key.question_id, row.key.content_hash].append(row)
    for item in plan.labelled:
        for order in item.orders if item.part is Part.GIVEN and item.content_hash else ():
            row_that_counts = counting.get((item.question_id, str(item.content_hash), order))
            if row_that_counts is not None:
                version = card.judge, card.judge_revision, card.judge_config, row_that_counts.key.judge_prompt_pack
                every = attempts[item.question_id, str(item.content_hash)]
                yield version, item, row_that_counts, _columns(every, item)


def _number(outcome: Outcome, task: Task) -> float:
    """Returns a word as the number that people's labels have."""
    return float(RATINGS[outcome]) if task is Task.RATING else problem_of(Verification(outcome.value))


def _columns(rows: Sequence[Verdict], item: HumanItem) -> AttemptColumns:
    """Returns attempts as columns."""
    cached = [np.nan if row.cached_tokens is None else row.prompt_tokens - row.cached_tokens for row in rows]
    return AttemptColumns(
        verdicts=np.array([int(row.verdict_key[:_KEY_DIGITS], 16) for row in rows], dtype=np.uint64),
        users=[(item.person, 0)] * len(rows),
        numbers=np.array([row.attempt for row in rows], dtype=np.int64),
        prompt_tokens=np.array([row.prompt_tokens for row in rows], dtype=np.float64),
        output_tokens=np.array([row.output_tokens for row in rows], dtype=np.float64),
        computed_tokens=np.array(cached, dtype=np.float64),
        seconds=np.array([row.seconds or np.nan for row in rows], dtype=np.float64),
    )
