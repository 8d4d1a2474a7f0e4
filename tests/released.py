"""The public data sets: written by hand, or brought up to date with an archive as the publisher does it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from leaderboard.board.build import Board, build_board
from leaderboard.open_data import layout
from leaderboard.open_data.figures import open_card, open_user_scores
from leaderboard.open_data.files import CARDS, USER_SCORES
from leaderboard.release.derive import all_submissions
from leaderboard.release.pending import PendingFiles
from leaderboard.release.release import Release
from leaderboard.results import Scorecard
from leaderboard.scorecards import UserScores
from leaderboard.store.base import Store
from leaderboard.store.local import LocalStore
from leaderboard.store.open import Names, Stores
from tests.builders import make_user_scores

NAMES = Names("org/rapport-archive", "org/rapport-results", "org/rapport-requests")


def publish(results: Store, *cards: Scorecard) -> None:
    """Writes scorecards and their users' sums into the public data set and ranks them, as a release does."""
    for card in cards:
        put_card(results, card, make_user_scores(card))
    write_board(results)


def write_board(results: Store) -> None:
    """Ranks what is in the public data set by now."""
    releasing(results).rank()


def releasing(results: Store) -> Release:
    """What ranks the public data set of results."""
    return Release(Stores(results, results, results), NAMES, frozenset())


def put_card(results: Store, card: Scorecard, sums: UserScores) -> None:
    """Writes a scorecard with certain users' sums into the public data set; it has no rank yet."""
    pending = PendingFiles(results)
    path, users_path = layout.scorecards_path(card.model), layout.user_scores_path(card.model)
    pending.put(path, CARDS.put(pending.read(path), [open_card(card)], path))
    pending.put(users_path, USER_SCORES.put(pending.read(users_path), open_user_scores(card, sums), users_path))
    results.commit(pending.operations, f"scorecard {card.id}")


def derived(store: Store) -> dict[str, bytes]:
    """Returns all files of a store that follow from an archive: all but the record of what changed and when."""
    return store.read_all(path for path in store.list() if path != layout.CHANGES)


def released(archive: Store, folder: Path) -> Stores:
    """Returns an archive beside the public data sets, brought up to date in a folder."""
    stores = Stores(archive, LocalStore(folder / "results"), LocalStore(folder / "requests"))
    release = Release(stores, NAMES, frozenset())
    release.bring(all_submissions(archive))
    release.describe()
    release.rank()
    return stores


def released_board(archive: Store) -> Board:
    """Returns the board that everyone sees of an archive."""
    with tempfile.TemporaryDirectory() as folder:
        return build_board(released(archive, Path(folder)).results)
