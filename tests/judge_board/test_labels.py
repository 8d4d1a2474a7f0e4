"""Labelled verdict files: taken in by the command as a whole or not at all, under terms, and what follows from them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from evaluator.errors import Cause, RapportError
from evaluator.judges.quality.records import PeopleAgreement
from evaluator.judges.spec import load_judge
from leaderboard.cli.main import app
from leaderboard.judge_board.computing import compute_board
from leaderboard.judge_board.labels import labels_in
from leaderboard.judge_board.words import board_lines
from leaderboard.pages.judges.rows import beside_of
from leaderboard.settings import Settings
from leaderboard.store import Delete, LocalStore, Write, layout
from leaderboard.store.open import open_stores
from leaderboard.upkeep.archive_check import check_archive
from tests.builders import NOON
from tests.judge_board.written_board import USERS, Case, WrittenBoard, flipped, made_up_data, write_board
from tests.unit.rescored_archive import run_id_of

LABELLED = 36
"""Answers that three annotators labelled."""
WRONG = 9
"""Of these, answers of which two of the three say the contrary of the truth."""


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalStore:
    """The archive of the settings, without any Redis."""
    monkeypatch.delenv("RAPPORT_REDIS_URL", raising=False)
    monkeypatch.setenv("RAPPORT_DATA", str(tmp_path / "data"))
    found = open_stores(Settings()).archive
    assert isinstance(found, LocalStore)
    return found


def rapport(*words: str) -> Result:
    return CliRunner().invoke(app, ["judge", *words], catch_exceptions=True)


def label(case: Case, annotator: str, outcome: str, **more: Any) -> dict[str, Any]:
    about = {"question_id": case.item.question_id, "content_hash": case.row.content_hash}
    return {"schema_version": 1, **about, "annotator": annotator, "outcome": outcome, **more}


def labels_of(cases: list[Case]) -> list[dict[str, Any]]:
    """Three annotators' labels; of every fourth answer two of them are wrong, of all others the third one."""
    rows = []
    for place, case in enumerate(cases[:LABELLED]):
        wrong = {"n-1", "n-2"} if place % 4 == 0 else {"n-3"}
        rows += [
            label(case, who, str(flipped(case.truth) if who in wrong else case.truth), note="Between us.")
            for who in ("n-1", "n-2", "n-3")
        ]
    return rows


def write_labels(folder: Path, rows: list[dict[str, Any]], name: str = "labels.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def people(board: WrittenBoard) -> list[PeopleAgreement]:
    (found,) = compute_board(board.store, [load_judge("demo")], NOON).qualities
    return list(found.quality.people)


def test_from_a_file_to_the_agreement_with_the_majority(board: WrittenBoard, tmp_path: Path) -> None:
    path = write_labels(tmp_path, labels_of(board.cases[1]))
    dry = rapport("labels", "add", str(path), "--name", "seven-nurses", "--licence", "cc-by-4.0", "--dry-run")
    assert (dry.exit_code, list(labels_in(board.store))) == (0, [])
    assert f"{3 * LABELLED} labels of 3 annotators on {LABELLED} answers (person) would be taken in" in dry.output

    added = rapport("labels", "add", str(path), "--name", "seven-nurses", "--licence", "cc-by-4.0")
    assert added.exit_code == 0, added.exception
    (kept,) = labels_in(board.store)
    assert kept.terms.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (kept.terms.name, kept.terms.licence, kept.terms.kind.value) == ("seven-nurses", "cc-by-4.0", "person")
    assert b"Between us" not in board.store.read(layout.labelled_rows_path("seven-nurses"))
    assert rapport("labels", "list").output.startswith("seven-nurses  108 labels of 3 annotators on 36 answers")

    (agreement,) = people(board)
    every = agreement.majority.slices[0]
    assert (agreement.source, agreement.tied, agreement.unjudged) == ("seven-nurses", 0, 0)
    assert (every.same.value, every.same.counted) == (pytest.approx(1 - WRONG / LABELLED), LABELLED)
    (part,) = agreement.parts
    assert (part.labels, part.annotators, part.test.epsilon) == (108, 3, 0.1)
    assert not [each for each in check_archive(board.store) if layout.LABELLED in each.finding.path]

    assert rapport("labels", "remove", "seven-nurses").exit_code == 0
    assert (list(labels_in(board.store)), people(board)) == ([], [])


BAD = {
    "invalid": (lambda row: row | {"outcome": "WIN"}, '"WIN" is none of win, tie, loss, satisfied, unsatisfied.'),
    "unknown question": (lambda row: row | {"question_id": "test_2/nobody"}, "There is no question test_2/nobody"),
    "unknown answer": (lambda row: row | {"content_hash": "0" * 64}, "No answer to"),
    "wrong outcome": (lambda row: row | {"outcome": "satisfied"}, "question has no outcome satisfied"),
    "double": (lambda row: row, "has labelled this answer at labels.jsonl:1 already"),
    "mixed kinds": (lambda row: row | {"annotator": "n-9", "kind": "simulated"}, "of kind simulated"),
    "e-mail": (lambda row: row | {"annotator": "someone@example.org"}, "e-mail"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_file_with_anything_wrong_is_refused_as_a_whole(board: WrittenBoard, tmp_path: Path, what: str) -> None:
    change, said = BAD[what]
    good = label(board.cases[1][0], "n-1", "win")
    path = write_labels(tmp_path, [good, change(good)])
    refused = rapport("labels", "add", str(path), "--name", "bad", "--licence", "cc-by-4.0")
    assert refused.exit_code == 1
    assert isinstance(refused.exception, RapportError)
    assert refused.exception.cause is Cause.DATA_ERROR
    problem = what.replace(" ", "_").replace("e-mail", "not_a_pseudonym")
    assert f"labels.jsonl:2: {problem}: " in refused.exception.message
    assert said in refused.exception.message
    assert board.store.list(layout.LABELLED) == []


def test_labels_are_added_to_a_demo_that_was_stopped(
    board: WrittenBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its Redis is gone with it; what is printed says what to do, and that is enough."""
    path = write_labels(tmp_path, labels_of(board.cases[1]))
    words = ("labels", "add", str(path), "--name", "nurses", "--licence", "cc-by-4.0")
    monkeypatch.setattr("leaderboard.connection._RETRIES", 0)
    monkeypatch.setenv("RAPPORT_REDIS_URL", f"unix://{tmp_path}/data/redis.sock")
    refused = rapport(*words)
    assert isinstance(refused.exception, RapportError)
    assert "Start the Redis of the site" in refused.exception.remedy
    assert "unset RAPPORT_REDIS_URL" in refused.exception.remedy
    assert board.store.list(layout.LABELLED) == []
    monkeypatch.delenv("RAPPORT_REDIS_URL")
    assert rapport(*words).exit_code == 0
    assert [each.terms.name for each in labels_in(board.store)] == ["nurses"]


def test_the_board_prints_the_figure_of_the_page(board: WrittenBoard, tmp_path: Path) -> None:
    path = write_labels(tmp_path, labels_of(board.cases[1]))
    assert rapport("labels", "add", str(path), "--name", "nurses", "--licence", "cc-by-4.0").exit_code == 0
    found = compute_board(board.store, [load_judge("demo")], NOON)
    (computed,) = found.qualities
    (beside,) = beside_of(computed.quality)
    (line,) = (line for line in board_lines(found) if "win_kappa" in line)
    (part,) = computed.quality.people[0].parts
    assert part.kappa.judge.value != part.win_kappa.judge.value, "the two can be told apart"
    assert line.startswith(f"    pairs: win_kappa {part.win_kappa.judge.value:.3f} (")
    assert beside.others[0][0] == "one more human"
    for name, figure, _ in beside.others:
        assert figure is not None
        assert figure.value is not None
        assert f"; {name} {figure.value:.3f} (" in line
    assert beside.judge.value == part.win_kappa.judge.value


def test_the_board_names_another_figure_where_nobody_labelled_the_same(board: WrittenBoard, tmp_path: Path) -> None:
    rows = [label(case, f"n-{place % 3}", str(case.truth)) for place, case in enumerate(board.cases[1][:LABELLED])]
    path = write_labels(tmp_path, rows)
    assert rapport("labels", "add", str(path), "--name", "nurses", "--licence", "cc-by-4.0").exit_code == 0
    found = compute_board(board.store, [load_judge("demo")], NOON)
    (beside,) = beside_of(found.qualities[0].quality)
    told = "\n".join(board_lines(found))
    assert beside.judge.value is not None
    assert f"    answers: kappa {beside.judge.value:.3f} (" in told
    assert "nothing beside it: no two annotators labelled the same answer" in told
    assert "win_kappa" not in told


@pytest.mark.parametrize(
    ("name", "licence", "said"),
    [
        ("site", "cc-by-4.0", "cannot be called 'site'"),
        ("../runs", "cc-by-4.0", "cannot be called '../runs'"),
        ("Nurses", "cc-by-4.0", "cannot be called 'Nurses'"),
        ("nurses", "free for all", "no id of a licence"),
    ],
)
def test_terms_are_checked_before_the_file(
    board: WrittenBoard, tmp_path: Path, name: str, licence: str, said: str
) -> None:
    path = write_labels(tmp_path, labels_of(board.cases[1]))
    assert said in str(rapport("labels", "add", str(path), "--name", name, "--licence", licence).exception)


def test_no_second_file_goes_under_the_same_name(board: WrittenBoard, tmp_path: Path) -> None:
    path = write_labels(tmp_path, labels_of(board.cases[1]))
    words = ("labels", "add", str(path), "--name", "nurses", "--licence", "cc-by-4.0")
    assert rapport(*words).exit_code == 0
    assert "There are labels called nurses already" in str(rapport(*words).exception)
    assert "There are no labels called doctors" in str(rapport("labels", "remove", "doctors").exception)
    assert "There are no labels called ../runs" in str(rapport("labels", "remove", "../runs").exception)


def test_labels_on_answers_that_were_withdrawn_are_left_out_and_counted(board: WrittenBoard, tmp_path: Path) -> None:
    path = write_labels(tmp_path, [*labels_of(board.cases[1]), label(board.cases[2][0], "n-1", "win")])
    assert rapport("labels", "add", str(path), "--name", "nurses", "--licence", "cc-by-4.0").exit_code == 0
    gone = layout.tombstone_path(run_id_of(2).partition(".")[0])
    board.store.commit([Write(gone, b"{}")], "withdrawn")
    found = compute_board(board.store, [], NOON)
    assert [(each.left_out, len(each.said.labels)) for each in found.people] == [(1, 108)]


@pytest.mark.parametrize("change", ["rows are gone", "rows are others", "terms are gone", "terms are another's"])
def test_what_does_not_belong_together_is_found(board: WrittenBoard, tmp_path: Path, change: str) -> None:
    path = write_labels(tmp_path, labels_of(board.cases[1]))
    assert rapport("labels", "add", str(path), "--name", "nurses", "--licence", "cc-by-4.0").exit_code == 0
    rows, terms = layout.labelled_rows_path("nurses"), layout.labelled_set_path("nurses")
    store = board.store
    store.commit(
        {
            "rows are gone": [Delete(rows)],
            "rows are others": [Write(rows, store.read(rows) + b" ")],
            "terms are gone": [Delete(terms)],
            "terms are another's": [Write(terms, store.read(terms).replace(b'"nurses"', b'"doctors"'))],
        }[change],
        change,
    )
    found = [each.finding for each in check_archive(store) if each.finding.path in (rows, terms)]
    assert [str(each.kind) for each in found] == {
        "rows are gone": ["reference"],
        "rows are others": ["unreadable"],
        "terms are gone": ["reference"],
        "terms are another's": ["misplaced"],
    }[change]


def test_two_data_sets_with_the_same_ids_are_told_apart(board: WrittenBoard, tmp_path: Path) -> None:
    other = made_up_data(tmp_path / "other", seed=8)
    write_board(board.store, other, numbers=(3,))
    path = write_labels(tmp_path, labels_of(board.cases[1]))
    assert rapport("labels", "add", str(path), "--name", "nurses", "--licence", "cc-by-4.0").exit_code == 0
    found = compute_board(board.store, [], NOON)
    assert [(each.left_out, len(each.said.labels)) for each in found.people] == [(0, 108)]
    (quality,) = (each.quality for each in found.qualities)
    assert (quality.users, quality.models) == (2 * USERS, 3), "users of the same number are others"
