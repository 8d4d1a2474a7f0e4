"""Data sets that an auditor has at hand: what a run asked of people's labels, or of made-up users, is listed anew."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from evaluator.errors import RapportError
from evaluator.hicupid.data import HicupidData
from evaluator.hicupid.prompts import builtin_pack
from evaluator.human.data import HumanData
from evaluator.human.setup import HumanSetup, items
from evaluator.human.stages.wording import load_wording
from evaluator.human.synthetic import synthetic_data
from evaluator.human.tasks import AnyTask
from evaluator.identity import folder_digest
from evaluator.judges.rater import load_rater
from evaluator.models import PinnedModel
from evaluator.protocol import HumanProtocol
from leaderboard.audit.human.following import Asked
from leaderboard.human_scorecards import protocol_as_run
from leaderboard.results import HumanScorecard

_OTHER_DATA = "No data set that was named is the one that was asked from, {source} at {sha}."
_OTHER_PROTOCOL = "The protocol that was run is not the one of this name that is known here."
_OTHER_LABELS = "The data set has {here} labels on what was asked, and the scorecard is made of {there}."


class Listed(NamedTuple):
    """What a run asked."""

    asked: Asked | None
    why: str = ""
    """Why that is not known, in a sentence; empty if no data set was named."""


class HumanSets:
    """Data sets of people's labels, or HiCUPID's: folders, or data sets on the Hub at the commit that was asked from.

    One that cannot be opened costs the scorecards that were asked from it, and no other.

    Example:
        >>> HumanSets([]).listed(card)  # doctest: +SKIP
        Listed(asked=None, why='')
    """

    def __init__(self, sources: Sequence[str]) -> None:
        """Opens each when it is asked for; a folder is known by its digest."""
        self._folders = {folder_digest(Path(source)): source for source in sources if Path(source).is_dir()}
        self._named = frozenset(sources)
        self._opened: dict[tuple[str, str, AnyTask | None], HumanData | RapportError] = {}

    def listed(self, card: HumanScorecard) -> Listed:
        """Returns what the run of a scorecard asked."""
        if not self._named:
            return Listed(None)
        protocol = protocol_as_run(card)
        if protocol is None:
            return Listed(None, _OTHER_PROTOCOL)
        data = self._data_of(card, protocol)
        if data is None:
            return Listed(None, _OTHER_DATA.format(source=card.data_source, sha=card.data_sha))
        if isinstance(data, RapportError):
            return Listed(None, data.message)
        asked = tuple(items(_setup_of(card, data, protocol)))
        labels = sum(len(item.labels) for item in asked)
        if labels != card.result.labels:
            return Listed(None, _OTHER_LABELS.format(here=labels, there=card.result.labels))
        return Listed(Asked(asked, protocol.epsilon))

    def _data_of(self, card: HumanScorecard, protocol: HumanProtocol) -> HumanData | RapportError | None:
        """Returns the data set that was asked from, or why it cannot be opened; None if it was not named."""
        source = self._folders.get(card.data_sha, card.data_source if card.data_source in self._named else None)
        if source is None:
            return None
        named = source, card.data_sha, protocol.task if protocol.synthetic_of else None
        if named not in self._opened:
            try:
                self._opened[named] = _opened(*named)
            except RapportError as error:
                self._opened[named] = error
        return self._opened[named]


def _opened(source: str, sha: str, task: AnyTask | None) -> HumanData:
    """Opens a data set of labels, or one of HiCUPID's layout as made-up users for a task.

    Raises:
        RapportError: As of `HumanData.open` and `synthetic_data`.
    """
    return synthetic_data(HicupidData.open(source, sha), task) if task else HumanData.open(source, sha)


def _setup_of(card: HumanScorecard, data: HumanData, protocol: HumanProtocol) -> HumanSetup:
    """Returns as much of a run as its items are listed from."""
    return HumanSetup(
        model=PinnedModel(card.model, card.revision),
        adapter=None,
        thinking=card.declaration.thinking,
        data=data,
        protocol=protocol,
        wording=load_wording(protocol.wording),
        pack=builtin_pack(),
        judge=load_rater(protocol.judge),
        judge_revision=card.judge_revision,
        terms=card.terms,
    )
