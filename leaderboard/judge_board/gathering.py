"""Gathers from an archive what every version of every judge said of published runs, run by run, each read once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

from evaluator.errors import RapportError
from evaluator.hicupid.questions import Item
from evaluator.judges.families import family_of
from evaluator.judges.quality.board import Rated
from evaluator.judges.quality.costs import CostTally
from evaluator.judges.quality.judged import Judged
from evaluator.judges.quality.records import Training
from evaluator.judges.spec import JudgeSpec
from leaderboard.decided import is_shown
from leaderboard.judge_board.reading import RunReader
from leaderboard.records import Plan
from leaderboard.rescoring.records import judging_id
from leaderboard.rescoring.selection import Filters, SelectedRun, select
from leaderboard.results import Scorecard
from leaderboard.scorecards import scorecard_id
from leaderboard.store import layout
from leaderboard.store.base import NotFound, Store, StoreCorrupt
from leaderboard.store.rows import Row, read_record
from leaderboard.store.runs import StoredRun
from leaderboard.submissions.history import History
from leaderboard.upkeep.findings import Finding
from leaderboard.upkeep.places import Sort, place_of

Version: TypeAlias = tuple[str, str, str, str]
"""Judge, commit, digest of the configuration, and prompts."""
Telling: TypeAlias = Callable[[str], None]
"""Is told a sentence of what cannot be read."""
_ITS_OWN = (RapportError, NotFound, StoreCorrupt)
_UNKNOWN = Training(types=None, models=None)


class Gathered(NamedTuple):
    """Everything that judges said, and what it is about."""

    rated: tuple[Rated, ...]
    """Every version that has said anything, sorted by judge, commit, configuration and prompts."""
    runs: Mapping[Version, int]
    """Runs with verdicts of each."""
    items: Mapping[str, Item]
    """What was asked, in the words of the board; see `name_of`."""
    asked_as: Mapping[str, tuple[str, ...]]
    """For the id that a question has in its data set, the names that the board has for it, one a data set."""
    answers: frozenset[tuple[str, str]]
    """Name and content hash of every answer that a judge may have judged."""
    families: Mapping[str, str | None]
    """Of each model, by its name on the board."""


class _Says(NamedTuple):
    """A judge that judged a run."""

    card: Scorecard
    judging: str | None
    """Where its verdicts lie; None for the run itself."""


class _Heard:
    """What one version of a judge said so far."""

    def __init__(self) -> None:
        self.judged: list[Judged] = []
        self.costs = CostTally()
        self.runs: set[str] = set()


def name_of(data_sha: str, name: str) -> str:
    """Returns what the board calls a question, or a split: two data sets may have the same ids for different ones.

    Example:
        >>> name_of("0a1b2c3d4e5f60718293", "test_1/17")
        '0a1b2c3d4e5f6071:test_1/17'
    """
    return f"{data_sha[:16]}:{name}"


def gather(
    store: Store,
    judges: Iterable[JudgeSpec],
    gold_of: Callable[[Plan], Mapping[str, int]],
    note: Telling,
) -> Gathered:
    """Returns what judges said of all published runs of HiCUPID that are public, re-scores among them.

    A judging of a re-score counts once its scorecard is stored, whatever became of the re-score. A run that cannot be
    read costs itself.

    Args:
        store: The archive.
        judges: Those that are known, for their families and what they were trained on.
        gold_of: Returns the length of gold by question id, of the data set of a plan.
        note: Is told what is left out, and why.

    Raises:
        StoreError: If the store as a whole cannot be read.
    """
    gathering = _Gathering(store, gold_of, note)
    rescored = _rescored(store)

    def tell(finding: Finding) -> None:
        note(finding.line())

    for run in select(store, Filters(), tell):
        try:
            gathering.add(run, rescored.get(run.run_id, ()))
        except _ITS_OWN as error:
            note(f"{run.run_id} is left out: {error}")
    return gathering.gathered({judge.id: judge for judge in judges})


class _Gathering:
    """The board's words, being gathered."""

    def __init__(self, store: Store, gold_of: Callable[[Plan], Mapping[str, int]], note: Telling) -> None:
        self._store, self._gold_of, self._note = store, gold_of, note
        self._items: dict[Item, Item] = {}
        self._by_name: dict[str, Item] = {}
        self._asked_as: dict[str, set[str]] = defaultdict(set)
        self._answers: set[tuple[str, str]] = set()
        self._heard: dict[Version, _Heard] = defaultdict(_Heard)
        self._families: dict[str, set[str]] = defaultdict(set)

    def add(self, run: SelectedRun, rescores: Iterable[str]) -> None:
        """Reads one run with all that judged it, unless it is hidden."""
        history = _read(self._store, layout.submission_path(run.submission_id), History)
        if history and not is_shown(history):
            self._note(f"{run.run_id} is left out: it is hidden.")
            return
        stored = StoredRun(self._store, run.run_id)
        if (plan := stored.plan()) is None:
            self._note(f"{run.run_id} is left out: the archive does not hold its plan.")
            return
        says = [*self._counting(run), *self._of_rescores(run.run_id, rescores)]
        name = _model_of(says[0].card) if says else run.model
        reader = RunReader(self._store, stored, self._named(plan), name, self._gold_of(plan))
        self._families[name].add(_family(run, says, history) or "")
        for each in {(says.card.judge, says.judging): says for says in says}.values():
            try:
                self._hear(run.run_id, reader, each)
            except _ITS_OWN as error:
                self._note(f"What {each.card.judge} said of {run.run_id} is left out: {error}")

    def _hear(self, run_id: str, reader: RunReader, each: _Says) -> None:
        """Takes in what one judge said of a run; a judge that said nothing has no version there."""
        said, card = reader.said(each.card, each.judging), each.card
        self._answers |= {entry.name for entry in said.judged}
        if said.prompts is None:
            return
        heard = self._heard[card.judge, card.judge_revision, card.judge_config, said.prompts]
        if run_id in heard.runs:
            return  # Another re-score by the same version had judged it before.
        heard.runs.add(run_id)
        heard.judged += said.judged
        heard.costs.add(said.attempts)

    def _counting(self, run: SelectedRun) -> Iterator[_Says]:
        """Yields the scorecards that lie with all others."""
        for judge in run.judges:
            card_id = scorecard_id(run.run_id, judge)
            paths = (layout.scorecard_path(run.model, card_id), layout.old_scorecard_path(run.model, card_id))
            card = next((found for path in paths if (found := _read(self._store, path, Scorecard))), None)
            if card is not None:
                yield _Says(card, judging_id(card.rescore_id, run.run_id) if card.rescore_id else None)

    def _of_rescores(self, run_id: str, paths: Iterable[str]) -> Iterator[_Says]:
        """Yields the scorecards that re-scores came to."""
        for path in paths:
            card = read_record(self._store.read(path), Scorecard, path)
            if card.rescore_id:
                yield _Says(card, judging_id(card.rescore_id, run_id))

    def _named(self, plan: Plan) -> dict[str, Item]:
        """Returns what a run asks, in the words of the board; equal items are one object."""
        found = {}
        for item in plan.questions:
            names = {
                "question_id": name_of(plan.data_sha, item.question_id),
                "split": name_of(plan.data_sha, item.split),
            }
            named = item.model_copy(update=names)
            named = self._items.setdefault(named, named)
            self._by_name.setdefault(named.question_id, named)
            self._asked_as[item.question_id].add(named.question_id)
            found[item.question_id] = named
        return found

    def gathered(self, judges: Mapping[str, JudgeSpec]) -> Gathered:
        """Returns everything that was heard."""
        rated = []
        for version in sorted(self._heard):
            heard, spec = self._heard[version], judges.get(version[0])
            rated.append(
                Rated(
                    *version,
                    family=spec.family if spec else None,
                    training=training_of(spec),
                    judged=heard.judged,
                    costs=heard.costs.costs(),
                )
            )
        return Gathered(
            rated=tuple(rated),
            runs={version: len(heard.runs) for version, heard in self._heard.items()},
            items=self._by_name,
            asked_as={name: tuple(sorted(names)) for name, names in self._asked_as.items()},
            answers=frozenset(self._answers),
            families={
                model: next(iter(told)) if len(told := found - {""}) == 1 else None
                for model, found in self._families.items()
            },
        )


def training_of(judge: JudgeSpec | None) -> Training:
    """Returns what a judge was trained on, as its file says."""
    if judge is None or (trained := judge.trained_on) is None:
        return _UNKNOWN
    return Training(
        types=None if trained.types is None else frozenset(trained.types),
        models=None if trained.models is None else frozenset(trained.models),
    )


def _rescored(store: Store) -> Mapping[str, list[str]]:
    """Returns the paths of the scorecards that re-scores came to, by run."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(store.list(layout.RESCORES)):
        place = place_of(path)
        if place is not None and place.sort is Sort.RESCORED_CARD:
            found[place.name.partition("@")[0]].append(path)
    return found


def _model_of(card: Scorecard) -> str:
    """Names a model as the board does, with its adapter after a plus sign."""
    return card.model if card.adapter is None else f"{card.model}+{card.adapter}"


def _read(store: Store, path: str, kind: type[Row]) -> Row | None:
    """Reads a record; None if it is not there."""
    try:
        return read_record(store.read(path), kind, path)
    except NotFound:
        return None


def _family(run: SelectedRun, says: Iterable[_Says], history: History | None) -> str | None:
    """Returns the family of a run's model, by its id, what it was made from, or its architecture."""
    declared = {each.card.declaration.base_model for each in says} - {None}
    facts = history.submission.facts if history else None
    base = declared.pop() if len(declared) == 1 else None
    return family_of(run.model, base, facts.architecture if facts else None)
