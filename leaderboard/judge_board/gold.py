"""How long the reference answers of data sets are: what a leaning to longer answers is measured by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from evaluator.errors import RapportError
from evaluator.hicupid.data import HicupidData, demo_set
from leaderboard.labelling.pools import DEMO
from leaderboard.records import Plan


class GoldLengths:
    """Opens each data set once; the length of what cannot be had is unknown, and said so.

    Example:
        >>> GoldLengths(print).of(plan)  # doctest: +SKIP
        {'test_1/17': 104}
    """

    def __init__(self, note: Callable[[str], None]) -> None:
        """Tells `note` of each data set that cannot be had."""
        self._note = note
        self._known: dict[tuple[str, str], dict[str, dict[str, int]]] = {}
        self._data: dict[tuple[str, str], HicupidData | None] = {}

    def of(self, plan: Plan) -> Mapping[str, int]:
        """Returns the length of gold in characters by question id, of the splits that a plan asks from."""
        place = plan.data_source, plan.data_sha
        if place not in self._data:
            self._data[place] = self._opened(plan)
        data, known = self._data[place], self._known.setdefault(place, {})
        found: dict[str, int] = {}
        if data is None:
            return found
        for split in sorted({item.split for item in plan.questions}):
            if split not in known:
                known[split] = self._read(data, split)
            found |= known[split]
        return found

    def _opened(self, plan: Plan) -> HicupidData | None:
        """Opens the data set of a plan as it was then; None if that is not to be had."""
        source = str(demo_set()) if plan.data_source == DEMO else plan.data_source
        try:
            data = HicupidData.open(source, None if Path(source).is_dir() else plan.data_sha)
        except RapportError as error:
            self._note(f"How long reference answers are is unknown: {error}")
            return None
        if data.sha != plan.data_sha:
            self._note(f"How long reference answers are is unknown: {plan.data_source} has changed since it was asked.")
            return None
        return data

    def _read(self, data: HicupidData, split: str) -> dict[str, int]:
        """Reads the lengths of a split."""
        try:
            return {question.question_id: len(question.gold) for question in data.questions(split)}
        except RapportError as error:
            self._note(f"How long reference answers are is unknown: {error}")
            return {}
