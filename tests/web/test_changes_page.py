"""What changed on the board: a few lines on the front page, and all of it week by week."""

from __future__ import annotations

import datetime
import html
import re
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from leaderboard.board.changes import build_changes
from leaderboard.open_data import layout
from leaderboard.open_data.changes import OpenChange, encode_changes, table_of
from leaderboard.pages.news import PAGE_LENGTH, SHOWN, changes_page, news_of
from leaderboard.pages.reader import Reader
from leaderboard.pages.site import Pages, router
from leaderboard.records import now
from leaderboard.store.base import Write
from leaderboard.store.local import LocalStore
from tests.builders import make_scorecard
from tests.released import publish

NOON = datetime.datetime(2026, 3, 4, 12, tzinfo=datetime.UTC)
"""A Wednesday."""
DAY = datetime.timedelta(days=1)
HOSTILE = '<script>alert("1")</script>\u202e' + "x" * 10_000


def change(**changes: Any) -> OpenChange:
    values: dict[str, Any] = {
        **dict.fromkeys(OpenChange.model_fields),
        "schema_version": 1,
        "at": NOON,
        "kind": "entered",
        "protocol": "official-v1",
        "judge": "first",
        "judge_status": "official",
        "scorecard_id": "a@first",
        "model": "org/a",
        "ranked": 40,
        **changes,
    }
    for name in ("rank_before", "rank_after"):
        low, high = values[name] or (None, None)
        values |= {name: low, f"{name}_low": low, f"{name}_high": high}
    return OpenChange.model_validate(values | {"recorded_at": values["at"]})


def moved(before: Any, after: Any, **changes: Any) -> OpenChange:
    return change(kind="moved", rank_before=before, rank_after=after, **changes)


def unnamed(kind: str, **changes: Any) -> OpenChange:
    return change(kind=kind, scorecard_id=None, model=None, **changes)


def put(store: LocalStore, *rows: OpenChange) -> Any:
    store.commit([Write(layout.CHANGES, encode_changes(table_of(rows)))], "changes")
    return build_changes(store)


def visitor(store: LocalStore) -> TestClient:
    app = FastAPI()
    app.include_router(router(Pages(Reader(store, store, None))))
    return TestClient(app)


def seen(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_news_are_those_of_seven_days_and_of_each_kind(store: LocalStore) -> None:
    rows = [
        change(at=NOON - 7 * DAY, scorecard_id="old@first", model="org/old", rank_after=(1, 1)),
        unnamed("judge", judge="second"),
        change(rank_after=(3, 5)),
        change(scorecard_id="d@demo", model="org/d", judge="demo", judge_status="demo", rank_after=(2, 2)),
        moved((3, 4), (7, 9), scorecard_id="b@first", model="org/b", reason="rescored"),
        moved((3, 4), None, scorecard_id="c@first", model="org/c", reason="flagged"),
        unnamed("left", reason="withdrawn"),
        unnamed("left", reason="withdrawn"),
    ]
    news = news_of(put(store, *rows), NOON)
    assert [(line.what, line.name, line.words) for line in news.lines] == [
        ("New judge", "second", "decides the ranks of official-v1"),
        ("New", "org/a", "rank 3 (3–5) of 40, official-v1"),
        ("New", "org/d", "rank 2 of 40, official-v1 under demo, a demo judge"),
        ("Ranks no more", "org/c", "it had rank 3 (3–4), official-v1, flagged by a maintainer"),
        ("Down", "org/b", "from rank 3 (3–4) to 7 (7–9) of 40, official-v1, scored again"),
        ("Left", "", "2 results of official-v1, withdrawn by their submitters"),
    ]
    assert (news.more, news.counts) == (0, "1 new judge, 2 new, 2 moved, 2 left")
    assert news_of(put(store, *rows), NOON + 7 * DAY).lines == ()


def test_a_move_within_the_interval_is_no_news_however_many_steps_it_took(store: LocalStore) -> None:
    steps = [moved((1, 4), (2, 5)), moved((2, 5), (4, 6)), moved((3, 3), (3, 4), scorecard_id="b@first")]
    news = news_of(put(store, *steps), NOON)
    assert (news.lines, news.within) == ((), 2)
    far = news_of(put(store, *steps, moved((4, 6), (5, 7))), NOON)
    assert [line.words for line in far.lines] == ["from rank 1 (1–4) to 5 (5–7) of 40, official-v1"]


def test_of_many_news_some_of_each_kind_are_shown(store: LocalStore) -> None:
    new = [
        change(scorecard_id=f"n{number}@first", model=f"org/n{number}", rank_after=(number, 99)) for number in range(20)
    ]
    gone = [moved((1, 1), (9, 9), scorecard_id=f"m{number}@first") for number in range(5)]
    news = news_of(put(store, *new, *gone, unnamed("left")), NOON)
    assert [line.what for line in news.lines] == ["New"] * 5 + ["Down"] * 2 + ["Left"]
    assert (len(news.lines), news.more) == (SHOWN, 15 + 3)


def test_what_a_re_score_brought_is_one_line(store: LocalStore) -> None:
    brought = [change(judge="second", reason="rescored", scorecard_id=f"{number}@second") for number in range(30)]
    news = news_of(put(store, unnamed("judge", judge="second"), *brought), NOON)
    assert [line.words for line in news.lines] == ["decides the ranks of official-v1; it scored 30 results again"]


def test_the_history_of_a_model_and_of_a_scorecard_comes_with_its_judges(store: LocalStore) -> None:
    rows = (
        change(rank_after=(1, 1)),
        change(scorecard_id="b@first", model="org/b"),
        change(scorecard_id="a2@first", rank_after=(2, 2)),
        unnamed("judge", judge="second"),
        unnamed("judge", judge="second", protocol="gold-v1"),
        unnamed("left"),
    )
    changes = put(store, *rows)
    assert changes.of("org/a") == (rows[0], rows[2], rows[3])
    assert changes.of("a@first") == (rows[0], rows[3])
    assert changes.of("org/nobody") == ()
    assert changes.begins == NOON


def test_weeks_and_their_pages_hold_every_change_once(store: LocalStore) -> None:
    rows = [change(at=NOON + DAY * (number // 100), scorecard_id=f"{number}@first") for number in range(350)]
    changes = put(store, *rows, change(at=NOON - 30 * DAY))
    first = changes_page(changes, "", 1)
    assert first
    assert first.week
    assert (first.week.begins, first.week.rows, first.last) == (datetime.date(2026, 3, 2), 350, 4)
    assert (first.newer, first.older and first.older.begins) == (None, datetime.date(2026, 2, 2))
    pages = [changes_page(changes, "2026-03-02", number) for number in range(1, 6)]
    assert [len(page.lines) for page in pages if page] == [PAGE_LENGTH] * 3 + [50] * 2, "the last one again"
    addresses = [line.address for page in pages[:4] if page for line in page.lines]
    assert addresses == [f"/model?id={number}%40first" for number in reversed(range(350))]
    assert changes_page(changes, "2026-03-03", 1) is None
    assert changes_page(changes, HOSTILE, 1) is None


@pytest.mark.parametrize("path", ["/", "/changes"])
def test_pages_show_it_as_text_and_nothing_where_nothing_changed(store: LocalStore, path: str) -> None:
    publish(store, make_scorecard("org/model", 50.0))
    store.commit([Write(layout.CHANGES, encode_changes(table_of([])))], "none")
    empty = visitor(store).get(path)
    assert empty.status_code == 200
    assert ("What changed this week" in empty.text, "Nothing has changed yet" in empty.text) == (False, path != "/")
    put(store, change(at=now(), model=HOSTILE, scorecard_id=HOSTILE, rank_after=(1, 2)))
    page = visitor(store).get(path).text
    assert "<script>alert" not in page
    assert f"<bdi>{html.escape(HOSTILE, quote=True).replace('&quot;', '&#34;')}</bdi>" in page
    assert "rank 1 (1–2) of 40, official-v1" in seen(page)


def test_on_a_phone_the_news_take_two_lines_before_the_board(store: LocalStore) -> None:
    publish(store, make_scorecard("org/model", 50.0))
    put(store, change(at=now(), rank_after=(1, 2)))
    news = visitor(store).get("/").text.partition('<section id="news"')[2].partition("</section>")[0]
    outside, _, folded = news.partition('<details class="news-box">')
    assert seen(outside).endswith("What changed this week")
    assert seen(folded.partition("</summary>")[0]) == "1 change"
    assert "rank 1 (1–2) of 40" in seen(folded)


def test_pages_say_what_cannot_be_read(store: LocalStore) -> None:
    publish(store, make_scorecard("org/model", 50.0))
    store.commit([Write(layout.CHANGES, b"no Parquet")], "damaged")
    page = visitor(store).get("/changes")
    assert page.status_code == 200
    assert layout.CHANGES in seen(page.text)
    assert "Nothing has changed yet" not in page.text
    assert visitor(store).get("/").status_code == 200
    assert visitor(store).get("/changes?week=2026-03-02").status_code == 200
    put(store, change(at=now()))
    assert visitor(store).get("/changes?week=1999-01-04").status_code == 404
    assert visitor(store).get("/changes?week=%00%F0&page=-1").status_code == 404
