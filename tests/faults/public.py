"""What everyone may read, held against the archive that all of it follows from."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from leaderboard.board.changes import build_changes, last_told
from leaderboard.board.human import read_human_cards
from leaderboard.board.public import read_cards
from leaderboard.open_data import files, layout
from leaderboard.open_data.records import OpenUserScore, OpenWithdrawal
from leaderboard.open_data.views import history_of
from leaderboard.records import State, submission_of
from leaderboard.release.kept import read_kept
from leaderboard.results import AnyScorecard, HumanScorecard, Scorecard, with_facts
from leaderboard.settings import Settings
from leaderboard.store import layout as archive_layout
from leaderboard.store.base import NotFound, Store
from leaderboard.store.open import Stores
from leaderboard.store.parquet import decode_parquet
from leaderboard.store.rows import decode_rows, read_record
from leaderboard.submissions.history import History
from tests.released import derived, released

Card = TypeVar("Card", Scorecard, HumanScorecard)


def all_is_public(settings: Settings, stores: Stores) -> bool:
    """Whether the publisher has released all that the archive holds, the board included."""
    kept = read_kept(settings.released)
    if kept is None or kept.archive != stores.archive.head():
        return False
    results = stores.results
    return _on_board(results) == sorted(card.id for card in read_cards(results).cards)


def _on_board(results: Store) -> list[str]:
    try:
        content = results.read(layout.BOARD)
    except NotFound:
        return []
    return sorted(row.scorecard_id for row in files.decode_board(content, layout.BOARD))


def wrong_in_public(stores: Stores, entries: Mapping[str, History]) -> Iterator[str]:
    """Names what is public and should not be, or should be and is not.

    Args:
        stores: The three data sets, once the publisher has nothing left to release.
        entries: All submissions of the archive, by id.
    """
    yield from _other_than_derived(stores)
    yield from _wrong_results(stores, entries)
    yield from _wrong_requests(stores.requests, entries)


def _other_than_derived(stores: Stores) -> Iterator[str]:
    """Names files that are not what the archive as a whole leads to; cards name their data sets and are left out."""
    with tempfile.TemporaryDirectory() as folder:
        should = released(stores.archive, Path(folder))
        for name in ("results", "requests"):
            wanted, found = (_contents(getattr(each, name)) for each in (should, stores))
            for path in sorted(wanted.keys() | found.keys()):
                if wanted.get(path) != found.get(path):
                    yield f"{name}: {path} is {_told(path in wanted, path in found)}"


def _contents(store: Store) -> dict[str, bytes]:
    return {path: content for path, content in derived(store).items() if path != layout.CARD}


def _told(wanted: bool, found: bool) -> str:
    return "another" if wanted and found else "missing" if wanted else "too much"


def _wrong_results(stores: Stores, entries: Mapping[str, History]) -> Iterator[str]:
    """Holds the public scorecards, board and sums against the scorecards of the archive that were not withdrawn."""
    archive, results = stores.archive, stores.results
    gone = {name for name, entry in entries.items() if entry.withdrawn}
    wanted = _wanted(archive, archive_layout.SCORECARDS, Scorecard, entries)
    of_people = _wanted(archive, archive_layout.HUMAN_SCORECARDS, HumanScorecard, entries)
    runs = {card.run_id for card in (*wanted.values(), *of_people.values())}
    published = {run_id for name in entries.keys() - gone for run_id in _published(entries[name])}
    yield from (f"{run_id} has no scorecard" for run_id in published - runs)
    yield from (f"there is a scorecard of {run_id}, which is not published" for run_id in runs - published)
    shown: list[AnyScorecard] = [*read_cards(results).cards, *read_human_cards(results).cards]
    archived: dict[str, AnyScorecard] = {**wanted, **of_people}
    public = {card.id: card for card in shown}
    yield from (f"the public scorecard {name} is wrong" for name in _differing(public, archived))
    if (board := _on_board(results)) != sorted(wanted):
        yield f"the board has {board} and not {sorted(wanted)}"
    if (told := sorted(last_told(build_changes(results).table))) != board:
        yield f"what changed tells of {told} and not of {board}"
    summed = {
        row.scorecard_id
        for path in results.list(layout.USER_SCORES)
        for row in decode_parquet(results.read(path), OpenUserScore, path)
    }
    yield from (f"there are sums of {name}" for name in summed - wanted.keys())
    yield from (f"{path} was withdrawn" for path in results.list() if any(name in path for name in gone))
    said = decode_rows(results.read(layout.WITHDRAWN), OpenWithdrawal, layout.WITHDRAWN)
    if {row.submission_id for row in said} != gone:
        yield f"{sorted(gone)} were withdrawn and not {sorted(row.submission_id for row in said)}"


def _wanted(archive: Store, folder: str, kind: type[Card], entries: Mapping[str, History]) -> dict[str, Card]:
    """Returns the scorecards of a suite that were not withdrawn, by id, with what is known of their models."""
    wanted: dict[str, Card] = {}
    for card in (read_record(archive.read(path), kind, path) for path in archive.list(folder)):
        entry = entries.get(submission_of(card.run_id))
        if entry is None or not entry.withdrawn:
            wanted[card.id] = with_facts(card, entry.submission.facts if entry else None)
    return wanted


def _published(entry: History) -> list[str]:
    return [run_id for run_id, state in entry.states.items() if state is State.PUBLISHED]


def _differing(found: Mapping[str, object], wanted: Mapping[str, object]) -> list[str]:
    return sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))


def _wrong_requests(requests: Store, entries: Mapping[str, History]) -> Iterator[str]:
    """Holds the public submissions against those of the archive."""
    paths = {layout.request_path(name): entry for name, entry in entries.items()}
    yield from (f"the request {path} is missing or too much" for path in set(requests.list(layout.REQUESTS)) ^ {*paths})
    for path in paths.keys() & set(requests.list(layout.REQUESTS)):
        row, entry = files.decode_request(requests.read(path), path), paths[path]
        told = (row.id, row.model, row.state, row.withdrawn_at is not None, history_of(row).states)
        should = (entry.submission.id, entry.submission.model, entry.state, entry.withdrawn, entry.states)
        if told != should:
            yield f"the request {path} tells {told} and not {should}"
