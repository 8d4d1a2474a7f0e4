"""Rows of HiCUPID show how far the same model agrees with labels: which scorecard, and what stands beside it."""

from __future__ import annotations

import datetime
import html
import re

import pytest

from evaluator.human.records import RaterKind
from evaluator.human.tasks import Task
from leaderboard.open_data import layout
from leaderboard.open_data.figures import open_card
from leaderboard.open_data.files import CARDS
from leaderboard.pages.agreement_columns import COLUMNS, agreement_columns
from leaderboard.pages.human_cells import cells_of
from leaderboard.pages.human_tables import human_address
from leaderboard.pages.tables import sections
from leaderboard.results import HumanScorecard
from leaderboard.store.base import Write
from leaderboard.store.local import LocalStore
from tests.builders import NOON, make_declaration, make_scorecard
from tests.human_runs import demo_items, make_human_run, make_synthetic_run, of_people
from tests.ranked import rank
from tests.released import write_board
from tests.web.test_human import publish, seen, visitor, with_interval

ROW = make_scorecard("org/model-1", 50)
KAPPA, SPEARMAN = "stage 2 · kappa", "stage 3 · Spearman"


def of_labels(task: Task = Task.RELEVANCE, number: int = 1, **changes: object) -> HumanScorecard:
    """What some model scored on people's labels."""
    return make_human_run(task, number, **({"asked": of_people(demo_items(task)), "model": ROW.model} | changes)).card


def of_the_row(card: HumanScorecard) -> HumanScorecard:
    """The same as if it were of the row's submission."""
    return card.model_copy(update={"submission_id": ROW.submission_id})


def shown(*cards: HumanScorecard, task: Task = Task.RELEVANCE) -> str:
    """The name of the scorecard that the row shows of a task; nothing where it shows none."""
    laid_out = sections(rank([ROW], {}))
    (columns,) = agreement_columns(laid_out, cards).values()
    return columns.cells[ROW.id][list(COLUMNS).index(task)].address.partition("#human-")[2]


def board(store: LocalStore, *cards: HumanScorecard) -> str:
    """The front page with the row and its model's scorecards."""
    store.commit([Write(layout.scorecards_path(ROW.model), CARDS.encode([open_card(ROW)]))], "cards")
    publish(store, *cards)
    write_board(store)
    return visitor(store).get("/").text


def cells(page: str) -> dict[str, str]:
    """What stands in the row of HiCUPID, by the names of its cells."""
    row = re.search(r'<tr id="row-[^"]+".+?</tr>', page, re.DOTALL)
    assert row
    found = re.findall(r'<td [^>]*data-label="([^"]+)">(.+?)</td>', row[0], re.DOTALL)
    return {name: seen(value) for name, value in found}


def test_each_stage_has_a_column_with_its_interval_one_more_human_and_the_ceiling(store: LocalStore) -> None:
    relevance, rating = with_interval(of_labels(), "single_kappa", 0.21, 0.43), of_labels(Task.RATING)
    page = board(store, relevance, rating)
    found = cells(page)
    told = found[f"Human agreement: Relevance, {KAPPA}"]
    assert told.startswith("0.321 0.210 to 0.430 one more human 0.498 noise ceiling 0.798")
    told = found[f"Human agreement: Rating, {SPEARMAN}"]
    assert told.startswith("0.613 no interval: fewer than 10 users one more human 0.512 noise ceiling")
    assert found["Human agreement: Verification, stage 1 · kappa"] == "– not run"
    head = re.sub("<[^>]+>", " ", page.partition("<thead>")[2].partition("</thead>")[0])
    assert f"Human agreement: {KAPPA}" in head
    row = page.partition('<tr id="row-')[2].partition("</tr>")[0]
    for card in (relevance, rating):
        address, _, anchor = human_address(card).partition("#")
        assert f'<a href="{html.escape(address)}#{anchor}"><strong>' in row
        assert f'<tr id="{anchor}" class="sought">' in visitor(store).get(address).text


def test_simulated_labels_are_nobodys_agreement(store: LocalStore) -> None:
    page = board(store, make_human_run(Task.RELEVANCE, model=ROW.model).card)
    table = seen(page.partition("<table")[2].partition("</table>")[0])
    assert "Human agreement" not in table
    assert "one more human" not in page.partition("<tbody")[2].partition("</tbody>")[0]
    found = cells(page)
    told = found[f"Agreement with simulated labels: Relevance, {KAPPA}"]
    assert told.startswith("0.321 simulated labels no interval: fewer than 10 users one more simulated annotator 0.498")
    assert found[f"Agreement with simulated labels: Rating, {SPEARMAN}"] == "– not run"


def test_a_table_with_labels_of_both_kinds_calls_only_peoples_human(store: LocalStore) -> None:
    found = cells(board(store, of_labels(), make_human_run(Task.RATING, model=ROW.model).card))
    assert f"Human agreement: Relevance, {KAPPA}" in found
    assert "simulated labels" in found[f"Agreement with simulated labels: Rating, {SPEARMAN}"]
    assert found["Agreement with labels: Verification, stage 1 · kappa"] == "– not run"


def test_the_rows_own_submission_goes_before_a_newer_one_and_else_the_newest() -> None:
    older, newer = of_labels(number=2), of_labels(number=3)
    later = newer.model_copy(update={"created_at": NOON + datetime.timedelta(days=1)})
    assert shown(older, later) == shown(later, older) == later.id
    assert shown(of_the_row(older), later) == shown(later, of_the_row(older)) == older.id


@pytest.mark.parametrize("worse", ["simulated", "unofficial", "consensus"])
def test_peoples_labels_under_an_official_protocol_go_before_anything_of_the_rows_own_submission(worse: str) -> None:
    agreed = [item.model_copy(update={"kind": RaterKind.CONSENSUS}) for item in demo_items(Task.RELEVANCE)]
    changes: dict[str, object] = {
        "simulated": {"asked": demo_items(Task.RELEVANCE)},
        "unofficial": {"protocol": "human-relevance-demo-v1"},
        "consensus": {"asked": agreed},
    }[worse]
    best, other = of_labels(number=2), of_the_row(of_labels(number=3, **changes))
    assert shown(best, other) == shown(other, best) == best.id
    assert shown(other) == other.id


def test_a_model_under_other_conditions_another_task_and_made_up_users_are_not_shown() -> None:
    other = of_labels(declaration=make_declaration(thinking=True))
    assert other.model == ROW.model
    made_up = make_synthetic_run(model=ROW.model).card
    assert shown(other, made_up, of_labels(Task.RATING)) == ""


def test_a_figure_says_what_it_must_not_be_taken_for() -> None:
    card = of_labels(rows=[], protocol="human-relevance-demo-v1")
    laid_out = sections(rank([ROW], {}))
    (columns,) = agreement_columns(laid_out, [card]).values()
    cell = columns.cells[ROW.id][1]
    assert cell.marks == ("not the official protocol", "incomplete")
    assert cell.figure is not None
    assert (cell.figure.value, cell.figure.doubt) == ("–", "missing: it is not defined on these labels")


def test_a_site_without_the_suite_has_no_such_columns(store: LocalStore) -> None:
    found = cells(board(store))
    assert [name for name in found if "greement" in name] == []
    page = visitor(store, "demo-v1", "human-relevance-v1").get("/?columns=relevance").text
    assert cells(page)[f"Human agreement: Relevance, {KAPPA}"] == "– not run"


def test_only_what_is_shown_is_laid_out(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    monkeypatch.setattr(
        "leaderboard.pages.agreement_columns.cells_of",
        lambda card, names: made.append(card.id) or cells_of(card, names),
    )
    rows = rank([ROW, *(ROW.model_copy(update={"id": f"{place}@demo"}) for place in range(40))], {})
    (columns,) = agreement_columns(sections(rows), [of_labels(number=number) for number in (1, 2, 3)]).values()
    assert made == []
    (first,) = {cell.figure for cell in columns.cells[ROW.id] if cell.card}
    assert len(made) == 1
    assert first.value
