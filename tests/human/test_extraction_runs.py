"""A model that lists attributes: what is merged, found and verified is known before, and broken lists are counted."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest

from evaluator.encoders import words
from evaluator.encoders.words import WordsEncoder
from evaluator.engines.base import Request
from evaluator.errors import Cause, RapportError
from evaluator.human.data import HumanData
from evaluator.human.figures import FIGURES, GAP
from evaluator.human.items import Part
from evaluator.human.judged.asking import is_owed, judge_written
from evaluator.human.judged.extracted import Near, users_in
from evaluator.human.outcomes import what_was_said
from evaluator.human.records import Attribute, Conversation
from evaluator.human.setup import items
from evaluator.human.stages.reading import Invalid
from evaluator.human.tasks import JudgedTask
from evaluator.protocol import human_protocol
from evaluator.records import Outcome, Verdict
from leaderboard.human_scorecards import make_human_scorecard
from leaderboard.records import Lane
from leaderboard.release.attempts import which_stand
from leaderboard.results import HumanScorecard
from leaderboard.scorecards import RunRows
from tests.builders import NOON, make_report, make_submission
from tests.human.written import Written, demo_data, make_setup, run_written, says
from tests.scripted import INFO, ScriptedEngine
from worker.planning import make_plan

ACCEPTED = {
    attribute_id
    for attribute_id, labels in demo_data().attribute_labels.items()
    if 2 * sum(row.label == "accepted" for row in labels) > len(labels)
}
"""What most annotators accept."""


def is_shown(conversation: Conversation, text: str) -> bool:
    """Says whether a text shows all turns of a conversation."""
    return all(turn.text in text for turn in conversation.turns)


def of_conversation(text: str) -> list[Attribute]:
    """The data set's attributes whose first evidence is the conversation that a prompt shows; two are the same."""
    shown = {row.conversation_id for row in demo_data().tables.conversations if is_shown(row, text)}
    return [row for row in demo_data().tables.attributes if row.evidence and row.evidence[0].conversation_id in shown]


def listed(texts: Iterable[str], confidence: float = 0.9) -> str:
    return json.dumps({"attributes": [{"text": text, "confidence": confidence} for text in texts]})


def knows_all(request: Request) -> str:
    """A model that finds exactly what stands in the data set."""
    return listed(row.text for row in of_conversation(says(request)))


def as_people(request: Request) -> str:
    """A verifier that says what most people say of an attribute, and takes every other one for wrong."""
    text, conversations = says(request), demo_data().conversations
    same = [row for row in demo_data().tables.attributes if f"| {row.text}\n" in text]
    mine = [row for row in same if all(is_shown(conversations[each.conversation_id], text) for each in row.evidence)]
    return "accepted" if any(row.attribute_id in ACCEPTED for row in mine) else "rejected"


def run_of(writes=knows_all, judges=as_people, known: Iterable[Verdict] = ()) -> Written:
    return run_written(make_setup("extraction"), writes, judges, list(known), WordsEncoder())


def found_near(run: Written) -> list[Verdict]:
    return [row for row in run.verdicts if row.rater_kind == "rule"]


def of_judge(run: Written) -> list[Verdict]:
    return [row for row in run.verdicts if row.rater_kind == "model"]


@pytest.fixture(scope="module")
def run() -> Written:
    return run_of()


def test_every_conversation_is_asked_and_every_labelled_attribute_is_given(run):
    data = demo_data()
    assert {item.question_id for item in run.of(Part.CONVERSATION)} == set(data.conversations)
    assert {item.attributes[0] for item in run.of(Part.GIVEN)} == set(data.attribute_labels)
    assert {row.key.question_id for row in run.generations} == set(data.conversations)


def test_who_finds_all_has_found_all_that_people_accepted(run):
    recall = run.figure("recall")
    assert (recall.value, recall.users, run.value("answered")) == (1, 6, 1)
    merged = {row.key.question_id for row in found_near(run) if row.outcome is Outcome.MERGED}
    counted = [item for item in run.of(Part.GIVEN) if item.attributes[0] in ACCEPTED and item.question_id not in merged]
    assert recall.labels == len([item for item in counted if item.evidence])


def test_each_attribute_is_extracted_once_and_its_near_duplicates_name_it(run):
    near = {row.key.question_id: Near.model_validate_json(row.completion) for row in found_near(run)}
    for name, each in near.items():
        assert (each.into is None) == bool(each.stands_for)
        assert name in (each.stands_for or near[str(each.into)].stands_for)
        assert each.found is None or near[each.found].found == name
    stand = [name for name, each in near.items() if each.stands_for and not name.startswith("given/")]
    assert run.value("attributes_per_user") == pytest.approx(len(stand) / 6, abs=1e-6)


def test_a_near_duplicate_of_another_conversation_is_merged_and_brings_its_evidence():
    run = run_of(lambda _: listed(["The user repairs antique typewriters."]))
    assert run.value("attributes_per_user") == 1
    assert run.value("recall") == 0
    told = [Near.model_validate_json(row.completion) for row in found_near(run)]
    assert max(len(each.stands_for) for each in told) == max(map(len, demo_data().conversations_of.values()))
    asked = [says(request) for request in run.judge.asked if "antique typewriters" in says(request)]
    assert len(asked) == 6, "one a user"
    for text in asked:
        assert any(all(is_shown(row, text) for row in own) for own in demo_data().conversations_of.values())


def test_the_share_that_the_verifier_accepts_is_that_of_its_rule_and_its_agreement_stands_beside(run):
    judging = run.result.judging
    written = [row for row in of_judge(run) if not row.key.question_id.startswith("given/")]
    share = sum(row.outcome is Outcome.ACCEPTED for row in written) / len(written)
    assert 0 < share < 1
    assert run.value("accepted") == pytest.approx(share, abs=1e-6)
    assert (judging.items, judging.judged, judging.missing) == (len(written), len(written), 0)
    assert judging.encoder == f"{words.NAME}@{words.REVISION}"
    figures = {figure.name: figure.value for figure in judging.figures}
    assert 0.9 < figures["f1_majority"] <= 1, "two users share a conversation, of which annotators say different things"
    assert figures["answered"] == 1
    assert {"kappa", "kappa.one_more_human", "single_kappa.noise_ceiling", "alpha"} <= figures.keys()


def test_a_verifier_that_accepts_everything_shows_by_its_agreement_with_people():
    run = run_of(judges=lambda _: "accepted")
    assert run.value("accepted") == 1
    figures = {figure.name: figure.value for figure in run.result.judging.figures}
    assert (figures["f1_majority"], figures["kappa"], figures["selection_ratio"]) == (0, 0, 0)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("The user keeps bees.", Invalid.PROSE),
        ('{"attributes": [', Invalid.BROKEN_JSON),
        (listed(f"The user has {number} hives." for number in range(500)), Invalid.TOO_MANY),
        (listed(["The user keeps bees."] * 100), Invalid.COPIES),
        ("", Invalid.EMPTY),
    ],
    ids=["prose", "missing brace", "500 attributes", "a hundred copies", "nothing"],
)
def test_a_broken_list_is_asked_for_once_more_and_never_scored(said, reason):
    run = run_of(lambda _: said)
    result = run.result
    assert dict(result.invalid) == {reason: result.items}
    assert (result.retried, len(run.generations)) == (result.items, 2 * result.items)
    assert [run.value(name) for name in ("recall", "accepted", "attributes_per_user")] == [None] * 3
    assert run.value("answered") == 0
    assert result.judging.figures, "the verifier stands beside people all the same"


EMPTY_LIST = '{"attributes": []}'
SHOWING = {
    evidence.conversation_id
    for row in demo_data().tables.attributes
    if row.attribute_id in ACCEPTED
    for evidence in row.evidence
}
"""The conversations of which people accepted an attribute."""


def shown_in(request: Request) -> set[str]:
    """The conversations that a prompt shows; two users have one in common, word by word."""
    return {row.conversation_id for row in demo_data().tables.conversations if is_shown(row, says(request))}


def test_an_empty_list_is_invalid_where_people_accepted_something_and_right_where_they_did_not():
    run = run_of(lambda _: EMPTY_LIST)
    conversations = {row.conversation_id for row in demo_data().tables.conversations}
    assert {item.question_id for item in run.of(Part.CONVERSATION) if item.attributes} == SHOWING < conversations
    assert dict(run.result.invalid) == {"empty_list": len(SHOWING)}
    assert (run.result.answered, run.result.retried) == (len(conversations - SHOWING), len(SHOWING))
    assert {row.key.question_id for row in run.generations if row.key.sample_index == 1} == SHOWING, "once each"
    assert len(run.generations) == len(conversations) + len(SHOWING)
    assert [run.value(name) for name in ("recall", "accepted")] == [None, None], "neither agreement nor disagreement"
    assert run.value("answered") == pytest.approx(len(conversations - SHOWING) / len(conversations), abs=1e-6)


def test_a_list_of_doubtful_entries_alone_is_an_answer_that_found_nothing():
    run = run_of(lambda _: listed(["The user sails."], confidence=0.1))
    assert (run.value("recall"), run.result.invalid, run.result.retried) == (0, (), 0)


def test_after_an_empty_list_the_second_one_counts(run):
    firsts = {row.input_key for row in run.generations}
    again = run_of(lambda request: EMPTY_LIST if request.key in firsts else knows_all(request))
    assert (again.result.retried, again.result.invalid) == (len(SHOWING), ())
    assert [again.figure(name) for name in ("recall", "answered")] == [run.figure("recall"), run.figure("answered")]


def test_without_labels_an_empty_list_is_never_invalid():
    tables = demo_data().tables._replace(attribute_labels=())
    unlabelled = HumanData(demo_data().source, demo_data().sha, demo_data().about, tables)
    run = run_written(make_setup("extraction", unlabelled), lambda _: EMPTY_LIST, as_people, (), WordsEncoder())
    assert (run.result.invalid, run.result.retried, run.value("answered")) == ((), 0, 1)


def test_who_lists_nothing_where_it_does_not_know_gains_no_place_beside_others():
    lost = min(SHOWING)

    def of_lost(request: Request, said: str) -> str:
        return said if lost in shown_in(request) else knows_all(request)

    silent, wrong = (run_of(lambda request, said=said: of_lost(request, said)) for said in (EMPTY_LIST, guess()))
    assert wrong.value("recall") < silent.value("recall") == 1, "what is invalid is left out of the recall"
    assert ["incomplete" in card_of(each).unranked_because for each in (silent, wrong)] == [True, False]


def guess() -> str:
    return listed(["The user commands a submarine."])


def card_of(run: Written) -> HumanScorecard:
    submission = make_submission(1, protocols=(run.setup.protocol.id,))
    plan = make_plan(submission.run_ids()[0], run.setup)
    rows = RunRows(run.generations, run.verdicts, [make_report(lane, engine=INFO.engine) for lane in Lane])
    return make_human_scorecard(submission, plan, rows, run.setup.protocol, (), NOON)


def test_of_two_empty_lists_the_second_one_is_marked_as_counting():
    run = run_of(lambda _: EMPTY_LIST)
    counts = which_stand(run.items, run.generations)
    chosen = {
        row.key.question_id: row.key.sample_index for row, does in zip(run.generations, counts, strict=True) if does
    }
    assert {name for name, attempt in chosen.items() if attempt == 1} == SHOWING
    assert sum(counts) == run.result.items, "one answer an item"


def test_an_attribute_without_evidence_is_counted_as_invalid_and_no_verifier_reads_it():
    first, *others = demo_data().tables.attributes
    tables = demo_data().tables._replace(attributes=(first.model_copy(update={"evidence": ()}), *others))
    data = HumanData(demo_data().source, demo_data().sha, demo_data().about, tables)
    run = run_written(make_setup("extraction", data), knows_all, as_people, (), WordsEncoder())
    assert dict(run.result.invalid) == {"no_evidence": 1}
    assert f"given/{first.attribute_id}" not in {row.key.question_id for row in of_judge(run)}


def test_what_stands_only_in_a_conversation_that_came_to_nothing_is_left_out_of_the_recall(run):
    lost = next(item.evidence[0] for item in run.of(Part.GIVEN) if item.attributes[0] in ACCEPTED and item.evidence)
    conversation = demo_data().conversations[lost]
    without = run_of(lambda request: "No." if is_shown(conversation, says(request)) else knows_all(request))
    assert dict(without.result.invalid) == {Invalid.PROSE: 1}
    assert without.value("recall") == 1
    assert without.figure("recall").labels < run.figure("recall").labels


def test_doubtful_doubled_and_malformed_entries_are_counted():
    odd = '{"attributes": [{"text": "The user sails.", "confidence": 0.3}, "bees", %s, %s]}'
    entry = '{"text": "The user repairs antique typewriters.", "confidence": 0.8}'
    run = run_of(lambda _: odd % (entry, entry))
    lists = len(demo_data().conversations)
    assert dict(run.result.judging.dropped) == {"doubtful": lists, "duplicates": lists, "malformed": lists}


def test_what_the_verifier_does_not_say_is_missing():
    run = run_of(judges=lambda _: "It may well be accepted.")
    judging = run.result.judging
    assert dict(judging.missing_because) == {"unparsed": judging.items}
    assert (judging.judged, run.value("accepted"), run.value("recall")) == (0, None, 1)


def test_what_was_not_compared_is_missing_and_owed(run):
    without = run._replace(verdicts=of_judge(run))
    owed = (JudgedTask.EXTRACTION, run.items, run.generations)
    claims = users_in(run.items, what_was_said(run.items, run.generations).sound)
    assert dict(without.result.judging.missing_because) == {"not_compared": sum(len(user.claims) for user in claims)}
    assert (without.value("recall"), without.result.judging.encoder) == (None, None)
    assert is_owed(*owed, without.verdicts)
    assert is_owed(*owed, found_near(run))
    assert not is_owed(*owed, run.verdicts)


def test_what_is_there_is_neither_compared_nor_verified_again(run):
    engine = ScriptedEngine(as_people)
    assert list(judge_written(run.setup, run.items, run.generations, engine, run.verdicts, WordsEncoder())) == []


def test_the_order_of_rows_changes_nothing(run):
    shuffled = run._replace(generations=run.generations[::-1], verdicts=run.verdicts[::-1])
    assert shuffled.result.model_dump_json() == run.result.model_dump_json()


def test_a_limit_takes_whole_users():
    few = list(items(make_setup("extraction", limit=2)))
    assert len({item.person for item in few}) == 2
    for person in {item.person for item in few}:
        asked = {item.question_id for item in few if item.person == person and item.part is Part.CONVERSATION}
        assert asked == {row.conversation_id for row in demo_data().conversations_of[person]}


def test_the_encoder_decides_nothing_of_an_answer():
    protocol = human_protocol("human-extraction-v1")
    other = protocol.extraction.model_copy(update={"encoder": "org/other", "revision": "a" * 40})
    assert protocol.model_copy(update={"extraction": other}).conditions() == protocol.conditions()
    longer = protocol.extraction.model_copy(update={"longest": 301})
    assert protocol.model_copy(update={"extraction": longer}).conditions() != protocol.conditions()


def test_a_judge_of_another_kind_is_refused(tmp_path):
    from evaluator.judges.spec import load_judge
    from leaderboard.settings import Settings
    from worker.planning import Candidate, Conditions
    from worker.planning import make_setup as prepare

    conditions = Conditions(human_protocol("human-extraction-demo-v1"), load_judge("demo-rating"), "human-v1", "demo")
    with pytest.raises(RapportError, match=r"is judged by a judge of kind verifier, not by demo-rating") as caught:
        prepare(Candidate(make_setup("extraction").model, None, False), conditions, Settings(models=tmp_path))
    assert caught.value.cause is Cause.DATA_ERROR


def test_the_figures_of_extraction_are_those_that_are_listed(run):
    names = {f"extraction.{figure.name}" for figure in run.result.figures}
    assert names == {name for name in FIGURES if name.startswith("extraction.") and not name.endswith(f".{GAP}")}
    assert {f"verification.{figure.name}" for figure in run.result.judging.figures} <= set(FIGURES)
