"""Which runs a re-score covers."""

from __future__ import annotations

import datetime

import pytest

from evaluator.errors import Cause, RapportError
from leaderboard.records import Amendment, AmendmentKind, Tombstone
from leaderboard.rescoring.selection import Filters, select
from leaderboard.store import Delete, LocalStore, Write, layout
from leaderboard.upkeep.findings import Finding, FindingKind
from tests.builders import NOON, make_scorecard, make_submission
from tests.unit.rescored_archive import run_id_of, write_card, write_history


def put(store: LocalStore, *numbers: int) -> None:
    for number in numbers:
        write_card(store, number)
        write_history(store, make_submission(number))


def names(store: LocalStore, **filters: object) -> list[str]:
    return [run.run_id for run in select(store, Filters(**filters), lambda finding: pytest.fail(finding.line()))]


def test_a_run_is_told_with_its_model_and_judges(store: LocalStore) -> None:
    put(store, 1)
    write_card(store, 1, "other", created_at=NOON - datetime.timedelta(days=2))
    (run,) = select(store, Filters())
    assert (run.run_id, run.model, run.revision) == (run_id_of(1), "org/model-1", "a" * 40)
    assert (run.submission_id, run.protocol, run.judges) == (make_submission(1).id, "demo-v1", ("demo", "other"))
    assert run.created_at == NOON - datetime.timedelta(days=2)


def test_runs_of_human_grounded_tasks_are_none_of_it(store: LocalStore) -> None:
    put(store, 1)
    run_id = f"{make_submission(1).id}.human-relevance-v1"
    write_card(store, 1, "people", id=f"{run_id}@people", run_id=run_id, protocol="human-relevance-v1")
    assert names(store) == [run_id_of(1)]


def test_scorecards_in_their_old_place_count_unless_they_lie_in_the_present_one(store: LocalStore) -> None:
    put(store, 1, 2)
    write_card(store, 1, old_place=True, revision="b" * 40)
    write_card(store, 3, old_place=True, revision="c" * 40)
    write_history(store, make_submission(3))
    assert [run.revision[0] for run in select(store, Filters())] == ["a", "a", "c"]


@pytest.mark.parametrize("by", ["history", "tombstone", "old tombstone"])
def test_withdrawn_submissions_are_left_out(store: LocalStore, by: str) -> None:
    put(store, 1, 2)
    submission = make_submission(1)
    if by == "history":
        told = {"submission_id": submission.id, "sequence": 2, "at": NOON, "actor": "alice", "text": "Mine no more."}
        write_history(store, submission, Amendment(kind=AmendmentKind.WITHDRAWN, **told))
    else:
        stone = Tombstone(submission_id=submission.id, at=NOON, actor="alice", reason="Mine no more.")
        path = (layout.tombstone_path if by == "tombstone" else layout.old_tombstone_path)(submission.id)
        store.commit([Write(path, stone.model_dump_json().encode())], "withdrawn")
    assert names(store) == [run_id_of(2)]


def test_a_word_in_a_history_is_no_withdrawal(store: LocalStore) -> None:
    write_card(store, 1)
    told = {"submission_id": make_submission(1).id, "sequence": 2, "at": NOON, "actor": "alice"}
    write_history(store, make_submission(1), Amendment(kind=AmendmentKind.DISPUTED, text='"withdrawn"', **told))
    assert names(store) == [run_id_of(1)]


def test_filters(store: LocalStore) -> None:
    put(store, 1, 2)
    later = NOON + datetime.timedelta(days=3)
    write_card(store, 3, created_at=later)
    write_history(store, make_submission(3))
    assert names(store, models=("org/model-3", "org/model-1")) == [run_id_of(1), run_id_of(3)]
    assert names(store, since=later.date()) == [run_id_of(3)]
    assert names(store, since=NOON.date(), protocols=("demo-v1",)) == [run_id_of(number) for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("filters", "named"),
    [
        ({"models": ("org/model-1", "org/modle-2")}, "org/modle-2"),
        ({"protocols": ("official-v9",)}, "official-v9"),
        ({"models": ("org/model-1",), "since": datetime.date(2027, 1, 1)}, "org/model-1"),
    ],
)
def test_what_was_named_and_is_not_there_is_an_error(store: LocalStore, filters: dict[str, object], named: str) -> None:
    put(store, 1, 2)
    with pytest.raises(RapportError, match=named) as caught:
        select(store, Filters(**filters))
    assert caught.value.cause is Cause.NOT_FOUND
    assert "org/model-2" not in caught.value.message


def test_what_cannot_be_read_is_a_finding_and_costs_itself_alone(store: LocalStore) -> None:
    put(store, 1, 2, 3, 4, 5)
    broken = layout.scorecard_path("org/model-2", f"{run_id_of(2)}@demo")
    strange = f"{layout.SCORECARDS}/notes.txt"
    misplaced = layout.scorecard_path("org/model-3", f"{run_id_of(3)}@demo")
    lost, damaged = (layout.submission_path(make_submission(number).id) for number in (4, 5))
    store.commit(
        [
            Write(broken, b"{}"),
            Write(strange, b"hello"),
            Write(misplaced, make_scorecard("org/other").model_dump_json().encode()),
            Delete(lost),
            Write(damaged, b'{"withdrawn"'),
        ],
        "damage",
    )
    findings: list[Finding] = []
    runs = select(store, Filters(), findings.append)
    assert [run.run_id for run in runs] == [run_id_of(1)]
    assert {finding.path: finding.kind for finding in findings} == {
        broken: FindingKind.UNREADABLE,
        strange: FindingKind.FOREIGN,
        misplaced: FindingKind.MISPLACED,
        lost: FindingKind.REFERENCE,
        damaged: FindingKind.UNREADABLE,
    }


def test_findings_are_logged_where_nobody_asks_for_them(store: LocalStore, caplog: pytest.LogCaptureFixture) -> None:
    put(store, 1)
    store.commit([Write(f"{layout.SCORECARDS}/notes.txt", b"hello")], "damage")
    assert len(select(store, Filters())) == 1
    assert "notes.txt" in caplog.text


def test_an_empty_archive_has_no_runs(store: LocalStore) -> None:
    assert select(store, Filters()) == ()
