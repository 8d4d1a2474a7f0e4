"""Makes records for tests: every field has a plain value, and a test names only what it is about."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from evaluator.facts import ModelFacts
from evaluator.hicupid.questions import Item, PersonaFact, ProfileFact, Question, QuestionType, ScheduleFact
from evaluator.hicupid.scoring import score
from evaluator.hicupid.user_scores import UserScore
from evaluator.identity import digest, text_digest
from evaluator.metrics.intervals import UserSums
from evaluator.records import Generation, InputKey, Outcome, SlotOrder, Terms, Verdict, VerdictKey
from leaderboard.records import Batch, Declaration, Lane, Plan, Relation, Shard, ShardReport, Submission, TrainingData
from leaderboard.results import Scorecard, with_facts
from leaderboard.scorecards import UserScores

NOON = datetime.datetime(2026, 3, 1, 12, 0, tzinfo=datetime.UTC)
TERMS = Terms(visibility="public", season="2026", licence="apache-2.0", redistributable=True, personal_data="synthetic")
PERSONA, PROFILE, SCHEDULE = QuestionType.PERSONA, QuestionType.PROFILE, QuestionType.SCHEDULE
BOTH_ORDERS = (SlotOrder.ANSWER_FIRST, SlotOrder.GOLD_FIRST)
WIN, TIE, LOSS = Outcome.WIN, Outcome.TIE, Outcome.LOSS
YES, NO = Outcome.SATISFIED, Outcome.UNSATISFIED


def make_question(question_id: str = "test_1/1", type_: QuestionType = PERSONA, **changes: Any) -> Question:
    """Returns a question with the facts that its type needs."""
    taste = PersonaFact(category="food", entity="ramen", relation="enjoys", sentiment="POS")
    profile = ProfileFact(age="31", gender="woman", personality="calm", occupation="baker", income_range="middle")
    appointment = ScheduleFact(datetime="3 PM on May 4, 2026", event="Dentist")
    values: dict[str, Any] = {
        "question_id": question_id,
        "user_id": 1,
        "split": question_id.partition("/")[0],
        "type": type_,
        "question": "What shall I eat tonight?",
        "gold": "The ramen you love.",
        "general_answer": "Something healthy.",
        "evidence": (3,),
        "evidence_position": (0.5,),
        "persona": None if type_ is SCHEDULE else taste,
        "profile": profile if type_ is PROFILE else None,
        "schedule": appointment if type_ is SCHEDULE else None,
    }
    return Question(**(values | changes))


def make_input_key(question_id: str = "test_1/1", **changes: Any) -> InputKey:
    """Returns the key of an answer by `org/model`."""
    values: dict[str, Any] = {
        "model": "org/model",
        "model_sha": "a" * 40,
        "adapter": None,
        "adapter_sha": None,
        "data_sha": "d" * 40,
        "protocol": "demo-v1",
        "conditions": "e" * 64,
        "prompt_pack": "pack",
        "chat_template_hash": "t" * 64,
        "chat_template_arguments": (("date_string", "01 Jan 2025"),),
        "engine": "vllm",
        "dtype": "float32",
        "sample_index": 0,
        "question_id": question_id,
    }
    return InputKey(**(values | changes))


def make_generation(
    key: InputKey | None = None, answer: str | None = "Ramen, as always.", **changes: Any
) -> Generation:
    """Returns an answer, or a failed item where `answer` is None and `failure` is given."""
    key = key or make_input_key()
    values: dict[str, Any] = {
        "key": key,
        "input_key": key.digest(),
        "answer": answer,
        "content_hash": None if answer is None else text_digest(answer),
        "thought": None,
        "defect": None,
        "bleu": None if answer is None else 12.5,
        "rouge_l": None if answer is None else 25.0,
        "evidence_recall": None if answer is None else 1.0,
        "failure": None,
        "prompt_hash": "p" * 64,
        "prompt_tokens": 100,
        "cached_tokens": 0,
        "shared_tokens": 0,
        "output_tokens": 5,
        "thought_tokens": 0,
        "finish_reason": "stop" if answer is not None else "error",
        "attempt": 1,
        "engine_version": "1",
        "engine_flags": (("batch_invariant", "false"),),
        "hardware": "cpu",
        "seconds": 0.5,
        "terms": TERMS,
    }
    return Generation(**(values | changes))


def make_verdict_key(generation: Generation, order: SlotOrder = SlotOrder.ANSWER_FIRST, **changes: Any) -> VerdictKey:
    """Returns the key of the demo judge's verdict on an answer."""
    values: dict[str, Any] = {
        "content_hash": generation.content_hash,
        "data_sha": generation.key.data_sha,
        "question_id": generation.key.question_id,
        "rater": "demo",
        "rater_revision": "r1",
        "judge_prompt_pack": "pack",
        "decoding": "greedy",
        "engine": "vllm",
        "dtype": "float32",
        "chat_template_hash": "t" * 64,
        "chat_template_arguments": (("date_string", "01 Jan 2025"),),
        "slot_order": order,
    }
    return VerdictKey(**(values | changes))


def word_for(outcome: Outcome, order: SlotOrder) -> str:
    """Returns the word by which a judge gives an outcome when it reads the answers in some order."""
    if order is SlotOrder.SINGLE:
        return "YES" if outcome is YES else "NO"
    if outcome is TIE:
        return "Tie"
    return "A" if (outcome is WIN) == (order is SlotOrder.ANSWER_FIRST) else "B"


def make_verdict(
    generation: Generation,
    outcome: Outcome | None,
    order: SlotOrder = SlotOrder.ANSWER_FIRST,
    key: VerdictKey | None = None,
    **changes: Any,
) -> Verdict:
    """Returns a verdict on an answer; an outcome of None is one that could not be read."""
    key = key or make_verdict_key(generation, order)
    word = None if outcome is None else word_for(outcome, order)
    values: dict[str, Any] = {
        "key": key,
        "verdict_key": key.digest(),
        "rater_kind": "model",
        "completion": f"Better Response: {word}" if word else "I cannot say.",
        "word": word,
        "outcome": outcome,
        "word_probabilities": (),
        "prompt_hash": "p" * 64,
        "prompt_tokens": 200,
        "cached_tokens": 150,
        "output_tokens": 20,
        "attempt": 1,
        "engine_version": "1",
        "seconds": 0.1,
        "terms": TERMS,
    }
    return Verdict(**(values | changes))


class Answered(NamedTuple):
    """One asked question with its rows."""

    item: Item
    generations: tuple[Generation, ...]
    verdicts: tuple[Verdict, ...]


def make_item(
    question_id: str,
    type_: QuestionType = PERSONA,
    user_id: int = 1,
    orders: tuple[SlotOrder, ...] | None = None,
) -> Item:
    """Returns an item; pairs are judged in both orders unless told otherwise."""
    about_persona = type_ is not SCHEDULE
    return Item(
        question_id=question_id,
        user_id=user_id,
        split=question_id.partition("/")[0],
        type=type_,
        orders=orders or (BOTH_ORDERS if about_persona else (SlotOrder.SINGLE,)),
        persona_cluster="0" * 16 if about_persona else None,
        persona_category="food" if about_persona else None,
        sentiment="POS" if about_persona else None,
        evidence=(40,),
        evidence_position=(0.5,),
    )


def answered(item: Item, *outcomes: Outcome | None, **changes: Any) -> Answered:
    """Returns an item with an answer and one outcome an order; None leaves the verdict out altogether."""
    generation = make_generation(make_input_key(item.question_id), answer=f"Answer to {item.question_id}.", **changes)
    pairs = zip(item.orders, outcomes, strict=False)
    verdicts = tuple(make_verdict(generation, outcome, order) for order, outcome in pairs if outcome is not None)
    return Answered(item, (generation,), verdicts)


def make_declaration(**changes: Any) -> Declaration:
    """Returns an owner's declaration."""
    values: dict[str, Any] = {
        "relation": Relation.OWNER,
        "training_data": TrainingData.NEITHER,
        "thinking": False,
        "publish_answers": True,
    }
    return Declaration(**(values | changes))


def make_submission(number: int = 1, **changes: Any) -> Submission:
    """Returns a submission of a model of its own; equal numbers give equal ids and models."""
    values: dict[str, Any] = {
        "id": f"s-20260301-{number:08x}",
        "model": f"org/model-{number}",
        "revision": "a" * 40,
        "adapter": None,
        "adapter_revision": None,
        "submitter": "alice",
        "declaration": make_declaration(),
        "protocols": ("demo-v1",),
        "terms": TERMS,
        "created_at": NOON + datetime.timedelta(minutes=number),
    }
    return Submission(**(values | changes))


def make_plan(run_id: str, users: Sequence[int] = (1, 2), **changes: Any) -> Plan:
    """Returns a plan with one shard a user and one question of each type for each."""
    items = [make_item(f"test_1/{user}-{type_}", type_, user) for user in users for type_ in QuestionType]
    values: dict[str, Any] = {
        "run_id": run_id,
        "data_source": "demo",
        "data_sha": "d" * 40,
        "prompt_pack": "pack",
        "prompt_pack_status": "builtin",
        "judge": "demo",
        "judge_revision": "r1",
        "protocol_config": "f" * 64,
        "judge_config": "c" * 64,
        "terms": TERMS,
        "items": items,
        "shards": [Shard(id=f"{run_id}.{place:04d}", users=(("test_1", user),)) for place, user in enumerate(users)],
    }
    return Plan(**(values | changes))


def make_report(lane: Lane = Lane.GENERATE, **changes: Any) -> ShardReport:
    """Returns what a worker measured in a lane."""
    values: dict[str, Any] = {
        "lane": lane,
        "worker": "gpu-1",
        "engine": "vllm",
        "engine_version": "1",
        "engine_flags": (),
        "dtype": "float32",
        "hardware": "cpu",
        "context": (),
        "stage_seconds": (("generate", 2.0), ("load", 3.0)) if lane is Lane.GENERATE else (("judge", 1.0),),
        "peak_rss_mb": 512.0,
        "terms": TERMS,
    }
    return ShardReport(**(values | changes))


def make_reports(**changes: Any) -> list[ShardReport]:
    """Returns a report of each lane."""
    return [make_report(lane, **changes) for lane in Lane]


def rows_of(plan: Plan, shard: Shard) -> Answered:
    """Returns all rows of a shard: every answer as good as gold, every appointment kept in mind."""
    users = {user for _, user in shard.users}
    everything = [
        answered(item, *([YES] if item.type is SCHEDULE else [TIE, TIE]))
        for item in plan.questions
        if item.user_id in users
    ]
    return Answered(
        everything[0].item,
        tuple(row for entry in everything for row in entry.generations),
        tuple(row for entry in everything for row in entry.verdicts),
    )


def make_batch(
    plan: Plan, shard: Shard, batch_id: str, *, last: bool = False, lane: Lane = Lane.GENERATE, **rows: Any
) -> Batch:
    """Returns a batch of a shard; the last one in a lane carries the report."""
    report = make_report(lane) if last else None
    return Batch(id=batch_id, run_id=plan.run_id, shard_id=shard.id, report=report, **rows)


def make_scorecard(
    model: str, total: float | None = 50.0, facts: ModelFacts | None = None, **changes: Any
) -> Scorecard:
    """Returns a scorecard that ranks, with a Total of its own, and a public one's facts where there are any."""
    entries = [
        answered(make_item(f"test_1/{type_}", type_), *([YES] if type_ is SCHEDULE else [WIN, TIE]))
        for type_ in QuestionType
    ]
    result = score(
        [entry.item for entry in entries],
        [row for entry in entries for row in entry.generations],
        [row for entry in entries for row in entry.verdicts],
    )
    submission = make_submission(sum(model.encode()), model=model)
    run_id = submission.run_ids()[0]
    values: dict[str, Any] = {
        "id": f"{run_id}@demo",
        "submission_id": submission.id,
        "run_id": run_id,
        "model": model,
        "revision": submission.revision,
        "adapter": None,
        "adapter_revision": None,
        "submitter": submission.submitter,
        "declaration": submission.declaration,
        "protocol": "demo-v1",
        "protocol_config": "f" * 64,
        "judge": "demo",
        "judge_revision": "r1",
        "judge_config": "c" * 64,
        "judge_status": "official",
        "prompt_pack": "pack",
        "prompt_pack_status": "official",
        "data_source": "demo",
        "data_sha": "d" * 40,
        "context": (),
        "chat_template_arguments": (("date_string", "01 Jan 2025"),),
        "instruction_moved": False,
        "engine": "vllm",
        "engine_version": "1",
        "engine_flags": (("batch_invariant", "false"),),
        "dtype": "float32",
        "hardware": "cpu",
        "judge_engine": "vllm",
        "judge_engine_version": "1",
        "judge_dtype": "float32",
        "judge_hardware": "cpu",
        "result": result.model_copy(update={"total": replace(result.total, value=total, worst_case=total)}),
        "rows_sha": "f" * 64,
        "unranked_because": (),
        "stage_seconds": (("generate", 2.0), ("wait", 1.0)),
        "peak_rss_mb": 512.0,
        "created_at": NOON,
        "terms": TERMS,
    }
    return with_facts(Scorecard(**(values | changes)), facts)


def make_user_scores(card: Scorecard, users: int = 12, split: str = "test_1") -> UserScores:
    """Returns the sums of users who all scored a scorecard's Total with each of their questions."""
    sums = UserSums(card.result.total.value or 0.0, 1)
    return UserScores(
        scorecard_id=card.id,
        rows_sha=card.rows_sha,
        users=tuple(UserScore(split, user, sums, sums, sums) for user in range(users)),
        terms=TERMS,
    )


def unlike(value: Any) -> Any:
    """Returns another value of the same kind, for changing one field of a record."""
    if isinstance(value, SlotOrder):
        return SlotOrder.SINGLE if value is not SlotOrder.SINGLE else SlotOrder.GOLD_FIRST
    if isinstance(value, int):
        return value + 1
    if isinstance(value, tuple):
        return (*value, ("more", "1"))
    return digest(value)
