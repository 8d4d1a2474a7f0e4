"""What changed on the board is told once, whatever happens on the way, and names nobody who has gone."""

from __future__ import annotations

import datetime
import itertools
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.audit.audit import audit
from leaderboard.board.build import build_board
from leaderboard.board.changes import Ends, build_changes, last_told
from leaderboard.open_data import layout
from leaderboard.open_data.changes import OpenChange, changes_in, read_changes
from leaderboard.records import AmendmentKind, now
from leaderboard.release.changes import Now, Standing, has_moved, record
from leaderboard.release.release import Release
from leaderboard.rescoring.promotions import NOTHING_PROMOTED, Promotion, Promotions
from leaderboard.store import layout as archive_layout
from leaderboard.store.base import Delete, Operation, Revision, StoreBusy, Write
from leaderboard.store.local import LocalStore
from leaderboard.store.open import Stores
from leaderboard.store.rows import read_record
from leaderboard.submissions.history import History
from tests.audit.sites import GOOD, MODELS, make_site
from tests.builders import make_scorecard, make_user_scores
from tests.human_sites import amended
from tests.released import NAMES, put_card

NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
Board = Mapping[str, Standing]


def stands(rank: Ends | None = (1, 1), **changes: Any) -> Standing:
    values: dict[str, Any] = {
        "model": "org/model",
        "protocol": "official-v1",
        "judge": "first",
        "judge_status": "official",
        "rank": rank,
        "total": 40.0,
        "ranked": 10,
        "flagged": False,
        "rescored": False,
        "scored_at": NOON - 30 * DAY,
    }
    return Standing(**{**values, **changes})


def promoted(judge: str, at: datetime.datetime) -> Promotions:
    words = {"protocol": "official-v1", "judge": judge, "judge_revision": "r", "judge_config": "c"}
    promotion = Promotion(**words, rescore_id="r-1", at=at, actor="carol", reason="It agrees better.")
    return Promotions(promotions=(promotion,))


class Teller:
    """A record that is told of one board a day."""

    def __init__(self) -> None:
        self.content: bytes | None = None
        self.at = NOON

    def rows(self) -> tuple[OpenChange, ...]:
        return changes_in(read_changes(self.content, "changes")) if self.content else ()

    def tell(self, board: Board, promotions: Promotions = NOTHING_PROMOTED, **options: Any) -> list[OpenChange]:
        """Tells of a board, twice, and returns the rows that came of it."""
        self.at += DAY
        why = options.pop("why", {})

        def ask(gone: Sequence[str], new: Sequence[str]) -> Any:
            return {name: why[name] for name in (*gone, *new) if name in why}

        there = Now(board, promotions, self.at, **options)
        self.content = record(self.content, there, ask).content or self.content
        assert self.content is None or record(self.content, there, ask).content is None, "it is told once"
        return [row for row in self.rows() if row.recorded_at == self.at]


@pytest.fixture
def it() -> Teller:
    return Teller()


def test_it_begins_with_what_is_there_as_of_when_it_was_scored(it: Teller) -> None:
    assert it.tell({}) == []
    older = stands((2, 3), model="org/older", scored_at=NOON - 60 * DAY)
    rows = it.tell({"b@first": stands(), "a@first": older})
    assert [(row.kind, row.model, row.at, row.rank_after) for row in rows] == [
        ("entered", "org/older", NOON - 60 * DAY, 2),
        ("entered", "org/model", NOON - 30 * DAY, 1),
    ]
    assert {row.recorded_at for row in rows} == {it.at}
    assert {row.rank_before for row in rows} == {None}


def test_what_comes_and_moves_and_goes_is_told(it: Teller) -> None:
    it.tell({"a@first": stands()})
    (row,) = it.tell({"b@first": stands(model="org/other"), "a@first": stands((2, 3), ranked=2)})[1:]
    assert (row.kind, row.reason, row.at, row.ranked) == ("moved", None, it.at, 2)
    assert (row.rank_before, row.rank_before_low, row.rank_before_high) == (1, 1, 1)
    assert (row.rank_after, row.rank_after_low, row.rank_after_high) == (2, 2, 3)
    (again,) = it.tell({"b@first": stands(), "c@first": stands(), "a@first": stands((2, 3))})
    assert (again.kind, again.reason) == ("entered", "newer_submission")
    rows = it.tell({"a@first": stands((2, 3)), "c@first": stands()}, why={"b@first": "withdrawn"})
    assert [(row.kind, row.reason, row.model, row.scorecard_id, row.ranked) for row in rows] == [
        ("left", "withdrawn", None, None, 2)
    ]
    assert "b@first" not in {row.scorecard_id for row in it.rows()}


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (stands(), stands(None, flagged=True), "flagged"),
        (stands(), stands((2, 2), total=30.0), "rescored"),
        (stands(), stands(None), None),
        (stands(None), stands(), None),
    ],
)
def test_why_a_rank_is_another_is_told_where_it_is_known(
    it: Teller, before: Standing, after: Standing, reason: str | None
) -> None:
    it.tell({"a@first": before})
    (row,) = it.tell({"a@first": after})
    assert (row.kind, row.reason) == ("moved", reason)
    if reason == "flagged":
        (cleared,) = it.tell({"a@first": before})
        assert cleared.reason == "cleared"


def test_a_promotion_is_one_row_and_what_it_brings_is_known_by_its_reason(it: Teller) -> None:
    it.tell({"a@first": stands()})
    second = stands(judge="second", rescored=True, ranked=1)
    board = {"a@second": second, "a@first": stands(judge_status="retired")}
    rows = it.tell(board, promoted("second", NOON))
    assert [(row.kind, row.judge, row.at, row.reason) for row in rows] == [
        ("judge", "second", NOON, None),
        ("entered", "second", it.at, "rescored"),
    ]
    assert [row.ranked for row in rows] == [1, 1]
    it.content = None
    assert [row.kind for row in it.tell(board, promoted("second", NOON))] == ["judge", "entered", "entered"]


def test_while_something_cannot_be_read_nothing_of_it_has_left_and_no_rank_moves(it: Teller) -> None:
    board = {"a@first": stands(), "b@first": stands((2, 2), model="org/other")}
    it.tell(board)
    there = {"b@first": stands((1, 1), model="org/other")}
    for unread in (layout.scorecards_path("org/model"), f"{layout.scorecards_path('org/model')}#a@first"):
        assert it.tell(there, unread={unread}) == []
    rows = it.tell(there, unread={layout.user_scores_path("org/model")})
    assert [row.kind for row in rows] == ["left"], "that was read"
    assert [row.kind for row in it.tell(there)] == ["moved"]


def test_a_record_that_cannot_be_read_stays(it: Teller) -> None:
    it.tell({"a@first": stands()})
    for damaged in (b"no Parquet", it.content and it.content[:-9]):
        found = record(damaged, Now({}, NOTHING_PROMOTED, NOON), lambda gone, new: {})
        assert found.content is None
        assert layout.CHANGES in found.problem


def test_a_new_model_that_moves_all_others_by_one_is_a_few_rows(it: Teller) -> None:
    models = 300

    def board(newcomers: int) -> Board:
        new = {f"new-{number}": stands((number, models), model=f"org/new-{number}") for number in range(1, newcomers)}
        old = {
            f"old-{number}": stands((number + newcomers, models), model=f"org/old-{number}") for number in range(models)
        }
        return {**new, **old}

    it.tell(board(1))
    rows = [row for newcomers in range(2, 32) for row in it.tell(board(newcomers))]
    moves = [row for row in rows if row.kind == "moved"]
    assert len(rows) - len(moves) == 30
    assert 0 < len(moves) < 30 * 40, "and not 30 * 300, though all of them come in before all others"
    assert all(has_moved((row.rank_before or 0, 0), (row.rank_after or 0, 0)) for row in moves)


ranks = st.none() | st.integers(1, 40).map(lambda rank: (rank, 40))


@given(boards=st.lists(st.dictionaries(st.sampled_from("abcdef"), ranks), min_size=1, max_size=8))
def test_the_record_follows_any_board(boards: list[dict[str, Ends | None]]) -> None:
    it, seen = Teller(), set[str]()
    for ends in boards:
        it.tell({name: stands(rank, model=f"org/{name}") for name, rank in ends.items()})
        seen |= ends.keys()
        last = last_told(read_changes(it.content, "changes")) if it.content else {}
        assert last.keys() == ends.keys(), "what is there is told of, and nothing names what is not"
        assert not any(has_moved(last[name].rank, rank) for name, rank in ends.items())


class Mortal(LocalStore):
    """A store whose process may end beside a commit."""

    dies: bool | None = None
    """Whether after it has happened; None if it does not end."""

    def commit(
        self, operations: Sequence[Operation], message: str, expected_parent: Revision | None = None
    ) -> Revision:
        dies, self.dies = self.dies, None
        if dies is False:
            raise StoreBusy("the disk", 1.0)
        revision = super().commit(operations, message, expected_parent)
        if dies:
            raise StoreBusy("the disk", 1.0)
        return revision


def ranked(store: LocalStore, at: datetime.datetime = NOON) -> Release:
    """A new process that ranks what is public."""
    release = Release(Stores(store, store, store), NAMES, frozenset(), clock=lambda: at)
    release.rank()
    return release


@pytest.mark.parametrize("dies", [False, True])
def test_a_release_that_is_killed_beside_its_commit_tells_nothing_twice(tmp_path: Path, dies: bool) -> None:
    store = Mortal(tmp_path)
    for number, total in enumerate((50.0, 40.0)):
        card = make_scorecard(f"org/model-{number}", total)
        put_card(store, card, make_user_scores(card))
        store.dies = dies
        with pytest.raises(StoreBusy):
            ranked(store, NOON + number * DAY)
        told = build_changes(store).table.num_rows
        assert told == (number + 1 if dies else number), "the board and what changed come together"
        assert (layout.BOARD in store.list("board")) == bool(told)
        ranked(store, NOON + number * DAY)
    rows = build_changes(store).since(NOON).rows()
    assert [(row.kind, row.model, row.rank_after, row.at) for row in rows] == [
        ("entered", "org/model-1", 2, NOON + DAY),
        ("entered", "org/model-0", 1, NOON),
    ][: len(rows)]
    assert build_changes(store).table.num_rows == 2
    head = store.read(layout.CHANGES)
    ranked(store, NOON + 9 * DAY)
    assert store.read(layout.CHANGES) == head


def test_what_people_decide_is_told_and_what_has_gone_is_named_nowhere(tmp_path: Path) -> None:
    stores = make_site(tmp_path, *MODELS)
    path = archive_layout.submission_path("s-20260301-00000001")
    assert MODELS[0].name == GOOD
    days = itertools.count(1)

    def decide(kind: AmendmentKind) -> list[tuple[str, str | None, str | None, int | None]]:
        at = now() + next(days) * DAY
        history = amended(read_record(stores.archive.read(path), History, path), kind)
        stores.archive.commit([Write(path, history.model_dump_json().encode())], "history")
        release = Release(stores, NAMES, frozenset(), clock=lambda: at)
        release.bring(["s-20260301-00000001"])
        release.rank()
        rows = build_changes(stores.results).since(at).rows()
        assert audit(stores.results).problems == ()
        return sorted({(row.kind, row.reason, row.model, row.rank_after) for row in rows}, key=str)

    assert decide(AmendmentKind.FLAGGED) == [
        ("moved", "flagged", GOOD, None),
        ("moved", None, "org/fair", 1),
        ("moved", None, "org/poor", 2),
    ]
    assert decide(AmendmentKind.CLEARED)[0] == ("moved", "cleared", GOOD, 1)
    assert decide(AmendmentKind.HIDDEN)[0] == ("left", "hidden", None, None)
    assert not [row for row in changes_in(build_changes(stores.results).table) if row.model == GOOD]
    assert decide(AmendmentKind.SHOWN)[0] == ("entered", "shown", GOOD, 1)
    assert decide(AmendmentKind.WITHDRAWN)[0] == ("left", "withdrawn", None, None)
    assert b"s-20260301-00000001" not in stores.results.read(layout.CHANGES)
    assert build_board(stores.results).rows


def test_a_record_that_is_lost_begins_anew_and_one_that_is_damaged_keeps_no_board_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = LocalStore(tmp_path)
    card = make_scorecard("org/model", 50.0)
    put_card(store, card, make_user_scores(card))
    ranked(store)
    store.commit([Write(layout.CHANGES, b"no Parquet"), Delete(layout.BOARD)], "damaged")
    with caplog.at_level(logging.ERROR):
        assert ranked(store).incomplete
    assert layout.CHANGES in caplog.text
    assert store.read(layout.CHANGES) == b"no Parquet"
    assert [row.rank for row in build_board(store).rows] == [1]
    assert layout.CHANGES in build_changes(store).problems[0]
    assert layout.CHANGES in audit(store).problems[0]
    store.commit([Delete(layout.CHANGES)], "lost")
    assert not ranked(store, NOON + DAY).incomplete
    (row,) = changes_in(build_changes(store).table)
    assert (row.at, row.recorded_at) == (card.created_at, NOON + DAY)
