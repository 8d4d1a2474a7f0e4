"""Recomputes the public board from its public rows and compares all that is published of it.

Rows are fetched part by part of the models and thrown away once they are added up. What cannot be read costs its own
scorecard alone: in the rankings its published sums stand for those that cannot be recomputed.
"""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from leaderboard.audit.checking import Checking
from leaderboard.audit.human.checking import HumanChecking
from leaderboard.audit.human.sets import HumanSets
from leaderboard.audit.published import Published, read_published
from leaderboard.audit.recomputing import row_paths
from leaderboard.audit.records import Audit, AuditedCard, Difference, Standing
from leaderboard.open_data import layout
from leaderboard.results import Scorecard
from leaderboard.store.base import Store
from leaderboard.store.disk import told_failures

_SOME_MODELS = "They take all models, and only some were asked for."


def audit(
    results: Store,
    models: Collection[str] = (),
    tell: Callable[[str], None] = lambda words: None,
    human_data: Sequence[str] = (),
) -> Audit:
    """Says of every figure on a public board whether it follows from the public rows.

    Nothing that is read is trusted: what is broken is named, and costs its own scorecard.

    Args:
        results: The public data set of results.
        models: The only models whose scorecards are looked at, without ranks and gaps; all if empty.
        tell: Is told now and then how far it has come.
        human_data: Data sets that are at hand, of people's labels or, for made-up users, HiCUPID's: folders, or names
            on the Hub.

    Raises:
        StoreError: If the store as a whole cannot be read, or there is no room for some files.

    Example:
        >>> audit(LocalStore(Path("data/results"))).differing  # doctest: +SKIP
        0
    """
    revision = results.head()
    published = read_published(results)
    asked = [card for card in published.cards.values() if not models or card.model in models]
    with tempfile.TemporaryDirectory(prefix="rapport-audit-") as folder, told_failures(Path(folder)):
        checking = Checking(results, published, Path(folder))
        looked_at = 0
        for own in _by_part(asked):
            checking.check_part(own)
            looked_at += len(own)
            tell(f"{looked_at} of {len(asked)} scorecards, {checking.rows} rows")
        places_unchecked = _SOME_MODELS if models else checking.check_places()
    human = HumanChecking(results, published.human, HumanSets(human_data))
    agreement = []
    for of_people in sorted(published.human.cards, key=lambda card: layout.human_scorecards_path(card.model)):
        if not models or of_people.model in models:
            agreement.append(human.audited(of_people))
            tell(f"{len(agreement)} scorecards of human-grounded tasks, {human.rows} rows")
    strangers = [row for row in published.rows_without_card() if not models or row.model in models]
    cards = [
        *(checking.audited(card) for card in asked),
        *(_stranger(row.scorecard_id, row.model) for row in strangers),
        *agreement,
        *human.strangers(models),
    ]
    standings = Counter(card.standing for card in cards)
    return Audit(
        revision=revision,
        moved=results.head() != revision,
        models=tuple(sorted(models)),
        rows=checking.rows + human.rows,
        scorecards=len(cards),
        agreeing=standings[Standing.AGREES],
        differing=standings[Standing.DIFFERS],
        unchecked=standings[Standing.UNCHECKED],
        places_unchecked=places_unchecked,
        problems=published.problems,
        without_card=() if models else _without_card(published),
        cards=tuple(sorted(cards, key=lambda card: (card.model, card.scorecard_id))),
    )


def _by_part(cards: Sequence[Scorecard]) -> list[list[Scorecard]]:
    """Parts scorecards as the files of their models are."""
    parts: dict[str, list[Scorecard]] = defaultdict(list)
    for card in cards:
        parts[layout.user_scores_path(card.model)].append(card)
    return [own for _, own in sorted(parts.items())]


def _stranger(scorecard_id: str, model: str) -> AuditedCard:
    """Names a row of the board that no scorecard stands behind."""
    nothing = Difference(figure="board.scorecard_id", published=scorecard_id, recomputed=None)
    return AuditedCard(scorecard_id=scorecard_id, model=model, differences=(nothing,))


def _without_card(published: Published) -> tuple[str, ...]:
    """Returns the files of rows that belong to no scorecard; none where some scorecards cannot be read."""
    if published.unread:
        return ()
    sound = [card for card in published.cards.values() if card.id not in published.unfit]
    return tuple(sorted(published.row_files - {path for card in sound for path in row_paths(card)}))
