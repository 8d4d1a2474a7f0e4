"""What ledger, archive and requests hold of what was answered: each submission once, of the right person, or not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from benchmarks.load_visitors import Outcome
from leaderboard.open_data import files
from leaderboard.open_data import layout as open_layout
from leaderboard.open_data.views import history_of
from leaderboard.records import State
from leaderboard.store import layout
from leaderboard.store.open import Stores
from leaderboard.store.rows import read_record
from leaderboard.submissions.history import History
from leaderboard.submissions.ledger import Ledger

_ONCE = (None, State.CHECKING)
"""Steps from which a run comes once in its life, unless it is taken up again, which nobody does here."""


class Account(NamedTuple):
    """Names of what is not as it has to be."""

    lost: tuple[str, ...]
    """Ids that were answered and do not stand, for that model and person, in ledger, archive and requests."""
    duplicated: tuple[str, ...]
    """Models that stand twice in any of them, and runs that were entered or queued twice."""


def account_of(outcomes: Sequence[Outcome], ledger: Ledger, stores: Stores, newest: int) -> Account:
    """Compares what people were told with what is kept.

    Args:
        outcomes: What people were told.
        ledger: The ledger, of which the `newest` submissions are read.
        stores: Archive and requests, of which all are read.
        newest: At least as many as were submitted.
    """
    answered = [outcome for outcome in outcomes if outcome.submission_id]
    models = {outcome.model for outcome in outcomes}
    archive, requests = stores.archive, stores.requests
    public = requests.list(open_layout.REQUESTS)
    kept = (
        ledger.histories(ledger.newest(newest)),
        [read_record(archive.read(path), History, path) for path in archive.list(layout.SUBMISSIONS)],
        [history_of(files.decode_request(requests.read(path), path)) for path in public],
    )
    places = [[each for each in histories if each.submission.model in models] for histories in kept]
    return Account(
        tuple(sorted({name for histories in places for name in _lost(answered, histories)})),
        tuple(sorted({name for histories in places for name in _doubled(histories)})),
    )


def _lost(answered: Sequence[Outcome], histories: Iterable[History]) -> Iterable[str]:
    """Yields the ids that are not there as they were answered."""
    found = {(each.submission.id, each.submission.model, each.submission.submitter) for each in histories}
    return (each.submission_id for each in answered if (each.submission_id, each.model, each.submitter) not in found)


def _doubled(histories: Iterable[History]) -> Iterable[str]:
    """Yields what stands there twice."""
    models, steps = Counter[str](), Counter[tuple[str, State | None]]()
    for history in histories:
        models[history.submission.model] += 1
        steps.update((step.run_id, step.before) for step in history.transitions if step.before in _ONCE)
    yield from (model for model, times in models.items() if times > 1)
    yield from (run_id for (run_id, _), times in steps.items() if times > 1)
