"""What a re-score would take, before anything is asked: verdicts that are missing, their tokens, and the time.

Nothing is guessed. Tokens and time are told from what earlier verdicts took, with the number of these; where nothing
was measured they are None.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.prompts import builtin_pack
from evaluator.judges.prompt import wording_of
from evaluator.judges.spec import JudgeSpec
from leaderboard.rescoring.columns import (
    ORDERS,
    TYPES,
    ColumnReader,
    Digests,
    DigestSet,
    RunColumns,
    are_among,
    content_digests,
    things,
    types_of,
)
from leaderboard.rescoring.preview_measures import Measured, Said, equals, leases_in, said_in
from leaderboard.rescoring.preview_records import Preview
from leaderboard.rescoring.records import Rescore, judging_id
from leaderboard.rescoring.selection import SelectedRun
from leaderboard.store import layout
from leaderboard.store.base import Store
from leaderboard.store.rows import read_record
from leaderboard.upkeep.findings import ITS_OWN, Finding, unreadable

__all__ = ["Preview", "preview"]


def preview(
    store: Store,
    judge: JudgeSpec,
    judge_revision: str | None,
    runs: Iterable[SelectedRun],
    others: Iterable[SelectedRun] = (),
    *,
    prompts: str | None = None,
    tell: Callable[[int, int], None] = lambda done, runs: None,
) -> Preview:
    """Returns what it would take to have a judge judge some runs; nothing is asked, and nothing is changed.

    A verdict is there if this judge gave it in this revision, with this decoding and, where they are known, these
    prompts, on the same answer to the same question of the same data in the same slot order. It may stand in any of the
    runs, in a re-score by this judge, finished or not, or in one of the others. On which engine the judge will run is
    not known here; see `Preview.said_on`.

    Memory grows by eight bytes for each verdict that is wanted, and by as many for each that is there.

    Args:
        store: The archive.
        judge: The judge, one that compares.
        judge_revision: Its commit; None if it is not known.
        runs: What it is to judge.
        others: Runs that it is not to judge; those are read of which it has a scorecard.
        prompts: Wording of its prompts, as `wording_of` names it; None is worked out for the built-in ones, and else
            not known.
        tell: Is told after each run how many of how many were read.

    Raises:
        RapportError: `judge_error` if the judge compares no answers.
        StoreError: If the store as a whole cannot be read.

    Example:
        >>> preview(store, load_judge("demo"), "0a1b2c3d", select(store, Filters())).missing  # doctest: +SKIP
        84
    """
    if judge.kind != "pairwise":
        raise RapportError(
            Cause.JUDGE_ERROR,
            f"{judge.id} is a judge of kind {judge.kind}; runs of HiCUPID are judged by one that compares.",
            "Name a judge of kind pairwise.",
        )
    if prompts is None and judge.prompt_pack == "builtin":
        prompts = wording_of(builtin_pack())
    decodings = tuple(judge.decoding(type_) for type_ in TYPES)
    counting = _Counting(store, _Judge(judge.id, judge_revision, prompts, decodings))
    wanted = dict.fromkeys(run.run_id for run in runs)
    beside = dict.fromkeys([*(run.run_id for run in others if judge.id in run.judges), *counting.judgings()])
    further = [name for name in beside if name not in wanted]
    for done, name in enumerate([*wanted, *further], start=1):
        counting.take(name, judged=done <= len(wanted))
        tell(done, len(wanted) + len(further))
    return counting.preview()


class _Judge(NamedTuple):
    """The judge that is to judge, as keys of verdicts name it."""

    id: str
    revision: str | None
    prompts: str | None
    decodings: tuple[str, ...]
    """By question type."""


class _Answers(NamedTuple):
    """The answers of a run that a judge reads."""

    wanted: Digests
    """What is to be judged, one a slot order."""
    answers: int
    unjudged: Counter[str]
    """All other items, by why."""


class _There(NamedTuple):
    """The verdicts of a run that count as there."""

    verdicts: Digests
    said_on: Counter[str]
    """Rows by engine and precision."""


_ORDERS = pa.array([str(order) for order in ORDERS])


class _Counting:
    """Counts run by run."""

    def __init__(self, store: Store, judge: _Judge) -> None:
        """Has counted nothing."""
        self._store, self._judge, self._reader = store, judge, ColumnReader(store)
        self._wanted, self._there = DigestSet(), DigestSet()
        self._runs = self._unreadable = self._items = self._answers = 0
        self._unjudged, self._said_on = Counter[str](), Counter[str]()
        self._measured = (Measured(judge.id), Measured(None))
        self._findings: list[Finding] = []

    def judgings(self) -> list[str]:
        """Returns the names under which re-scores by this judge keep what it said; of some nothing may be stored."""
        names = list[str]()
        for path in self._store.list(layout.RESCORES):
            if path.endswith("/rescore.json"):
                try:
                    rescore = read_record(self._store.read(path), Rescore, path)
                except ITS_OWN as error:
                    self._findings.append(unreadable(path, error).finding)
                    continue
                if rescore.judge == self._judge.id:
                    names += [judging_id(rescore.id, run_id) for run_id in rescore.runs]
        return names

    def take(self, name: str, *, judged: bool) -> None:
        """Counts a run, or what was judged of one; one that cannot be read is a finding and counts as nothing.

        Args:
            name: The run, or the judging.
            judged: Whether its answers are to be judged.
        """
        try:
            run = self._reader.read(name, answers=judged)
            if run is None and judged:
                raise _without_plan(name)
            answers = _answers_in(run, name) if run and judged else None
            said = said_in(run) if run else None
            there = self._there_in(run, said, name) if run and said else None
        except ITS_OWN as error:
            self._findings.append(unreadable(layout.run_folder(name), error).finding)
            self._unreadable += judged
            return
        if run is None or said is None or there is None:
            return
        if answers is not None:
            self._runs += 1
            self._items += len(run.asked.digest)
            self._answers += answers.answers
            self._unjudged.update(answers.unjudged)
            self._wanted.add(answers.wanted)
        self._there.add(there.verdicts)
        self._said_on.update(there.said_on)
        leases = list(leases_in(run, said))
        for measured in self._measured:
            measured.take(run, said, leases)

    def preview(self) -> Preview:
        """Returns what all of it comes to."""
        wanted = missing = different = 0
        by_type = np.zeros(len(TYPES), dtype=np.int64)
        for part, there in zip(self._wanted.parts(), self._there.parts(), strict=True):
            left = part[~are_among(part, there)]
            by_type += np.bincount(types_of(left), minlength=len(TYPES))
            wanted, missing = wanted + len(part), missing + len(left)
            answers = part >> np.uint64(2)
            different += int(np.count_nonzero(answers[1:] != answers[:-1])) + bool(len(part))
        return Preview(
            judge=self._judge.id,
            judge_revision=self._judge.revision,
            prompts=self._judge.prompts,
            runs=self._runs,
            unreadable=self._unreadable,
            items=self._items,
            unjudged=tuple(sorted(self._unjudged.items())),
            answers=self._answers,
            equal_answers=self._answers - different,
            wanted=wanted,
            there=wanted - missing,
            missing=missing,
            missing_by_type=tuple(zip(TYPES, by_type.tolist(), strict=True)),
            said_on=tuple(sorted(self._said_on.items())),
            tokens=next(filter(None, (measured.tokens(by_type) for measured in self._measured)), None),
            time=next(filter(None, (measured.time(missing) for measured in self._measured)), None),
            findings=tuple(self._findings),
        )

    def _there_in(self, run: RunColumns, said: Said, name: str) -> _There:
        """Returns the verdicts in a run that this judge gave and that count as there."""
        judge, table = self._judge, run.verdicts
        fits = said.settled & (said.places >= 0) & equals(table, "rater", judge.id)
        if judge.revision is None or not fits.any():
            return _There(np.zeros(0, dtype=np.uint64), Counter())
        fits &= equals(table, "rater_kind", "model") & equals(table, "rater_revision", judge.revision)
        fits &= equals(table, "data_sha", run.asked.data_sha)
        if judge.prompts is not None:
            fits &= equals(table, "judge_prompt_pack", judge.prompts)
        for type_, decoding in enumerate(judge.decodings):
            fits &= equals(table, "decoding", decoding) | (said.types != type_)
        rows = table.filter(fits).combine_chunks()
        contents = content_digests(rows["content_hash"], f"{layout.run_folder(name)}/verdicts")
        orders = np.asarray(pc.index_in(rows["slot_order"], value_set=_ORDERS), dtype=np.uint64)
        named = pc.binary_join_element_wise(rows["engine"], rows["dtype"], ", ")
        said_on = {each["values"]: each["counts"] for each in pc.value_counts(named).to_pylist()}
        return _There(things(run.asked, said.places[fits], contents) | orders, Counter(said_on))


def _answers_in(run: RunColumns, name: str) -> _Answers:
    """Returns the answers of a run that a judge reads, and why it reads no others."""
    table, asked = run.answers, run.asked
    places = asked.places(table["question_id"].combine_chunks())
    hashed = np.asarray(pc.is_valid(table["content_hash"]))
    broken = np.asarray(pc.is_valid(table["defect"]))
    gone = np.asarray(table["taken_down"]) if "taken_down" in table.column_names else np.zeros(len(places), dtype=bool)
    here = places >= 0
    unjudged = Counter({"not_generated": len(asked.digest) - int(here.sum())})
    unjudged.update(_by_word(table["failure"], here & ~hashed))
    unjudged.update(_by_word(table["defect"], here & hashed & broken))
    unjudged["taken_down"] = int(np.count_nonzero(here & hashed & ~broken & gone))
    read = here & hashed & ~broken & ~gone
    contents = content_digests(table["content_hash"].filter(read), f"{layout.run_folder(name)}/generations")
    judged = things(asked, places[read], contents)
    orders = asked.orders[places[read]]
    wanted = [judged[orders[:, order]] | np.uint64(order) for order in range(len(ORDERS))]
    return _Answers(np.concatenate(wanted), len(judged), +unjudged)


def _by_word(column: Any, rows: NDArray[np.bool_]) -> dict[str, int]:
    """Counts the words of some rows of a column."""
    counts = pc.value_counts(column.filter(rows))
    return {str(each["values"]): each["counts"] for each in counts.to_pylist()}


def _without_plan(name: str) -> RapportError:
    return RapportError(Cause.DATA_ERROR, f"The archive does not hold the plan of {name}.", "Restore it from a backup.")
