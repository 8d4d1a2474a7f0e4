"""People judge pairs of HiCUPID: what is shown of them, and where their verdicts stand."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis

from evaluator.errors import RapportError
from evaluator.hicupid.data import HUB_DATA_SET, HicupidData, demo_set
from evaluator.hicupid.questions import Question, QuestionType
from evaluator.records import Outcome, SlotOrder, Terms
from leaderboard.board.public import read_cards
from leaderboard.board.run_files import runs_in
from leaderboard.labelling import journal
from leaderboard.labelling.desk import Desk
from leaderboard.labelling.pairs import open_hicupid, pair_pool
from leaderboard.labelling.pools import check_terms
from leaderboard.labelling.records import Task
from leaderboard.labelling.service import Labelling
from leaderboard.open_data import files, layout
from leaderboard.open_data.records import OpenVerdict
from leaderboard.pages.label_pools import SitePools
from leaderboard.release.pending import PendingFiles
from leaderboard.release.people import PeopleDerivation
from leaderboard.settings import Settings
from leaderboard.store.base import Delete, Write
from leaderboard.store.local import LocalStore
from leaderboard.store.parquet import decode_parquet
from tests.builders import make_generation, make_input_key, make_item, make_scorecard
from tests.labelling.people import ALICE, BOB, agree, make_labelling
from tests.open_data.rows import CONSENT, NO_CONSENT, open_generation
from tests.released import publish

ANSWER = "An answer that only this model gives to {}."
MODEL, WITHHELD = "org/shown", "org/withheld"
PAIRS = Task.PAIRS


@pytest.fixture(scope="module")
def data() -> HicupidData:
    return HicupidData.open(str(demo_set()))


@pytest.fixture(scope="module")
def questions(data: HicupidData) -> list[Question]:
    """Three questions of each kind."""
    every = list(data.questions("test_1"))
    return [each for kind in QuestionType for each in [one for one in every if one.type is kind][:3]]


def put_run(results: LocalStore, data: HicupidData, questions: list[Question], model: str, declared=CONSENT) -> str:
    """Publishes a run of a model; returns its id."""
    card = make_scorecard(model, 50, data_sha=data.sha)
    publish(results, card)
    rows = []
    for question in questions:
        name = question.question_id
        key = make_input_key(name, model=model, data_sha=data.sha)
        row = make_generation(key, ANSWER.format(name))
        public = open_generation(row, make_item(name, question.type), True, declared, card.run_id)
        assert public is not None
        rows.append(public)
    path = layout.generations_path(model, card.run_id)
    results.commit([Write(path, files.encode_generations(rows))], "rows")
    return card.run_id


@pytest.fixture
def results(tmp_path: Path, data: HicupidData, questions: list[Question]) -> LocalStore:
    store = LocalStore(tmp_path / "results")
    put_run(store, data, questions, MODEL)
    put_run(store, data, questions, WITHHELD, NO_CONSENT)
    put_run(store, data, questions, "reference/gold")
    return store


@pytest.fixture
def labelling(redis: Redis, data: HicupidData, results: LocalStore) -> Labelling:
    pool = pair_pool(data, "demo", results, read_cards(results).cards)
    made = make_labelling(redis, {PAIRS: pool})
    agree(made, ALICE, BOB)
    return made


def judge(labelling: Labelling, person: str, prefers_answer: bool | None) -> None:
    """Judges everything that there is, by what is read."""
    while shown := (found := labelling.next(person, PAIRS)).shown:
        assert shown.asked.judged is not None
        texts = {piece.heading: piece.lines[0].text for piece in found.pieces}
        answer = ANSWER.format(shown.asked.judged.question_id)
        assert answer in (texts["Answer A"], texts["Answer B"])
        word = "tie" if prefers_answer is None else "A" if (texts["Answer A"] == answer) == prefers_answer else "B"
        labelling.label(person, PAIRS, shown.token, word)


def test_only_public_answers_that_are_judged_beside_gold_are_shown(
    data: HicupidData, results: LocalStore, questions: list[Question]
) -> None:
    pool = pair_pool(data, "demo", results, read_cards(results).cards)
    asked = {question.question_id for question in questions if question.type is not QuestionType.SCHEDULE}
    assert {name.partition("/")[2] for name in pool.names} == asked
    for name in pool.names:
        judged = pool.judged(name)
        assert judged.model == MODEL
        by_order = [pool.pieces(name, order) for order in (SlotOrder.ANSWER_FIRST, SlotOrder.GOLD_FIRST)]
        (question,) = [each for each in questions if each.question_id == judged.question_id]
        for pieces, first, second in zip(by_order, ("Answer A", "Answer B"), ("Answer B", "Answer A"), strict=True):
            texts = {piece.heading: [line.text for line in piece.lines] for piece in pieces}
            assert texts["Prompt"] == [question.question]
            assert texts[first] == [ANSWER.format(judged.question_id)]
            assert texts[second] == [question.gold]
            assert texts["What is known of the user"][0]


@pytest.mark.parametrize(("visibility", "redistributable"), [("private", True), ("public", False)])
def test_a_data_set_whose_licence_does_not_allow_it_is_not_shown(visibility, redistributable) -> None:
    terms = Terms(
        visibility=visibility,
        season="2026",
        licence=None,
        redistributable=redistributable,
        personal_data="synthetic",
    )
    with pytest.raises(RapportError, match="may not be shown"):
        check_terms("org/set", terms)


def test_hicupid_itself_is_never_opened_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leaderboard.pages.label_pools.open_hicupid", None)
    pools = SitePools(Settings(data_set=HUB_DATA_SET), LocalStore(tmp_path)).get()
    assert PAIRS not in pools.by_task
    assert pools.problems == ()


def test_the_demo_set_may_be_shown() -> None:
    assert open_hicupid("demo").terms.redistributable


def save(labelling: Labelling, redis: Redis, archive: LocalStore, results: LocalStore) -> None:
    """Does what publisher and release do."""
    for person in Desk(redis).people():
        archive.commit(list(journal.files_of(Desk(redis).events(person))), "labels")
        pending = PendingFiles(results)
        PeopleDerivation(archive).bring(person, pending)
        results.commit(pending.operations, "labels")


def verdicts(results: LocalStore, run_id: str) -> list[OpenVerdict]:
    path = layout.verdicts_path(layout.HUMAN_RATERS, MODEL, run_id)
    held = path in results.list(layout.VERDICTS)
    return decode_parquet(results.read(path), OpenVerdict, path) if held else []


def test_peoples_verdicts_stand_among_the_others_and_change_no_score(
    labelling: Labelling, redis: Redis, store: LocalStore, results: LocalStore, tmp_path: Path
) -> None:
    judge(labelling, ALICE, prefers_answer=True)
    judge(labelling, BOB, prefers_answer=None)
    before = results.read_all([path for path in results.list() if not path.startswith("annotators")])
    save(labelling, redis, store, results)
    run_id = make_scorecard(MODEL).run_id
    rows = verdicts(results, run_id)
    assert len(rows) == 12
    assert {(row.rater, row.outcome) for row in rows} == {(ALICE, Outcome.WIN), (BOB, Outcome.TIE)}
    assert {(row.rater_kind, row.counts, row.completion, row.model) for row in rows} == {("human", False, None, MODEL)}
    assert {row.slot_order for row in rows} == {SlotOrder.ANSWER_FIRST, SlotOrder.GOLD_FIRST}
    assert all(row.rater_revision.startswith("pairs-v1@") for row in rows)
    assert len({row.verdict_key for row in rows}) == 12
    now = results.read_all(list(before))
    assert now == before, "nothing else is another one"
    assert runs_in(tmp_path / "results", "*/*") == [], "no scorecard is worked out from what people said"


def test_withdrawn_verdicts_are_gone(
    labelling: Labelling, redis: Redis, store: LocalStore, results: LocalStore
) -> None:
    judge(labelling, ALICE, prefers_answer=False)
    judge(labelling, BOB, prefers_answer=False)
    run_id = make_scorecard(MODEL).run_id
    save(labelling, redis, store, results)
    assert {row.outcome for row in verdicts(results, run_id)} == {Outcome.LOSS}
    labelling.withdraw(ALICE)
    save(labelling, redis, store, results)
    assert {row.rater for row in verdicts(results, run_id)} == {BOB}
    labelling.withdraw(BOB)
    save(labelling, redis, store, results)
    assert verdicts(results, run_id) == []


def test_of_a_run_that_is_public_no_more_there_are_no_verdicts(
    labelling: Labelling, redis: Redis, store: LocalStore, results: LocalStore
) -> None:
    judge(labelling, ALICE, prefers_answer=False)
    results.commit([Delete(layout.scorecards_path(MODEL))], "withdrawn")
    save(labelling, redis, store, results)
    assert verdicts(results, make_scorecard(MODEL).run_id) == []
