"""What readers see of a re-score: nothing of it until it is promoted, and then all of it at once, commit by commit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from leaderboard.board.build import Board, build_board
from leaderboard.exports.files import Exports
from leaderboard.exports.routes import export_router
from leaderboard.open_data import layout as public
from leaderboard.open_data.files import decode_board
from leaderboard.open_data.judges import OpenJudge
from leaderboard.pages.reader import Reader
from leaderboard.pages.site import Pages, router
from leaderboard.records import now
from leaderboard.release.release import Release
from leaderboard.rescoring.checks import JudgeChecks
from leaderboard.rescoring.promotions import read_promotions
from leaderboard.rescoring.records import Rescore
from leaderboard.results import Scorecard
from leaderboard.store import LocalStore, layout
from leaderboard.store.base import StoreBusy, Write
from leaderboard.store.open import Stores
from leaderboard.store.parquet import decode_parquet
from tests.builders import make_user_scores
from tests.released import NAMES
from tests.rescoring.other_judge import OTHER
from tests.rescoring.rescores import CAROL, Bench, make_check, settle
from worker import promoting
from worker.releasing import Releasing

OLD = "demo"
TOTALS = {OLD: (20.0, 40.0, 60.0), OTHER: (60.0, 40.0, 20.0)}
"""The two judges put the three models in opposite orders."""


class Watched(LocalStore):
    """The public results; keeps what readers see of every commit."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.boards: list[Board] = []
        self.files: list[dict[str, set[str]]] = []

    def commit(self, *args, **options):  # type: ignore[no-untyped-def]
        revision = super().commit(*args, **options)
        self.boards.append(build_board(self))
        self.files.append(told_in(self))
        return revision


def told_in(results: LocalStore) -> dict[str, set[str]]:
    """What the public files that are written in one commit say of judges: each one's status."""
    paths = results.list("")
    rows = decode_board(results.read(public.BOARD), public.BOARD) if public.BOARD in paths else []
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row.judge, set()).add(f"{row.judge_status} {'ranks' if row.rank else 'does not'}")
    if public.CARD in paths:
        lines = results.read(public.CARD).decode().splitlines()
        found["card"] = {f"{OTHER} {line.split(' | ')[1]}" for line in lines if line.startswith(f"| {OTHER} |")}
    if public.JUDGES in paths:
        judges = decode_parquet(results.read(public.JUDGES), OpenJudge, public.JUDGES)
        found["judges"] = {f"{each.id} {each.status}" for each in judges if each.id == OTHER}
    return found


def seen(board: Board) -> dict[str, set[tuple[str, int | None, int | None, str]]]:
    """What a page tells of each judge: status, ranks, and why there is none."""
    found: dict[str, set[tuple[str, int | None, int | None, str]]] = {}
    for row in board.rows:
        what = (row.judge_status, row.rank, row.rank_under_judge, "; ".join(row.unranked_because))
        found.setdefault(row.judge, set()).add(what)
    return found


BEFORE = {OLD: {("official", rank, rank, "") for rank in (1, 2, 3)}}
AFTER = {
    OLD: {("retired", None, rank, "retired judge") for rank in (1, 2, 3)},
    OTHER: {("official", rank, rank, "") for rank in (1, 2, 3)},
}
TOLD_BEFORE = {OLD: {"official ranks"}, "judges": {f"{OTHER} candidate"}, "card": {f"{OTHER} candidate"}}
TOLD_AFTER = {
    OLD: {"retired does not"},
    OTHER: {"official ranks"},
    "judges": {f"{OTHER} official"},
    "card": {f"{OTHER} official"},
}


def as_real(card: Scorecard, place: int) -> Scorecard:
    """A scorecard as if its run were a complete one of an official protocol, with a Total of our choosing."""
    status = "official" if card.judge == OLD else card.judge_status
    reasons = () if status == "official" else (f"{status} judge",)
    total = replace(card.result.total, value=TOTALS[card.judge][place])
    result = card.result.model_copy(update={"total": total})
    return card.model_copy(update={"judge_status": status, "unranked_because": reasons, "result": result})


def make_real(bench: Bench, rescore: Rescore) -> None:
    """Has the scorecards of both judges rank but for their judge's status."""
    writes = []
    for path in [*bench.store.list(layout.SCORECARDS), *bench.store.list(layout.rescored_cards_folder(rescore.id))]:
        card = Scorecard.model_validate_json(bench.store.read(path))
        card = as_real(card, bench.runs.index(card.run_id))
        own = path.startswith(layout.SCORECARDS)
        users = layout.user_scores_path(card.model, card.id) if own else layout.rescored_users_path(rescore.id, card.id)
        writes += [
            Write(path, card.model_dump_json().encode()),
            Write(users, make_user_scores(card).model_dump_json().encode()),
        ]
    bench.store.commit(writes, "as if they were complete")


@pytest.fixture
def results(tmp_path: Path) -> Watched:
    return Watched(tmp_path / "results")


class Hand(NamedTuple):
    """The publisher's second hand."""

    releasing: Releasing
    moment: list[float]

    def note(self, *paths: str) -> None:
        """Takes note of a commit that wrote some files."""
        archive = self.releasing._archive
        self.releasing.note([Write(path, b"") for path in paths], archive.head())

    def work(self) -> None:
        """Releases all that there is; between two steps more time goes by than a board ever waits."""
        for _ in range(100):
            self.moment[0] += 1000.0
            if not self.releasing.step():
                return
        raise AssertionError("it does not come to rest")


@pytest.fixture
def hand(bench: Bench, results: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hand:
    """Of which every commit brings one model alone."""
    monkeypatch.setattr("leaderboard.release.release.FILES_A_COMMIT", 1)
    stores = Stores(bench.store, results, LocalStore(tmp_path / "requests"))
    release, moment = Release(stores, NAMES, frozenset(), bench.settings.judges), [0.0]
    return Hand(Releasing(bench.store, release, tmp_path / ".released", clock=lambda: moment[0]), moment)


@pytest.fixture
def site(results: Watched) -> TestClient:
    """The pages and exports of the public results."""
    app, reader = FastAPI(), Reader(results, results, None)
    app.include_router(router(Pages(reader)))
    app.include_router(export_router(Exports(reader.board)))
    return TestClient(app)


def texts(site: TestClient) -> Iterator[str]:
    """All that a visitor may read of who decides ranks."""
    for path in ("/", "/rows", "/exports/board.csv", "/exports/board.json"):
        yield site.get(path).text


def shows_nothing_of_it(site: TestClient) -> bool:
    return all(f"@{OTHER}" not in text and f"judge={OTHER}" not in text for text in texts(site))


def begin_promotion(bench: Bench, rescore: Rescore, hand: Hand) -> None:
    """Has a re-score judged and promoted, and the release told of it, of which nothing is released yet."""
    JudgeChecks(bench.redis).put(make_check(rescore))
    bench.finish(rescore)
    make_real(bench, rescore)
    hand.work()
    promote(bench, rescore)
    hand.note(layout.PROMOTIONS)


def test_a_half_finished_re_score_shows_nowhere(
    bench: Bench, rescore: Rescore, hand: Hand, results: Watched, site: TestClient
) -> None:
    make_real(bench, rescore)
    hand.work()
    assert seen(build_board(results)) == BEFORE
    shown, revision = list(texts(site)), results.head()
    bench.finish(rescore)
    assert bench.store.list(layout.rescored_cards_folder(rescore.id)), "all judged, and nothing decided"
    hand.note(*bench.store.list(""))
    hand.work()
    assert seen(build_board(results)) == BEFORE
    assert shows_nothing_of_it(site)
    assert [text.replace(results.head(), revision) for text in texts(site)] == shown
    assert not any(f"/{OTHER}/" in path for path in results.list("verdicts"))


def call_itself_official(bench: Bench, rescore: Rescore) -> None:
    """Has the scorecards of a re-score as they are of a judge whose own file says that it is official."""
    writes = []
    for path in bench.store.list(layout.rescored_cards_folder(rescore.id)):
        card = Scorecard.model_validate_json(bench.store.read(path))
        card = card.model_copy(update={"judge_status": "official", "unranked_because": ()})
        writes.append(Write(path, card.model_dump_json().encode()))
    bench.store.commit(writes, "a judge that calls itself official")


@pytest.mark.parametrize("own_status", ["candidate", "official"])
def test_a_promotion_is_seen_as_a_whole_at_every_revision(
    bench: Bench,
    rescore: Rescore,
    hand: Hand,
    results: Watched,
    site: TestClient,
    own_status: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    JudgeChecks(bench.redis).put(make_check(rescore))
    bench.finish(rescore)
    make_real(bench, rescore)
    if own_status == "official":
        call_itself_official(bench, rescore)
    hand.work()
    assert seen(build_board(results)) == BEFORE

    monkeypatch.setattr(promoting, "CARDS_A_COMMIT", 1)
    bench.service.promote(rescore.id, CAROL, "It agrees better with people.")
    copied = 0
    while not read_promotions(bench.store).promotions:
        cards = bench.store.list(layout.SCORECARDS)
        copied = sum(f"@{OTHER}" in path for path in cards)
        hand.note(*cards)
        hand.work()
        assert seen(build_board(results)) == BEFORE, "half copied"
        assert shows_nothing_of_it(site)
        bench.publisher.step()
    assert copied == 3
    settle(bench.publisher)

    results.boards.clear()
    results.files.clear()
    # One of them has news of its own before the promotion is told.
    hand.note(layout.submission_path(bench.runs[0].partition(".")[0]))
    hand.work()
    hand.note(layout.PROMOTIONS)
    hand.work()
    told = [seen(board) for board in results.boards]
    switch = told.index(AFTER)
    assert switch >= 3, "each model came in a commit of its own, and then the board"
    assert told[:switch] == [BEFORE] * switch
    assert told[switch:] == [AFTER] * (len(told) - switch)
    assert results.files == [TOLD_BEFORE] * switch + [TOLD_AFTER] * (len(told) - switch)
    for board in results.boards:
        assert {card.judge_status for card in board.cards.values() if card.judge == OLD} in ({"official"}, {"retired"})
    page = site.get("/", params={"judge": OLD}).text
    assert f"Ranks under {OLD}, which is retired since {now():%Y-%m-%d}." in page
    assert f"is under {OTHER}" in page


def promote(bench: Bench, rescore: Rescore) -> None:
    bench.service.promote(rescore.id, CAROL, "It agrees better with people.")
    settle(bench.publisher)


def test_a_publisher_that_comes_back_in_the_middle_writes_no_board_before_all_is_released(
    bench: Bench, rescore: Rescore, hand: Hand, results: Watched, tmp_path: Path
) -> None:
    begin_promotion(bench, rescore, hand)
    hand.releasing.step()
    results.boards.clear()
    results.files.clear()
    stores = Stores(bench.store, results, LocalStore(tmp_path / "requests"))
    release = Release(stores, NAMES, frozenset(), bench.settings.judges)
    Hand(Releasing(bench.store, release, tmp_path / ".released", clock=lambda: hand.moment[0]), hand.moment).work()
    told = [seen(board) for board in results.boards]
    assert told[-1] == AFTER
    assert all(each == BEFORE for each in told[: told.index(AFTER)])
    assert all(each == AFTER for each in told[told.index(AFTER) :])
    switch = told.index(AFTER)
    assert switch >= 1
    assert results.files == [TOLD_BEFORE] * switch + [TOLD_AFTER] * (len(told) - switch)


@pytest.mark.parametrize("count", [1, 3])
def test_what_is_broken_while_a_judge_is_promoted_ranks_no_more_under_its_predecessor(
    bench: Bench, rescore: Rescore, hand: Hand, results: Watched, site: TestClient, count: int
) -> None:
    JudgeChecks(bench.redis).put(make_check(rescore))
    bench.finish(rescore)
    make_real(bench, rescore)
    hand.work()
    promote(bench, rescore)
    new = {path for path in bench.store.list(layout.SCORECARDS) if f"@{OTHER}" in path}
    broken = {path for path in new if any(run_id in path for run_id in bench.runs[:count])}
    assert len(broken) == count
    bench.store.commit([Write(path, b"{") for path in broken], "damaged")
    hand.note(layout.PROMOTIONS)
    hand.work()
    assert hand.releasing.backlog().broken == count
    board = build_board(results)
    ranked = {("official", rank, rank, "") for rank in range(1, 4 - count)}
    assert seen(board) == {OLD: AFTER[OLD]} | ({OTHER: ranked} if ranked else {})
    assert {row.judge_status_since is not None for row in board.rows} == {True}
    assert told_in(results)["judges"] == {f"{OTHER} official"}
    assert f"Ranks under {OLD}, which is retired since" in site.get("/", params={"judge": OLD}).text


def test_an_archive_that_is_away_for_a_moment_does_not_show_a_promotion_piece_by_piece(
    bench: Bench, rescore: Rescore, hand: Hand, results: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_promotion(bench, rescore, hand)
    results.boards.clear()
    results.files.clear()

    def away(prefix: str) -> list[str]:
        raise StoreBusy("the archive", 1.0)

    with monkeypatch.context() as patched:
        patched.setattr(bench.store, "list", away)
        with pytest.raises(StoreBusy):
            hand.releasing.step()
    hand.work()
    told = [seen(board) for board in results.boards]
    switch = told.index(AFTER)
    assert switch >= 3
    assert told == [BEFORE] * switch + [AFTER] * (len(told) - switch)
    assert results.files == [TOLD_BEFORE] * switch + [TOLD_AFTER] * (len(told) - switch)
