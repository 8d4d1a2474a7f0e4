"""Texts are shown as far as they are public, and it is said why not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evaluator.errors import RapportError
from evaluator.setup import HicupidSetup
from leaderboard.answers.sources import DemoSet, NoText, SourceText, read_demo_set, source_of
from leaderboard.answers.texts import Answered, answers_page, answers_with, outcomes_of
from leaderboard.open_data import layout
from leaderboard.results import Scorecard
from leaderboard.store.base import Write
from leaderboard.store.local import LocalStore
from tests.answers.runs import Run, made_up_run, make_run
from tests.builders import TERMS, make_declaration, make_scorecard

CLOSED = TERMS.model_copy(update={"redistributable": False, "licence": None})


def kept(folder: Path, run: Run, **changes: Any) -> tuple[LocalStore, Scorecard]:
    """Returns the public results with a run in them, and its scorecard."""
    results, table = LocalStore(folder / "results"), run.table
    values = {"run_id": table.run_id, "result": run.result, "data_sha": table.data_sha}
    card = make_scorecard("org/model", 50.0).model_copy(update=values | changes)
    paths = layout.generations_path(card.model, card.run_id), layout.verdicts_path("demo", card.model, card.run_id)
    results.commit([Write(path, content) for path, content in zip(paths, run.files, strict=True)], "rows")
    return results, card


def page(folder: Path, run: Run, **changes: Any) -> dict[str, Answered]:
    """Returns all answers of a run, by question."""
    results, card = kept(folder, run, **changes)
    ids = run.table.question_id.tolist()
    found = answers_page(results, card, run.table, ids, source_of(card))
    assert [each.question_id for each in found] == ids
    return {each.question_id: each for each in found}


def test_a_real_run_is_shown_whole(tmp_path: Path, setup: HicupidSetup, demo_run: Run) -> None:
    found = page(tmp_path, demo_run)
    questions = {
        question.question_id: question
        for split in demo_run.table.split.names
        for question in setup.data.questions(split)
    }
    said = {(row.key.question_id, row.key.slot_order): row for row in demo_run.verdicts}
    for row in demo_run.generations:
        each, question = found[row.key.question_id], questions[row.key.question_id]
        assert (each.answer, each.content_hash) == (row.answer, row.content_hash)
        assert (each.why_no_answer is None) == (row.answer is not None)
        assert (each.lost_because is None) == (row.defect is None)
        assert isinstance(each.text, SourceText)
        assert (each.text.question, each.text.gold) == (question.question, question.gold)
        assert tuple(one.dialogue_id for one in each.text.evidence) == tuple(sorted(question.evidence))
        assert all(one.turns for one in each.text.evidence)
        for verdict in each.verdicts:
            told = said.get((each.question_id, verdict.slot_order))
            if told is None:
                assert verdict[1:4] == (None, None, None)
                assert verdict.why_not
            else:
                assert verdict[1:4] == (told.outcome, told.word, told.completion)
                assert (verdict.why_not is None) == (told.outcome is not None)
        assert set(outcomes_of(each)) >= {each.standing}
    assert {why for each in found.values() for why in [each.why_no_answer] if why} == {
        "The model gave no answer: context overflow."
    }
    assert {each.lost_because for each in found.values()} == {None, "It lost without a judge: it is empty."}


def test_the_demo_set_is_the_one_that_runs_are_made_of(setup: HicupidSetup) -> None:
    demo = read_demo_set()
    assert demo.sha == setup.data.sha
    for split in ("train", "test_1", "test_2"):
        ours = {question.question_id: question for question in demo.questions(split)}
        assert ours == {question.question_id: question for question in setup.data.questions(split)}
        for user in setup.data.users(split):
            assert demo.history(split, user) == setup.data.history(split, user)
            assert {each.user_id for each in demo.questions(split, user)} == {user}


def test_text_that_may_not_be_passed_on_is_named_and_not_shown(tmp_path: Path, demo_run: Run) -> None:
    _, card = kept(tmp_path, demo_run)
    closed = card.model_copy(update={"terms": CLOSED, "data_source": "org/set"})
    for other, words in ((closed, "may not be passed on. Read it in org/set, revision "), (None, "not lie on this")):
        found = source_of(other or card.model_copy(update={"data_sha": "d" * 40}))
        assert isinstance(found, NoText)
        assert words in found.reason
    assert isinstance(source_of(card), DemoSet)
    own = read_demo_set()._replace(sha="d" * 40)
    assert source_of(card.model_copy(update={"data_sha": "d" * 40}), own) is own
    assert isinstance(source_of(closed, own), NoText)


def test_answers_without_consent_and_words_that_quote_are_withheld(tmp_path: Path) -> None:
    run = made_up_run(10, terms=CLOSED)
    said = make_declaration(publish_answers=False)
    silent = make_run(run.items, run.generations, run.verdicts, said)
    found = page(tmp_path, silent, declaration=said, terms=CLOSED, data_source="org/set")
    answered = [each for each in found.values() if each.content_hash]
    assert {each.answer for each in answered} == {None}
    assert {each.why_no_answer for each in answered} == {"Its submitter did not agree to have answers shown."}
    verdicts = [verdict for each in answered if not each.lost_because for verdict in each.verdicts]
    assert {verdict.completion for verdict in verdicts} == {None}
    assert {verdict.why_not for verdict in verdicts if verdict.outcome} == {
        "The judge's words quote org/set, which may not be passed on."
    }
    unread = {verdict.why_not for verdict in verdicts if verdict.outcome is None}
    assert unread == {
        "It was not judged.",
        "No verdict could be read in the judge's words. The judge's words quote org/set, which may not be passed on.",
    }


def test_what_was_taken_out_is_said(tmp_path: Path) -> None:
    run = made_up_run(10)
    secret = [
        row.model_copy(update={"answer": None, "taken_down": True, "schema_version": 2}) if row.content_hash else row
        for row in run.generations
    ]
    found = page(tmp_path, make_run(run.items, secret, run.verdicts))
    assert {each.why_no_answer for each in found.values() if each.content_hash} == {
        "It holds what looks like a secret, or was taken down."
    }


def test_only_what_was_asked_is_returned(tmp_path: Path) -> None:
    run = made_up_run(10)
    results, card = kept(tmp_path, run)
    ids = run.table.question_id.tolist()
    found = answers_page(results, card, run.table, [ids[5], "gone/1", ids[2]], source_of(card))
    assert [each.question_id for each in found] == [ids[5], ids[2]]
    assert answers_page(results, card, run.table, ["gone/1"], source_of(card)) == ()


def test_shown_answers_are_searched(tmp_path: Path) -> None:
    run = made_up_run(10)
    results, card = kept(tmp_path, run)
    texts = {row.key.question_id: row.answer or "" for row in run.generations}
    found = answers_with(results, card, " 4  ORG/mod")
    assert sorted(found) == sorted(name for name, text in texts.items() if "4" in text)
    assert 0 < len(found) < len(texts)
    assert answers_with(results, card, "nothing like it") == []
    broken = layout.generations_path(card.model, card.run_id)
    results.commit([Write(broken, b"PAR1")], "damage")
    with pytest.raises(RapportError, match="no readable Parquet file"):
        answers_with(results, card, "4")
    with pytest.raises(RapportError, match="no readable Parquet file"):
        answers_page(results, card, run.table, run.table.question_id[:1].tolist(), source_of(card))
