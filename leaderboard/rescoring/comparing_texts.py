"""Texts of questions for those who compare judges: where the source may be passed on, and its data set is at hand."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from evaluator.errors import RapportError
from evaluator.hicupid.data import HicupidData, demo_set
from evaluator.hicupid.questions import Question
from leaderboard.records import Plan

_DEMO = "demo"
"""What settings and plans call the set that ships."""
_NONE: Mapping[str, Question] = MappingProxyType({})


class QuestionTexts:
    """Texts by run, each data set read once; one that cannot be had is told and not insisted on.

    Example:
        >>> texts = QuestionTexts("demo")  # doctest: +SKIP
        >>> texts.of(plan)["0-persona-1"].question  # doctest: +SKIP
        'What shall I cook tonight?'
    """

    def __init__(self, data_set: str) -> None:
        """Has read nothing.

        Args:
            data_set: The one of this machine's settings: `demo`, a folder, or one on the Hub. No other is opened,
                whatever plans name, but the one that ships.
        """
        self._data_set = data_set
        self._read: dict[tuple[str, str], Mapping[str, Question]] = {}
        self._because: dict[str, None] = {}

    @property
    def missing_because(self) -> str | None:
        """Why questions of some runs have no text, as sentences; None if all have one, or none was asked for."""
        return " ".join(self._because) or None

    def of(self, plan: Plan) -> Mapping[str, Question]:
        """Returns the questions of the splits that a run asks, by id; none where they cannot be had."""
        name = plan.data_source, plan.data_sha
        if name not in self._read:
            self._read[name] = self._open(plan)
        return self._read[name]

    def _open(self, plan: Plan) -> Mapping[str, Question]:
        """Reads the data set of a run, if it may be shown and is that of this machine."""
        source = plan.data_source
        if not plan.terms.redistributable:
            return self._without(f"The texts of {source} may not be passed on.")
        if source not in (_DEMO, self._data_set):
            return self._without(f"These runs are of {source}, which is not the RAPPORT_DATA_SET of this machine.")
        try:
            data = HicupidData.open(str(demo_set()) if source == _DEMO else source, plan.data_sha)
            if data.sha != plan.data_sha:
                return self._without(f"{source} has changed since these runs.")
            splits = sorted({item.split for item in plan.questions})
            return {question.question_id: question for split in splits for question in data.questions(split)}
        except RapportError as error:
            return self._without(f"{source} cannot be read here: {error.message}")

    def _without(self, why: str) -> Mapping[str, Question]:
        self._because[f"No text of a question is shown. {why}"] = None
        return _NONE
