"""The page of comparisons: what it says is true, whatever is asked for has an answer, names are text."""

from __future__ import annotations

import re

import pytest
from markupsafe import escape

from leaderboard.answers.choosing import differences
from leaderboard.answers.pairs import compare
from leaderboard.answers.slices import FEELINGS
from leaderboard.board.build import build_board
from leaderboard.open_data import layout
from leaderboard.pages.compare.asked import Asked, asked_of
from leaderboard.pages.compare.page import compare_page
from leaderboard.pages.compare.plots import Part
from leaderboard.pages.render import render
from leaderboard.store.base import Write
from leaderboard.store.local import LocalStore
from tests.answers.runs import Run, made_up_run, scripted_run
from tests.builders import TERMS, make_scorecard
from tests.compare_page.sites import links, listed, published, seen, told, visitor
from tests.released import publish
from tests.scripted import make_setup
from tests.web.test_human_page import HOSTILE

CLOSED = TERMS.model_copy(update={"redistributable": False, "licence": None})
WORSE, BETTER, LIKE = "org/worse", "org/better", "org/like"


@pytest.fixture(scope="module")
def runs() -> dict[str, Run]:
    """Of two the truth is known: one satisfies and wins far more often; the third is the first one's like."""
    return {
        WORSE: made_up_run(30, model=WORSE),
        BETTER: made_up_run(30, seed=3, skill=30, model=BETTER),
        LIKE: made_up_run(30, seed=7, model=LIKE),
    }


def test_the_better_model_is_said_to_be_better_whichever_way_round_it_is_asked(
    store: LocalStore, runs: dict[str, Run]
) -> None:
    published(store, runs)
    site = visitor(store)
    (one,) = told(site.get(f"/compare?ids={WORSE},{BETTER}").text)
    (other,) = told(site.get(f"/compare?ids={BETTER},{WORSE}").text)
    assert one == other
    assert re.fullmatch(
        rf"{BETTER} is better than {WORSE} : Total \+\d+\.\d \(\d+\.\d to \d+\.\d\), p < 0\.001, "
        r"on \d+ shared items of 30 users\.",
        one,
    )


def test_a_model_and_its_like_are_not_told_apart_and_every_pair_is_said(
    store: LocalStore, runs: dict[str, Run]
) -> None:
    published(store, runs)
    page = visitor(store).get(f"/compare?ids={WORSE},{BETTER},{LIKE}").text
    first, second, third = told(page)
    assert f"{BETTER} is better than {WORSE}" in first
    assert second.startswith("Not told apart:")
    assert f"{BETTER} is better than {LIKE}" in third
    assert "2 of 3 pairs are told apart." in page
    assert all(f"{letter} less {other}" in page for letter, other in ("AB", "AC", "BC"))


def test_differences_stand_as_they_were_worked_out_with_what_they_are_corrected_for(
    store: LocalStore, runs: dict[str, Run]
) -> None:
    published(store, runs)
    page = seen(visitor(store).get(f"/compare?ids={WORSE},{BETTER}").text)
    found = compare([runs[WORSE].table, runs[BETTER].table])
    (pair,) = found.pairs
    for each in (pair.total, *(every.difference for every in pair.slices)):
        assert each.value is not None
        if each.interval is None:
            assert f"{each.value:+.1f} no interval: too few users {each.items:,} item".replace("-", "−") in page
            continue
        low, high = (f"{end:.1f}".replace("-", "−") for end in (each.interval.low, each.interval.high))
        written = f"{each.value:+.1f}".replace("-", "−")
        assert f"{written} {low} to {high} p " in page
        assert f"{each.items:,} items, {each.users:,} users" in page
    tested = sum(each.difference.p_value is not None for each in pair.slices)
    assert f"the Totals of 1 pair, and {tested} slices of all pairs" in page
    assert "Ranks on the board are corrected for all pairs of their whole ranking" in page


@pytest.mark.parametrize("only", ["differ", "alike", "missing"])
def test_items_are_listed_page_by_page_by_how_far_they_lie_apart(
    store: LocalStore, runs: dict[str, Run], only: str
) -> None:
    cards = published(store, runs)
    site, tables = visitor(store), [runs[name].table for name in (WORSE, BETTER)]
    pages = differences(tables, only).pages  # type: ignore[arg-type]
    for number in range(1, pages + 1):
        expected = [row.question_id for row in differences(tables, only, page=number).rows]  # type: ignore[arg-type]
        page = site.get(f"/compare?ids={WORSE},{BETTER}&only={only}&page={number}").text
        assert listed(page) == expected
        for name in expected:
            assert f"/answer?scorecard={cards[0].id}&question={name}" in links(page, "/answer")
    assert listed(site.get(f"/compare?ids={WORSE},{BETTER}&only={only}&page=9999").text) == expected


def test_a_slice_leads_to_its_items_alone(store: LocalStore, runs: dict[str, Run]) -> None:
    published(store, runs)
    site, table = visitor(store), runs[WORSE].table
    whole = site.get(f"/compare?ids={WORSE},{BETTER}").text
    slices = [each for each in links(whole, "/compare") if "slice=" in each]
    assert {asked.partition(":")[0] for each in slices for asked in re.findall(r"slice=([^&#]*)", each)} == {
        *("split", "position", "category", "sentiment")
    }
    for value, name in FEELINGS.items():
        found = listed(site.get(f"/compare?ids={WORSE},{BETTER}&slice=sentiment:{name}&type=profile").text)
        places = table.places(found).tolist()
        assert found
        assert {(table.sentiment.at(place), table.type.at(place)) for place in places} == {(value, "profile")}
    oldest = site.get(f"/compare?ids={WORSE},{BETTER}&slice=position:oldest%20fifth").text
    places = table.places(listed(oldest)).tolist()
    assert places
    assert min(table.oldest_evidence[places]) >= 0.8
    assert "Of the slice oldest fifth alone" in seen(oldest)
    assert listed(site.get(f"/compare?ids={WORSE},{BETTER}&slice=category:none").text) == listed(whole)


def test_answers_stand_side_by_side_with_the_question_or_it_is_said_why_not(
    store: LocalStore, tmp_path_factory: pytest.TempPathFactory
) -> None:
    setup = make_setup(tmp_path_factory.mktemp("cache"))
    both = {"org/a": scripted_run(setup), "org/b": scripted_run(setup, seed=1)}
    published(store, both)
    page = visitor(store).get("/compare?ids=org/a,org/b").text
    text = seen(page)
    assert "too few users for an interval" in told(page)[0]
    assert "There are no p values" in text
    assert "Asked" in text
    assert "Gold" in text
    name = listed(page)[0]
    for run in both.values():
        answer = next(row.answer for row in run.generations if row.key.question_id == name)
        assert answer is None or " ".join(answer.split())[:60] in text


def test_text_that_may_not_be_passed_on_is_named(store: LocalStore, runs: dict[str, Run]) -> None:
    published(store, runs, terms=CLOSED)
    page = visitor(store).get(f"/compare?ids={WORSE},{BETTER}").text
    assert "The data set's text may not be passed on." in seen(page)
    assert "<dt>Gold</dt>" not in page


@pytest.mark.parametrize(
    ("ids", "status", "words"),
    [
        ("", 200, "Name two to 4 results"),
        (WORSE, 200, "stands alone"),
        (f"{WORSE},org/nobody", 404, "org/nobody : is no result on the board"),
        (f"{WORSE},{BETTER},{WORSE}", 200, "is named twice"),
        (",".join(f"org/m{number}" for number in range(5)), 200, "5 results are named, and at most 4"),
        (f"{WORSE},org/far", 200, "they were made under different judges"),
    ],
)
def test_what_cannot_be_compared_is_said_with_what_to_do(
    store: LocalStore, runs: dict[str, Run], ids: str, status: int, words: str
) -> None:
    published(store, runs | {f"org/m{number}": runs[LIKE] for number in range(5)})
    far = published(store, {"org/far": runs[LIKE]}, judge="other", id="s-20260302-00000000.demo-v1@other")
    assert far
    answer = visitor(store).get(f"/compare?ids={ids}")
    assert answer.status_code == status
    assert words in seen(answer.text)
    assert '<form class="add" action="/compare" method="get">' in answer.text
    assert told(answer.text) == []


def test_ways_out_lead_to_comparisons(store: LocalStore, runs: dict[str, Run]) -> None:
    published(store, runs | {f"org/m{number}": runs[LIKE] for number in range(5)}, without="org/m4")
    site = visitor(store)
    for ids in (f"{WORSE},{BETTER},org/nobody", f"{WORSE},{BETTER},{WORSE}", f"{WORSE},{BETTER},org/m4"):
        page = site.get(f"/compare?ids={ids}").text
        (way,) = links(page, "/compare")
        assert len(told(site.get(way).text)) == 1
    assert "not public, or not yet" in page
    ways = links(site.get(f"/compare?ids={WORSE},{BETTER},{LIKE},org/m0,org/m1").text, "/compare")
    assert len(ways) == 5
    assert all(len(told(site.get(way).text)) == 6 for way in ways)


def test_a_name_means_its_result_in_the_ranking_of_what_it_stands_beside(
    store: LocalStore, runs: dict[str, Run]
) -> None:
    cards = published(store, runs)
    other = published(store, runs, judge_revision="r2", judge_status="candidate")
    assert {card.id for card in cards} == {card.id for card in other}, "a re-score would have ids of its own"
    again = [
        card.model_copy(update={"id": card.id.replace("@demo", "@late"), "judge_revision": "r3"}) for card in cards
    ]
    publish(store, *again)
    page = visitor(store).get(f"/compare?ids={again[0].id},{BETTER}").text
    assert len(told(page)) == 1
    assert again[1].id in page
    assert cards[1].id + "&" not in page


def test_the_form_gives_the_address_of_the_state(store: LocalStore, runs: dict[str, Run]) -> None:
    published(store, runs)
    site = visitor(store)
    answer = site.get(
        "/compare", params={"ids": [WORSE, BETTER, LIKE], "only": "alike", "page": "1"}, follow_redirects=False
    )
    assert (answer.status_code, answer.headers["location"]) == (
        302,
        f"/compare?ids={WORSE},{BETTER},{LIKE}&only=alike",
    )
    page = site.get(f"/compare?ids={WORSE},{BETTER}").text
    assert re.findall(r'<option value="([^"]*)">', page) == [LIKE]


def test_what_a_browser_has_is_not_sent_again(store: LocalStore, runs: dict[str, Run]) -> None:
    published(store, runs)
    site = visitor(store)
    first = site.get(f"/compare?ids={WORSE},{BETTER}")
    again = site.get(f"/compare?ids={WORSE},{BETTER}", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = site.get(f"/compare?ids={WORSE},{BETTER}&only=alike", headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200


@pytest.mark.parametrize("text", HOSTILE)
def test_names_and_answers_are_text(store: LocalStore, runs: dict[str, Run], text: str) -> None:
    """Rows cannot lie under such names: they are given to what is stored under others."""
    cards = published(store, {"org/a": runs[WORSE], "org/b": runs[BETTER]})
    tables = [runs[name].table for name in (WORSE, BETTER)]
    by_id = {row.scorecard_id: row for row in build_board(store).rows}
    named = {"model": text, "unranked_because": (text,), "data_source": text, "protocol": text}
    rows = [by_id[cards[0].id].model_copy(update=named), by_id[cards[1].id]]
    found = compare_page(store, rows, cards, tables, compare(tables), Asked())
    first = found.items.rows[0]
    got = tuple(each._replace(beginning=text, why_not="") for each in first.got)
    rows_shown = (first._replace(question_id=text, about=text, got=got), *found.items.rows[1:])
    found = found._replace(items=found.items._replace(rows=rows_shown))
    shown = {"here": "/", "page": found, "problems": (), "asked": found.asked, "fields": 1, "offered": (text,)}
    page = render("compare/page.html", **shown)
    (parts,) = (each.parts for each in found.sentences)
    assert Part(text, True) in parts
    assert f"<bdi>{escape(text)}</bdi>" in page
    for broken in ("<script>alert", "<img", ' onmouseover="'):
        assert broken not in page


@pytest.mark.parametrize("text", HOSTILE)
def test_names_of_what_has_no_rows_are_text(store: LocalStore, runs: dict[str, Run], text: str) -> None:
    cards = published(store, {"org/other": runs[WORSE]})
    publish(store, lone := make_scorecard(text, 40, adapter=text, protocol="demo-v1", data_sha=cards[0].data_sha))
    answer = visitor(store).get(f"/compare?ids={cards[0].id},{lone.id}")
    assert answer.status_code == 200
    assert f"<bdi>{escape(text)}</bdi>: " in answer.text
    assert "<script>alert" not in answer.text


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", ["ids", "slice", "only", "type", "page"])
def test_whatever_stands_in_an_address_gives_a_page(
    store: LocalStore, runs: dict[str, Run], name: str, text: str
) -> None:
    published(store, runs)
    asked = {"ids": f"{WORSE},{BETTER}"} | {name: text}
    answer = visitor(store).get("/compare", params=asked)
    assert answer.status_code == (404 if name == "ids" else 200)
    assert "<script>alert" not in answer.text


def test_a_state_has_one_address() -> None:
    asked = asked_of([("ids", "a,b"), ("page", "2"), ("only", "alike"), ("slice", "category:x y"), ("type", "persona")])
    assert asked.address == "/compare?ids=a,b&slice=category:x%20y&only=alike&type=persona&page=2"
    assert asked_of([("ids", "a,b"), ("only", "differ"), ("page", "1"), ("type", "all")]).address == "/compare?ids=a,b"


def test_while_rows_cannot_be_read_the_page_says_so(store: LocalStore, runs: dict[str, Run]) -> None:
    cards = published(store, runs)
    path = layout.row_paths(cards[0].model, cards[0].run_id, cards[0].judge)[0]
    store.commit([Write(path, b"no Parquet")], "broken")
    answer = visitor(store).get(f"/compare?ids={WORSE},{BETTER}")
    assert answer.status_code == 503
    assert "Single answers cannot be read right now" in answer.text
