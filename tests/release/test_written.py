"""Verdicts on what models write become public with what they are made of, and never disturb HiCUPID's board."""

from __future__ import annotations

import statistics
from collections import defaultdict
from pathlib import Path

import pytest

from evaluator.human.judged.prompts import RATINGS
from evaluator.human.tasks import JudgedTask, Task
from evaluator.records import Defect, Outcome, Terms
from leaderboard.board.build import build_board
from leaderboard.board.run_files import runs_in
from leaderboard.open_data import layout
from leaderboard.open_data.files import encode_verdicts
from leaderboard.open_data.records import OpenGeneration, OpenVerdict
from leaderboard.open_data.views import open_verdict
from leaderboard.records import AmendmentKind, Declaration
from leaderboard.store import layout as archive_layout
from leaderboard.store.base import Store, Write
from leaderboard.store.open import Stores
from leaderboard.store.parquet import decode_parquet
from tests.builders import NOON, make_declaration
from tests.human.written import demo_data
from tests.human_runs import HumanRun, answer_to, demo_items, make_human_run
from tests.human_sites import amended, history_of, write_human_run
from tests.released import NAMES, released
from tests.upkeep.sites import run_of, write_run
from tests.written_runs import make_written_run

SILENT = make_declaration(publish_answers=False)
FREE = demo_data().terms
BOUND = FREE.model_copy(update={"redistributable": False, "personal_data": "personal"})
EVERY = list(JudgedTask)


def verdict_path(run: HumanRun) -> str:
    return layout.verdicts_path(run.plan.judge, run.submission.model, run.id)


def verdicts(results: Store, run: HumanRun) -> list[OpenVerdict]:
    return decode_parquet(results.read(verdict_path(run)), OpenVerdict, "verdicts")


def answers(results: Store, run: HumanRun) -> list[OpenGeneration]:
    path = layout.generations_path(run.submission.model, run.id)
    return decode_parquet(results.read(path), OpenGeneration, path)


def site(archive: Store, folder: Path, *runs: HumanRun) -> Stores:
    for run in runs:
        write_human_run(archive, run)
    return released(archive, folder)


def again(stores: Stores, run: HumanRun, kind: AmendmentKind, **changes: object) -> None:
    """Brings what a person has done to a submission."""
    from leaderboard.release.release import Release

    history = amended(history_of(run), kind, **changes)
    path = archive_layout.submission_path(history.submission.id)
    stores.archive.commit([Write(path, history.model_dump_json().encode())], "history")
    assert Release(stores, NAMES, frozenset()).bring([history.submission.id]) == frozenset()


def figure(run: HumanRun, name: str) -> float | None:
    found = run.card.result.figure(name)
    assert found is not None, name
    return found.value


def counting(rows: list[OpenVerdict], kind: str = "model") -> list[OpenVerdict]:
    return [row for row in rows if row.counts and row.rater_kind == kind]


@pytest.mark.parametrize("task", EVERY)
def test_every_verdict_is_public_with_the_rater_and_its_conditions(store, tmp_path: Path, task: JudgedTask) -> None:
    run = make_written_run(task)
    results = site(store, tmp_path, run).results
    rows = verdicts(results, run)
    assert sorted(row.verdict_key for row in rows) == sorted(row.verdict_key for row in run.rows.verdicts)
    assert {(row.run_id, row.model, row.protocol) for row in rows} == {(run.id, "org/model-1", run.protocol.id)}
    told = {(row.verdict_key, row.attempt): row for row in run.rows.verdicts}
    for row in rows:
        stored = told[row.verdict_key, row.attempt]
        assert (row.outcome, row.word, row.slot_order) == (stored.outcome, stored.word, stored.key.slot_order)
        assert (row.rater_kind == "rule") == (row.schema_version == 3)
    asked = {item.question_id for item in run.plan.labelled if item.is_asked}
    assert {row.question_id for row in answers(results, run)} == asked, "generic answers among them"
    judging = run.card.result.judging
    assert judging is not None
    assert sum(row.outcome is not None for row in counting(rows)) == judging.verdicts


def test_win_and_tie_are_means_of_public_verdicts(store, tmp_path: Path) -> None:
    run = make_written_run(JudgedTask.COMPARISON)
    results = site(store, tmp_path, run).results
    pairs = defaultdict(list)
    for row in counting(verdicts(results, run)):
        pairs[row.question_id].append(row.outcome)
    lost = {row.question_id for row in answers(results, run) if row.counts and row.defect and "/" in row.question_id}
    shares = {
        outcome: [pair.count(outcome) / 2 for pair in pairs.values() if len(pair) == 2 and None not in pair]
        for outcome in (Outcome.WIN, Outcome.TIE)
    }
    assert 0 < len(pairs) < 12
    for name, outcome in (("win", Outcome.WIN), ("tie", Outcome.TIE)):
        assert figure(run, name) == pytest.approx(statistics.mean(shares[outcome] + [0] * len(lost)), abs=1e-6)


def test_uplift_and_mentions_are_means_of_public_rows(store, tmp_path: Path) -> None:
    run = make_written_run(JudgedTask.UPLIFT)
    rows = verdicts(site(store, tmp_path, run).results, run)
    ratings = [
        int(RATINGS[row.outcome]) for row in counting(rows) if row.outcome and not row.question_id.startswith("given/")
    ]
    assert figure(run, "uplift") == pytest.approx(statistics.mean(ratings) - 3, abs=1e-6)
    rated = {row.question_id for row in counting(rows) if row.outcome}
    told = [
        row.outcome for row in counting(rows, "rule") if row.outcome is not Outcome.UNTOLD and row.question_id in rated
    ]
    assert figure(run, "mentioned") == pytest.approx(told.count(Outcome.MENTIONED) / len(told), abs=1e-6)
    given = {row.question_id for row in rows if row.question_id.startswith("given/")}
    assert given == {item.question_id for item in run.plan.labelled if item.question_id.startswith("given/")}


def test_recall_and_what_is_accepted_are_shares_of_public_rows(store, tmp_path: Path) -> None:
    run = make_written_run(JudgedTask.EXTRACTION)
    rows = verdicts(site(store, tmp_path, run).results, run)
    said = [row.outcome for row in counting(rows) if row.outcome and not row.question_id.startswith("given/")]
    assert figure(run, "accepted") == pytest.approx(said.count(Outcome.ACCEPTED) / len(said), abs=1e-6)
    found = [
        row.outcome
        for row in counting(rows, "rule")
        if row.question_id.startswith("given/") and row.outcome is not Outcome.MERGED
    ]
    assert figure(run, "recall") == pytest.approx(found.count(Outcome.MATCHED) / len(found), abs=1e-6)
    never = [row for row in rows if row.rater_kind == "rule" and not row.counts]
    assert never, "some accepted attributes stand only where no list can be read"
    assert all(row.question_id.startswith("given/") for row in never)


@pytest.mark.parametrize(
    ("terms", "declaration", "shown"),
    [
        (None, make_declaration(), True),
        (None, SILENT, False),
        (FREE.model_copy(update={"visibility": "private"}), make_declaration(), None),
    ],
    ids=["all agree", "the owner does not", "private"],
)
@pytest.mark.parametrize("task", EVERY)
def test_a_judges_words_are_shown_where_all_agree_and_what_they_say_always(
    store, tmp_path: Path, task: JudgedTask, terms: Terms | None, declaration: Declaration, shown: bool | None
) -> None:
    run = make_written_run(task, terms=terms, declaration=declaration)
    results = site(store, tmp_path, run).results
    rows = verdicts(results, run)
    assert len(rows) == (0 if shown is None else len(run.rows.verdicts))
    assert {row.completion is not None for row in rows if row.rater_kind == "model"} <= {shown}
    assert all(row.completion is not None for row in rows if row.rater_kind == "rule"), "names and numbers alone"
    texts = [row.text for row in demo_data().tables.attributes]
    words = "\n".join(f"{row.completion}" for row in rows if row.rater_kind == "rule" or not shown)
    assert not any(text in words for text in texts)
    assert {row.answer_status for row in answers(results, run)} <= ({"shown"} if shown else {"withheld"})


@pytest.mark.parametrize("task", EVERY)
def test_what_people_said_does_not_show_by_verdicts_on_a_set_that_may_not_be_passed_on(
    store, tmp_path: Path, task: JudgedTask
) -> None:
    from leaderboard.release.release import Release

    run = make_written_run(task, terms=BOUND)
    stores = site(store, tmp_path, run)
    tells = task is not JudgedTask.COMPARISON
    assert (verdict_path(run) in stores.results.list(layout.VERDICTS)) is not tells
    assert {row.answer_status for row in answers(stores.results, run)} == {"withheld"}, "these stay as they were"
    if not tells:
        rows = verdicts(stores.results, run)
        assert {row.completion for row in rows} == {None}
        assert {row.question_id for row in rows} <= {row.question_id for row in answers(stores.results, run)}
        return
    earlier = make_written_run(task)
    row = open_verdict(earlier.rows.verdicts[0], True, run.submission.model, run.submission.declaration, run.id)
    assert row is not None
    stores.results.commit([Write(verdict_path(run), encode_verdicts([row]))], "as it was released before")
    assert Release(stores, NAMES, frozenset()).bring([run.submission.id]) == frozenset()
    assert stores.results.list(layout.VERDICTS) == []


def test_why_an_answer_loses_unjudged_is_public_though_its_text_is_not(store, tmp_path: Path) -> None:
    run = make_written_run(JudgedTask.COMPARISON, terms=BOUND)
    rows = answers(site(store, tmp_path, run).results, run)
    assert {row.defect for row in rows} == {None, Defect.EMPTY}
    said = {row.content_hash for row in run.rows.generations if row.answer == ""}
    assert {row.content_hash for row in rows if row.defect} == said


@pytest.mark.parametrize("task", list(Task))
def test_one_of_the_words_that_were_asked_for_is_shown_and_prose_is_not(store, tmp_path: Path, task: Task) -> None:
    asked = demo_items(task)[:4]
    words = {Task.VERIFICATION: "Rejected.", Task.RELEVANCE: "**YES**", Task.RATING: "4"}
    model = {"model": "org/model-1", "terms": BOUND}
    rows = [answer_to(item, words[task], **model) for item in asked[1:]]
    prose = "The user told me of the divorce."
    thoughtful = rows[0].model_copy(update={"thought": prose, "thought_tokens": 7})
    rows += [answer_to(asked[0], prose, attempt, **model) for attempt in (0, 1)]
    run = make_human_run(task, asked=asked, rows=[thoughtful, *rows[1:]], terms=BOUND)
    found = answers(site(store, tmp_path, run).results, run)
    assert [row.answer for row in found if row.answer_status == "shown"] == [words[task]] * 3
    assert sum(row.answer_status == "withheld" for row in found) == 2
    assert not any(prose in row.model_dump_json() for row in found)


def test_a_withdrawal_and_a_correction_reach_the_verdicts(store, tmp_path: Path, monkeypatch) -> None:
    gone, corrected, other = (make_written_run(task, number) for number, task in enumerate(EVERY, start=1))
    stores = site(store, tmp_path, gone, corrected, other)
    monkeypatch.setattr("leaderboard.release.rows.judge_ids", list)
    before = stores.results.read(verdict_path(other))
    again(stores, gone, AmendmentKind.WITHDRAWN)
    again(stores, corrected, AmendmentKind.CORRECTED, declaration=SILENT)
    left = stores.results.list(layout.VERDICTS)
    assert left == sorted([verdict_path(corrected), verdict_path(other)]), "whatever judges are known by now"
    rows = verdicts(stores.results, corrected)
    assert {row.completion for row in rows if row.rater_kind == "model"} == {None}
    assert stores.results.read(verdict_path(other)) == before


def test_what_is_missing_is_put_when_a_submission_is_looked_at_again(store, tmp_path: Path) -> None:
    from leaderboard.release.derive import Derivation, Target
    from leaderboard.release.pending import PendingFiles
    from leaderboard.store.base import Delete

    run = make_written_run(JudgedTask.UPLIFT)
    stores = site(store, tmp_path, run)
    content = stores.results.read(verdict_path(run))
    stores.results.commit([Delete(verdict_path(run))], "as it was before verdicts were public")
    target = Target(PendingFiles(stores.results), PendingFiles(stores.requests))
    Derivation(store, frozenset()).bring(run.submission.id, target, rows=False)
    assert target.results.read(verdict_path(run)) == content


def test_secrets_are_nowhere_in_verdicts(store, tmp_path: Path) -> None:
    secret = "hf_abcdefghijklmnopqrstuvwxyz"
    run = make_written_run(JudgedTask.COMPARISON, judges=lambda _: f"The key is {secret}. Better Response: A")
    rows = verdicts(site(store, tmp_path, run).results, run)
    assert any(secret in row.completion for row in run.rows.verdicts)
    assert not any(secret in row.model_dump_json() for row in rows)


def test_no_scorecard_of_hicupid_is_worked_out_from_them(store, tmp_path: Path) -> None:
    hicupid = run_of(9)
    write_run(store, hicupid)
    runs = [make_written_run(task, number, model=hicupid.submission.model) for number, task in enumerate(EVERY, 1)]
    results = site(store, tmp_path, *runs).results
    rows = tmp_path / "results" / "files"
    assert len(results.list(layout.VERDICTS)) == 4
    assert [run.verdicts.stem for run in runs_in(rows, "*/*")] == [hicupid.id]
    board = build_board(results)
    assert ([row.scorecard_id for row in board.rows], len(board.human)) == ([f"{hicupid.id}@demo"], 3)


def test_a_list_that_was_taken_down_leaves_what_was_made_of_it(store, tmp_path: Path) -> None:
    from leaderboard.upkeep.records import Takedown, TakedownKind
    from leaderboard.upkeep.takedown import take_down
    from tests.upkeep.sites import site_of

    run = make_written_run(JudgedTask.EXTRACTION)
    stores = site(store, tmp_path, run)
    before = {row.verdict_key: row for row in verdicts(stores.results, run)}
    listed = next(row for row in before.values() if row.rater_kind == "rule" and row.question_id.endswith("/0"))
    conversation = listed.question_id.removesuffix("/0")
    (user,) = {item.person for item in run.plan.labelled if item.question_id == conversation}
    order = Takedown(kind=TakedownKind.ANSWER, name=listed.content_hash, at=NOON, actor="carol", reason="Asked for.")
    take_down(site_of(stores), order)
    after = verdicts(stores.results, run)
    assert {row.verdict_key: (row.counts, row.outcome) for row in after} == {
        name: (row.counts, row.outcome) for name, row in before.items()
    }
    silent = {row.question_id for row in after if row.completion is None}
    assert user in silent, "a verifier's words on what was extracted of that user may quote the list"
    assert listed.question_id in silent
    others = {row.question_id for row in after if row.rater_kind == "model"} - {user}
    assert others
    assert not others & silent


def test_of_attempts_that_were_taken_down_the_one_after_counts_as_before() -> None:
    from leaderboard.release.attempts import which_stand
    from leaderboard.upkeep.row_changes import without_answer

    item = demo_items(Task.RELEVANCE)[0]
    tried = [answer_to(item, "They told me so.", 0), answer_to(item, "YES", 1)]
    assert which_stand([item], tried) == [False, True]
    for row in tried:
        gone = [without_answer(each, str(row.content_hash)) for each in tried]
        assert which_stand([item], gone) == [False, True]
