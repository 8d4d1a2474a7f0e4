"""The page of human agreement: figures with what stands beside them; simulated labels are called simulated."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from evaluator.human.figures import FIGURES
from evaluator.human.records import RaterKind
from evaluator.human.results import HumanResult
from evaluator.human.tasks import AnyTask, JudgedTask, Task
from evaluator.results import Interval
from leaderboard.api.telling import agreement_of as agreement_of_card
from leaderboard.board.human import MAIN
from leaderboard.board.human_gaps import GAP_FIGURE, with_gaps
from leaderboard.cli.remote_words import agreement_lines
from leaderboard.open_data import layout
from leaderboard.open_data.figures import open_card
from leaderboard.open_data.files import CARDS, HUMAN_CARDS
from leaderboard.open_data.human_figures import listed_under, open_human_scorecard
from leaderboard.pages.human.index import HumanIndexes
from leaderboard.pages.human.pages import HumanPages, human_router
from leaderboard.pages.human_tables import human_figures
from leaderboard.pages.reader import Reader
from leaderboard.pages.site import Pages, router
from leaderboard.results import HumanScorecard
from leaderboard.store.base import Write
from leaderboard.store.local import LocalStore
from tests.builders import make_declaration, make_scorecard
from tests.human_runs import answer_to, demo_items, make_human_run, make_synthetic_run, of_people
from tests.released import write_board
from tests.written_runs import make_written_run
from worker.local.summary import summary_of


def publish(store: LocalStore, *cards: HumanScorecard) -> None:
    """Puts scorecards of human-grounded tasks into the public data set."""
    parts: dict[str, list[HumanScorecard]] = {}
    for card in cards:
        parts.setdefault(layout.human_scorecards_path(card.model), []).append(card)
    files = [Write(path, HUMAN_CARDS.encode(map(open_human_scorecard, some))) for path, some in parts.items()]
    store.commit(files, "agreement")


def visitor(store: LocalStore, *protocols: str) -> TestClient:
    reader, app = Reader(store, store, None), FastAPI()
    app.include_router(router(Pages(reader, protocols)))
    app.include_router(human_router(HumanPages(reader, HumanIndexes(protocols))))
    return TestClient(app)


def shown(site: TestClient, card: HumanScorecard | None = None, **asked: str) -> str:
    """The page of human agreement: the first task's, that of a scorecard, or what is asked for."""
    task = {"task": card.protocol} if card else {}
    return site.get("/human", params=task | asked).text


def seen(page: str) -> str:
    """What a reader sees of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def agreement_of(page: str) -> str:
    """The part of a page with the rows."""
    return page.partition('<section id="human"')[2].partition("</section>")[0]


def headings_of(part: str) -> list[tuple[str, str]]:
    """What each column of figures is called, and what it is."""
    return re.findall(r'<th scope="col"[^>]* title="([^"]*)"><a [^>]*>([^<]*)', part)


def order_of(part: str) -> list[str]:
    """The scorecards of the rows, from above."""
    return re.findall(r'<tr id="human-([^"]+)"', part)


def cell(page: str, anchor: str, name: str) -> str:
    """What stands in one cell."""
    row = page.partition(f'<tr id="{anchor}"')[2].partition("</tr>")[0]
    return seen(row.partition(f'data-label="{name}">')[2].partition("</td>")[0])


def of_labels_of_people(number: int = 1, **changes: object) -> HumanScorecard:
    return make_human_run(Task.RELEVANCE, number, asked=of_people(demo_items(Task.RELEVANCE)), **changes).card


def with_interval(card: HumanScorecard, name: str, low: float, high: float) -> HumanScorecard:
    figures = tuple(
        replace(figure, interval=Interval(low=low, high=high, users=12), reason=None) if figure.name == name else figure
        for figure in card.result.figures
    )
    return card.model_copy(update={"result": card.result.model_copy(update={"figures": figures})})


def test_a_figure_stands_with_its_interval_one_more_human_the_ceiling_and_the_baselines(store: LocalStore) -> None:
    card = with_interval(of_labels_of_people(), "kappa", 0.31, 0.52)
    publish(store, card)
    page = shown(visitor(store))
    kappa, single, f1 = (
        cell(page, f"human-{card.id}", name) for name in ("Kappa, majority", "Kappa, single annotators", "F1")
    )
    assert kappa == "0.414 0.310 to 0.520 one more human 0.600"
    why = "no interval: fewer than 10 users"
    assert single == f"0.321 {why} one more human 0.498 noise ceiling 0.798"
    fair = [f"{card.result.figure(name).value:.3f}" for name in ("f1", "f1.one_more_human")]
    assert (
        f1 == f"0.576 {why} always yes 0.331 against the others alone {fair[0]} one more human against them {fair[1]}"
    )
    columns = seen(agreement_of(page)).partition("What the columns say")[2]
    assert "One more human: none, for he has a part in that majority." in columns
    assert "Always yes, always no: it is 0 or not defined by construction, whatever the labels." in columns
    assert cell(page, f"human-{card.id}", "Answered").startswith("100.0 % 128 of 128 items 6 users, 5 annotators")
    assert "simulated" not in seen(agreement_of(page))
    assert "it is undecided which agrees more" in seen(page)


@pytest.mark.parametrize("task", [*Task, *JudgedTask])
def test_simulated_labels_are_called_simulated_and_nothing_is_called_human_beside_them(
    store: LocalStore, task: AnyTask
) -> None:
    card = (make_human_run(task) if isinstance(task, Task) else make_written_run(task)).card
    publish(store, card)
    site = visitor(store)
    part = agreement_of(shown(site))
    page = seen(part)
    assert "simulated labels" in page
    assert "say nothing of people" in page
    assert "one more human" not in page
    assert ("one more simulated annotator" in page) == (task is not JudgedTask.COMPARISON)
    columns = headings_of(part)
    assert len(columns) == len(MAIN[task])
    figures = human_figures(card)
    assert figures
    told = " ".join(f"{one} {other}" for one, other in [*columns, *figures])
    assert re.findall("human|people", told, re.IGNORECASE) == []
    summary = summary_of(card)
    assert re.findall("people|one.more.human", summary, re.IGNORECASE) == []
    assert f"labels      {card.result.labels}, {card.result.annotators} simulated annotators" in summary.splitlines()
    details = seen(site.get("/submission", params={"id": card.submission_id}).text)
    assert f"Agreement with simulated labels, {card.protocol}" in details
    assert "one more human" not in details


GAP = "Synthetic-to-human gap"


def on_made_up_users(number: int = 1, **changes: object) -> HumanScorecard:
    return make_synthetic_run(number=number, say=lambda item, place: "YES" if place % 3 else "NO", **changes).card


def test_the_gap_to_made_up_users_has_a_column_with_its_interval_or_why_it_is_missing(store: LocalStore) -> None:
    asked = [
        item.model_copy(update={"person": f"user-{place % 12}"})
        for place, item in enumerate(of_people(demo_items(Task.RELEVANCE)))
    ]
    both, alone = make_human_run(asked=asked).card, make_human_run(asked=asked, number=3).card
    made_up = on_made_up_users(2, model=both.model)
    publish(store, both, alone, made_up)
    site = visitor(store)
    page = shown(site, both)
    (gap,) = [figure for figure in with_gaps([both, made_up])[0].result.figures if figure.name == GAP_FIGURE]
    low, high = gap.interval.low, gap.interval.high
    assert gap.value < 0
    yes = with_gaps([both, made_up])[0].result.figure(f"{GAP_FIGURE}.always_yes")
    assert cell(page, f"human-{both.id}", GAP) == f"{gap.value:.3f} {low:.3f} to {high:.3f} always yes {yes.value:.3f}"
    assert cell(page, f"human-{alone.id}", GAP) == "– missing: not run on made-up users in the same way"
    assert cell(shown(site, made_up), f"human-{made_up.id}", GAP) == ""
    assert "the same F1 on made-up users, less this one" in page
    details = seen(site.get("/submission", params={"id": both.submission_id}).text)
    assert f"{GAP_FIGURE}: the same F1 on made-up users, less this one: above 0 where they flatter the model" in details
    told = site.get("/scorecard", params={"id": both.run_id}).json()
    assert HumanScorecard.model_validate_json(json.dumps(told)) == both, "it is a function of one run"


def test_a_table_of_made_up_users_shows_what_there_is_of_them(store: LocalStore) -> None:
    poor, good = on_made_up_users(1), make_synthetic_run(number=2).card
    publish(store, poor, good)
    part = agreement_of(shown(visitor(store)))
    assert [heading for _, heading in headings_of(part)] == ["F1", "Selection ratio"]
    assert order_of(part) == [good.id, poor.id]
    assert "12 users, labelled by nobody" in seen(part)
    assert seen(part).count("made-up users") >= 3
    assert "one more human" not in part


def test_where_labels_are_simulated_the_gap_is_not_called_one_to_humans(store: LocalStore) -> None:
    card = make_human_run(Task.RELEVANCE).card
    publish(store, card, on_made_up_users(2, model=card.model))
    part = agreement_of(shown(visitor(store), card))
    assert GAP not in part
    assert (
        cell(part, f"human-{card.id}", "Synthetic-to-simulated gap")
        .split(" always yes ")[0]
        .endswith(": fewer than 10 users")
    )


def test_rows_stand_by_the_first_figure_and_claim_no_rank(store: LocalStore) -> None:
    poor = of_labels_of_people(1, say=lambda item, place: "YES")
    good = of_labels_of_people(2)
    none = of_labels_of_people(3, rows=[])
    publish(store, none, poor, good)
    part = agreement_of(shown(visitor(store), show="incomplete"))
    assert order_of(part) == [good.id, poor.id, none.id]
    assert "Rank" not in part
    assert cell(part, f"human-{none.id}", "Kappa, majority").startswith("– missing: it is not defined on these labels")


def test_a_row_leads_to_the_rows_of_its_model_on_the_board(store: LocalStore) -> None:
    same = make_scorecard("org/model-1", 50)
    twin = make_scorecard("org/model-1", 50, id="other@demo", declaration=make_declaration(thinking=True))
    publish(store, card := make_human_run(Task.RELEVANCE).card)
    path = layout.scorecards_path("org/model-1")
    store.commit([Write(path, CARDS.encode([open_card(same), open_card(twin)]))], "cards")
    write_board(store)
    site = visitor(store)
    (told,) = re.findall(r"HiCUPID: (.+?)</span>", shown(site, card))
    (link,) = re.findall(r'href="([^"]+)"', told)  # The one that thinks is another model.
    address, _, anchor = html.unescape(link).partition("#")
    assert anchor == f"row-{same.id}"
    assert f'id="{anchor}"' in site.get(address).text


def test_other_labels_or_another_judge_are_another_table(store: LocalStore) -> None:
    one, two = of_labels_of_people(1), of_labels_of_people(2)
    publish(store, one, two.model_copy(update={"judge_revision": "r2"}))
    part = agreement_of(shown(visitor(store)))
    assert part.count("<table") == 2
    assert "labels at r1" in part
    assert "labels at r2" in part


def test_a_sites_tasks_are_there_before_a_result_is(store: LocalStore) -> None:
    page = shown(visitor(store, "demo-v1", "human-relevance-demo-v1"))
    tabs = seen(page.partition('<nav class="tabs"')[2].partition("</nav>")[0])
    assert "Relevance, stage 2 human-relevance-demo-v1 · 0 rows" in tabs
    assert " demo-v1" not in tabs
    assert "No results yet. Submit a model , and its row appears here by itself." in seen(agreement_of(page))
    assert "This site asks nothing that people have labelled." in seen(shown(visitor(store, "demo-v1")))


def test_an_open_page_is_told_of_new_rows(store: LocalStore) -> None:
    site = visitor(store, "human-relevance-v1")
    before = site.get("/human/live").headers["X-Revision"]
    page = shown(site)
    assert f'data-revision="{before}"' in page
    (address,) = re.findall(r'<section id="human" data-url="([^"]+)"', page)
    card = of_labels_of_people()
    publish(store, card)
    assert site.get("/human/live").headers["X-Revision"] != before
    rows = site.get(html.unescape(address)).text
    assert order_of(rows) == [card.id]
    assert "<html" not in rows
    assert 'data-count="1 row"' in rows


def test_invalid_answers_and_failures_are_counted_by_reason(store: LocalStore) -> None:
    asked = of_people(demo_items(Task.RELEVANCE)[:6])
    rows = [answer_to(item, "YES") for item in asked[:3]]
    rows += [answer_to(asked[3], "Perhaps."), answer_to(asked[3], "Perhaps!", 1), answer_to(asked[4], None)]
    card = make_human_run(asked=asked, rows=rows).card
    publish(store, card)
    page = shown(visitor(store))
    assert cell(page, f"human-{card.id}", "Invalid") == "1 1 prose 1 asked twice"
    answered = cell(page, f"human-{card.id}", "Answered")
    assert answered.startswith("50.0 % 3 of 6 items without an answer: 1 context overflow, 1 not generated")


def test_all_figures_stand_on_the_submissions_page_and_in_its_json(store: LocalStore) -> None:
    card = make_human_run(Task.VERIFICATION).card
    publish(store, card)
    site = visitor(store)
    page = seen(site.get("/submission", params={"id": card.submission_id}).text)
    for name, value in human_figures(card):
        assert f"{name} {value}" in page
    assert card.rows_sha in page
    told = site.get("/scorecard", params={"id": card.run_id}).json()
    assert HumanScorecard.model_validate_json(json.dumps(told)) == card
    assert site.get("/scorecard", params={"id": "s-20260301-00000009.human-rating-v1"}).status_code == 404


def test_what_strangers_write_is_text(store: LocalStore) -> None:
    odd = '"><script>alert(1)</script>'
    card = of_labels_of_people().model_copy(
        update={"submitter": odd, "unranked_because": (odd,), "data_source": odd, "adapter": odd, "hardware": odd}
    )
    publish(store, card)
    site = visitor(store)
    for page in (
        shown(site),
        site.get("/human/figures", params={"id": card.id}).text,
        site.get("/submission", params={"id": card.submission_id}).text,
    ):
        assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in shown(site)


def test_every_figure_that_is_shown_first_is_one_that_is_published() -> None:
    assert {f"{listed_under(task)}.{name}" for task, names in MAIN.items() for name in names} <= FIGURES.keys()


def test_a_task_whose_answers_a_judge_reads_shows_the_judge_too(store: LocalStore) -> None:
    from evaluator.human.results import Judging, NamedFigure

    card = of_labels_of_people()
    uplift = NamedFigure(name="uplift", value=0.5, interval=None, labels=9, users=3, tied=0, reason="few_clusters")
    bias = replace(uplift, name="bias", value=0.25)
    judging = Judging(
        items=10,
        judged=9,
        judged_share=0.9,
        verdicts=9,
        missing=1,
        missing_because=(("unparsed", 1),),
        defects=(),
        encoder=None,
        figures=(bias,),
    )
    changes = {"task": JudgedTask.UPLIFT, "figures": (uplift,), "judging": judging}
    result = HumanResult.model_validate(dict(card.result) | changes)
    publish(store, card.model_copy(update={"result": result, "judge": "zero-shot-rating", "judge_status": "candidate"}))
    site = visitor(store)
    page = seen(agreement_of(shown(site)))
    assert "judge zero-shot-rating (candidate) at r1" in page
    assert "0.500 no interval: fewer than 10 users" in page
    details = seen(site.get("/submission", params={"id": card.submission_id}).text)
    assert "judge, bias: mean rating less the mean of the others 0.250" in details
    assert "9, missing 1" in details


def test_beside_what_a_verifier_accepts_stands_how_far_it_agrees_itself_on_page_and_terminal(store: LocalStore) -> None:
    card = make_written_run(JudgedTask.EXTRACTION).card
    assert card.result.judging is not None
    own = {figure.name: figure.value for figure in card.result.judging.figures}
    kappas = [f"{own[name]:.3f}" for name in ("single_kappa", "single_kappa.one_more_human")]
    publish(store, card)
    told = cell(shown(visitor(store)), f"human-{card.id}", "Accepted by the verifier")
    assert (
        f"the verifier's kappa with simulated annotators {kappas[0]} one more simulated annotator {kappas[1]}" in told
    )
    (line,) = [line for line in summary_of(card).splitlines() if line.startswith("accepted ")]
    assert f"; the verifier's kappa with simulated annotators {kappas[0]} (no interval: fewer than 10 users)" in line
    assert f"; one more simulated annotator {kappas[1]} (no interval: fewer than 10 users)" in line
    lines = agreement_lines([agreement_of_card(card)]).splitlines()
    (line,) = [line for line in lines if "  accepted  " in line]
    assert (
        f"the verifier's kappa with simulated annotators {kappas[0]}, one more simulated annotator {kappas[1]}" in line
    )


def test_a_terminal_says_of_each_figure_why_it_has_no_interval_and_how_many_users_it_is_of() -> None:
    card = with_interval(of_labels_of_people(), "kappa", 0.31, 0.52)
    lines = summary_of(card).splitlines()
    told = {name: value for name, _, value in (line.partition("  ") for line in lines)}
    of = card.result.figure("kappa").labels
    assert told["kappa"].strip() == f"0.414 (0.310 to 0.520), of {of}, 6 users"
    one_more = "0.498 (no interval: fewer than 10 users), of 1,170, 6 users"
    assert told["single_kappa, one more human"].strip() == one_more
    assert "labels      451, 5 annotators" in lines
    assert not any("[" in line or "(no interval: )" in line for line in lines)


@pytest.mark.parametrize("kind", RaterKind)
def test_whose_labels_they_are_is_said_and_what_is_no_ones_is_not_called_peoples(
    store: LocalStore, kind: RaterKind
) -> None:
    asked = [item.model_copy(update={"kind": kind}) for item in demo_items(Task.RELEVANCE)]
    card = make_human_run(asked=asked).card
    publish(store, card)
    site = visitor(store)
    said = {
        RaterKind.PERSON: "Agreement with people, ",
        RaterKind.CONSENSUS: "Agreement with people, ",
        RaterKind.TRUTH: "Agreement with what made-up users were made from, ",
        RaterKind.SIMULATED: "Agreement with simulated labels, ",
    }
    assert said[kind] in seen(site.get("/submission", params={"id": card.submission_id}).text)
    warned = "say nothing of people" in seen(agreement_of(shown(site)))
    assert warned == (kind in (RaterKind.TRUTH, RaterKind.SIMULATED))


def test_how_to_read_names_the_classes_and_says_nothing_of_a_judge_where_there_is_one(store: LocalStore) -> None:
    help_ = seen(shown(visitor(store))).partition("How to read the numbers ")[2]
    assert "Of verification, relevance and rating, what people said of the same items is the truth" in help_
    assert "problematic (uncertain or rejected)" in help_
    assert "of extraction its recall" in help_
