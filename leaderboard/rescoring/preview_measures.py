"""What earlier verdicts took, and what follows from that for those to come; rehearsals tell nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from leaderboard.rescoring.columns import TYPES, JudgeReport, RunColumns
from leaderboard.rescoring.preview_records import Time, Tokens, TypeTokens
from leaderboard.submissions.measures import REHEARSAL

_MOST_ATTEMPTS = 2
"""As of `evaluator.judge`: a verdict that cannot be read is asked for once more."""
_OVERFLOW = "context_overflow"


class Said(NamedTuple):
    """The verdicts of a run, row by row."""

    places: NDArray[np.int64]
    """The item that each is about, -1 if the run asks no such thing."""
    types: NDArray[np.int64]
    """Places in `TYPES`, -1 likewise."""
    settled: NDArray[np.bool_]
    """Whether asking again would change nothing; see `evaluator.judge.settled`."""


class Lease(NamedTuple):
    """What one judge said under one lease, and how long that took."""

    rater: str
    verdicts: int
    seconds: float
    reports: tuple[JudgeReport, ...]


def said_in(run: RunColumns) -> Said:
    """Returns the verdicts of a run."""
    table = run.verdicts
    places = run.asked.places(table["question_id"].combine_chunks())
    types = np.append(run.asked.type.astype(np.int64), -1)[places]
    settled = np.asarray(pc.is_valid(table["outcome"])) | equals(table, "failure", _OVERFLOW)
    return Said(places, types, settled | (np.asarray(table["attempt"]) >= _MOST_ATTEMPTS))


def equals(table: Any, name: str, value: str) -> NDArray[np.bool_]:
    """Says in which rows of a table a column holds a value."""
    return np.asarray(pc.equal(table[name], value).fill_null(False))


class Measured:
    """What earlier verdicts took: those of one judge, or of all."""

    def __init__(self, rater: str | None) -> None:
        """Has seen none; `rater` is the one judge."""
        self._rater = rater
        self._verdicts, self._prompt, self._output = (np.zeros(len(TYPES)) for _ in range(3))
        self._paces: list[tuple[int, float]] = []
        self._reports = 0
        self._made_on: set[str] = set()

    def take(self, run: RunColumns, said: Said, every: Iterable[Lease]) -> None:
        """Takes in what the verdicts of a run took.

        Args:
            run: The run.
            said: Its verdicts, row by row.
            every: The same, lease by lease.
        """
        self._take_tokens(run.verdicts, said)
        leases = [lease for lease in every if self._rater in (None, lease.rater)]
        verdicts, seconds = sum(lease.verdicts for lease in leases), sum(lease.seconds for lease in leases)
        if verdicts and seconds:
            reports = [report for lease in leases for report in lease.reports]
            self._paces.append((verdicts, seconds))
            self._reports += len(reports)
            self._made_on |= {f"{report.engine}, {report.dtype}, {report.hardware}" for report in reports}

    def tokens(self, missing: NDArray[np.int64]) -> Tokens | None:
        """Returns what missing verdicts take in tokens; None if nothing tells that, or there are none.

        Args:
            missing: (types,): how many, as in `TYPES`.
        """
        measured = int(self._verdicts.sum())
        if not missing.any() or bool(np.any((self._verdicts == 0) & (missing > 0))):
            return None
        with np.errstate(invalid="ignore"):
            prompt, output = self._prompt / self._verdicts, self._output / self._verdicts
        by_type = tuple(
            TypeTokens(
                type=type_,
                missing=int(missing[place]),
                measured=int(self._verdicts[place]),
                prompt_tokens=round(float(prompt[place]), 1) if self._verdicts[place] else None,
                output_tokens=round(float(output[place]), 1) if self._verdicts[place] else None,
            )
            for place, type_ in enumerate(TYPES)
        )
        return Tokens(
            of_this_judge=self._rater is not None,
            measured=measured,
            prompt_tokens=round(float(np.nansum(prompt * missing))),
            output_tokens=round(float(np.nansum(output * missing))),
            by_type=by_type,
        )

    def time(self, missing: int) -> Time | None:
        """Returns how long some missing verdicts take; None if no report tells that."""
        if not self._paces:
            return None
        paces = [verdicts / seconds for verdicts, seconds in self._paces]
        verdicts = sum(verdicts for verdicts, _ in self._paces)
        pace = verdicts / sum(seconds for _, seconds in self._paces)
        return Time(
            of_this_judge=self._rater is not None,
            seconds=round(missing / pace, 1),
            least=round(missing / max(paces), 1),
            most=round(missing / min(paces), 1),
            verdicts_per_second=pace,
            verdicts=verdicts,
            reports=self._reports,
            runs=len(self._paces),
            made_on=tuple(sorted(self._made_on)),
        )

    def _take_tokens(self, table: Any, said: Said) -> None:
        """Adds up tokens; the verdicts are counted by their first attempts."""
        counted = (said.places >= 0) & equals(table, "rater_kind", "model") & ~equals(table, "engine", REHEARSAL)
        if self._rater is not None:
            counted &= equals(table, "rater", self._rater)
        types, first = said.types[counted], np.asarray(table["attempt"])[counted] == 1
        prompt, output = (np.asarray(table[name])[counted] for name in ("prompt_tokens", "output_tokens"))
        self._verdicts += np.bincount(types, weights=first, minlength=len(TYPES))
        self._prompt += np.bincount(types, weights=prompt, minlength=len(TYPES))
        self._output += np.bincount(types, weights=output, minlength=len(TYPES))


def leases_in(run: RunColumns, said: Said) -> Iterator[Lease]:
    """Yields what judges said lease by lease, where a report tells how long it took.

    A report does not say which judge it is about: the rows of its lease do. Where they are of several, nothing does.
    """
    reports: dict[str, list[JudgeReport]] = defaultdict(list)
    for batch in run.batches:
        reports[batch.lease] += batch.reports
    raters = run.verdicts["rater"].combine_chunks().dictionary_encode()
    codes, end = np.asarray(raters.indices), 0
    counts: dict[str, NDArray[np.int64]] = defaultdict(lambda: np.zeros(len(raters.dictionary), dtype=np.int64))
    for batch in run.batches:
        start, end = end, end + batch.verdicts
        own = codes[start:end][said.settled[start:end]]
        counts[batch.lease] += np.bincount(own, minlength=len(raters.dictionary))
    for lease, own in counts.items():
        seconds = sum(report.seconds for report in reports[lease])
        rehearsed = any(report.engine == REHEARSAL for report in reports[lease])
        if np.count_nonzero(own) == 1 and seconds > 0 and not rehearsed:
            rater = raters.dictionary[int(own.argmax())].as_py()
            yield Lease(rater, int(own.sum()), seconds, tuple(reports[lease]))
