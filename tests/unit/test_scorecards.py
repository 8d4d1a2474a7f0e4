"""A scorecard: what a run came to, why it does or does not rank, and where the time went."""

import datetime

import pytest

from evaluator.hicupid.user_scores import UserScore
from evaluator.judges.spec import load_judge
from evaluator.metrics.intervals import UserSums
from evaluator.protocol import load_protocol
from evaluator.records import Defect
from leaderboard.records import State, Transition
from leaderboard.scorecards import RunRows, UserScores, make_scorecard, make_user_scores
from tests.builders import NOON, TIE, answered, make_item, make_plan, make_report, make_submission, rows_of

SUBMISSION = make_submission()
PLAN = make_plan(SUBMISSION.run_ids()[0])
GENERATIONS = [row for shard in PLAN.shards for row in rows_of(PLAN, shard).generations]
VERDICTS = [row for shard in PLAN.shards for row in rows_of(PLAN, shard).verdicts]
ROWS = RunRows(GENERATIONS, VERDICTS, [make_report()])
PROTOCOL = load_protocol("demo-v1").model_copy(update={"official": True})
JUDGE = load_judge("demo").model_copy(update={"status": "official"})
OFFICIAL_PLAN = PLAN.model_copy(update={"prompt_pack_status": "official"})


def scorecard(plan=OFFICIAL_PLAN, rows=ROWS, protocol=PROTOCOL, judge=JUDGE, transitions=(), submission=SUBMISSION):
    return make_scorecard(submission, plan, rows, protocol, judge, transitions, NOON)


def test_a_complete_official_result_ranks():
    card = scorecard()
    assert card.unranked_because == ()
    assert (card.result.total.value, card.result.missing) == (50, 0)
    assert card.id == "s-20260301-00000001.demo-v1@demo"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"judge": load_judge("demo")}, "demo judge"),
        ({"plan": PLAN}, "built-in prompts"),
        ({"protocol": load_protocol("demo-v1")}, "protocol demo-v1"),
        ({"rows": ROWS._replace(verdicts=VERDICTS[1:])}, "incomplete"),
        ({"rows": ROWS._replace(verdicts=())}, "incomplete"),
        ({"plan": OFFICIAL_PLAN.model_copy(update={"items": ()})}, "incomplete"),
        ({"plan": PLAN.model_copy(update={"prompt_pack_status": "imported"})}, "imported prompts"),
        ({"rows": ROWS._replace(reports=[make_report(), make_report(engine="transformers")])}, "mixed engines"),
        ({"submission": SUBMISSION.model_copy(update={"model": "reference/gold"})}, "reference"),
    ],
)
def test_whatever_is_not_official_or_not_complete_is_kept_out_of_the_ranking_and_says_why(changes, reason):
    assert reason in scorecard(**changes).unranked_because


def test_the_demo_is_kept_out_for_three_reasons():
    card = scorecard(plan=PLAN, protocol=load_protocol("demo-v1"), judge=load_judge("demo"))
    assert card.unranked_because == ("demo judge", "built-in prompts", "protocol demo-v1")


@pytest.mark.parametrize(("unread", "complete"), [(2, True), (3, False)])
def test_a_result_is_complete_while_98_percent_of_its_items_are_judged_in_full(unread, complete):
    plan = make_plan(PLAN.run_id, users=range(50), items=[make_item(f"test_1/{number}") for number in range(100)])
    entries = [answered(item, TIE, None if number < unread else TIE) for number, item in enumerate(plan.items)]
    rows = RunRows(
        [row for entry in entries for row in entry.generations],
        [row for entry in entries for row in entry.verdicts],
        [make_report()],
    )
    card = scorecard(plan.model_copy(update={"prompt_pack_status": "official"}), rows)
    assert (card.result.judged, card.result.missing) == (100 - unread, unread)
    assert ("incomplete" not in card.unranked_because) == complete


def test_an_answer_with_a_defect_makes_no_result_incomplete():
    defect = [row.model_copy(update={"defect": Defect.EMPTY}) for row in GENERATIONS]
    card = scorecard(rows=ROWS._replace(generations=defect, verdicts=()))
    assert card.unranked_because == ()
    assert card.result.total.value == 0


def test_the_users_sums_are_of_the_rows_of_their_scorecard():
    card = scorecard()
    sums = make_user_scores(card, OFFICIAL_PLAN, ROWS)
    assert (sums.scorecard_id, sums.rows_sha, sums.terms) == (card.id, card.rows_sha, card.terms)
    assert sums.users == tuple(
        UserScore("test_1", user, UserSums(50, 1), UserSums(50, 1), UserSums(100, 1)) for user in (1, 2)
    )
    assert UserScores.model_validate_json(sums.model_dump_json()) == sums


def test_a_scorecard_names_the_adapter_on_top_of_its_model():
    adapted = SUBMISSION.model_copy(update={"adapter": "org/adapter", "adapter_revision": "b" * 40})
    card = scorecard(submission=adapted)
    assert (card.adapter, card.adapter_revision) == ("org/adapter", "b" * 40)


def test_the_name_of_the_rows_does_not_depend_on_their_order():
    turned = RunRows(GENERATIONS[::-1], VERDICTS[::-1], ROWS.reports)
    assert scorecard(rows=turned).rows_sha == scorecard().rows_sha


@pytest.mark.parametrize(
    "rows",
    [
        ROWS._replace(verdicts=VERDICTS[1:]),
        ROWS._replace(generations=GENERATIONS[1:]),
        ROWS._replace(generations=[GENERATIONS[0].model_copy(update={"defect": Defect.EMPTY}), *GENERATIONS[1:]]),
    ],
    ids=["a verdict less", "an answer less", "a defect more"],
)
def test_the_name_of_the_rows_changes_with_any_of_them(rows):
    assert scorecard(rows=rows).rows_sha != scorecard().rows_sha


def test_the_same_rows_give_the_same_scorecard():
    assert scorecard().model_dump_json() == scorecard().model_dump_json()


def test_work_is_added_up_over_shards_and_memory_is_the_highest_of_any():
    reports = [
        make_report(stage_seconds=(("generate", 2.5), ("load", 1.0)), peak_rss_mb=100),
        make_report(stage_seconds=(("generate", 4.0), ("judge", 0.5)), peak_rss_mb=300),
    ]
    card = scorecard(rows=ROWS._replace(reports=reports))
    assert card.stage_seconds == (("generate", 6.5), ("judge", 0.5), ("load", 1.0), ("wait", 0.0))
    assert card.peak_rss_mb == 300


def test_waiting_is_the_time_in_the_queue_all_times_together():
    minutes = [
        (0, State.CHECKING),
        (1, State.QUEUED),
        (4, State.GENERATING),
        (10, State.FAILED),
        (20, State.QUEUED),
        (25, State.GENERATING),
    ]
    steps = [
        Transition(
            run_id=PLAN.run_id,
            sequence=number,
            before=None,
            after=state,
            at=NOON + datetime.timedelta(minutes=minute),
            actor="someone",
            failure=None,
        )
        for number, (minute, state) in enumerate(minutes, start=1)
    ]
    assert dict(scorecard(transitions=reversed(steps)).stage_seconds)["wait"] == 8 * 60
