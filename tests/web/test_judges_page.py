"""The pages of judges: figures with their doubt, missing ones as missing, and what files say as text alone."""

from __future__ import annotations

import datetime
import html
import re
from typing import get_args

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from evaluator.human.data import demo_set
from evaluator.human.labelled import verification_labels
from evaluator.human.reading import read_tables
from evaluator.human.records import RaterKind
from evaluator.human.tasks import Task
from evaluator.judges.canaries import Canary, CanaryFigureName, CanaryVerdict
from evaluator.judges.quality.human_sets import human_set_agreement
from evaluator.judges.quality.records import JudgeQuality, Slice, Why
from evaluator.judges.spec import Kind, load_judge
from leaderboard.board.build import build_board
from leaderboard.board.judges import build_judge_board
from leaderboard.open_data import layout
from leaderboard.open_data.columns import columns_of, to_columns
from leaderboard.open_data.judge_views import open_judge
from leaderboard.open_data.judges import OpenJudge
from leaderboard.pages.judges import words
from leaderboard.pages.judges.pages import deciding, judge_page, judges_page
from leaderboard.pages.judges.rows import views_of
from leaderboard.pages.reader import Reader
from leaderboard.pages.site import Pages, router
from leaderboard.store.base import Condition, Write
from leaderboard.store.local import LocalStore
from leaderboard.store.parquet import encode_parquet
from tests.builders import make_scorecard
from tests.judge_boards import JUDGES, check_of, publish_all, publish_judges, qualities
from tests.released import publish
from tests.web.test_pages import ODD_TEXTS

OFFICIAL, CANDIDATE, DEMO = JUDGES
HOSTILE = '<script>alert("1")</script><b>' + "x" * 10_000


def visitor(store: LocalStore, name: str = "") -> TestClient:
    app = FastAPI()
    app.include_router(router(Pages(Reader(store, store, None), (), name)))
    return TestClient(app)


def seen(page: str) -> str:
    """What a reader sees of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def row_of(page: str, judge_id: str) -> str:
    """What a reader sees of a judge's row in the table of all."""
    (row,) = re.findall(rf'<tr id="judge-\d+">\s*<th[^>]*><a [^>]*><bdi>{judge_id}</bdi>.*?</tr>', page, re.S)
    return seen(row)


@pytest.fixture
def page(store: LocalStore) -> str:
    publish_all(store)
    return visitor(store).get("/judges").text


def test_every_figure_of_a_judge_stands_with_its_interval_and_its_count(page):
    known = qualities()[0]
    row = row_of(page, OFFICIAL)
    odds, kappa = known.length.odds_ratio, known.people[0].parts[0].win_kappa
    assert f"{odds.value:.2f} {odds.interval.low:.2f} to {odds.interval.high:.2f}" in row
    assert f"of {odds.counted:,} of {odds.possible:,} votes, {odds.users} users" in row
    assert f"This judge {kappa.judge.value:.3f} ({kappa.judge.interval.low:.3f} to" in row
    assert f"One more human {kappa.one_more_human.value:.3f} (" in row
    assert f"Noise ceiling {kappa.noise_ceiling.value:.3f} (no interval: a ceiling is found with hindsight" in row
    assert "pairs, labels by people; site-labels" in row
    assert f"{100 * known.positions.consistency.value:.1f} %" in row
    assert "12kimih/Llama-3.2-3B-HiCUPID · 00000000 · llama3.2" in row
    assert "7 passed, 0 failed keeps to every bound" in row
    assert "1,234 tokens read" in row
    assert "– seconds missing: nobody told what it needs" in row


def test_what_is_missing_is_told_as_missing_and_never_as_a_figure(page):
    row = row_of(page, "zero-shot-rating")
    assert row.count("not worked out yet") == 6
    assert "not asked yet: rapport judge check zero-shot-rating" in row
    assert not re.search(r"\d\.\d", row.replace("Qwen2.5", "").replace("apache-2.0", ""))


def test_a_judge_that_falls_for_canaries_says_for_which(page):
    row = row_of(page, CANDIDATE)
    assert "5 passed, 2 failed falls for: forged, all but the copy" in row
    assert "forged, score against gold: 37.5 % (31.5 to 43.5, of all 100); at most 5 %: not kept" in row
    assert "6 passed, 1 failed falls for: gold" in row_of(page, "zero-shot-verifier")


def test_a_bound_that_was_not_asked_is_failed(store):
    spec = load_judge(OFFICIAL)
    check = check_of(spec, "r1")
    publish_judges(store, [spec], checks=[check.model_copy(update={"figures": check.figures[2:]})])
    row = row_of(visitor(store).get("/judges").text, OFFICIAL)
    assert "6 passed, 1 failed falls for: constant" in row
    assert "constant, score against gold: – (missing: it was not asked, of 0); at most 5 %: not asked" in row


def test_each_plot_is_drawn_with_words_for_those_who_do_not_see_it(page):
    strips = re.findall(
        r'<svg class="strip" role="img"[^>]*>\s*<title[^>]*>(.*?)</title>\s*<desc[^>]*>(.*?)</desc>', page
    )
    assert [name for name, _ in strips] == [*JUDGES] * 3, "people, length and family"
    kappa = qualities()[0].people[0].parts[0].win_kappa
    assert f"{OFFICIAL}: {kappa.judge.value:.3f}; {kappa.judge.interval.low:.3f} to" in strips[0][1]
    assert f"one more human {kappa.one_more_human.value:.3f} · noise ceiling" in strips[0][1]
    assert len(re.findall(r'class="dot strong" cx="[^"]*" cy="50%"', page)) == 3, "the official judge's, in each plot"
    assert page.count("<svg") == page.count('role="img"') + page.count("aria-hidden") + page.count('overflow="visible"')
    bars = re.findall(r'<svg class="rate-bar" role="img" aria-label="(.*?)">', page)
    assert "37.5 %, at most 5 %: not kept" in bars
    assert "<script" not in page


def test_a_dot_stands_where_its_figure_says(page):
    odds = qualities()[0].length.odds_ratio
    plot = page[page.index("Leaning to longer answers") :]
    labels = re.findall(r'<text x="([\d.]+)%" y="14">(.*?)</text>', plot[: plot.index("</table>")])
    ends = [1 / int(label[2:]) if label.startswith("1/") else float(label) for _, label in (labels[0], labels[-1])]
    place = float(re.findall(r'<circle class="dot strong" cx="([\d.]+)%"', plot)[0])
    assert ends[0] * (ends[1] / ends[0]) ** (place / 100) == pytest.approx(odds.value, rel=1e-3)


def test_two_judges_are_set_beside_each_other_with_number_and_shade(page):
    kappa = next(each for each in qualities()[0].agreement if each.other == CANDIDATE).slices[0].kappa
    cell = f'<td class="num shaded" style="--part:{100 * kappa.value:.1f}" title="{kappa.value:.3f} ('
    assert page.count(cell) == 2, "once from either side"


def test_labels_of_a_program_have_a_plot_of_their_own_that_says_so(store):
    known = qualities()[0]
    simulated = known.people[0].model_copy(update={"kind": RaterKind.SIMULATED})
    both = known.model_copy(update={"people": (simulated, *known.people)})
    publish_judges(store, [load_judge(OFFICIAL)], [both])
    shown = visitor(store).get("/judges").text
    titles = re.findall(r'<h3 id="plot-\d+-title">(.*?)</h3>', shown)
    assert titles[:2] == [
        "Agreement on pairs, labels by people",
        "Agreement on pairs, labels by a program (simulated labels)",
    ]
    assert "one more simulated annotator" in shown


def test_without_two_annotators_of_one_answer_it_is_kappa_with_what_labels_say(store):
    known = qualities()[0]
    nothing = known.people[0].parts[0].win_kappa.judge.model_copy(update={"value": None, "reason": Why.UNDEFINED})
    part = (
        known.people[0]
        .parts[0]
        .model_copy(
            update={
                "win_kappa": known.people[0]
                .parts[0]
                .win_kappa.model_copy(update={"judge": nothing, "one_more_human": nothing, "noise_ceiling": nothing})
            }
        )
    )
    people = known.people[0].model_copy(update={"parts": (part,)})
    publish_judges(store, [load_judge(OFFICIAL)], [known.model_copy(update={"people": (people,)})])
    row = row_of(visitor(store).get("/judges").text, OFFICIAL)
    assert f"{people.majority.slices[0].kappa.value:.3f}" in row
    assert "One more human missing: no two annotators labelled the same answer" in row


def of_a_verifier() -> JudgeQuality:
    """What is known of a verifier: labels of a data set, and no pairs."""
    tables = read_tables(demo_set()).tables
    items = verification_labels(tables, [RaterKind.SIMULATED]).items
    told = {name: float(place % 3 == 0) for place, name in enumerate(items)}
    found = human_set_agreement("demo", tables, Task.VERIFICATION, told, epsilon=0.15)
    spec = load_judge("zero-shot-verifier")
    changes = {"judge": spec.id, "config": spec.digest(), "people": (), "agreement": (), "human_sets": found}
    return qualities()[0].model_copy(update=changes)


def test_a_verifier_has_no_figures_of_pairs_but_those_of_its_data_sets(store):
    known = of_a_verifier()
    publish_judges(store, [load_judge(known.judge)], [known])
    shown = visitor(store).get("/judges").text
    assert row_of(shown, known.judge).count("it compares no answers") == 3
    figures = {figure.name: figure.value for figure in known.human_sets[0].figures}
    assert f"{figures['single_kappa']:.3f}".replace("-", "−") in row_of(shown, known.judge)
    assert "Leaning to longer answers" not in shown
    own = seen(visitor(store).get("/judge", params={"id": known.judge}).text)
    assert "verification on demo; labels by a program (simulated labels)" in own
    assert "Odds ratio of longer answers" not in own


def test_who_decides_ranks_is_said_with_the_first_result_that_ranks(store):
    publish(store, make_scorecard("org/a", 50, judge=OFFICIAL))
    publish_all(store)
    shown = seen(visitor(store).get("/judges").text)
    assert (
        f"{OFFICIAL} decides the ranks of demo-v1 ; the first result that ranks under it is of 1 March 2026 ." in shown
    )


def test_the_board_under_a_judge_is_offered_where_it_judged_anything(store):
    publish(store, make_scorecard("org/a", 50, judge=OFFICIAL))
    publish_all(store)
    site = visitor(store)
    shown = site.get("/judges").text
    assert re.findall(r'href="/\?judge=([^"]*)"', shown) == [OFFICIAL]
    assert site.get("/", params={"judge": OFFICIAL}).status_code == 200
    assert "no result on the board by it" in row_of(shown, DEMO)
    assert "No result on the board is by it" in site.get("/judge", params={"id": DEMO}).text


def test_a_promoted_judge_decides_since_its_promotion(store):
    publish(store, make_scorecard("org/a", 50, judge=OFFICIAL))
    publish_all(store)
    at = datetime.datetime(2026, 5, 4, tzinfo=datetime.UTC)
    rows = [row.model_copy(update={"judge_status_since": at}) for row in build_board(store).rows]
    views = views_of(build_judge_board(store).rows)
    (decides,) = deciding(views, rows)
    assert [(ruling.protocol, ruling.promoted) for ruling in decides.rulings] == [("demo-v1", at)]
    unranked = [row.model_copy(update={"rank": None}) for row in rows]
    assert not deciding(views, unranked)[0].rulings


def test_where_nothing_is_known_it_says_by_which_command_that_comes(store):
    nobody = visitor(store).get("/judges")
    assert nobody.status_code == 200
    assert "No judge is known yet" in nobody.text
    publish_judges(store, [load_judge(DEMO)])
    shown = seen(visitor(store).get("/judges").text)
    assert "worked out by rapport judge board , and how they take canaries by rapport judge check ID" in shown
    assert "No judge decides ranks here: none is official." in shown
    assert "At a glance" not in shown
    assert f"rapport judge check {DEMO}" in seen(visitor(store).get("/judge", params={"id": DEMO}).text)


@pytest.mark.parametrize("path", [layout.JUDGE_QUALITY, layout.JUDGE_CHECKS])
def test_a_broken_file_is_told_and_costs_itself_alone(store, path):
    publish_all(store)
    store.commit([Write(path, b"PAR1 cut")], "broken")
    shown = visitor(store).get("/judges").text
    assert re.search(rf'<p class="problem" role="status">[^<]*{path}', shown)
    assert (path == layout.JUDGE_QUALITY) == ("not worked out yet" in row_of(shown, OFFICIAL))
    assert visitor(store).get("/judge", params={"id": "nobody"}).status_code == 503, "it may well be there"


def test_that_the_store_is_read_from_a_copy_is_told(store, monkeypatch):
    publish_all(store)
    since = Condition(datetime.datetime(2026, 3, 1, 12, 5, tzinfo=datetime.UTC), "it does not answer")
    monkeypatch.setattr(store, "condition", lambda: since)
    for path in ("/judges", f"/judge?id={OFFICIAL}"):
        assert "results are shown as they were at 12:05 UTC on 1 March 2026" in visitor(store).get(path).text


def test_one_board_is_built_for_each_state_of_the_store(store):
    publish_all(store)
    reader = Reader(store, store, None)
    first, _ = reader.judges()
    assert reader.judges()[0] is first
    publish_judges(store, [load_judge(DEMO)])
    assert [row.judge.id for row in reader.judges()[0].rows] == [DEMO]


def test_texts_of_files_are_text_however_long_and_whatever_they_hold(store):
    known = qualities()[0]
    people = known.people[0].model_copy(update={"source": HOSTILE})
    agreement = known.agreement[0].model_copy(update={"other": HOSTILE})
    quality = known.model_copy(update={"judge": HOSTILE, "people": (people,), "agreement": (agreement,)})
    publish_judges(
        store, [], [quality], [check_of(load_judge(OFFICIAL), known.revision).model_copy(update={"judge": HOSTILE})]
    )
    texts = dict.fromkeys(("id", "title", "model", "revision", "licence", "prompt_pack", "training_note"), HOSTILE)
    judge = open_judge(load_judge(OFFICIAL)).model_copy(update=texts)
    store.commit([Write(layout.JUDGES, encode_parquet([to_columns(judge)], columns_of(OpenJudge)))], "hostile")
    site = visitor(store)
    for path in ("/judges", "/judge"):
        answer = site.get(path, params={"id": HOSTILE})
        assert answer.status_code == 200
        assert html.escape(HOSTILE[:40], quote=True).replace("&quot;", "&#34;") in answer.text
        for raw in ("<script>alert", "<b>x", '("1")'):
            assert raw not in answer.text
        for link in re.findall(r'href="(/[^"]*)"', answer.text):
            assert re.fullmatch(r"[\w/?=&;.%+#-]+", link), link[:80]


@pytest.mark.parametrize("odd", ODD_TEXTS)
def test_odd_texts_in_an_address_never_break_a_page(store, odd):
    publish_all(store)
    for path in ("/judge", "/judge.json"):
        answer = visitor(store).get(path, params={"id": odd})
        assert answer.status_code == 404
        assert "<script>" not in answer.text
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_candidate_with_figures_says_that_none_of_its_results_count(store, page):
    told = "A candidate: its figures are shown, none of its results count."
    names = (*JUDGES, "zero-shot-verifier", "zero-shot-rating")  # The last has no figures yet.
    assert [name for name in names if told in row_of(page, name)] == [CANDIDATE, "zero-shot-verifier"]
    pages = {name: seen(visitor(store).get("/judge", params={"id": name}).text) for name in names}
    assert [name for name in names if told in pages[name]] == [CANDIDATE, "zero-shot-verifier"]


def test_seconds_of_a_verdict_are_no_share_of_a_machines_time(store, page):
    told = "prompts overlap: no share of a machine's time"
    assert told not in row_of(page, OFFICIAL), "nobody told its seconds"
    known = qualities()[0]
    timed = known.model_copy(update={"costs": known.costs.model_copy(update={"seconds": known.costs.output_tokens})})
    publish_judges(store, [load_judge(OFFICIAL)], [timed])
    assert f"87.2 seconds 78.5 to 96 {told}" in row_of(visitor(store).get("/judges").text, OFFICIAL)
    own = seen(visitor(store).get("/judge", params={"id": OFFICIAL}).text)
    assert re.search(rf"Seconds for a verdict 87.2 \([^)]*\), of all 288 verdicts, 12 users; {told}", own)


def test_every_word_that_a_figure_may_need_is_there():
    assert words.REASONS.keys() == set(Why)
    assert words.SLICES.keys() == set(Slice)
    assert words.WHOSE.keys() == set(RaterKind)
    assert words.CANARIES.keys() == {*Canary, None}
    assert words.FIGURES.keys() == set(get_args(CanaryFigureName))
    assert words.VERDICTS.keys() == {*CanaryVerdict, "unasked"}
    assert words.KINDS.keys() == words.ASKED.keys() == set(get_args(Kind))


def test_equal_files_give_an_equal_page(store):
    publish_all(store)
    board = build_judge_board(store)
    assert judges_page(board, []) == judges_page(board, [])
    assert judge_page(board, [], "nobody", "") is None
