"""The page as it is asked for: its words, its table without scripts, its files, and whatever stands in an address."""

from __future__ import annotations

import gzip
import html
import json
import re

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from leaderboard.open_data import layout
from leaderboard.pages.human.index import HumanIndexes
from leaderboard.pages.plots import pages
from leaderboard.pages.plots.asked import PLOTS, asked_of
from leaderboard.pages.plots.library import ADDRESS, FOLDER, NAME
from leaderboard.pages.plots.page import PAGE_LENGTH, plotted
from leaderboard.pages.plots.pages import PlotPages, plot_router
from leaderboard.pages.reader import Reader
from leaderboard.store.base import Write
from leaderboard.store.local import LocalStore
from tests.browse.hostile import HOSTILE
from tests.human_boards import of_many_models
from tests.model_page.sites import visitor as of_models
from tests.plots_page.sites import judged, parsed, record, seen, site_of, sized

B = 10**9
MANY = [sized(f"org/m{place:03}", 20 + place / 10, B * (place + 1)) for place in range(PAGE_LENGTH + 7)]


@pytest.fixture
def site(store: LocalStore) -> TestClient:
    return site_of(store, [*MANY, *judged("org/twice", {"demo": 30.0, "other": 31.0})], of_many_models(3))


@pytest.mark.parametrize("plot", list(PLOTS))
def test_each_plot_is_a_table_with_its_counts_and_can_be_read_without_scripts(site: TestClient, plot: str) -> None:
    page = site.get(f"/plots?plot={plot}")
    assert page.status_code == 200
    assert re.search(r"\b(is|are) shown", seen(page.text))
    assert page.text.count("<tbody>") == 1
    assert re.search(r'<figure [^>]*id="plot" hidden', page.text), "nothing is promised where no script draws it"
    (chart,) = re.findall(r'data-chart="([^"]*)"', page.text)
    drawn = site.get(html.unescape(chart)).json()
    assert any(each["y"] for each in drawn["series"])


@pytest.mark.parametrize("plot", list(PLOTS))
def test_the_files_have_what_the_table_has(site: TestClient, plot: str) -> None:
    page = site.get(f"/plots?plot={plot}").text
    addresses = [html.unescape(each) for each in re.findall(r'href="(/plots/data[^"]*)" download', page)]
    as_csv, as_json = (site.get(each) for each in addresses)
    rows = parsed(as_csv.text)
    assert [row["model"] for row in rows] == [row["model"] for row in as_json.json()["rows"]]
    assert "attachment" in as_csv.headers["Content-Disposition"]
    first = re.findall(r'<tr><th scope="row"><a [^>]*><bdi>([^<]*)</bdi>', page)
    assert first == [row["model"] for row in rows][:PAGE_LENGTH]


def test_the_table_is_paged_and_says_so(site: TestClient) -> None:
    first, second, beyond = (site.get(f"/plots?page={number}").text for number in (1, 2, 99))
    total = len(MANY) + 1
    assert f"Rows 1 to {PAGE_LENGTH} of {total}; the files have all." in seen(first)
    assert f"Rows {PAGE_LENGTH + 1} to {total} of {total}" in seen(second)
    assert second == beyond
    assert first.count('<tr><th scope="row">') == PAGE_LENGTH


def test_the_address_of_what_is_shown_leads_to_it_again(site: TestClient) -> None:
    asked = asked_of([("ids", "org/m001,org/m002"), ("plot", "ranks"), ("task", "x"), ("page", "1")])
    assert asked.address == "/plots?plot=ranks&ids=org/m001,org/m002"
    page = site.get(asked.address).text
    assert 'value="org/m001, org/m002"' in page
    assert f'data-chart="{html.escape(asked.chart)}"' in page


@pytest.mark.parametrize(
    "query",
    [
        "plot=ranks&ids=,,,&page=-3",
        "plot=judges&judges=%00,%ff&protocol=%27",
        "plot=human&task=%3Cscript%3E&labels=%E2%80%AE",
        "plot=size&page=99999999999999999999&judge=" + "j" * 3000,
        "plot=ranks&ids=" + ",".join(["x"] * 500),
    ],
)
def test_whatever_stands_in_an_address_has_an_answer(site: TestClient, query: str) -> None:
    page = site.get(f"/plots?{query}")
    assert page.status_code == 200
    assert "<script>" not in page.text.replace("<script src", "")
    assert site.get(f"/plots/chart?{query}").status_code in (200, 404)


def test_a_plot_that_nobody_knows_is_not_there_and_neither_is_another_kind_of_file(site: TestClient) -> None:
    page = site.get("/plots?plot=%3Cb%3Epie")
    assert page.status_code == 404
    assert "size, ranks, judges, human" in page.text
    assert site.get("/plots/data?format=xlsx").status_code == 404
    wrong = site.get("/plots/data?judge=nobody")
    assert (wrong.status_code, wrong.text) == (404, "There is no result by the judge nobody.\n")


def test_page_and_files_are_sent_once_as_long_as_nothing_changes(site: TestClient, store: LocalStore) -> None:
    for address in ("/plots", "/plots/chart", "/plots/data?format=csv", "/plots?plot=ranks"):
        first = site.get(address)
        again = site.get(address, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
    record(store, MANY[-1], 3, 2)
    changed = site.get("/plots?plot=ranks", headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    assert "moved" in seen(changed.text)


def test_the_page_alone_may_show_pictures_of_its_own_and_nothing_else_is_let_in(site: TestClient) -> None:
    policy = site.get("/plots").headers["Content-Security-Policy"].split("; ")
    assert policy[0] == "default-src 'self'"
    assert policy[-1] == "img-src 'self' blob:"
    assert not any(each.startswith("script-src") for each in policy)


def test_the_library_is_kept_for_ever_and_sent_compressed(site: TestClient) -> None:
    answer = site.get(ADDRESS)
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Encoding"] == "gzip"
    assert int(answer.headers["Content-Length"]) < 420_000
    plain = site.get(ADDRESS, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert plain.content == answer.content == (FOLDER / NAME).read_bytes()
    assert gzip.compress(b"")[:2] != answer.content[:2]


def test_before_the_first_result_each_plot_says_so(store: LocalStore) -> None:
    store.commit([Write("README.md", b"empty")], "empty")
    site = site_of(store)
    for plot in PLOTS:
        page = site.get(f"/plots?plot={plot}")
        assert page.status_code == 200
        assert 'class="empty"' in page.text
        assert "plots.js" not in page.text
        assert site.get(f"/plots/chart?plot={plot}").json() == {"series": []}
        assert site.get(f"/plots/data?plot={plot}&format=csv").text.count("\r\n") == 1


def test_one_model_is_drawn(store: LocalStore) -> None:
    page = seen(site_of(store, [sized("org/only", 30.0, B)]).get("/plots").text)
    assert "1 model of demo-v1; 1 on the frontier." in page


def test_a_record_of_changes_that_cannot_be_read_costs_its_plot_a_sentence(store: LocalStore) -> None:
    site = site_of(store, MANY[:2])
    store.commit([Write(layout.CHANGES, b"no parquet")], "broken")
    page = site.get("/plots?plot=ranks")
    assert page.status_code == 200
    assert 'class="problem"' in page.text
    assert 'class="problem"' not in site.get("/plots").text


def test_a_board_that_cannot_be_read_is_said_and_not_drawn_as_an_empty_one() -> None:
    class Away(LocalStore):
        def head(self) -> None:  # type: ignore[override]
            from leaderboard.store.base import StoreError

            raise StoreError("away")

    app = FastAPI()
    away = Away.__new__(Away)
    app.include_router(plot_router(PlotPages(Reader(away, away, None), HumanIndexes())))
    answer = TestClient(app).get("/plots")
    assert answer.status_code == 503
    assert "This plot cannot be drawn right now" in answer.text


def test_hostile_names_are_text_in_the_table_cut_in_the_drawing_and_no_formula_in_a_file(store: LocalStore) -> None:
    names = [f"org/{words}" for words in HOSTILE] + ["=cmd|'/c calc'!A0"]
    cards = [sized(name, 30.0 + place, B, id=f"h{place}@demo") for place, name in enumerate(names)]
    site = site_of(store, cards)
    page = site.get("/plots").text
    assert "<svg/onload" not in page
    assert "<img src=x" not in page
    shown = re.findall(r'<tr><th scope="row"><a [^>]*><bdi>(.*?)</bdi>', page, re.DOTALL)
    assert {html.unescape(each) for each in shown} == set(names)
    chart = site.get("/plots/chart").json()
    texts = [text for each in chart["series"] for text in each["texts"]]
    assert max(len(text.split("\n")[0]) for text in texts) <= 40
    assert "\u202e" not in json.dumps(chart, ensure_ascii=False)
    rows = parsed(site.get("/plots/data?format=csv").text)
    assert all(row["model"][0] not in "=+-@" for row in rows)


def test_a_models_page_leads_to_its_rank_history(store: LocalStore) -> None:
    site_of(store, MANY[:3])
    page = of_models(store).get("/model?id=org/m001").text
    (address,) = [html.unescape(each) for each in re.findall(r'href="(/plots\?plot=ranks[^"]*)"', page)]
    drawn = site_of(store).get(address)
    assert drawn.status_code == 200
    assert 'class="problem"' not in drawn.text
    assert ">org/m001</bdi>" in drawn.text


def test_addresses_of_what_is_not_there_drive_no_plot_out(site: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(pages, "plotted", lambda *told: drawn.append(told[-1].protocol) or plotted(*told))
    site.get("/plots")
    for number in range(20):
        assert site.get(f"/plots?protocol=none-{number}").status_code == 200
    drawn.clear()
    site.get("/plots")
    assert drawn == [], "it was kept"
