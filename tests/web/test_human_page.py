"""The page of human agreement: its whole state stands in the address, and what is asked for is what is shown."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from evaluator.human.records import RaterKind
from evaluator.human.tasks import Task
from leaderboard.pages.human.asked import Asked
from leaderboard.pages.human.index import HumanIndex, human_index
from leaderboard.pages.human.page import PAGE_LENGTH, HumanPage, human_page
from leaderboard.pages.human.plot import standing
from leaderboard.pages.human_tables import human_address, human_figures
from leaderboard.pages.model.asked import model_address
from leaderboard.pages.render import render
from leaderboard.results import HumanScorecard
from leaderboard.store.base import Revision, StoreError
from leaderboard.store.local import LocalStore
from tests.human_boards import of_many_models, with_figures
from tests.human_runs import demo_items, make_human_run, make_synthetic_run, of_people
from tests.web.test_human import agreement_of, publish, seen, shown, visitor

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)" x=\'',
    "org/\u202egnp.exe\u200f\u2066",
    "# *bold* [link](javascript:alert(1))",
    "{{ 7777 * 7777 }}{% raw %}",
    "x" * 10_000,
    "a\x00b",
)
RELEVANCE = "human-relevance-v1"
MANY = 2 * PAGE_LENGTH + 7


def of(cards: Sequence[HumanScorecard], **asked: object) -> HumanPage:
    """What is shown of some scorecards, which are in the board's order."""
    page = human_page(index(cards), Asked(**asked))  # type: ignore[arg-type]
    assert page is not None
    return page


def index(cards: Sequence[HumanScorecard]) -> HumanIndex:
    return human_index(cards, (), ())


def ids(page: HumanPage) -> list[str]:
    return [row.card.id for table in page.tables for row in table.rows]


def models(page: HumanPage) -> list[str]:
    return [row.card.model for table in page.tables for row in table.rows]


@pytest.fixture(scope="module")
def many() -> list[HumanScorecard]:
    return of_many_models(MANY)


def test_rows_are_cut_into_pages_that_hold_each_once(many: list[HumanScorecard]) -> None:
    pages = [of(many, page=number) for number in (1, 2, 3)]
    assert [len(ids(page)) for page in pages] == [PAGE_LENGTH, PAGE_LENGTH, 7]
    assert [each for page in pages for each in ids(page)] == [card.id for card in many]
    assert pages[1].counted == "107 rows, 51 to 100 on this page"
    assert of(many, page=99).asked.page == 3, "past the end is the last one"


def test_all_terms_must_match_a_models_name_or_adapter_whatever_their_case() -> None:
    cards = of_many_models(4)
    cards[1] = cards[1].model_copy(update={"model": "Org/Qwen-7B", "adapter": "me/Terse"})
    cards[2] = cards[2].model_copy(update={"model": "org/qwen-14b"})
    assert models(of(cards, q="QWEN")) == ["Org/Qwen-7B", "org/qwen-14b"]
    assert models(of(cards, q="terse qwen")) == ["Org/Qwen-7B"]
    none = of(cards, q="<b>")
    assert (ids(none), none.counted) == ([], "0 of 4 rows match the search")


@pytest.mark.parametrize("sort", ["single_kappa", "-single_kappa"])
def test_what_is_missing_comes_last_whichever_way_rows_are_sorted(sort: str) -> None:
    cards = of_many_models(3)
    cards = [cards[0], with_figures(cards[1], single_kappa=None), cards[2]]
    rising = [cards[2].id, cards[0].id, cards[1].id]
    falling = [cards[0].id, cards[2].id, cards[1].id]
    page = of(cards, sort=sort)
    assert ids(page) == (falling if sort.startswith("-") else rising)
    assert page.tables[0].drawn == "Kappa, single annotators"


def test_a_heading_says_how_rows_are_sorted_and_sorts_the_other_way(many: list[HumanScorecard]) -> None:
    unasked = of(many, page=2, show=()).tables[0].headings
    assert unasked["kappa"].order == "descending", "the board's own order"
    assert unasked["kappa"].address == f"/human?task={RELEVANCE}&sort=kappa"
    assert (unasked["model"].order, unasked["model"].address) == ("", f"/human?task={RELEVANCE}&sort=model")
    rising = of(many, sort="kappa").tables[0].headings["kappa"]
    assert (rising.order, rising.address) == ("ascending", f"/human?task={RELEVANCE}")
    assert models(of(many, sort="-model"))[0] == "org/model-0106"


def test_tables_of_other_labels_follow_each_other_through_the_pages() -> None:
    cards = of_many_models(PAGE_LENGTH + 1)
    others = [card.model_copy(update={"id": f"{card.id}-2", "judge_revision": "r2"}) for card in cards[:3]]
    first, second = of([*cards, *others]), of([*cards, *others], page=2)
    assert first.last == 2
    assert [len(ids(page)) for page in (first, second)] == [PAGE_LENGTH, 4]
    assert len({*ids(first), *ids(second)}) == PAGE_LENGTH + 4


def test_a_scorecards_address_finds_its_page_whatever_else_is_there(many: list[HumanScorecard]) -> None:
    other = make_human_run(Task.RATING, 9, asked=of_people(demo_items(Task.RATING))).card
    page = of([*many, other], at=many[60].id, task="human-rating-v1", q="nothing")
    assert (page.asked.task, page.asked.page) == (RELEVANCE, 2)
    (sought,) = [row for table in page.tables for row in table.rows if row.sought]
    assert sought.card is many[60]
    address, _, anchor = human_address(many[60]).partition("#")
    assert address == f"/human?task={RELEVANCE}&at={many[60].id}"
    assert anchor == sought.anchor
    assert "at=" not in page.asked.on(1), "the next page is another state"


def mixed() -> list[HumanScorecard]:
    """A row on people's labels, one on simulated ones, and one that is incomplete."""
    people = of_many_models(2)
    people[1] = people[1].model_copy(update={"unranked_because": ("incomplete",)})
    return [*people, make_human_run(Task.RELEVANCE, 7).card]


def test_simulated_and_incomplete_rows_stand_behind_switches() -> None:
    cards = mixed()
    page = of(cards)
    assert ids(page) == [cards[0].id]
    assert page.counted == "1 of 3 rows"
    told = {switch.label: switch.address for switch in page.switches}
    simulated = f"/human?task={RELEVANCE}&show=simulated"
    assert told == {
        "Show 1 row on simulated labels": simulated,
        "Show 1 incomplete row": f"/human?task={RELEVANCE}&show=incomplete",
    }
    page = of(cards, show=("simulated",))
    assert ids(page) == [cards[0].id, cards[2].id]
    assert [table.whose for table in page.tables] == ["", "simulated labels"]
    assert {switch.label for switch in page.switches if switch.on} == {"Hide 1 row on simulated labels"}


def test_a_row_behind_a_switch_is_shown_where_it_is_asked_for() -> None:
    cards = mixed()
    page = of(cards, at=cards[2].id)
    assert cards[2].id in ids(page)
    assert page.asked.show == ("simulated",)


def test_what_holds_of_all_rows_hides_none() -> None:
    page = of([make_human_run(Task.RELEVANCE, 7).card])
    assert (len(ids(page)), page.switches) == (1, ())


def test_tabs_begin_with_peoples_labels_and_the_first_one_is_shown_unasked() -> None:
    made_up, simulated = make_synthetic_run(number=3).card, make_human_run(Task.VERIFICATION, 4).card
    people = make_human_run(Task.RATING, 5, asked=of_people(demo_items(Task.RATING))).card
    page = of([simulated, made_up, people])
    assert [tab.protocol for tab in page.tabs] == ["human-rating-v1", "human-verification-v1", made_up.protocol]
    assert [tab.here for tab in page.tabs] == [True, False, False]
    assert page.tabs[0].address == "/human?task=human-rating-v1", "a link holds when another tab comes first"
    assert human_page(index([people]), Asked("human-nothing")) is None


@pytest.mark.parametrize(
    ("value", "one_more", "said"),
    [(0.5, 0.55, "about as much as"), (0.3, 0.5, "less than"), (0.7, 0.5, "more than")],
)
def test_a_row_says_how_it_stands_beside_one_more_human(value: float, one_more: float, said: str) -> None:
    (card,) = of_many_models(1)
    found = standing(
        with_figures(card, **{"single_kappa": value, "single_kappa.one_more_human": one_more}), "single_kappa"
    )
    assert found is not None
    assert found.words == f"{said} one more human"


def test_without_an_interval_or_people_nothing_is_said_of_them() -> None:
    plain = make_human_run(Task.RELEVANCE, 1, asked=of_people(demo_items(Task.RELEVANCE))).card
    found = standing(plain, "single_kappa")
    assert found is not None
    assert found.words == "undecided beside one more human: no interval"
    assert standing(plain, "selection_ratio") is None, "more is no better"
    made_up = make_synthetic_run(number=3).card
    assert made_up.result.kind is RaterKind.TRUTH
    assert standing(made_up, "f1_majority") is None


def test_one_more_human_and_the_ceiling_are_drawn_on_one_axis_for_all_rows(many: list[HumanScorecard]) -> None:
    first, last = of(many), of(many, page=3)
    assert first.tables[0].plot.ticks == last.tables[0].plot.ticks
    marks = first.tables[0].rows[0].drawn.marks
    assert [(each.mark.name, each.mark.shape) for each in marks] == [
        ("one more human", "diamond"),
        ("noise ceiling", "stroke"),
    ]


@pytest.mark.parametrize(
    "asked",
    [
        {"task": RELEVANCE, "page": "-1", "sort": "nothing", "show": "odd,,published", "at": "nobody"},
        {"page": "9" * 400, "sort": "--kappa", "q": "x" * 10_000},
        *({name: text} for name in ("q", "sort", "show", "page", "at") for text in HOSTILE),
    ],
)
def test_whatever_stands_in_an_address_gives_a_page(store: LocalStore, asked: dict[str, str]) -> None:
    publish(store, *of_many_models(2))
    site = visitor(store)
    for path in ("/human", "/human/rows"):
        answer = site.get(path, params=asked)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text


def test_a_state_has_one_address_and_survives_a_reload(store: LocalStore) -> None:
    publish(store, *of_many_models(2), make_human_run(Task.RELEVANCE, 7).card)
    site = visitor(store)
    page = shown(site, task=RELEVANCE, q=" MODEL ", show="simulated,odd", sort="-model", page="7")
    (address,) = re.findall(r'<section id="human" data-url="([^"]+)"', page)
    assert html.unescape(address) == f"/human/rows?task={RELEVANCE}&q=MODEL&show=simulated&sort=-model"
    again = site.get(html.unescape(address).replace("/rows", "")).text
    assert agreement_of(again) == agreement_of(page)
    form = page.partition("<form")[2].partition("</form>")[0]
    kept = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form))
    assert kept == {"task": RELEVANCE, "show": "simulated", "sort": "-model"}
    assert 'name="q" value="MODEL"' in form
    assert len(re.findall("aria-live", page)) == 1


def test_a_second_visit_costs_nothing_until_something_changes(store: LocalStore) -> None:
    publish(store, *of_many_models(2))
    site = visitor(store)
    for path in ("/human", "/human/rows", f"/human/figures?id={of_many_models(1)[0].id}"):
        first = site.get(path)
        again = site.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
        assert "Content-Security-Policy" in again.headers
    first = site.get("/human")
    publish(store, *of_many_models(3))
    assert site.get("/human", headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_all_figures_of_a_row_stand_on_a_page_of_their_own_and_not_in_the_table(store: LocalStore) -> None:
    (card,) = of_many_models(1)
    publish(store, card)
    site = visitor(store)
    page = shown(site)
    told = human_figures(card)
    assert told[0][0] not in seen(page)
    (address,) = set(re.findall(r'data-figures="([^"]+)"', page))
    assert f'<a href="{address}">' in page
    figures = site.get(html.unescape(address)).text
    assert all(f"{name} {value}" in seen(figures) for name, value in told)
    assert f'href="{html.escape(human_address(card))}"' in figures
    assert site.get("/human/figures", params={"id": "nobody"}).status_code == 404


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_submitter_names_is_text_on_the_page_and_on_that_of_its_figures(store: LocalStore, text: str) -> None:
    names = {"model": text, "adapter": text, "data_source": text, "unranked_because": (text,), "judge": text}
    plain = {name: ("x",) if name == "unranked_because" else "x" for name in names}
    (card,) = of_many_models(1)
    pages = []
    for told in (names, plain):
        other = card.model_copy(update=told)
        shown_there = render("human/rows.html", page=of([other]))
        address = model_address(other.model)
        pages.append(shown_there + render("human/figures.html", here="/human", card=other, model=address))
    odd, usual = pages
    assert "<bdi>" + html.escape(text).replace("&quot;", "&#34;").replace("&#x27;", "&#39;") in odd
    assert odd.count("<") == usual.count("<"), "no tag comes from what people write"
    assert odd.count('"') == usual.count('"'), "no attribute either"


def test_a_row_and_its_figures_lead_to_the_page_of_the_model() -> None:
    (card,) = of_many_models(1, name='org/"><b>&x')
    address = html.escape(model_address(card.model))
    assert f'<a href="{address}"><bdi>' in render("human/rows.html", page=of([card]))
    figures = render("human/figures.html", here="/human", card=card, model=model_address(card.model))
    assert f'<a href="{address}"><bdi>' in figures


class Unreadable(LocalStore):
    """A store that cannot be read as a whole."""

    def head(self) -> Revision:
        raise StoreError("it does not answer")


def test_an_unknown_task_is_not_found_and_an_unreadable_board_is_said_to_be(store: LocalStore, tmp_path: Path) -> None:
    site = visitor(store)
    assert site.get("/human?task=human-nothing").status_code == 404
    assert site.get("/human/rows?task=human-nothing").status_code == 404
    broken = visitor(Unreadable(tmp_path / "gone"))
    assert "The board cannot be read right now" in broken.get("/human").text
    assert broken.get(f"/human?task={RELEVANCE}").status_code == 503
    assert broken.get("/human/rows").status_code == 503
    assert broken.get("/human/figures?id=x").status_code == 503
    assert "cannot be read" in broken.get("/human/live").text
