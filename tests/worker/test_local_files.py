"""The folder of a local evaluation, what is compared in two of them, and what is said meanwhile."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from evaluator.errors import Cause, RapportError
from evaluator.judges.spec import load_judge
from evaluator.protocol import load_protocol
from evaluator.records import Defect, SlotOrder
from leaderboard.records import Plan
from leaderboard.scorecards import RunRows, make_scorecard
from tests.builders import (
    LOSS,
    NOON,
    TIE,
    make_generation,
    make_input_key,
    make_plan,
    make_reports,
    make_submission,
    make_verdict,
    rows_of,
)
from worker.local.compare import compare_folders
from worker.local.folder import Evaluation, Folder, evaluation_name, open_rows, read_kept, read_lines, write_whole
from worker.local.progress import Progress
from worker.local.summary import summary_of

SUBMISSION = make_submission(model="org/model")
PLAN = make_plan(SUBMISSION.run_ids()[0], users=(1,))
CONDITIONS = tuple(
    (name, "same")
    for name in ("adapter_sha", "data_sha", "engine", "model_sha", "prompt_pack", "protocol_config", "thinking")
)
ROWS = rows_of(PLAN, PLAN.shards[0])


def evaluation(**changes: str) -> Evaluation:
    told = tuple(sorted((dict(CONDITIONS) | changes).items()))
    return Evaluation(submission=SUBMISSION, conditions=told, limit=None)


def folder_with(path: Path, generations=ROWS.generations, verdicts=ROWS.verdicts, plan=PLAN, **changes: str) -> Path:
    """Writes an evaluation; returns its folder."""
    folder = Folder(path)
    with folder.held():
        write_whole(folder.evaluation, evaluation(**changes))
        write_whole(folder.plan, plan)
        with open_rows(folder, plan, evaluation()) as rows:
            list(rows.generations.append(generations))
            list(rows.verdicts.append(verdicts))
    return path


def test_a_folder_is_named_so_that_people_and_conditions_tell_it_apart():
    conditions = {"model": "org/model", "protocol": "demo-v1", "judge": "demo", "limit": ""}
    name = evaluation_name(conditions.items())
    assert name.startswith("org-model.demo-v1.demo.")
    assert evaluation_name((conditions | {"limit": "3"}).items()) != name
    assert "/" not in evaluation_name((conditions | {"model": "../../etc"}).items())


def test_a_folder_has_one_writer(tmp_path):
    folder = Folder(tmp_path / "one")
    with folder.held(), pytest.raises(RapportError, match="Another process"), folder.held():
        pass
    with folder.held():
        pass


def test_a_record_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "plan.json"
    assert read_kept(path, Plan) is None
    write_whole(path, PLAN)
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(RapportError) as caught:
        write_whole(path, make_plan("s-20260301-00000002.demo-v1"))
    assert caught.value.cause is Cause.DISK_FULL
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (before, [path])
    assert read_kept(path, Plan) == PLAN


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RapportError, match="cannot be written"), Folder(tmp_path / "file" / "one").held():
        pass


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "org/other"},
        {"model_sha": "b" * 40},
        {"adapter_sha": "b" * 40},
        {"data_sha": "other"},
        {"protocol": "other"},
        {"question_id": "test_1/unasked"},
    ],
)
def test_answers_of_another_evaluation_are_refused(tmp_path, changes):
    key = make_input_key(**({"question_id": PLAN.items[0].question_id} | changes))
    Folder(tmp_path).generations.write_text(make_generation(key).model_dump_json() + "\n")
    with (
        pytest.raises(RapportError, match=r"Line 1 .* other conditions"),
        open_rows(Folder(tmp_path), PLAN, evaluation()),
    ):
        pass


def test_verdicts_of_another_judge_are_refused(tmp_path):
    theirs = ROWS.verdicts[0].key.model_copy(update={"rater_revision": "r2"})
    row = make_verdict(ROWS.generations[0], TIE, key=theirs)
    Folder(tmp_path).verdicts.write_text(row.model_dump_json() + "\n")
    with (
        pytest.raises(RapportError, match=r"Line 1 .* other conditions"),
        open_rows(Folder(tmp_path), PLAN, evaluation()),
    ):
        pass


def test_both_attempts_at_a_verdict_are_kept_and_neither_twice(tmp_path):
    first = ROWS.verdicts[0].model_copy(update={"outcome": None, "word": None})
    second = ROWS.verdicts[0].model_copy(update={"attempt": 2})
    with open_rows(Folder(tmp_path), PLAN, evaluation()) as rows:
        list(rows.verdicts.append([first, second]))
        with pytest.raises(ValueError, match="already"):
            list(rows.verdicts.append([second]))
    assert read_lines(Folder(tmp_path).verdicts, type(first)) == [first, second]


def test_rows_are_read_while_their_last_line_is_being_written(tmp_path):
    path = folder_with(tmp_path)
    with Folder(path).generations.open("ab") as file:
        file.write(b'{"half')
    assert tuple(read_lines(Folder(path).generations, type(ROWS.generations[0]))) == ROWS.generations


def test_equal_rows_differ_in_nothing(tmp_path):
    found = compare_folders(folder_with(tmp_path / "a"), folder_with(tmp_path / "b", engine="other"))
    assert (found.items, found.compared) == (len(PLAN.items), len(PLAN.items))
    assert (found.answers, found.verdicts, found.only_in_one) == ((), (), ())


def test_what_was_answered_or_judged_differently_is_listed_by_question(tmp_path):
    changed, unheard, judged = (row.key.question_id for row in ROWS.generations)
    generations = [
        make_generation(row.key, "Something else.") if row.key.question_id == changed else row
        for row in ROWS.generations
        if row.key.question_id != unheard
    ]
    verdicts = [
        make_verdict(ROWS.generations[2], None, SlotOrder.SINGLE, key=row.key) if row.key.question_id == judged else row
        for row in ROWS.verdicts
    ]
    found = compare_folders(folder_with(tmp_path / "a"), folder_with(tmp_path / "b", generations, verdicts))
    assert (found.answers, found.verdicts, found.only_in_one) == ((changed,), (judged,), (unheard,))
    assert found.describe().splitlines() == [
        "1 of 2 answers differ, and 1 verdicts on equal answers",
        f"answer: {changed}",
        f"verdict: {judged}",
        f"only in one: {unheard}",
    ]


def test_a_second_attempt_counts_for_the_first(tmp_path):
    unread = ROWS.verdicts[0].model_copy(update={"outcome": None, "word": None})
    second = ROWS.verdicts[0].model_copy(update={"attempt": 2})
    folder = folder_with(tmp_path / "b", verdicts=[second, unread, *ROWS.verdicts[1:]])
    assert compare_folders(folder_with(tmp_path / "a"), folder).verdicts == ()


def test_only_evaluations_of_one_plan_are_compared(tmp_path):
    one = folder_with(tmp_path / "one")
    for other in (
        folder_with(tmp_path / "model", model_sha="other"),
        folder_with(tmp_path / "items", (), (), make_plan(PLAN.run_id, users=(1, 2))),
    ):
        with pytest.raises(RapportError, match="not of one plan") as caught:
            compare_folders(one, other)
        assert caught.value.cause is Cause.DATA_ERROR
    (tmp_path / "empty").mkdir()
    with pytest.raises(RapportError, match="holds no evaluation"):
        compare_folders(one, tmp_path / "empty")


class Ticking:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def progress_on(console: Console) -> tuple[Progress, Ticking]:
    clock = Ticking()
    return Progress(console, clock), clock


def test_progress_counts_what_is_there_and_how_fast_the_rest_comes():
    progress, clock = progress_on(Console(file=io.StringIO()))
    with progress.over(PLAN.items, ROWS.generations[:1], ()):
        assert progress.told() == "1/3 answered, 0/5 judged"
        clock.seconds = 10
        progress.answered(ROWS.generations[1:2])
        assert progress.told() == "2/3 answered, 0/5 judged, 10 tokens/s, 1:00 min left"
        progress.answered(ROWS.generations[2:])
        progress.judged(ROWS.verdicts)
        assert progress.told().startswith("3/3 answered, 5/5 judged")
        assert progress.told().endswith("0 s left")


def test_an_answer_with_a_defect_and_an_unread_first_attempt_are_no_verdicts_to_wait_for():
    progress, _ = progress_on(Console(file=io.StringIO()))
    spoilt = ROWS.generations[0].model_copy(update={"defect": Defect.EMPTY})
    unread = ROWS.verdicts[2].model_copy(update={"outcome": None, "word": None})
    with progress.over(PLAN.items, [spoilt], [unread]):
        assert progress.told() == "1/3 answered, 0/3 judged"
        progress.judged([unread])
        assert progress.told() == "1/3 answered, 0/3 judged"


def test_of_an_engine_that_does_not_tell_what_it_computed_the_pace_is_that_of_its_output():
    progress, clock = progress_on(Console(file=io.StringIO()))
    first = ROWS.generations[0].model_copy(update={"cached_tokens": None, "output_tokens": 30, "thought_tokens": 5})
    with progress.over(PLAN.items, (), ()):
        clock.seconds = 10
        progress.answered([first])
        assert progress.told() == "1/3 answered, 0/5 judged, 4 output tokens/s, 1:10 min left"
        progress.answered([ROWS.generations[1].model_copy(update={"output_tokens": 25})])
        assert ", 6 output tokens/s, " in progress.told()
    with progress.over(PLAN.items, ROWS.generations[:2], ()):
        clock.seconds = 20
        progress.answered(ROWS.generations[2:])
        assert ", 10 tokens/s, " in progress.told()


def test_without_a_terminal_lines_are_few_and_whole():
    written = io.StringIO()
    progress, clock = progress_on(Console(file=written, width=20))
    plan = make_plan(PLAN.run_id, users=range(1, 101))
    with progress.over(plan.items, (), ()):
        for number, shard in enumerate(plan.shards):
            clock.seconds = number + 1
            rows = rows_of(plan, shard)
            for row in rows.generations:
                progress.answered([row])
            progress.judged(rows.verdicts)
    lines = written.getvalue().splitlines()
    assert 3 < len(lines) < 25
    assert lines[0] == "0/300 answered, 0/500 judged"
    assert lines[-1].startswith("300/300 answered, 500/500 judged")


def test_on_a_terminal_one_bar_moves():
    written = io.StringIO()
    progress, _ = progress_on(Console(file=written, force_terminal=True, width=100))
    with progress.over(PLAN.items, (), ()):
        progress.answered(ROWS.generations)
    assert "3/3 answered" in written.getvalue()


def test_a_summary_names_what_a_reader_needs_first():
    lost = [
        make_verdict(ROWS.generations[0], LOSS, row.key.slot_order) if row in ROWS.verdicts[:2] else row
        for row in ROWS.verdicts[:-1]
    ]
    rows = RunRows(ROWS.generations, lost, make_reports())
    card = make_scorecard(SUBMISSION, PLAN, rows, load_protocol("demo-v1"), load_judge("demo"), (), NOON)
    told = summary_of(card)
    assert told.startswith("org/model under demo-v1, judged by demo (demo)")
    assert "Total       none: not every question type has a judged item, at worst 6.2\n" in told
    assert "persona     0.0 of 1 items" in told
    assert "schedule    none of 1 items" in told
    assert "answered    3 of 3 items\n" in told
    assert "judged      66.7 %, 1 verdicts missing" in told
    assert "unranked    demo judge" in told
