"""The plots in a real browser: drawn once in sight, by day and by night, as pictures and files, and names as text."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect

from leaderboard.pages.plots.asked import PLOTS
from leaderboard.pages.plots.library import ADDRESS
from leaderboard.store.local import LocalStore
from tests.browse.hostile import DONE, HOSTILE
from tests.browsing import ANSWERED as SITE
from tests.browsing import PHONE, WIDE, Watch, answer_by, served, sideways, stick_out
from tests.human_boards import of_many_models
from tests.plots_page.sites import judged, parsed, record, site_of, sized

B = 10**9
MARKUP = '<b>bold</b><br><a href="javascript:alert(1)">link</a> &lt;i&gt; $x$ %{y}'
NAMES = (MARKUP, *(words for words in HOSTILE))


@pytest.fixture
def site(store: LocalStore) -> TestClient:
    """Six models under two judges, called what nobody should be called, and three that people's labels are known of."""
    totals = ((name, 30.0 + 4 * place) for place, name in enumerate(NAMES))
    every = [judged(f"org/{name}", {"demo": total, "other": total + 1}) for name, total in totals]
    cards = [sized("org/plain", 25.0, B // 2), *(card for run in every for card in run)]
    people = [card.model_copy(update={"model": name}) for card, name in zip(of_many_models(3), NAMES, strict=False)]
    found = site_of(store, cards, people)
    record(store, cards[0], 9, 8)
    return found


def drawn(page: Page, address: str, site: str = SITE) -> Watch:
    """Opens a plot and waits until it is drawn."""
    watch = Watch(page)
    page.goto(site + address)
    page.locator("#canvas").scroll_into_view_if_needed()
    expect(page.locator("#png")).to_be_enabled(timeout=30_000)
    expect(page.locator("#canvas svg.main-svg").first).to_be_visible()
    return watch


@pytest.mark.parametrize("plot", list(PLOTS))
@pytest.mark.parametrize(("width", "colours"), [(WIDE, "light"), (PHONE, "dark")])
def test_each_plot_is_drawn_and_nothing_sticks_out_or_runs(
    open_page: Callable[..., Page], site: TestClient, plot: str, width: int, colours: str
) -> None:
    page = answer_by(open_page(width, color_scheme=colours), site)
    watch = drawn(page, f"/plots?plot={plot}")
    assert page.locator("#canvas .trace, #canvas .scatterlayer path.point").count() > 0
    assert (sideways(page), stick_out(page), watch.seen) == (0, [], [])
    assert page.title() != DONE
    assert page.locator("#canvas a, #canvas [onerror], #canvas [onload], #canvas foreignObject").count() == 0


def test_plotly_is_asked_for_once_the_plot_is_in_sight_and_from_this_site_alone(
    open_page: Callable[..., Page], site: TestClient
) -> None:
    page = answer_by(open_page(viewport={"width": PHONE, "height": 300}), site)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{SITE}/plots")
    page.wait_for_load_state("networkidle")
    assert not [url for url in asked if ADDRESS in url or "/plots/chart" in url]
    page.locator("#canvas").scroll_into_view_if_needed()
    expect(page.locator("#png")).to_be_enabled(timeout=30_000)
    assert len([url for url in asked if url.endswith(ADDRESS)]) == 1
    elsewhere = [url for url in asked if urlsplit(url).netloc not in ("board.test", "")]
    assert elsewhere == []


@pytest.mark.parametrize("plot", ["size", "human"])
def test_names_are_drawn_as_the_letters_that_they_are(
    open_page: Callable[..., Page], site: TestClient, plot: str
) -> None:
    page = answer_by(open_page(viewport={"width": WIDE, "height": 1600}), site)
    drawn(page, f"/plots?plot={plot}")
    if plot == "human":  # Names stand beside the lines.
        written = " ".join(page.locator("#canvas .yaxislayer-above text, #canvas .ytick text").all_text_contents())
        assert '<b>bold</b><br><a href="javascript:aler' in written
        return
    for word, words in (("bold", "<b>bold</b><br><a href="), ("/td", "</script><script>")):
        page.evaluate(
            """word => { const canvas = document.getElementById("canvas");
  canvas.data.forEach((trace, curveNumber) => trace.hovertext.forEach((text, pointNumber) => {
    if (text.includes(word)) Plotly.Fx.hover(canvas, [{ curveNumber, pointNumber }]);
  })); }""",
            word,
        )
        expect(page.locator("#canvas .hoverlayer .hovertext")).to_contain_text(words, timeout=20_000)


def test_a_picture_and_both_files_are_downloaded(
    open_page: Callable[..., Page], site: TestClient, tmp_path: Path
) -> None:
    with served(cast(FastAPI, site.app)) as address:  # A browser does not save what a test answers with.
        page = open_page(accept_downloads=True)
        watch = drawn(page, "/plots", address)
        with page.expect_download() as download:
            page.get_by_role("button", name="Download as PNG").press("Enter")
        download.value.save_as(tmp_path / "plot.png")
        content = (tmp_path / "plot.png").read_bytes()
        assert download.value.suggested_filename == "rapport-size.png"
        assert content[:8] == b"\x89PNG\r\n\x1a\n"
        width, height = struct.unpack(">II", content[16:24])
        assert (width, height > 1000, len(content) > 20_000) == (2400, True, True)
        for form in ("CSV", "JSON"):
            with page.expect_download() as download:
                page.get_by_role("link", name=form).click()
            download.value.save_as(tmp_path / form)
        assert len(parsed((tmp_path / "CSV").read_text("utf-8"))) == len(NAMES) + 1
        assert len(json.loads((tmp_path / "JSON").read_text("utf-8"))["rows"]) == len(NAMES) + 1
        assert watch.seen == []


def test_colours_follow_the_scheme_as_it_changes(open_page: Callable[..., Page], site: TestClient) -> None:
    page = answer_by(open_page(color_scheme="light"), site)
    drawn(page, "/plots")
    background = "() => getComputedStyle(document.querySelector('#canvas .main-svg')).backgroundColor"
    card = "() => getComputedStyle(document.getElementById('plot')).backgroundColor"
    assert page.evaluate(background) == page.evaluate(card) == "rgb(255, 255, 255)"
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"() => ({background})() !== 'rgb(255, 255, 255)'")
    assert page.evaluate(background) == page.evaluate(card)


def test_a_library_that_does_not_come_leaves_the_table_and_another_try(
    open_page: Callable[..., Page], site: TestClient
) -> None:
    page = answer_by(open_page(), site)
    page.route(f"**{ADDRESS}", lambda route: route.abort())
    page.goto(f"{SITE}/plots")
    expect(page.locator("#state")).to_have_text("The drawing could not be loaded. The table below has all figures.")
    expect(page.locator("#png")).to_be_disabled()
    page.unroute(f"**{ADDRESS}")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#png")).to_be_enabled(timeout=30_000)
    expect(page.get_by_role("button", name="Try again")).to_be_hidden()


def test_without_scripts_the_table_is_all_there_is_and_a_choice_is_a_form(
    open_page: Callable[..., Page], site: TestClient
) -> None:
    page = answer_by(open_page(scripts=False), site)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{SITE}/plots?plot=ranks")
    expect(page.locator("#plot")).to_be_hidden()
    page.get_by_label("Models, up to eight").fill("org/plain")
    page.get_by_role("button", name="Show").click()
    assert page.url == f"{SITE}/plots?plot=ranks&judge=&ids=org%2Fplain"
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.last).to_contain_text("stands now")
    assert not [url for url in asked if ADDRESS in url]
