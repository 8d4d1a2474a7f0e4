"""Looks at re-scores, promotions and checks of judges: whether they can be read, and what they name is there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TypeVar

from evaluator.judges.canaries import JudgeCheck
from evaluator.records import Record
from leaderboard.records import submission_of
from leaderboard.rescoring.checks import name_of
from leaderboard.rescoring.promotions import Promotions
from leaderboard.rescoring.records import Rescore, RescoreStatus, rescore_of
from leaderboard.scorecards import scorecard_id
from leaderboard.store import layout
from leaderboard.store.base import Store
from leaderboard.store.rows import read_record
from leaderboard.upkeep.findings import BACKUP, ITS_OWN, FindingKind, Found, found, unreadable
from leaderboard.upkeep.places import Place, Sort
from leaderboard.upkeep.traces import Traces

Kind = TypeVar("Kind", bound=Record)
_HAS_CARDS = (RescoreStatus.COMPLETED, RescoreStatus.PROMOTED)


def check_rescores(archive: Store, places: Mapping[str, Place], traces: Traces) -> list[Found]:
    """Returns what is wrong with re-scores, promotions and checks of judges; judgings are looked at by themselves.

    Args:
        archive: Where they lie.
        places: All files of the archive.
        traces: What was taken down: of that nothing is missed.
    """
    return _Looked(archive, places, traces).findings()


class _Looked:
    """All re-scores, being looked at."""

    def __init__(self, archive: Store, places: Mapping[str, Place], traces: Traces) -> None:
        self._archive, self._places, self._traces = archive, places, traces
        self._found: list[Found] = []

    def findings(self) -> list[Found]:
        """Returns what is wrong."""
        promoted = self._promoted()
        for path, place in self._of(Sort.RESCORE).items():
            rescore = self._read(path, Rescore)
            if rescore is None:
                continue
            if rescore.id != place.name:
                self._found.append(found(FindingKind.MISPLACED, path, f"It is that of {rescore.id}."))
            else:
                self._check(path, rescore, is_promoted=rescore.id in promoted)
        self._check_named(promoted)
        self._check_checks()
        return self._found

    def _of(self, sort: Sort) -> dict[str, Place]:
        """Returns the files of a sort."""
        return {path: place for path, place in self._places.items() if place.sort is sort}

    def _read(self, path: str, kind: type[Kind]) -> Kind | None:
        """Reads a file, or sets it aside."""
        try:
            return read_record(self._archive.read(path), kind, path)
        except ITS_OWN as error:
            self._found.append(unreadable(path, error))
            return None

    def _promoted(self) -> set[str]:
        """Returns the re-scores that were promoted, as far as that can be read."""
        read = (self._read(path, Promotions) for path in self._of(Sort.PROMOTIONS))
        return {each.rescore_id for promotions in read if promotions for each in promotions.promotions}

    def _check(self, path: str, rescore: Rescore, *, is_promoted: bool) -> None:
        """Finds runs that are not there, and scorecards that are not although all is judged."""
        runs = {place.name for place in self._of(Sort.RUN).values()}
        wanted = [run_id for run_id in rescore.runs if not self._traces.is_gone(submission_of(run_id))]
        self._miss(path, "There are no rows of", (run_id for run_id in wanted if run_id not in runs))
        if rescore.status not in _HAS_CARDS:
            return
        judged = {scorecard_id(run_id, rescore.judge): run_id for run_id in wanted if run_id not in rescore.failed}
        own = {place.name for place in self._of(Sort.RESCORED_CARD).values() if place.rescore == rescore.id}
        self._miss(path, f"It is {rescore.status}, but there is no scorecard of", _without(judged, own))
        if is_promoted:
            counting = {place.name for place in self._of(Sort.SCORECARD).values()}
            self._miss(
                path, "It was promoted, but there is no scorecard among all others of", _without(judged, counting)
            )

    def _miss(self, path: str, words: str, runs: Iterable[str]) -> None:
        """Notes that something is missing of some of a re-score's runs."""
        if names := list(runs):
            message = f"{words} {len(names)} of its runs, such as {names[0]}."
            self._found.append(found(FindingKind.REFERENCE, path, message, BACKUP))

    def _check_named(self, promoted: Collection[str]) -> None:
        """Finds what names a re-score that is not there."""
        known = {place.name for place in self._of(Sort.RESCORE).values()}
        named = {rescore_of(place.judging) for place in self._places.values() if place.judging}
        for name in sorted(named - known):
            path = layout.rescore_path(name)
            self._found.append(found(FindingKind.REFERENCE, path, "It is missing, but there are files that need it."))
        for name in sorted(set(promoted) - known):
            message = f"It names {name}, which is not there."
            self._found.append(found(FindingKind.REFERENCE, layout.PROMOTIONS, message))

    def _check_checks(self) -> None:
        """Finds checks of judges that cannot be read, or are of something else."""
        for path, place in self._of(Sort.JUDGE_CHECK).items():
            check = self._read(path, JudgeCheck)
            if check is not None and name_of(check) != place.name:
                message = f"It is about {name_of(check)}."
                self._found.append(found(FindingKind.MISPLACED, path, message))


def _without(judged: Mapping[str, str], there: Collection[str]) -> Iterator[str]:
    """Yields the runs whose scorecards are not there."""
    return (run_id for card, run_id in judged.items() if card not in there)
