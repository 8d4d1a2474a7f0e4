"""What of people's labels stands in the public data sets: a function of what the archive holds of each person."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from evaluator.errors import RapportError
from leaderboard.labelling.journal import people_in, read_events
from leaderboard.labelling.records import Asked, Judged, PersonEvent, Task
from leaderboard.labelling.standing import Given, standing_of
from leaderboard.open_data import files, layout
from leaderboard.open_data.people_views import open_annotator, open_label, open_peoples_verdict
from leaderboard.open_data.records import OpenCard
from leaderboard.release.pending import ITS_OWN, PendingFiles
from leaderboard.results import Scorecard
from leaderboard.store.base import Store
from leaderboard.store.parquet import decode_parquet
from leaderboard.store.rows import read_record

log = logging.getLogger("rapport.release")


class PeopleDerivation(NamedTuple):
    """Brings people's labels from the archive into the public results.

    Example:
        >>> PeopleDerivation(archive).bring("annotator-0a1b2c3d", results)  # doctest: +SKIP
    """

    archive: Store

    def bring(self, annotator: str, results: PendingFiles) -> None:
        """Puts into the results what belongs there of a person, and takes out what does not.

        A person of whom the archive holds nothing any more is gone from all files.

        Args:
            annotator: The pseudonym.
            results: The public results.

        Raises:
            RapportError: `data_error` naming the file that cannot be read.
            StoreError: If a file is damaged, or a store as a whole cannot be read.
        """
        events = read_events(self.archive, annotator)
        standing = standing_of(events)
        own = open_annotator(annotator, events)
        _exchange(results, files.ANNOTATORS, layout.ANNOTATORS, annotator, [own] if own else [])
        self._put_labels(annotator, events, standing.labels, results)
        self._put_verdicts(annotator, events, standing.labels, results)

    def bring_back(self, run_ids: Collection[str], results: PendingFiles) -> None:
        """Puts back what people said of runs that are public again after they were not.

        A person who cannot be read is named in the log, and keeps neither the runs nor other people's words away.

        Raises:
            StoreError: If a store as a whole cannot be read.
        """
        for annotator in people_in(self.archive):
            tried = results.copy()
            try:
                asked = _asked(read_events(self.archive, annotator))
                if any(each.judged and each.judged.run_id in run_ids for each in asked):
                    self.bring(annotator, tried)
            except (RapportError, *ITS_OWN) as error:
                log.error("what %s said of %s is not brought back: %s", annotator, ", ".join(sorted(run_ids)), error)
            else:
                results.take(tried)

    def _put_labels(
        self, annotator: str, events: Sequence[PersonEvent], standing: Iterable[Given], results: PendingFiles
    ) -> None:
        """Puts the labels that stand, by data set and task."""
        rows = [row for given in standing if (row := open_label(annotator, given))]
        known = {layout.labels_path(asked.data_set, asked.task) for asked in _asked(events) if asked.task != Task.PAIRS}
        for path in sorted(known) if events else results.list(layout.LABELS):
            mine = [row for row in rows if layout.labels_path(row.data_set, row.stage) == path]
            _exchange(results, files.LABELS, path, annotator, mine)

    def _put_verdicts(
        self, annotator: str, events: Sequence[PersonEvent], standing: Iterable[Given], results: PendingFiles
    ) -> None:
        """Puts the verdicts that stand, by the runs whose answers were judged; of runs that are public by now."""
        said: dict[str, list[Given]] = defaultdict(list)
        for given in standing:
            if given.label.asked.judged:
                said[given.label.asked.judged.run_id].append(given)
        for judged in {asked.judged.run_id: asked.judged for asked in _asked(events) if asked.judged}.values():
            path = _verdicts_path(judged)
            card = _card_of(results, judged)
            rows = [open_peoples_verdict(annotator, given, card) for given in said[judged.run_id]] if card else []
            _exchange(results, files.PEOPLES_VERDICTS, path, annotator, [row for row in rows if row])
        for path in () if events else results.list(f"{layout.VERDICTS}/{layout.HUMAN_RATERS}"):
            _exchange(results, files.PEOPLES_VERDICTS, path, annotator, [])


def all_people(archive: Store) -> list[str]:
    """Returns the pseudonyms of all people of whom the archive holds anything."""
    return people_in(archive)


def _asked(events: Iterable[PersonEvent]) -> list[Asked]:
    """Returns everything that a person ever labelled."""
    return [event.label.asked for event in events if event.label]


def _verdicts_path(judged: Judged) -> str:
    """Where people's verdicts on a run's answers lie."""
    return layout.verdicts_path(layout.HUMAN_RATERS, judged.model, judged.run_id)


def _card_of(results: PendingFiles, judged: Judged) -> Scorecard | None:
    """Returns a public scorecard of the run of an answer; None if there is none, since it was withdrawn."""
    path = layout.scorecards_path(judged.model)
    content = results.read(path)
    for row in [] if content is None else decode_parquet(content, OpenCard, path):
        card = row.id.rpartition("@")[0]
        if card == judged.run_id:
            return read_record(row.scorecard, Scorecard, f"scorecard {row.id}")
    return None


def _exchange(
    results: PendingFiles, parts: files.Parts[files.Row], path: str, annotator: str, rows: Sequence[files.Row]
) -> None:
    """Puts a person's rows in the place of those that stand in a file; a file that would not change stays as it is."""
    before = results.read(path)
    after = parts.exchange(before, [annotator], rows, path)
    if after != before:
        results.put(path, after)
