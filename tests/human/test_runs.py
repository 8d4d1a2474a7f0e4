"""Runs of the tasks that people have labelled: what is asked, what is asked again, and what it comes to."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from evaluator.engines.base import Request
from evaluator.human.data import HumanData
from evaluator.human.items import HumanItem
from evaluator.human.records import RaterKind
from evaluator.human.tasks import Order, Task
from tests.human.runs import make_human_setup, result_of, run
from tests.human.sets import honest, without_roster, write_raw

WORDS = {Task.VERIFICATION: "accepted", Task.RELEVANCE: "YES", Task.RATING: "3"}


@pytest.mark.parametrize(("task", "asked"), [(Task.VERIFICATION, 52), (Task.RELEVANCE, 128), (Task.RATING, 20)])
def test_everything_that_is_labelled_is_asked_once_group_by_group(task, asked):
    done = run(make_human_setup(task), lambda _: WORDS[task])
    assert len(done.items) == len(done.rows) == done.result.answered == asked
    groups = [request.group for request in done.engine.asked]
    assert len({*groups}) == sum(one != other for one, other in zip(groups, ["", *groups], strict=False))
    assert (done.result.kind, done.result.retried, done.result.invalid) == (RaterKind.SIMULATED, 0, ())
    assert done.result.labels == sum(len(item.labels) for item in done.items)


def test_always_yes_is_its_own_baseline_and_has_no_agreement_beyond_chance():
    result = run(make_human_setup(Task.RELEVANCE), lambda _: "YES").result
    assert result.figure("f1_majority").value == result.figure("f1_majority.always_yes").value
    assert result.figure("f1").value == result.figure("f1.always_yes").value
    assert result.figure("kappa").value == 0
    assert result.figure("selection_ratio").value > 2


@pytest.mark.parametrize("task", [Task.VERIFICATION, Task.RELEVANCE])
def test_who_says_what_most_people_say_reaches_all_there_is(task):
    setup = make_human_setup(task)
    majority = {item.question_id: of_most(item) for item in run(setup, lambda _: WORDS[task]).items}
    words = {Task.VERIFICATION: {0.0: "accepted", 1.0: "rejected"}, Task.RELEVANCE: {0.0: "NO", 1.0: "YES"}}[task]
    by_key = keys_of(setup)
    result = run(setup, lambda request: words[majority[by_key[request.key]]]).result
    assert result.figure("f1_majority").value == 1
    assert result.figure("kappa").value > result.figure("kappa.one_more_human").value


def of_most(item: HumanItem) -> float:
    """What most annotators said; a tie is taken for a no."""
    return float(sum(label.number for label in item.labels) * 2 > len(item.labels))


def keys_of(setup) -> dict[str, str]:
    """The item behind each first request."""
    return {row.input_key: row.key.question_id for row in run(setup, lambda _: WORDS[setup.protocol.task]).rows}


def test_a_rating_is_turned_back_to_the_order_in_which_the_answers_stood():
    done = run(make_human_setup(Task.RATING), lambda _: "5")
    assert {item.order for item in done.items} == {*Order}, "both orders occur"
    told = {item.question_id: 5 if item.order is Order.GENERIC_FIRST else 1 for item in done.items}
    people = [(item, label.number) for item in done.items for label in item.labels]
    off = sum(abs(told[item.question_id] - given) for item, given in people) / len(people)
    assert done.result.figure("mean_absolute_error").value == pytest.approx(off, abs=0.3), "others' means, not labels"


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("The attribute matters here.", "prose"),
        ("YES and NO", "several_words"),
        ("", "empty"),
        ('{"relevant": true', "prose"),
        ("YES " * 200, "prose"),
    ],
)
def test_an_answer_that_cannot_be_read_is_asked_once_more_and_counts_as_nothing(bad, reason):
    setup = make_human_setup(Task.RELEVANCE)
    first_ones = keys_of(setup)
    bad_ones = {name for name, item in first_ones.items() if item.endswith(("1", "2"))}

    def is_bad(request: Request) -> bool:
        """Whether it is one of some first requests, or any second one."""
        return request.key in bad_ones or request.key not in first_ones

    done = run(setup, lambda request: bad if is_bad(request) else "NO")
    assert dict(done.result.invalid) == {reason: len(bad_ones)}
    assert done.result.retried == len(bad_ones)
    assert done.result.answered == 128 - len(bad_ones)
    first, again = done.engine.calls
    assert (first.sampling.temperature, again.sampling.temperature) == (0.0, 0.3)
    assert first.sampling.seed != again.sampling.seed
    assert done.result.figure("f1_majority").labels <= done.result.answered, "never scored"


@pytest.mark.parametrize(
    ("task", "bad", "reason", "figure"),
    [
        (Task.RATING, "0", "out_of_range", "spearman_mean"),
        (Task.RATING, "6", "out_of_range", "mean_absolute_error"),
        (Task.RATING, '{"rating": 4', "prose", "bias"),
        (Task.VERIFICATION, "It makes sense.", "prose", "f1_majority"),
        (Task.VERIFICATION, "uncertain or rejected", "several_words", "kappa"),
        (Task.RELEVANCE, "", "empty", "selection_ratio"),
    ],
)
def test_where_nothing_can_be_read_nothing_is_made_up_of_it(task, bad, reason, figure):
    done = run(make_human_setup(task), lambda _: bad)
    items = len(done.items)
    assert (dict(done.result.invalid), done.result.retried, len(done.rows)) == ({reason: items}, items, 2 * items)
    assert (done.result.answered, done.result.figure("answered").value) == (0, 0)
    assert done.result.figure(figure).value is None
    assert done.result.figure("alpha").value is not None, "people stand as they are"


def test_the_second_answer_counts_where_it_can_be_read():
    setup = make_human_setup(Task.RELEVANCE)
    firsts = keys_of(setup)
    done = run(setup, lambda request: "Maybe." if request.key in firsts else "NO")
    assert (done.result.answered, done.result.retried, done.result.invalid) == (128, 128, ())
    assert Counter(row.key.sample_index for row in done.rows) == {0: 128, 1: 128}
    plain = run(setup, lambda _: "NO").result
    assert done.result.figures == plain.figures


def test_what_is_too_long_is_a_failure_and_not_asked_again():
    setup = make_human_setup(Task.VERIFICATION)
    done = run(setup, lambda request: None if len(request.messages[-1].content) > 900 else "accepted")
    assert dict(done.result.failures) == {"context_overflow": 52 - done.result.answered}
    assert 0 < done.result.answered < 52
    assert done.result.retried == 0


@pytest.mark.parametrize("kept", [0, 1, 70, 255])
def test_a_run_that_was_cut_off_goes_on_where_it_stopped(kept):
    setup = make_human_setup(Task.RELEVANCE)
    firsts = keys_of(setup)

    def say(request: Request) -> str:
        return "Maybe." if request.key in firsts else "NO"

    whole = run(setup, say)
    cut = run(setup, say, whole.rows[:kept])
    assert len(cut.engine.asked) == 256 - kept, "nothing twice"
    assert cut.result == whole.result


def test_the_order_of_rows_says_nothing_and_clashes_are_counted():
    setup = make_human_setup(Task.RELEVANCE)
    done, other = (run(setup, lambda _, word=word: word) for word in ("NO", "YES"))
    shuffled = random.Random(1).sample(done.rows, k=len(done.rows))
    assert result_of(setup, done.items, shuffled) == done.result
    both = [*done.rows, *other.rows[:5]]
    results = [result_of(setup, done.items, rows) for rows in (both, both[::-1])]
    assert results[0] == results[1]
    assert results[0].clashes == 5


def test_a_model_that_thinks_is_not_forced_and_has_room_for_its_thought():
    plain, thinking = (
        run(make_human_setup(Task.RELEVANCE, thinking=thinks), lambda _: "NO").engine.calls[0].sampling
        for thinks in (False, True)
    )
    assert (plain.pattern, plain.thought_tokens) == ("(YES|NO)", 0)
    assert (thinking.pattern, thinking.thought_tokens) == (None, 2048)


def test_an_attribute_without_evidence_is_invalid_and_never_asked(tmp_path: Path):
    raw = honest()
    raw["attributes"][0]["evidence"] = []
    done = run(make_human_setup(Task.VERIFICATION, opened(tmp_path, raw)), lambda _: "accepted")
    assert dict(done.result.invalid) == {"no_evidence": 1}
    assert len(done.rows) == len(done.items) - 1 == done.result.answered


def test_new_labels_make_no_new_questions(tmp_path: Path):
    raw = honest()
    before = opened(tmp_path / "before", raw)
    raw["relevance_labels"][0]["relevant"] ^= True
    after = opened(tmp_path / "after", raw)
    assert before.sha != after.sha
    known = run(make_human_setup(Task.RELEVANCE, before), lambda _: "YES")
    assert run(make_human_setup(Task.RELEVANCE, after), lambda _: "YES", known.rows).engine.asked == []
    raw["prompts"][0]["text"] += " For two."
    changed = make_human_setup(Task.RELEVANCE, opened(tmp_path / "changed", raw))
    assert len(run(changed, lambda _: "YES", known.rows).engine.asked) == len(known.rows)


def test_a_consensus_has_no_ceiling_and_no_other_human(tmp_path: Path):
    raw = without_roster()
    of_all = [row for row in raw["relevance_labels"] if row["annotator_id"] == "ann-1"]
    raw["relevance_labels"] = [row | {"kind": "consensus"} for row in of_all]
    result = run(make_human_setup(Task.RELEVANCE, opened(tmp_path, raw)), lambda _: "YES").result
    assert (result.kind, result.annotators) == (RaterKind.CONSENSUS, 1)
    assert result.figure("f1_majority").value == 1
    for name in ("kappa.one_more_human", "kappa.noise_ceiling", "alpha"):
        assert result.figure(name).value is None


def test_peoples_own_labels_count_before_a_consensus(tmp_path: Path):
    raw = without_roster()
    own = len(raw["relevance_labels"])
    of_all = [row for row in raw["relevance_labels"] if row["annotator_id"] == "ann-1"]
    raw["relevance_labels"] += [row | {"kind": "consensus", "annotator_id": "all"} for row in of_all]
    result = run(make_human_setup(Task.RELEVANCE, opened(tmp_path, raw)), lambda _: "YES").result
    assert (result.kind, result.labels) == (RaterKind.PERSON, own)


def opened(folder: Path, raw) -> HumanData:
    write_raw(folder, raw)
    return HumanData.open(str(folder))
