"""Whatever is changed, lost or made up of scorecards of human-grounded tasks is found, and costs itself alone."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from evaluator.human.tasks import JudgedTask, Task
from evaluator.identity import folder_digest
from evaluator.records import Outcome
from leaderboard.audit.audit import audit
from leaderboard.board.human_gaps import GAP_FIGURE
from leaderboard.open_data import layout
from leaderboard.open_data.human import OpenHumanFigure, OpenHumanScorecard
from leaderboard.open_data.records import OpenVerdict
from leaderboard.store.local import LocalStore
from leaderboard.store.parquet import decode_parquet
from tests.audit.human_sites import (
    AGREES,
    COMPARED,
    DIFFERS,
    EXTRACTED,
    FREE,
    HICUPID,
    RATED,
    SET,
    UNCHECKED,
    WRITTEN,
    answer_path,
    card,
    chosen,
    figures,
    is_written,
    made_up,
    of_scorecard,
    raise_in_card,
    site_of,
    verdict_path,
)
from tests.audit.sites import FAIR, change, change_first, put
from tests.human_runs import HumanRun
from tests.written_runs import make_written_run


@pytest.fixture
def results(human_results: LocalStore) -> LocalStore:
    """The public results of a site with runs of both suites."""
    return human_results


CHANGES: list[tuple[HumanRun, dict[str, object], set[str]]] = [
    (COMPARED, {"outcome": Outcome.WIN}, {"win"}),
    (COMPARED, {"outcome": None, "word": None}, {"judging.missing", "judging.verdicts"}),
    (RATED, {"outcome": Outcome.MUCH_WORSE}, {"uplift", "no_better_responses", "no_better_ratings"}),
    (EXTRACTED, {"outcome": Outcome.REJECTED}, {"accepted"}),
]


@pytest.mark.parametrize(("run", "values", "expected"), CHANGES)
def test_a_changed_verdict_is_found(
    results: LocalStore, run: HumanRun, values: dict[str, object], expected: set[str]
) -> None:
    other = {Outcome.WIN, Outcome.TIE, Outcome.MUCH_WORSE, Outcome.REJECTED} & {values["outcome"]}

    def fits(row: OpenVerdict) -> bool:
        return is_written(row) and row.outcome is not None and row.outcome not in other

    change_first(results, verdict_path(run), OpenVerdict, fits, **values)
    told = figures(audit(results), run)
    for name in expected:
        assert any(each.startswith((f"figures.{name}.", name)) for each in told), (name, told)


@pytest.mark.parametrize("run", WRITTEN.values(), ids=[run.protocol.task for run in WRITTEN.values()])
def test_a_verdict_that_is_gone_is_found_whatever_it_was_on(results: LocalStore, run: HumanRun) -> None:
    path = verdict_path(run)
    before = results.read(path)
    rows = decode_parquet(before, OpenVerdict, path)
    for gone in (
        next(filter(is_written, rows)),
        next((row for row in rows if row.question_id.startswith("given/") and row.outcome), rows[0]),
    ):
        change(results, path, OpenVerdict, lambda rows, gone=gone: [row for row in rows if row != gone])
        assert card(audit(results), run).standing is DIFFERS
        put(results, path, before)


def test_what_an_encoder_found_decides_recall(results: LocalStore) -> None:
    def matched(row: OpenVerdict) -> bool:
        return row.counts and row.outcome is Outcome.MATCHED and row.question_id.startswith("given/")

    path = verdict_path(EXTRACTED)
    change_first(results, path, OpenVerdict, matched, outcome=Outcome.UNMATCHED, word="unmatched")
    assert figures(audit(results), EXTRACTED) == {"figures.recall.value"}


@pytest.mark.parametrize("run", [COMPARED, RATED, EXTRACTED], ids=["win", "uplift", "recall"])
def test_a_raised_figure_is_found_in_the_scorecard_and_in_its_row(results: LocalStore, run: HumanRun) -> None:
    name = {COMPARED.id: "win", RATED.id: "uplift", EXTRACTED.id: "recall"}[run.id]
    raise_in_card(results, run, lambda card: of_scorecard(card, name).update(value=0.99))
    assert figures(audit(results), run) == {f"figures.{name}.value", f"human_figures.model.{name}.value"}


def test_counts_and_columns_and_rows_of_figures_are_compared(results: LocalStore) -> None:
    raise_in_card(results, COMPARED, lambda card: card["result"]["judging"].update(verdicts=99))
    path = layout.human_scorecards_path(FAIR)
    change_first(results, path, OpenHumanScorecard, lambda row: row.scorecard_id == RATED.card.id, answered=99)
    path, card_id = layout.human_figures_path(FAIR), EXTRACTED.card.id
    change_first(
        results, path, OpenHumanFigure, lambda row: (row.scorecard_id, row.figure) == (card_id, "recall"), value=0.99
    )
    found = audit(results)
    assert figures(found, COMPARED) == {"judging.verdicts", "human_scorecards.verdicts"}
    assert figures(found, RATED) == {"human_scorecards.answered"}
    assert figures(found, EXTRACTED) == {"human_figures.model.recall.value"}


def test_a_raised_kappa_is_found_by_whoever_has_the_labels(results: LocalStore) -> None:
    run = chosen(Task.RELEVANCE, model=FAIR)
    raise_in_card(results, run, lambda card: of_scorecard(card, "kappa").update(value=0.99))
    raise_in_card(results, RATED, lambda card: of_scorecard(card, "inflation").update(value=-1.5))
    found = audit(results)
    assert {*figures(found, run), *figures(found, RATED)} == {
        "human_figures.model.kappa.value",
        "human_figures.model.inflation.value",
    }, "without labels only the copies tell"
    found = audit(results, human_data=[SET])
    assert figures(found, run) >= {"figures.kappa.value"}
    assert figures(found, RATED) >= {"figures.inflation.value"}


def test_another_data_set_or_protocol_is_said_and_nothing_is_guessed(results: LocalStore, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(SET, other)
    (other / "notes.txt").write_text("one file more")
    found = audit(results, human_data=[str(other)])
    assert found.differing == 0
    assert any(why.startswith("No data set that was named is the one") for why in card(found, RATED).unchecked)
    raise_in_card(results, RATED, lambda card: card.update(protocol_config="0" * 64))
    assert any("protocol" in why for why in card(audit(results, human_data=[SET]), RATED).unchecked)
    raise_in_card(results, EXTRACTED, lambda card: card["result"].update(labels=1))
    (why, *_) = card(audit(results, human_data=[SET]), EXTRACTED).unchecked
    assert "labels on what was asked, and the scorecard is made of 1" in why


def test_a_data_set_that_cannot_be_opened_costs_its_own_scorecards(results: LocalStore, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "notes.txt").write_text("no data set")
    labelled, synthetic = chosen(Task.RELEVANCE, model=FAIR), made_up(Task.RELEVANCE, model=FAIR)
    for run in (labelled, synthetic):
        raise_in_card(results, run, lambda card: card.update(data_sha=folder_digest(other)))
    found = audit(results, human_data=[str(other), SET])
    assert any(why.startswith(f"{other} is broken at README.md") for why in card(found, labelled).unchecked)
    assert any("other" in why for why in card(found, synthetic).unchecked)
    assert {card(found, run).standing for run in (RATED, EXTRACTED)} == {AGREES}


def gap_row(row: OpenHumanFigure) -> bool:
    return row.figure == GAP_FIGURE


def test_a_gap_is_worked_out_from_both_scorecards(results: LocalStore) -> None:
    run, path = chosen(Task.RELEVANCE, model=FAIR), layout.human_figures_path(FAIR)
    before = results.read(path)
    change_first(results, path, OpenHumanFigure, gap_row, value=-0.9)
    assert figures(audit(results), run) == {f"human_figures.model.{GAP_FIGURE}.value"}
    put(results, path, before)
    change(results, path, OpenHumanFigure, lambda rows: [row for row in rows if not gap_row(row)])
    assert f"human_figures.model.{GAP_FIGURE}.value" in figures(audit(results), run)
    put(results, path, before)
    synthetic = made_up(Task.RELEVANCE, model=FAIR)
    raise_in_card(results, synthetic, lambda card: of_scorecard(card, "f1_majority").update(value=0.99))
    found = audit(results)
    assert f"human_figures.model.{GAP_FIGURE}.value" in figures(found, run)
    assert figures(found, synthetic) == {"human_figures.model.f1_majority.value"}
    assert "figures.f1_majority.value" in figures(audit(results, human_data=[HICUPID]), synthetic)


def test_a_gap_that_a_scorecard_states_itself_is_found(tmp_path: Path) -> None:
    run = chosen(Task.RELEVANCE)
    results = site_of(tmp_path, run)

    def states(card: dict[str, Any]) -> None:
        card["result"]["figures"].append(of_scorecard(card, "kappa") | {"name": GAP_FIGURE, "value": 0.0})

    raise_in_card(results, run, states)
    path = layout.human_figures_path(run.submission.model)
    change(
        results,
        path,
        OpenHumanFigure,
        lambda rows: [*rows, rows[0].model_copy(update={"figure": GAP_FIGURE, "value": 0.0})],
    )
    assert f"figures.{GAP_FIGURE}.value" in figures(audit(results), run)


@pytest.mark.parametrize("path", [answer_path(COMPARED), verdict_path(COMPARED)], ids=["answers", "verdicts"])
def test_a_file_that_is_lost_broken_or_of_another_run_costs_its_own_scorecard(results: LocalStore, path: str) -> None:
    theirs = path.replace("comparison", "uplift").replace(COMPARED.submission.id, RATED.submission.id)
    theirs = theirs.replace(f"/{COMPARED.plan.judge}/", f"/{RATED.plan.judge}/")
    for content in (None, b"PAR1 and so on", results.read(theirs)):
        put(results, path, content)
        found = audit(results)
        assert (card(found, COMPARED).standing, found.differing) == (UNCHECKED, 0)
        assert any(word in card(found, COMPARED).unchecked[0] for word in ("missing", "another run", "comparison"))


def test_rows_that_no_run_comes_to_cost_their_own_scorecard(results: LocalStore) -> None:
    change_first(results, verdict_path(RATED), OpenVerdict, is_written, outcome=Outcome.WIN)
    change_first(results, verdict_path(COMPARED), OpenVerdict, is_written, rater="somebody")
    found = audit(results)
    assert found.differing == 0
    assert "cannot be added up" in card(found, RATED).unchecked[0]
    assert "another judge" in card(found, COMPARED).unchecked[0]


def test_private_rows_are_never_taken_for_agreeing(tmp_path: Path) -> None:
    run = make_written_run(JudgedTask.COMPARISON, terms=FREE.model_copy(update={"visibility": "private"}))
    found = card(audit(site_of(tmp_path, run)), run)
    assert (found.standing, found.unchecked) == (UNCHECKED, ("Its rows are of private data and stay private.",))


def test_rows_and_figures_without_a_scorecard_are_told(results: LocalStore) -> None:
    path = layout.human_scorecards_path(FAIR)
    change(
        results,
        path,
        OpenHumanScorecard,
        lambda rows: [row for row in rows if row.scorecard_id != COMPARED.card.id],
    )
    found = audit(results)
    assert found.without_card == (answer_path(COMPARED), verdict_path(COMPARED))
    assert figures(found, COMPARED) == {"human_figures.scorecard_id"}
    put(results, path, b"PAR1")
    found = audit(results)
    assert (found.without_card, found.scorecards) == ((), 1), "whose they are is not known then"
    assert any(path in problem for problem in found.problems)


def test_a_scorecard_that_stands_there_twice_or_calls_itself_another_is_not_trusted(results: LocalStore) -> None:
    path = layout.human_scorecards_path(FAIR)
    raise_in_card(results, EXTRACTED, lambda card: card.update(run_id=COMPARED.id))
    change(results, path, OpenHumanScorecard, lambda rows: rows + [row for row in rows if row.task == "uplift"])
    whys = {each.scorecard_id: each.unchecked for each in audit(results).cards}
    assert whys[EXTRACTED.card.id] == ("Its id is not that of its run, protocol and judge.",)
    assert whys[RATED.card.id] == ("It stands among the scorecards more than once.",)
