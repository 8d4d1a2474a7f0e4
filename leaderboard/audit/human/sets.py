"""People's labels that an auditor has at hand: what a run asked is listed from them anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from evaluator.hicupid.prompts import builtin_pack
from evaluator.human.data import HumanData
from evaluator.human.setup import HumanSetup, items
from evaluator.human.stages.wording import load_wording
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
    """Data sets of people's labels: folders, or data sets on the Hub at the commit that was asked from.

    Example:
        >>> HumanSets([]).listed(card)  # doctest: +SKIP
        Listed(asked=None, why='')
    """

    def __init__(self, sources: Sequence[str]) -> None:
        """Opens each when it is asked for."""
        self._sources = sources
        self._opened: dict[tuple[str, str | None], HumanData] = {}

    def listed(self, card: HumanScorecard) -> Listed:
        """Returns what the run of a scorecard asked.

        Raises:
            RapportError: As of `HumanData.open`.
        """
        if not self._sources:
            return Listed(None)
        data = next((data for data in self._of(card) if data.sha == card.data_sha), None)
        protocol = protocol_as_run(card)
        if data is None:
            return Listed(None, _OTHER_DATA.format(source=card.data_source, sha=card.data_sha))
        if protocol is None:
            return Listed(None, _OTHER_PROTOCOL)
        asked = tuple(items(_setup_of(card, data, protocol)))
        labels = sum(len(item.labels) for item in asked)
        if labels != card.result.labels:
            return Listed(None, _OTHER_LABELS.format(here=labels, there=card.result.labels))
        return Listed(Asked(asked, protocol.epsilon))

    def _of(self, card: HumanScorecard) -> Iterator[HumanData]:
        """Yields the data sets that may be the one that was asked from."""
        for source in self._sources:
            local = Path(source).is_dir()
            if local or source == card.data_source:
                named = source, None if local else card.data_sha
                if named not in self._opened:
                    self._opened[named] = HumanData.open(*named)
                yield self._opened[named]


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
