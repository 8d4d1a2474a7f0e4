"""Releasing goes on whatever fails, loses nothing, and does no more than it has to."""

from __future__ import annotations

import itertools
import logging
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from evaluator.records import Verdict
from leaderboard.open_data import layout
from leaderboard.open_data.files import decode_request
from leaderboard.records import AmendmentKind
from leaderboard.release import release as release_module
from leaderboard.release.news import news_in
from leaderboard.store import layout as archive_layout
from leaderboard.store.base import Conflict, Revision, StoreBusy, StoreUnavailable, Write
from leaderboard.store.local import LocalStore
from leaderboard.store.open import Stores
from leaderboard.store.parquet import decode_parquet, encode_parquet
from tests.release.archives import SHOWN, WITHHELD, Commit, Site, replay
from tests.release.conftest import Past, contents
from tests.release.driving import board, finish, releasing_of, shown
from tests.release.stores import Watched

STRIDE = 5
"""Of so many calls one is made to fail: it is prime to the number of calls that belong to one submission."""
SHORT = 6
"""So many commits of the past are enough to publish a model under two protocols."""


ERRORS = itertools.cycle(
    [
        lambda: StoreBusy("the Hub", 36.0),
        lambda: StoreUnavailable("the Hub", "it does not answer"),
        lambda: Conflict(Revision("a" * 40), Revision("b" * 40)),
    ]
)


def test_a_store_that_fails_at_any_call_costs_another_step_and_nothing_else(  # noqa: C901
    past: Past, tmp_path: Path
) -> None:
    """One call after another fails once, and what comes of it is the same."""
    commits = past.commits[:SHORT]
    wanted: tuple[Any, Any] | None = None
    for number in itertools.count(0, STRIDE):
        stores = Stores(*(LocalStore(tmp_path / str(number) / name) for name in Stores._fields))
        calls = itertools.count()
        error, failed = next(ERRORS)(), []

        def tell(name: str, _: Any, calls=calls, error=error, failed=failed, number=number) -> None:
            if wanted is not None and next(calls) == number:  # noqa: B023 - Called in this round.
                failed.append(name)
                raise error

        watched = Stores(*(Watched(store, tell) for store in stores))  # type: ignore[arg-type]
        it = releasing_of(watched, tmp_path / str(number) / ".released")
        for commit in commits:
            it.note(commit, stores.archive.commit(commit, "replayed"))
        seen = it.backlog().submissions
        while True:
            try:
                if not it.step():
                    break
            except type(error):
                assert it.backlog().submissions <= seen
        found = contents(stores.results), contents(stores.requests)
        if wanted is None:
            wanted = found
            continue
        assert found == wanted, f"call {number} failed"
        if not failed:
            break
    assert number > 50, "all calls had their turn"


def test_the_board_follows_although_the_first_try_to_rank_failed(past: Past, stores: Stores, file: Path) -> None:
    """What was brought is not brought again for that."""
    replay(past.commits, stores.archive)
    boards, reads = [], []

    def tell(name: str, what: Any) -> None:
        if name == "commit" and layout.BOARD in [each.path for each in what]:
            boards.append(what)
            if len(boards) == 1:
                raise StoreBusy("the Hub", 36.0)

    watched = Stores(
        Watched(stores.archive, lambda name, what: reads.append(what)),  # type: ignore[arg-type]
        Watched(stores.results, tell),  # type: ignore[arg-type]
        stores.requests,
    )
    it = releasing_of(watched, file)
    with pytest.raises(StoreBusy):
        finish(it)
    assert layout.BOARD not in stores.results.list("board")
    reads.clear()
    finish(it)
    assert contents(stores.results) == past.results
    assert reads == ["promotions.json"], "whose judge decides ranks, and nothing else"


def test_the_board_follows_what_was_committed_before_a_failure(
    past: Past, stores: Stores, file: Path, monkeypatch
) -> None:
    """A part of what waits is public, then the store fails, and all that is tried again has changed nothing."""
    monkeypatch.setattr(release_module, "FILES_A_COMMIT", 1)
    failing = [False]

    def tell(name: str, _: Any) -> None:
        if name == "commit" and failing[0]:
            raise StoreUnavailable("the Hub", "it does not answer")

    it = releasing_of(Stores(stores.archive, Watched(stores.results, tell), stores.requests), file)  # type: ignore[arg-type]
    finish(it)
    for commit in past.commits:
        it.note(commit, stores.archive.commit(commit, "replayed"))
    it.step()
    failing[0] = True
    with pytest.raises(StoreUnavailable):
        finish(it)
    failing[0] = False
    finish(it)
    assert contents(stores.results) == past.results


def test_what_is_noted_while_a_commit_is_made_goes_on_waiting(past: Past, stores: Stores, file: Path) -> None:
    left = list(past.commits)
    first: list[Commit] = [left.pop(0) for _ in range(SHORT)]

    def publisher_goes_on(name: str, _: Any) -> None:
        if name == "commit" and left:
            commit = left.pop(0)
            thread = threading.Thread(target=lambda: it.note(commit, stores.archive.commit(commit, "meanwhile")))
            thread.start()
            thread.join()

    it = releasing_of(
        Stores(stores.archive, Watched(stores.results, publisher_goes_on), stores.requests),  # type: ignore[arg-type]
        file,
    )
    for commit in first:
        it.note(commit, stores.archive.commit(commit, "before"))
    while it.step() or left:
        if it.backlog().submissions == 0 and left:
            publisher_goes_on("commit", None)
    assert (contents(stores.results), contents(stores.requests)) == (past.results, past.requests)


def test_another_writers_commit_is_noticed_and_stays(past: Past, stores: Stores, file: Path) -> None:
    replay(past.commits, stores.archive)
    strangers = iter([Write("labels/org@set/relevance.parquet", b"a label")])

    def tell(name: str, what: Any) -> None:
        if name == "commit" and len(what) > 3 and (stranger := next(strangers, None)):
            stores.results.commit([stranger], "a stranger's")

    it = releasing_of(Stores(stores.archive, Watched(stores.results, tell), stores.requests), file)  # type: ignore[arg-type]
    with pytest.raises(Conflict):
        finish(it)
    finish(it)
    assert contents(stores.results) == past.results | {"labels/org@set/relevance.parquet": b"a label"}


def test_consent_that_is_taken_back_withholds_answers_that_were_public(site: Site, stores: Stores, file: Path) -> None:
    model = site.enter(1, "org/model", declaration=SHOWN)
    site.run(model)
    it = releasing_of(Stores(site.archive, *stores[1:]), file)
    finish(it)
    assert shown(stores.results, "org/model") == {"shown"}
    for declaration, status in ((WITHHELD, "withheld"), (SHOWN, "shown")):
        site.amend(model, AmendmentKind.CORRECTED, declaration=declaration)
        it.note(site.commits[-1], site.archive.head())
        finish(it)
        assert shown(stores.results, "org/model") == {status}


def test_what_a_judge_that_is_no_longer_shipped_said_goes_with_its_submission(
    site: Site, stores: Stores, file: Path, monkeypatch
) -> None:
    model = site.enter(1, "org/model", declaration=SHOWN)
    site.run(model)
    it = releasing_of(Stores(site.archive, *stores[1:]), file)
    finish(it)
    site.amend(model, AmendmentKind.CORRECTED, declaration=WITHHELD)
    site.amend(model, AmendmentKind.WITHDRAWN)
    monkeypatch.setattr("leaderboard.release.rows.judge_ids", list)
    it.note(site.commits[-2] + site.commits[-1], site.archive.head())
    finish(it)
    assert stores.results.list(layout.VERDICTS) == []


def test_consent_counts_although_the_archives_scorecard_was_not_corrected(
    site: Site, stores: Stores, file: Path
) -> None:
    model = site.enter(1, "org/model", declaration=SHOWN)
    site.run(model)
    (path,) = site.archive.list(archive_layout.SCORECARDS)
    before = site.archive.read(path)
    site.amend(model, AmendmentKind.CORRECTED, declaration=WITHHELD)
    site.write(Write(path, before))
    finish(releasing_of(Stores(site.archive, *stores[1:]), file))
    assert shown(stores.results, "org/model") == {"withheld"}


def test_rows_that_change_in_the_archive_change_in_public(past: Past, stores: Stores, file: Path) -> None:
    """A scorecard names what was said by its hash, so that rows may lose their texts and it stays the same."""
    replay(past.commits, stores.archive)
    it = releasing_of(stores, file)
    finish(it)
    run_id = "s-20260301-00000002.demo-v1"
    path = archive_layout.compact_path(archive_layout.verdicts_folder(run_id))
    (public,) = [each for each in stores.results.list(layout.VERDICTS) if run_id in each]
    before = stores.results.read(public)
    rows = decode_parquet(stores.archive.read(path), Verdict, path)
    change = (Write(path, encode_parquet([row.model_copy(update={"completion": "Less."}) for row in rows], Verdict)),)
    it.note(change, stores.archive.commit(change, "changed"))
    finish(it)
    assert stores.results.read(public) != before


def test_news_of_a_submission_alone_write_no_results_and_read_no_rows(site: Site, stores: Stores, file: Path) -> None:
    model = site.enter(1, "org/model")
    site.run(model)
    reads: Counter[str] = Counter()
    archive = Watched(site.archive, lambda name, what: reads.update([f"{name} {what}"]))
    it = releasing_of(Stores(archive, *stores[1:]), file)  # type: ignore[arg-type]
    finish(it)
    head = stores.results.head()
    reads.clear()
    site.amend(model, AmendmentKind.DISPUTED)
    it.note(site.commits[-1], site.archive.head())
    finish(it)
    assert stores.results.head() == head
    path = layout.request_path(model.id)
    assert "disputed" in decode_request(stores.requests.read(path), path).history
    assert not [call for call in reads if "runs/" in call]
    assert max(reads.values()) == 1
    assert sum(reads.values()) <= 6, reads


def test_what_workers_write_while_a_run_is_open_is_no_news(site: Site, stores: Stores, file: Path) -> None:
    model = site.enter(1, "org/model")
    site.save()
    reads: list[Any] = []
    it = releasing_of(Stores(Watched(site.archive, lambda *call: reads.append(call)), *stores[1:]), file)  # type: ignore[arg-type]
    finish(it)
    reads.clear()
    site.run(model, judged=False)
    working = [commit for commit in site.commits if not news_in(each.path for each in commit)]
    assert working
    for commit in working:
        it.note(commit, site.archive.head())
    assert it.backlog().submissions == 0
    assert not it.step()
    assert reads == []
    assert site.archive.head() in file.read_text(), "it need not look there again"


@pytest.mark.parametrize(
    ("path", "news"),
    [
        ("scorecards/9d/org/s-20260101-00000001/s-20260202-00000002.demo-v1@demo.json", {"s-20260202-00000002": False}),
        ("user-scores/org/s-20260101-00000001/s-20260202-00000002.demo-v1@demo.json", {"s-20260202-00000002": False}),
        (
            "human-scorecards/9d/org/s-20260101-00000001/s-20260202-00000002.human-rating-v1@people.json",
            {"s-20260202-00000002": False},
        ),
        ("runs/202602/02/s-20260202-00000002.demo-v1/generations.parquet", {"s-20260202-00000002": True}),
        ("runs/202602/02/s-20260202-00000002.demo-v1/reports.parquet", {}),
        ("runs/202602/02/s-20260202-00000002.demo-v1/plan.json", {}),
        ("runs/202602/02/s-20260202-00000002.demo-v1/verdicts/0000-1-2.jsonl", {}),
        ("tombstones/s-20260202-00000002.json", {"s-20260202-00000002": False}),
        ("submissions/README.md", {}),
        ("README.md", {}),
        ("takedowns/model/d5/s-20260202-00000002.json", {}),
    ],
)
def test_files_tell_of_submissions_by_their_place(path: str, news: dict[str, bool]) -> None:
    assert news_in([path]) == news


@pytest.fixture
def broken(site: Site) -> tuple[Site, str, bytes]:
    """Two published models, of which the rows of one cannot be read; with the path and what stood there."""
    for number, name in enumerate(("org/broken", "org/sound"), start=1):
        site.run(site.enter(number, name))
    path = archive_layout.compact_path(archive_layout.verdicts_folder("s-20260301-00000001.demo-v1"))
    return site, path, site.archive.read(path)


@pytest.mark.parametrize("what", ["verdicts", "no verdicts", "card", "user sums", "history"])
def test_a_broken_file_is_named_and_holds_up_no_other_and_nothing_is_half_released(
    broken: tuple[Site, str, bytes], stores: Stores, file: Path, caplog, what: str
) -> None:
    site, rows, _ = broken
    card = "s-20260301-00000001.demo-v1@demo"
    path = {
        "card": archive_layout.scorecard_path("org/broken", card),
        "user sums": archive_layout.user_scores_path("org/broken", card),
        "history": archive_layout.submission_path("s-20260301-00000001"),
    }.get(what, rows)
    if what == "no verdicts":
        from leaderboard.store.base import Delete

        site.write(Delete(path))
    else:
        site.write(Write(path, b"{"))
    it = releasing_of(Stores(site.archive, *stores[1:]), file)
    finish(it)
    assert board(stores.results) == ["org/sound"]
    everything = [*stores.results.list(), *stores.requests.list()]
    assert not [each for each in everything if "broken" in each or "00000001" in each]
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert any("s-20260301-00000001 is not released" in line and path in line for line in told), told
    assert it.backlog() == (0, 0, 1)


def test_answers_that_may_no_longer_be_shown_go_even_if_their_submission_is_broken(
    site: Site, stores: Stores, file: Path
) -> None:
    for number, name in enumerate(("org/broken", "org/sound"), start=1):
        site.run(site.enter(number, name, declaration=SHOWN))
    it = releasing_of(Stores(site.archive, *stores[1:]), file)
    finish(it)
    rows = archive_layout.compact_path(archive_layout.verdicts_folder("s-20260301-00000001.demo-v1"))
    site.write(Write(rows, b"{"))
    site.amend(site.ledger.submission("s-20260301-00000001"), AmendmentKind.CORRECTED, declaration=WITHHELD)
    it.note(site.commits[-1], site.archive.head())
    finish(it)
    assert it.backlog().broken == 1
    assert shown(stores.results, "org/broken") == set()
    assert shown(stores.results, "org/sound") == {"shown"}


def test_what_was_broken_is_tried_again_after_a_start_and_no_other(
    broken: tuple[Site, str, bytes], stores: Stores, file: Path
) -> None:
    site, path, content = broken
    public = Stores(site.archive, *stores[1:])
    site.write(Write(path, b"no Parquet"))
    finish(releasing_of(public, file))
    again = releasing_of(public, file)
    again.step()
    assert again.backlog().broken == 1
    site.archive.commit([Write(path, content)], "mended by hand, and noted by nobody")
    reads: list[str] = []
    archive = Watched(site.archive, lambda name, what: reads.append(str(what)) if name == "read" else None)
    after = releasing_of(public._replace(archive=archive), file)  # type: ignore[arg-type]
    finish(after)
    assert after.backlog() == (0, 0, 0)
    assert sorted(board(stores.results)) == ["org/broken", "org/sound"]
    assert not [path for path in reads if "00000002" in path]


def test_an_error_of_ours_costs_its_own_submission_and_no_other(
    broken: tuple[Site, str, bytes], stores: Stores, file: Path, caplog, monkeypatch
) -> None:
    from leaderboard.release import derive

    real = derive.open_card

    def unexpected(card: Any, secrets: Any) -> Any:
        return 1 / 0 if card.model == "org/broken" else real(card, secrets)

    monkeypatch.setattr(derive, "open_card", unexpected)
    finish(releasing_of(Stores(broken[0].archive, *stores[1:]), file))
    assert board(stores.results) == ["org/sound"]
    assert "ZeroDivisionError" in caplog.text
