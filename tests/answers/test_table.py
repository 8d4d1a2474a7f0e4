"""Items as columns say what the scorecard says, and what a file cannot be is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.outcomes import join_rows
from evaluator.hicupid.scoring import score_of
from evaluator.human.tasks import Task
from evaluator.records import Outcome, SlotOrder
from evaluator.results import Scores
from leaderboard.answers.slices import scores_of
from leaderboard.answers.table import (
    LOST,
    MISSING,
    NOT_OWED,
    SLOTS,
    WON,
    ItemTable,
    NoItems,
    item_table,
    read_item_table,
)
from leaderboard.open_data import files, layout
from leaderboard.open_data.records import OpenGeneration, OpenVerdict
from leaderboard.store.base import Write
from leaderboard.store.local import LocalStore
from leaderboard.store.parquet import decode_parquet
from tests.answers.runs import Run, made_up_run
from tests.builders import make_scorecard

RUNS: dict[str, Callable[[], Run]] = {
    "many users": lambda: made_up_run(24),
    "few users": lambda: made_up_run(6, seed=1),
    "nobody judged": lambda: made_up_run(12, seed=2)._replace(verdicts=[]),
}


@pytest.fixture(params=["demo", *RUNS])
def run(request: pytest.FixtureRequest) -> Run:
    if request.param == "demo":
        found: Run = request.getfixturevalue("demo_run")
        return found
    run = RUNS[request.param]()
    return run if run.verdicts else run._replace(files=(run.files[0], files.encode_verdicts([])))


def test_scores_are_those_of_the_scorecard(run: Run) -> None:
    table, result = run.table, run.result
    assert scores_of(table) == Scores(**{name: getattr(result, name) for name in Scores.model_fields})
    for split in result.by_split:
        assert scores_of(table, split.split).model_dump() == split.model_dump(exclude={"split"})


def test_every_item_is_as_the_rows_have_it(run: Run) -> None:
    table, entries = run.table, join_rows(run.items, run.generations, run.verdicts)
    assert table.question_id.tolist() == [entry.item.question_id for entry in entries]
    for place, entry in enumerate(entries):
        score = score_of(entry)
        assert np.isnan(table.score[place]) if score is None else table.score[place] == score
        assert table.users[table.user[place]] == (entry.item.split, entry.item.user_id)
        told = (table.type, table.split, table.category, table.sentiment, table.defect, table.answer_status)
        answer = entry.answer
        assert answer is not None
        assert tuple(words.at(place) for words in told) == (
            entry.item.type,
            entry.item.split,
            entry.item.persona_category,
            entry.item.sentiment,
            answer.defect,
            "none" if answer.content_hash is None else "shown",
        )
        assert table.missing.at(place) == (entry.missing_because[0] if entry.missing_because else None)
        assert table.flipped[place] == (entry.judged and len(set(entry.outcomes)) == 2)
        assert table.owed[place] == len(entry.item.orders)
        places = entry.item.evidence_position
        if places:
            assert (table.newest_evidence[place], table.oldest_evidence[place]) == (min(places), max(places))
        else:
            assert np.isnan([table.newest_evidence[place], table.oldest_evidence[place]]).all()


def test_a_real_run_has_all_that_can_be_wrong(demo_run: Run) -> None:
    table, result = demo_run.table, demo_run.result
    assert {"empty"} == set(table.defect.names)
    assert set(table.missing.names) == {name for name, _ in result.missing_because} >= {"unparsed", "context_overflow"}
    assert (table.outcomes == MISSING).sum() == result.missing
    assert table.flipped.any()
    assert Counter(map(table.standing, range(len(table.score)))).keys() == {"won", "tied", "lost", "missing"}
    for standing in ("won", "tied", "lost", "missing"):
        assert table.are(standing).tolist() == [table.standing(place) == standing for place in range(len(table.score))]
    single = table.outcomes[table.type.are("schedule")]
    assert {LOST, WON} <= set(single[:, SLOTS.index(SlotOrder.SINGLE)].tolist()) <= {LOST, WON, MISSING}
    assert (single[:, :2] == NOT_OWED).all()


def test_questions_are_found_by_their_ids(demo_run: Run) -> None:
    table = demo_run.table
    assert table.places([table.question_id[3], "test_1/none", "", "zzz", table.question_id[-1]]).tolist() == [
        3,
        -1,
        -1,
        -1,
        len(table.score) - 1,
    ]
    assert table.places(["\ud800", "\0", "é" * 300]).tolist() == [-1, -1, -1]
    assert table.places(table.question_id).tolist() == list(range(len(table.score)))
    assert table.places(table.question_id[::-1]).tolist() == list(reversed(range(len(table.score))))
    nothing = table._replace(question_id=table.question_id[:0])
    assert nothing.places(["a"]).tolist() == [-1]
    assert nothing.places([]).tolist() == []


def changed(run: Run, **values: Any) -> tuple[bytes, bytes]:
    """Returns the files of a run with some values changed in the first row that counts."""
    answers = decode_parquet(run.files[0], OpenGeneration, "answers")
    said = decode_parquet(run.files[1], OpenVerdict, "verdicts")
    own = {name: value for name, value in values.items() if not name.startswith("v_")}
    of_verdict = {name[2:]: value for name, value in values.items() if name.startswith("v_")}
    answers[0] = answers[0].model_copy(update=own)
    place = next(place for place, row in enumerate(said) if row.counts and row.slot_order is not SlotOrder.SINGLE)
    said[place] = said[place].model_copy(update=of_verdict)
    return files.encode_generations(answers), files.encode_verdicts(said)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"run_id": "s-20260301-00000002.demo-v1"}, "2 values of run_id"),
        ({"orders": ()}, "no slot order"),
        ({"orders": (SlotOrder.ANSWER_FIRST, SlotOrder.ANSWER_FIRST)}, "one twice"),
        ({"orders": (SlotOrder.ANSWER_FIRST, SlotOrder.SINGLE)}, "others beside"),
        ({"question_id": "test_1/0-2"}, "two rows on one question"),
        ({"evidence_position": (1.5,)}, "outside of 0 to 1"),
        ({"evidence_position": (float("nan"),)}, "outside of 0 to 1"),
        ({"type": Task.VERIFICATION}, "under type"),
        ({"v_question_id": "test_9/9"}, "nothing was asked for"),
        ({"v_slot_order": SlotOrder.SINGLE}, "nothing was asked for"),
        ({"v_content_hash": "0" * 64}, "other answers"),
        ({"v_outcome": Outcome.ACCEPTED}, "no judge of HiCUPID"),
        ({"v_outcome": Outcome.SATISFIED}, "another kind of question"),
        ({"v_rater": "other"}, "2 values of rater"),
        ({"v_run_id": "s-20260301-00000002.demo-v1"}, "2 values of run_id"),
    ],
)
def test_files_that_contradict_themselves_are_refused(values: dict[str, Any], words: str) -> None:
    run = made_up_run(12)
    with pytest.raises(RapportError, match=words) as caught:
        item_table(*changed(run, **values), "demo")
    assert caught.value.cause is Cause.DATA_ERROR


@pytest.mark.parametrize(
    "content", [b"", b"PAR1", b"\x00" * 100, files.encode_verdicts([]), files.encode_generations([])]
)
def test_what_is_no_file_of_answers_is_refused(content: bytes) -> None:
    with pytest.raises(RapportError) as caught:
        item_table(content, made_up_run(10).files[1], "demo")
    assert caught.value.cause is Cause.DATA_ERROR


def test_another_judges_verdicts_are_refused() -> None:
    with pytest.raises(RapportError, match="not those of the judge other"):
        item_table(*made_up_run(10).files, "other")


def test_two_verdicts_on_one_thing_are_refused() -> None:
    run = made_up_run(10)
    said = decode_parquet(run.files[1], OpenVerdict, "verdicts")
    with pytest.raises(RapportError, match="two rows on one thing"):
        item_table(run.files[0], files.encode_verdicts([*said, said[0]]), "demo")


@pytest.fixture
def store(tmp_path) -> LocalStore:
    return LocalStore(tmp_path / "results")


def test_a_scorecards_items_are_read_or_it_is_said_why_not(store: LocalStore) -> None:
    run = made_up_run(12)
    card = make_scorecard("org/model", 50.0).model_copy(update={"run_id": run.table.run_id, "result": run.result})
    missing = read_item_table(store, card)
    assert isinstance(missing, NoItems)
    assert "not public" in missing.reason
    paths = layout.generations_path(card.model, card.run_id), layout.verdicts_path("demo", card.model, card.run_id)
    store.commit([Write(path, content) for path, content in zip(paths, run.files, strict=True)], "rows")
    found = read_item_table(store, card)
    assert isinstance(found, ItemTable)
    assert found.score.tolist() == pytest.approx(run.table.score.tolist(), nan_ok=True)
    private = card.model_copy(update={"terms": card.terms.model_copy(update={"visibility": "private"})})
    for other, words in (
        (private, "private"),
        (card.model_copy(update={"data_sha": "e" * 40}), "another run"),
        (card.model_copy(update={"result": run.result.model_copy(update={"items": 7})}), "of 7 items"),
    ):
        told = read_item_table(store, other)
        assert isinstance(told, NoItems)
        assert words in told.reason
