"""Scorecards of human-grounded tasks become public with their figures and answers, and go again."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluator.human.items import Part
from evaluator.human.tasks import JudgedTask, Task
from evaluator.records import Terms
from leaderboard.audit.audit import audit
from leaderboard.board.build import build_board
from leaderboard.open_data import layout
from leaderboard.open_data.board import FACTS
from leaderboard.open_data.files import HUMAN_CARDS, HUMAN_FIGURES
from leaderboard.open_data.human import OpenHumanFigure, OpenHumanScorecard
from leaderboard.open_data.human_figures import open_human_figures, open_human_scorecard
from leaderboard.open_data.records import OpenGeneration
from leaderboard.records import AmendmentKind, Declaration
from leaderboard.store import Write
from leaderboard.store import layout as archive_layout
from leaderboard.store.base import Store
from leaderboard.store.open import Stores
from leaderboard.store.parquet import decode_parquet
from leaderboard.submissions.history import History
from tests.builders import TERMS, make_declaration
from tests.human_runs import HumanRun, answer_to, demo_items, make_human_run
from tests.human_sites import amended, history_of, write_human_run
from tests.released import released
from tests.written_runs import make_written_run

SILENT = make_declaration(publish_answers=False)


def answers(results: Store, run: HumanRun) -> list[OpenGeneration]:
    path = layout.generations_path(run.submission.model, run.id)
    return decode_parquet(results.read(path), OpenGeneration, path)


def rows(results: Store, kind: type[OpenHumanScorecard] | type[OpenHumanFigure], folder: str) -> list:
    return [row for path in results.list(folder) for row in decode_parquet(results.read(path), kind, path)]


def public(archive: Store, folder: Path) -> Stores:
    return released(archive, folder)


def again(stores: Stores, history: History) -> None:
    """Brings what has become of a submission."""
    from leaderboard.release.release import Release
    from tests.released import NAMES

    path = archive_layout.submission_path(history.submission.id)
    stores.archive.commit([Write(path, history.model_dump_json().encode())], "history")
    assert Release(stores, NAMES, frozenset()).bring([history.submission.id]) == frozenset()


@pytest.fixture
def run(store) -> HumanRun:
    """A run that said one thing in prose, was asked again, and failed at another."""
    asked = demo_items(Task.RELEVANCE)[:8]
    model = {"model": "org/model-1", "model_sha": "a" * 40}
    said = [answer_to(item, "YES", **model) for item in asked[2:]]
    twice = [answer_to(asked[0], "Perhaps.", **model), answer_to(asked[0], "NO", 1, **model)]
    run = make_human_run(asked=asked, rows=[*said, *twice, answer_to(asked[1], None, **model)])
    write_human_run(store, run)
    return run


def test_a_scorecard_stands_there_with_its_figures_and_is_the_boards(store, tmp_path: Path, run: HumanRun) -> None:
    results = public(store, tmp_path).results
    (card,) = rows(results, OpenHumanScorecard, layout.HUMAN_SCORECARDS)
    assert (card.scorecard_id, card.task, card.label_kind) == (run.card.id, Task.RELEVANCE, "simulated")
    assert (card.items, card.answered, card.retried, card.failures) == (8, 7, 1, 1)
    assert card.failures_because == '{"context_overflow":1}'
    assert "simulated labels" in card.unranked_because.split("; ")
    figures = rows(results, OpenHumanFigure, layout.HUMAN_FIGURES)
    assert [row.figure for row in figures] == sorted(figure.name for figure in run.card.result.figures)
    assert {(row.scorecard_id, row.rows_sha) for row in figures} == {(run.card.id, run.card.rows_sha)}
    assert all((row.low is None) == (row.why_no_interval is not None) for row in figures)
    board = build_board(results)
    assert (board.rows, board.human, board.problems) == ((), (run.card,), ())


def test_rows_of_a_judge_tell_what_it_was_set_beside_and_its_scorecard_how_much_it_judged(
    store, tmp_path: Path
) -> None:
    run = make_written_run(JudgedTask.EXTRACTION, 1)
    write_human_run(store, run)
    results = public(store, tmp_path).results
    judging = run.card.result.judging
    assert judging is not None
    (card,) = rows(results, OpenHumanScorecard, layout.HUMAN_SCORECARDS)
    assert (card.judged, card.judged_share) == (judging.judged, judging.judged_share)
    assert 0 < judging.judged < judging.items
    given = {item.question_id for item in run.plan.labelled if item.part is Part.GIVEN}
    read = {row.key.question_id for row in run.rows.verdicts if row.rater_kind == "model" and row.outcome} & given
    own = {
        rater: {
            (row.items, row.answered)
            for row in rows(results, OpenHumanFigure, layout.HUMAN_FIGURES)
            if row.rater == rater
        }
        for rater in ("model", "judge")
    }
    assert own == {"model": {(card.items, card.answered)}, "judge": {(len(given), len(read))}}
    assert len(read) < len(given)


def test_where_peoples_labels_are_the_truth_nothing_is_judged(store, tmp_path: Path, run: HumanRun) -> None:
    (card,) = rows(public(store, tmp_path).results, OpenHumanScorecard, layout.HUMAN_SCORECARDS)
    assert (card.judged, card.judged_share) == (None, None)


def test_rows_of_the_first_version_are_read_and_lack_what_they_did_not_say() -> None:
    card = make_written_run(JudgedTask.UPLIFT).card
    for new, columns in (
        (open_human_scorecard(card), {"judged", "judged_share", *FACTS}),
        (open_human_figures(card)[0], {"other_scorecard_id", "other_answered_share"}),
    ):
        old = {name: value for name, value in dict(new).items() if name not in columns} | {"schema_version": 1}
        assert type(new).model_validate(old) == new.model_copy(update=dict.fromkeys(columns))


def test_one_attempt_at_each_item_counts_and_rows_say_what_was_asked(store, tmp_path: Path, run: HumanRun) -> None:
    found = answers(public(store, tmp_path).results, run)
    first = run.plan.items[0].question_id
    assert len(found) == 9
    assert {(row.type, row.split, row.schema_version, row.orders) for row in found} == {
        (Task.RELEVANCE, "relevance", 3, ())
    }
    assert [(row.sample_index, row.counts, row.answer) for row in found if row.question_id == first] == [
        (0, False, "Perhaps."),
        (1, True, "NO"),
    ]
    others = [row for row in found if row.question_id != first]
    assert all(row.counts for row in others)
    assert [row.answer_status for row in others].count("none") == 1
    people = {label.annotator for item in run.plan.labelled for label in item.labels}
    assert not any(name in row.model_dump_json() for name in people for row in found)


@pytest.mark.parametrize(
    ("terms", "declaration", "shown"),
    [
        (TERMS, make_declaration(), {"shown"}),
        (TERMS, SILENT, {"withheld"}),
        (
            TERMS.model_copy(update={"redistributable": False, "personal_data": "personal"}),
            make_declaration(),
            {"shown"},
        ),
        (TERMS.model_copy(update={"visibility": "private"}), make_declaration(), set()),
    ],
    ids=["all agree", "the owner does not", "one word quotes nothing", "private"],
)
def test_answers_are_shown_where_all_agree_and_figures_always(
    store, tmp_path: Path, terms: Terms, declaration: Declaration, shown: set[str]
) -> None:
    run = make_human_run(Task.RATING, terms=terms, declaration=declaration)
    write_human_run(store, run)
    results = public(store, tmp_path).results
    found = answers(results, run)
    assert {row.answer_status for row in found} == shown
    assert {row.answer is None for row in found} == ({shown != {"shown"}} if shown else set())
    assert len(rows(results, OpenHumanFigure, layout.HUMAN_FIGURES)) == len(run.card.result.figures)


def test_a_withdrawn_submission_leaves_nothing_of_it_and_all_of_others(store, tmp_path: Path, run: HumanRun) -> None:
    other = make_human_run(Task.VERIFICATION, 2, model="org/model-1")
    write_human_run(store, other)
    stores = public(store, tmp_path)
    again(stores, amended(history_of(run), AmendmentKind.WITHDRAWN))
    left = build_board(stores.results)
    assert (left.human, left.problems) == ((other.card,), ())
    assert {row.scorecard_id for row in rows(stores.results, OpenHumanFigure, layout.HUMAN_FIGURES)} == {other.card.id}
    assert stores.results.list(layout.GENERATIONS) == [layout.generations_path("org/model-1", other.id)]


def test_a_correction_takes_answers_back(store, tmp_path: Path, run: HumanRun) -> None:
    stores = public(store, tmp_path)
    again(stores, amended(history_of(run), AmendmentKind.CORRECTED, declaration=SILENT))
    assert {row.answer_status for row in answers(stores.results, run)} == {"withheld", "none"}
    (card,) = build_board(stores.results).human
    assert card.declaration == SILENT


def test_who_audits_hicupid_takes_nothing_of_it_for_left_over(store, tmp_path: Path, run: HumanRun) -> None:
    found = audit(public(store, tmp_path).results)
    assert (found.scorecards, found.unchecked, found.without_card, found.problems) == (1, 1, (), ())


def test_bringing_the_same_again_writes_nothing(store, tmp_path: Path, run: HumanRun) -> None:
    stores = public(store, tmp_path)
    before = stores.results.head(), stores.results.read_all(stores.results.list())
    again(stores, history_of(run))
    assert stores.results.read_all(stores.results.list()) == before[1]


def test_a_broken_row_costs_itself_alone(store, tmp_path: Path, run: HumanRun) -> None:
    other = make_human_run(Task.VERIFICATION, 2, model="org/model-1")
    write_human_run(store, other)
    results = public(store, tmp_path).results
    path = layout.human_scorecards_path("org/model-1")
    good, bad = sorted(
        decode_parquet(results.read(path), OpenHumanScorecard, path), key=lambda row: row.scorecard_id == run.card.id
    )
    results.commit([Write(path, HUMAN_CARDS.encode([good, bad.model_copy(update={"scorecard": "{"})]))], "damage")
    board = build_board(results)
    assert board.human == (other.card,)
    assert [run.card.id in problem for problem in board.problems] == [True]
    results.commit([Write(path, b"no Parquet")], "damage")
    board = build_board(results)
    assert board.human == ()
    assert [path in problem for problem in board.problems] == [True]


def test_parts_hold_the_rows_of_each_scorecard_once() -> None:
    figures = open_human_figures(make_human_run(Task.RATING).card)
    part = HUMAN_FIGURES.encode(reversed(figures))
    assert HUMAN_FIGURES.put(part, figures, "x") == part == HUMAN_FIGURES.encode(figures)
    assert HUMAN_FIGURES.take(part, [figures[0].scorecard_id], "x") is None
