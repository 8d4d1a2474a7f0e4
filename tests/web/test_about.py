"""The page about the method: its examples are what the site's functions say, and every word has its place."""

from __future__ import annotations

import datetime
import html
import re
import typing
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from evaluator.hicupid.desiderata import long_context_gap
from evaluator.hicupid.scoring import HIGHEST_TOTAL, _worst_case, rate_of_items, score_of, total_of
from evaluator.judges.spec import JudgeSpec
from evaluator.metrics.agreement import kappa, single_agreement, spearman
from evaluator.metrics.intervals import Part, UserSums, clustered_interval
from evaluator.metrics.ranks import Rank
from evaluator.protocol import load_protocol, protocol_ids
from evaluator.results import Interval
from leaderboard.pages.about import examples as worked
from leaderboard.pages.about.changelog import CHANGES, Change
from leaderboard.pages.about.examples import examples, judged_items
from leaderboard.pages.about.page import about
from leaderboard.pages.about.pages import AboutPages, about_router
from leaderboard.pages.about.sections import SECTIONS
from leaderboard.pages.about.terms import OF_COLUMNS, TERMS, address_of, tip_of
from leaderboard.pages.board.columns import COLUMNS
from leaderboard.pages.figures import bounds, figure
from leaderboard.pages.render import NAVIGATION, render
from leaderboard.people import LOCAL_USER
from leaderboard.settings import Settings

HOSTILE = "<script>alert(1)</script>"
PROMISED = {
    *("total", "rank", "interval", "persona", "profile", "schedule", "missing", "judge", "agreement"),
    *("one-more-human", "gap", "long-context", "position-consistency"),
}
"""Anchors that others link to."""


def site_of(**settings: object) -> TestClient:
    app = FastAPI()
    app.include_router(about_router(AboutPages(Settings(**settings))))  # type: ignore[arg-type]
    return TestClient(app)


@pytest.fixture(scope="module")
def page() -> str:
    return site_of().get("/about").text


def seen(page: str) -> str:
    """What a reader sees of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def outputs(page: str, anchor: str) -> list[str]:
    """The results that stand below a word, up to the next one."""
    below = page.split(f'<h3 id="{anchor}">')[1].split("<h3 ")[0]
    return [html.unescape(each) for each in re.findall(r"<output>(.*?)</output>", below)]


def test_every_anchor_is_there_once_and_in_the_contents(page: str) -> None:
    found = Counter(re.findall(r'\bid="([^"]+)"', page))
    assert max(found.values()) == 1
    anchors = [each.anchor for each in SECTIONS] + [name for each in SECTIONS for name in each.terms]
    contents = page.split('<nav class="contents"')[1].split("</nav>")[0]
    assert re.findall(r'href="#([^"]+)"', contents) == [
        name for each in SECTIONS for name in (each.anchor, *each.terms)
    ]
    assert set(found) == {*anchors, "main"}
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(found)


def test_every_word_has_a_place_and_its_sentence(page: str) -> None:
    placed = [name for each in SECTIONS for name in each.terms]
    assert sorted(placed) == sorted(TERMS)
    assert set(TERMS) >= PROMISED
    for term in TERMS.values():
        assert page.count(f'<p class="says">{html.escape(term.says, quote=False).replace(chr(39), "&#39;")}</p>') == 1


def test_every_column_of_the_board_is_explained() -> None:
    assert set(OF_COLUMNS) == set(COLUMNS)
    assert set(OF_COLUMNS.values()) <= set(TERMS)
    with pytest.raises(KeyError):
        address_of("nothing")


def test_a_columns_tooltip_says_what_the_page_says() -> None:
    for name, column in COLUMNS.items():
        assert tip_of(name) in TERMS[OF_COLUMNS[name]].says, name
        assert column.tip.startswith(tip_of(name)), name


def test_a_total_is_what_the_formula_on_the_page_says(page: str) -> None:
    formula = re.search(r'<p class="formula">Total = (.*?)</p>', page)
    assert formula is not None
    program = formula[1].replace("×", "*")
    for told in examples().totals:
        rates = {"persona": told.persona, "profile": told.profile, "schedule": told.schedule}
        assert eval(program, {}, rates) == pytest.approx(told.total)
        assert told.total == total_of(**rates)
        assert told.told is None or abs(told.total - told.told) < 0.1
    assert outputs(page, "total") == [f"{told.total:.2f}" for told in examples().totals]
    assert examples().totals[1].total == 50
    assert examples().totals[2].total == HIGHEST_TOTAL


def test_scores_are_wins_and_half_of_the_ties(page: str) -> None:
    scoring = examples().scoring
    assert scoring.win.value is not None
    assert scoring.tie.value is not None
    assert scoring.score.value == scoring.win.value + scoring.tie.value / 2
    assert (scoring.score.judged, scoring.score.items) == (5, 6)
    assert scoring.score == rate_of_items(judged_items(worked.VERDICTS), score_of)
    assert outputs(page, "score") == [f"{figure(scoring.score.value)} %"]
    assert outputs(page, "position-consistency") == [f"{figure(scoring.consistency.value)} %"]


def test_the_worst_case_is_that_of_a_scorecard(page: str) -> None:
    found = examples().scoring.worst_case.value
    assert found == pytest.approx(_worst_case(judged_items(worked.VERDICTS)), abs=1e-6)
    assert outputs(page, "worst-case") == [f"{figure(found)} %"]


def test_an_interval_by_user_is_wider_than_one_by_answer(page: str) -> None:
    few = examples().clustered
    assert few.clustered == clustered_interval([Part([UserSums(100.0 * won, 5) for won in worked._OF_FIVE])])
    assert few.clustered is not None
    assert few.alone is not None
    assert few.clustered.high - few.clustered.low > few.alone.high - few.alone.low
    assert outputs(page, "interval") == [bounds(few.clustered)]


def test_ranks_are_what_the_page_says_of_them(page: str) -> None:
    first, second, third = examples().ranked
    assert first.score is not None
    assert second.score is not None
    assert first.score > second.score
    ranks = [each.rank for each in (first, second, third)]
    assert [each and (each.low, each.high) for each in ranks] == [(1, 2), (1, 2), (3, 3)]
    assert outputs(page, "rank") == ["1", "1", "3"]


def test_agreement_is_what_the_formulas_say(page: str) -> None:
    two = examples().agreed
    both, first, second, _ = two.counts
    assert two.kappa == pytest.approx((two.same - two.by_chance) / (1 - two.by_chance))
    assert two.f1 == pytest.approx(2 * both / (2 * both + first + second))
    assert kappa(np.zeros(4), np.array([0.0, 0, 0, 1])) == 0, "who always says no"
    assert outputs(page, "kappa") == [f"{two.kappa:.3f}"]
    assert outputs(page, "f1") == [f"{two.f1:.3f}"]
    human = examples().human
    assert human == single_agreement(worked._ANNOTATORS, worked._MODEL, 1.0)
    told = [human.rater, human.one_more_human, human.noise_ceiling]
    assert outputs(page, "one-more-human") == [f"{each:.3f}" for each in told]
    correlation = spearman(np.array(worked.RATER, dtype=float), np.array(worked.PERSON, dtype=float))
    assert outputs(page, "spearman") == [f"{correlation:.3f}"]


def test_gaps_are_differences(page: str) -> None:
    found = examples()
    assert found.made_up.value is not None
    assert found.labelled.value is not None
    assert found.gap.value == pytest.approx(found.made_up.value - found.labelled.value)
    assert outputs(page, "gap") == [f"{found.gap.value:+.2f}"]
    long = long_context_gap(worked._users(worked._WHOLE), worked._users(worked._NEEDED), ("official-v1", "gold-v1"))
    assert found.long_context == long
    assert long.interval is not None
    assert long.interval.high < 0, "the page says so"
    assert outputs(page, "long-context") == [f"{long.value:+.1f}"]


def test_no_result_of_an_example_is_typed_in() -> None:
    real = examples()
    rate = replace(real.scoring.score, value=12.3, judged=1234)
    ends = Interval(low=-98.7, high=-87.6, users=43)
    scoring = real.scoring._replace(win=rate, tie=rate, loss=rate, score=rate, consistency=rate, worst_case=rate)
    figure_of = replace(real.gap, value=0.12, interval=ends)
    odd = real._replace(
        scoring=scoring,
        totals=(real.totals[0]._replace(total=12.34),),
        clustered=real.clustered._replace(clustered=ends),
        ranked=tuple(each._replace(rank=Rank(low=77, high=88)) for each in real.ranked),
        agreed=real.agreed._replace(kappa=0.123, f1=0.234),
        human=real.human.model_copy(update={"rater": 0.123, "one_more_human": 0.234, "noise_ceiling": 0.345}),
        correlated=real.correlated._replace(spearman=0.123),
        gap=figure_of,
        long_context=replace(real.long_context, value=-12.3, interval=ends),
    )
    shown = render("about/page.html", here="/about", about=about(Settings())._replace(examples=odd), bounds=bounds)
    expected = {
        "score": ["12.3 %"],
        "position-consistency": ["12.3 %"],
        "worst-case": ["12.3 %"],
        "total": ["12.34"],
        "interval": ["-98.7 to -87.6"],
        "rank": ["77"] * 3,
        "kappa": ["0.123"],
        "f1": ["0.234"],
        "spearman": ["0.123"],
        "one-more-human": ["0.123", "0.234", "0.345"],
        "gap": ["+0.12"],
        "long-context": ["-12.3"],
    }
    assert {anchor: outputs(shown, anchor) for anchor in expected} == expected
    assert shown.count("<output>") == sum(map(len, expected.values()))


def test_every_protocol_and_every_status_of_a_judge_is_named(page: str) -> None:
    for name in protocol_ids():
        line = page.split(f'<tr><th scope="row">{name}</th>')[1].split("</tr>")[0]
        assert load_protocol(name).title in html.unescape(line)
        assert (">official<" in line) == load_protocol(name).official
    statuses = typing.get_args(JudgeSpec.model_fields["status"].annotation)
    assert statuses
    for status in statuses:
        assert page.count(f"<dt>{status}</dt>") == 1


def test_what_the_site_asks_is_said_first() -> None:
    shown = about(Settings(protocols=("seen-v1",))).protocols
    assert [each.id for each in shown if each.asked] == ["seen-v1"]
    assert shown[0].id == "seen-v1"


def test_changes_are_dated_newest_first_and_shown_as_text(page: str) -> None:
    days = [each.day for each in CHANGES]
    assert days == sorted(days, reverse=True)
    for each in CHANGES:
        assert each.what in seen(page)
        assert f'<time datetime="{each.day}">' in page
    hostile = about(Settings(), [Change(datetime.date(2026, 1, 2), HOSTILE, HOSTILE)])
    shown = render("about/page.html", here="/about", about=hostile, bounds=bounds)
    assert HOSTILE not in shown
    assert shown.count(html.escape(HOSTILE)) == 2


def test_what_settings_say_is_shown_as_text() -> None:
    told = {"store": "hub://org/rapport", "site_url": "https://rapport.example/"}
    shown = site_of(**told, maintainers=("alice", "org:lab", HOSTILE, LOCAL_USER)).get("/about").text
    assert 'load_dataset("org/rapport-results", "board", split="train")' in seen(shown)
    assert 'Client("https://rapport.example", token=False)' in seen(shown)
    assert "url = {https://rapport.example}" in seen(shown)
    assert "everybody in the organisation lab" in seen(shown)
    assert 'href="https://huggingface.co/alice"' in shown
    assert HOSTILE not in shown
    assert f"<bdi>{LOCAL_USER}</bdi>" in shown


def test_without_the_hub_nothing_on_it_is_named(page: str) -> None:
    assert "huggingface.co/datasets" not in page
    assert "keeps its results in a folder" in seen(page)
    assert "names no maintainers" in seen(page)


def test_the_papers_can_be_copied(page: str) -> None:
    for paper in ("2506.01262", "2606.06614"):
        assert f"eprint = {{{paper}}}" in " ".join(seen(page).split())
    assert page.count('class="copy"') == page.count('class="copied muted" role="status"') == 3


def test_a_browser_that_has_it_is_sent_nothing() -> None:
    site = site_of()
    first = site.get("/about")
    assert first.status_code == 200
    assert first.headers["cache-control"] == "no-cache"
    again = site.get("/about", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""


def test_it_is_the_last_page_of_the_navigation() -> None:
    assert NAVIGATION[-1] == ("/about", "About")


@pytest.mark.parametrize("width", [1400, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_is_accessible(open_page: typing.Any, width: int, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe
    from starlette.staticfiles import StaticFiles

    from leaderboard.pages.render import STATIC
    from tests.browsing import ANSWERED, answer_by, open_all, sideways

    app = FastAPI()
    app.include_router(about_router(AboutPages(Settings(store="hub://org/rapport"))))
    app.mount("/site", StaticFiles(directory=STATIC))
    page = answer_by(open_page(width, color_scheme=scheme), TestClient(app))
    page.goto(f"{ANSWERED}/about#total")
    open_all(page)
    assert sideways(page) <= 0
    assert page.locator("#total").is_visible()
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [each["id"] for each in found] == []
