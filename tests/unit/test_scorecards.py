"""A scorecard: what a run came to, why it does or does not rank, and where the time went."""

import datetime

import pytest

from evaluator.hicupid.user_scores import UserScore
from evaluator.judges.spec import load_judge
from evaluator.metrics.intervals import UserSums
from evaluator.protocol import load_protocol
from evaluator.records import Defect
from leaderboard.records import Lane, State, Transition
from leaderboard.scorecards import RunRows, UserScores, make_scorecard, make_user_scores
from tests.builders import (
    LOSS,
    NOON,
    TIE,
    WIN,
    answered,
    make_generation,
    make_input_key,
    make_item,
    make_plan,
    make_report,
    make_reports,
    make_submission,
    make_verdict,
    rows_of,
)

OFFICIAL = load_protocol("official-v1")
SUBMISSION = make_submission(protocols=("official-v1",))
PLAN = make_plan(SUBMISSION.run_ids()[0], data_source=OFFICIAL.data_set)
GENERATIONS = [row for shard in PLAN.shards for row in rows_of(PLAN, shard).generations]
VERDICTS = [row for shard in PLAN.shards for row in rows_of(PLAN, shard).verdicts]
ROWS = RunRows(GENERATIONS, VERDICTS, make_reports())
PROTOCOL = OFFICIAL.model_copy(update={"items": len(PLAN.items)})
JUDGE = load_judge(OFFICIAL.judge)
OFFICIAL_PLAN = PLAN.model_copy(update={"prompt_pack_status": "official"})


def scorecard(plan=OFFICIAL_PLAN, rows=ROWS, protocol=PROTOCOL, judge=JUDGE, transitions=(), submission=SUBMISSION):
    return make_scorecard(submission, plan, rows, protocol, judge, transitions, NOON)


def test_a_complete_official_result_ranks():
    card = scorecard()
    assert card.unranked_because == ()
    assert (card.result.total.value, card.result.missing) == (50, 0)
    assert card.id == "s-20260301-00000001.official-v1@hicupid-llama-3.2-3b"


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
        ({"plan": OFFICIAL_PLAN.model_copy(update={"data_source": "org/copy"})}, "other data"),
        ({"protocol": OFFICIAL}, "6 of 10,000 items"),
        ({"submission": SUBMISSION.model_copy(update={"model": "reference/gold"})}, "reference"),
    ],
)
def test_whatever_is_not_official_or_not_complete_is_kept_out_of_the_ranking_and_says_why(changes, reason):
    assert reason in scorecard(**changes).unranked_because


def test_a_protocol_that_is_about_no_data_set_takes_any_and_any_number_of_items():
    anything = PROTOCOL.model_copy(update={"data_set": None, "items": None})
    assert (
        scorecard(plan=OFFICIAL_PLAN.model_copy(update={"data_source": "demo"}), protocol=anything).unranked_because
        == ()
    )


OTHER = {"engine": "transformers", "engine_version": "2", "dtype": "bfloat16"}


@pytest.mark.parametrize("lane", Lane)
@pytest.mark.parametrize("changed", OTHER)
def test_a_run_whose_shards_met_another_engine_on_either_side_does_not_rank(changed, lane):
    other = make_report(lane, **{changed: OTHER[changed]})
    assert scorecard(rows=ROWS._replace(reports=[*make_reports(), other])).unranked_because == ("mixed engines",)


def changed_key(row, **changes):
    key = row.key.model_copy(update=changes)
    name = "input_key" if hasattr(row, "input_key") else "verdict_key"
    return row.model_copy(update={"key": key, name: key.digest()})


ANSWER, VERDICT = GENERATIONS[0], VERDICTS[0]
LEFT_BEHIND = {
    "answer by another engine": changed_key(ANSWER, engine="transformers"),
    "answer of another precision": changed_key(ANSWER, dtype="bfloat16"),
    "answer of another version": ANSWER.model_copy(update={"engine_version": "2"}),
    "answer in another room": ANSWER.model_copy(update={"engine_flags": (("context_used", "8192"),)}),
    "verdict by another engine": changed_key(VERDICT, engine="transformers"),
    "verdict of another precision": changed_key(VERDICT, dtype="bfloat16"),
    "verdict of another version": VERDICT.model_copy(update={"engine_version": "2"}),
}


@pytest.mark.parametrize("row", LEFT_BEHIND.values(), ids=LEFT_BEHIND)
def test_a_row_of_another_engine_whose_worker_left_no_report_keeps_a_run_from_ranking(row):
    more = {"generations": [*GENERATIONS, row]} if hasattr(row, "input_key") else {"verdicts": [*VERDICTS, row]}
    assert scorecard(rows=ROWS._replace(**more)).unranked_because == ("mixed engines",)


def test_what_another_engine_said_does_not_count_where_the_reported_one_said_something():
    theirs = changed_key(make_generation(ANSWER.key, "Another answer."), engine="transformers")
    judged = [changed_key(row, engine="transformers") for row in rows_of(PLAN, PLAN.shards[0]).verdicts]
    losses = [
        make_verdict(ANSWER, LOSS, key=row.key) for row in judged if row.key.question_id == ANSWER.key.question_id
    ]
    mixed = ROWS._replace(generations=[*GENERATIONS, theirs], verdicts=[*VERDICTS, *losses])
    card = scorecard(rows=mixed)
    assert card.result == scorecard().result.model_copy(update={"clashes": 1 + len(losses)})
    assert make_user_scores(card, OFFICIAL_PLAN, mixed).users == make_user_scores(card, OFFICIAL_PLAN, ROWS).users
    elsewhere = make_reports(engine="transformers")
    card = scorecard(rows=mixed._replace(reports=[*make_reports(), *elsewhere]))
    assert (card.engine, card.judge_engine) == ("transformers", "transformers")
    assert card.result.missing == len(losses), "nobody judged the other answer"


def test_shards_that_were_given_unequal_room_do_not_rank():
    other = make_report(engine_flags=(("context_used", "8192"),))
    assert scorecard(rows=ROWS._replace(reports=[*make_reports(), other])).unranked_because == ("mixed engines",)


def test_the_room_of_the_judge_is_its_own_affair():
    other = make_report(Lane.JUDGE, engine_flags=(("context_used", "8192"),))
    assert scorecard(rows=ROWS._replace(reports=[*make_reports(), other])).unranked_because == ()


def test_shards_on_other_machines_rank():
    others = make_reports(worker="gpu-2", hardware="L40S", engine_flags=(("block_size", "32"),))
    assert scorecard(rows=ROWS._replace(reports=[*make_reports(), *others])).unranked_because == ()


def test_contexts_or_chat_templates_of_two_kinds_do_not_rank():
    reports = [*make_reports(), make_report(context=(("bm25s", "1"),))]
    assert scorecard(rows=ROWS._replace(reports=reports)).unranked_because == ("mixed contexts",)
    searched = changed_key(ANSWER, context=(("bm25s", "2"),))
    assert scorecard(rows=ROWS._replace(generations=[*GENERATIONS, searched])).unranked_because == ("mixed contexts",)
    for told in ({"chat_template_hash": "u" * 64}, {"chat_template_arguments": ()}):
        key = make_input_key(GENERATIONS[0].key.question_id, **told)
        mixed = ROWS._replace(generations=[make_generation(key), *GENERATIONS[1:]])
        assert "mixed chat templates" in scorecard(rows=mixed).unranked_because
        judged = ROWS._replace(verdicts=[*VERDICTS, changed_key(VERDICT, **told)])
        assert scorecard(rows=judged).unranked_because == ("mixed chat templates",)


def has_its_own(*pairs: str, model: str = "org/model") -> bool:
    """Whether a judge has verdicts of its own that says these words on pairs, a letter a slot order; T is a tie."""
    plan = make_plan(PLAN.run_id, items=[make_item(f"test_2/{number}") for number in range(len(pairs))])
    meant = {"A": (WIN, LOSS), "B": (LOSS, WIN), "T": (TIE, TIE)}
    entries = [
        answered(item, *(meant[word][place] for place, word in enumerate(words)))
        for item, words in zip(plan.items, pairs, strict=True)
    ]
    rows = RunRows(
        [row for entry in entries for row in entry.generations],
        [row for entry in entries for row in entry.verdicts],
        make_reports(),
    )
    assert "".join(row.word[0] for row in rows.verdicts) == "".join(pairs)
    return "judge without a verdict of its own" not in (
        scorecard(plan, rows, submission=SUBMISSION.model_copy(update={"model": model})).unranked_because
    )


@pytest.mark.parametrize("slot", ["A", "B"])
def test_a_judge_that_takes_one_slot_at_least_98_times_of_100_has_no_verdict_of_its_own(slot):
    assert not has_its_own(*[slot * 2] * 10)
    assert not has_its_own(*[slot * 2] * 48, "AB", "BA")
    assert has_its_own(*[slot * 2] * 47, "AB", "BA", "AB")


def test_of_a_judge_that_said_few_words_for_either_slot_nothing_is_said():
    assert has_its_own(*["AA"] * 9)
    assert has_its_own(*["AA"] * 9, *["TT"] * 50, "AT")


def test_a_judge_of_the_gold_answer_beside_itself_may_go_by_the_slots():
    assert has_its_own(*["AA"] * 50, model="reference/gold")


@pytest.mark.parametrize("words", ["AB", "BA", "TT"])
def test_a_judge_that_always_sides_with_the_same_answer_has_verdicts_of_its_own(words):
    assert has_its_own(*[words] * 50)


def test_a_scorecard_says_under_what_conditions_answers_and_verdicts_were_made():
    context = (("encoder", "org/encoder@1"),)
    judged_on = make_report(Lane.JUDGE, engine="openai", engine_version="7", dtype="fp8", hardware="elsewhere")
    card = scorecard(rows=ROWS._replace(reports=[make_report(context=context), judged_on]))
    assert (card.engine, card.engine_version, card.dtype, card.hardware) == ("vllm", "1", "float32", "cpu")
    judge = (card.judge_engine, card.judge_engine_version, card.judge_dtype, card.judge_hardware)
    assert judge == ("openai", "7", "fp8", "elsewhere")
    assert card.context == context
    assert (card.protocol_config, card.judge_config) == (PLAN.protocol_config, PLAN.judge_config)
    assert card.chat_template_arguments == GENERATIONS[0].key.chat_template_arguments != ()


@pytest.mark.parametrize(
    ("style", "role", "moved"),
    [
        ("zero/system", "first_user", True),
        ("few/system/3", "first_user", True),
        ("zero/system", "native", False),
        ("zero/user", "first_user", False),
    ],
)
def test_an_instruction_is_moved_where_it_is_a_system_message_and_the_template_has_no_place_for_it(style, role, moved):
    rows = ROWS._replace(
        generations=[
            make_generation(make_input_key(row.key.question_id, chat_template_arguments=(("system_role", role),)))
            for row in GENERATIONS
        ]
    )
    card = scorecard(rows=rows, protocol=PROTOCOL.model_copy(update={"prompt_style": style}))
    assert card.instruction_moved is moved


def test_a_scorecard_without_any_answer_tells_no_chat_template():
    assert scorecard(rows=ROWS._replace(generations=(), verdicts=())).chat_template_arguments == ()


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
        make_reports(),
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
        make_report(stage_seconds=(("generate", 4.0),), peak_rss_mb=300),
        make_report(Lane.JUDGE, stage_seconds=(("judge", 0.5), ("load", 2.0)), peak_rss_mb=200),
    ]
    card = scorecard(rows=ROWS._replace(reports=reports))
    assert card.stage_seconds == (("generate", 6.5), ("judge", 0.5), ("load", 3.0), ("wait", 0.0))
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
