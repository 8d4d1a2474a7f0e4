"""Finds the scorecards that tell something of a model only together: what is equal in both cancels out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from evaluator.context_mode import FullHistory, GoldEvidence
from evaluator.errors import RapportError
from evaluator.protocol import HicupidProtocol, hicupid_protocol
from leaderboard.results import Scorecard

SEEN, UNSEEN = "test_1", "test_2"
"""Splits of users whose histories are also those of the training questions, and of all others."""
_SAYS_NOTHING = {"id", "title", "official", "references", "published"}
"""Parts of a protocol that change no answer and no verdict."""


class Partners(NamedTuple):
    """The other sides of one scorecard's comparisons, by id."""

    gold: str | None = None
    """The same but for showing the needed dialogues alone, where the scorecard is of whole histories."""
    seen: str | None = None
    """The same of users seen in training, where the scorecard is of unseen ones; itself if it is of both."""


class _Who(NamedTuple):
    """Who was judged by whom on what: equal in both sides of a comparison."""

    model: str
    revision: str
    adapter: str | None
    adapter_revision: str | None
    thinking: bool
    judge: str
    judge_revision: str
    judge_config: str
    judge_engine: str
    judge_dtype: str
    prompt_pack: str
    data_sha: str
    context: tuple[tuple[str, str], ...]


def find_partners(cards: Iterable[Scorecard]) -> dict[str, Partners]:
    """Returns every scorecard's partners by its id; of several that would do, the newest."""
    by_who: dict[_Who, list[tuple[Scorecard, HicupidProtocol]]] = defaultdict(list)
    for card in sorted(cards, key=lambda card: (card.created_at, card.id), reverse=True):
        protocol = _known(card.protocol)
        if protocol is not None:
            by_who[_who(card)].append((card, protocol))
    return {
        card.id: Partners(_gold(protocol, group), _seen(card, protocol, group))
        for group in by_who.values()
        for card, protocol in group
    }


def _gold(protocol: HicupidProtocol, group: Sequence[tuple[Scorecard, HicupidProtocol]]) -> str | None:
    """The first scorecard of a group that shows only the needed dialogues where a protocol shows all."""
    if not isinstance(protocol.context, FullHistory):
        return None
    wanted = _all_but(protocol, "context")
    for card, other in group:
        if isinstance(other.context, GoldEvidence) and _all_but(other, "context") == wanted:
            return card.id
    return None


def _seen(card: Scorecard, protocol: HicupidProtocol, group: Sequence[tuple[Scorecard, HicupidProtocol]]) -> str | None:
    """The first scorecard of a group that asks seen users where a protocol asks unseen ones."""
    if UNSEEN not in protocol.splits:
        return None
    if SEEN in protocol.splits:
        return card.id
    wanted = _all_but(protocol, "splits")
    for candidate, other in group:
        if SEEN in other.splits and UNSEEN not in other.splits and _all_but(other, "splits") == wanted:
            return candidate.id
    return None


def _all_but(protocol: HicupidProtocol, part: str) -> dict[str, Any]:
    """What a protocol decides, apart from one part."""
    return protocol.model_dump(exclude={*_SAYS_NOTHING, part})


def _known(protocol_id: str) -> HicupidProtocol | None:
    """Returns a protocol, or None for one that is no longer shipped."""
    try:
        return hicupid_protocol(protocol_id)
    except RapportError:
        return None


def _who(card: Scorecard) -> _Who:
    """Names who was judged by whom on what."""
    return _Who(
        model=card.model,
        revision=card.revision,
        adapter=card.adapter,
        adapter_revision=card.adapter_revision,
        thinking=card.declaration.thinking,
        judge=card.judge,
        judge_revision=card.judge_revision,
        judge_config=card.judge_config,
        judge_engine=card.judge_engine,
        judge_dtype=card.judge_dtype,
        prompt_pack=card.prompt_pack,
        data_sha=card.data_sha,
        context=card.context,
    )
