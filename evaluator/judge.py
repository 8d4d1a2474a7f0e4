"""Asks a judge about answers that are there: rows in, rows out, and the model is never asked again.

A verdict that cannot be read is asked for once more; after that it is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from evaluator.engines.base import Completion, Engine, EngineInfo, Request, Sampling
from evaluator.errors import Cause
from evaluator.hicupid.questions import Item, Question, QuestionType
from evaluator.hicupid.selection import UserItems
from evaluator.judges.parse import outcome
from evaluator.judges.prompt import judge_messages, slot_orders, wording_of
from evaluator.judges.spec import JudgeSpec
from evaluator.records import Generation, Outcome, SlotOrder, Terms, Verdict, VerdictKey, verdict_version
from evaluator.setup import HicupidSetup, questions_of

MOST_ATTEMPTS = 2
"""A verdict that cannot be read is asked for once more."""


_CONDITIONS = ("chat_template_arguments", "chat_template_hash", "dtype", "engine")
"""What a verdict's key says of the judge's engine, by the names of `EngineInfo`."""


class Reading(NamedTuple):
    """What a completion of a judge comes to; neither of the two if it could not be read."""

    word: str | None
    outcome: Outcome | None


class Asked(NamedTuple):
    """One judge prompt under way."""

    key: VerdictKey
    request: Request
    """Named by the key's digest. Those of a group are decoded alike."""
    samplings: tuple[Sampling, ...]
    """By attempt, the first one first."""
    read: Callable[[str], Reading]
    """Reads a completion; any text is read, and none raises."""


def judge(
    setup: HicupidSetup,
    users: Sequence[UserItems],
    generations: Iterable[Generation],
    engine: Engine,
    known: Iterable[Verdict],
) -> Iterator[Verdict]:
    """Yields the verdicts on some users' answers as they are finished, except those that `known` settles.

    Equal answers to the same question are judged once, whoever gave them. Answers with a defect lose without a judge.

    Args:
        setup: The run.
        users: Whose questions the answers belong to; answers to others' are left alone.
        generations: The answers.
        engine: The judge.
        known: Verdicts that are there already; an unread first attempt is followed by a second.

    Raises:
        RapportError: If the judge's engine is gone.
    """
    return ask_judge(_asked(setup, users, generations, engine.info), engine, known, setup.terms)


def ask_judge(asked: Mapping[str, Asked], engine: Engine, known: Iterable[Verdict], terms: Terms) -> Iterator[Verdict]:
    """Yields verdicts as they are finished, except those that `known` settles; an unread one is asked for once more.

    Args:
        asked: Judge prompts of any task, by the digests of their keys.
        engine: The judge.
        known: Verdicts that are there already; an unread first attempt is followed by a second.
        terms: Of the rows.

    Raises:
        RapportError: If the judge's engine is gone.
    """
    tried: dict[str, int] = {}
    for row in known:
        tried[row.verdict_key] = max(tried.get(row.verdict_key, 0), MOST_ATTEMPTS if settled(row) else row.attempt)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        due = [prompt for name, prompt in asked.items() if tried.get(name, 0) < attempt]
        due.sort(key=lambda prompt: prompt.request.group)
        samplings = {prompt.request.group: prompt.samplings[attempt - 1] for prompt in due}
        for completion in engine.generate([prompt.request for prompt in due], samplings) if due else ():
            row = _verdict(asked[completion.key], completion, attempt, engine.info, terms)
            tried[row.verdict_key] = MOST_ATTEMPTS if settled(row) else attempt
            yield row


def settled(row: Verdict) -> bool:
    """Says whether asking again could not change what a verdict row says, or is not allowed to."""
    return row.outcome is not None or row.failure is Cause.CONTEXT_OVERFLOW or row.attempt >= MOST_ATTEMPTS


def is_counted(row: Verdict) -> bool:
    """Says whether a row is a verdict that was waited for; nobody waits for what a rule finds."""
    return row.rater_kind != "rule" and settled(row)


def is_said_by(row: Verdict, engine: EngineInfo) -> bool:
    """Says whether a verdict was given by an engine that runs as this one does."""
    return not changed_since(row, engine)


def conditions_of(engine: EngineInfo) -> dict[str, object]:
    """Returns what a verdict's key says of an engine, by name: under other conditions it is another verdict."""
    return {name: getattr(engine, name) for name in _CONDITIONS}


def changed_since(row: Verdict, engine: EngineInfo) -> list[str]:
    """Returns in what an engine differs from the one that gave a verdict, sorted by name."""
    return sorted(name for name, value in conditions_of(engine).items() if getattr(row.key, name) != value)


def _asked(
    setup: HicupidSetup, users: Sequence[UserItems], generations: Iterable[Generation], engine: EngineInfo
) -> dict[str, Asked]:
    """Returns the judge prompts on some answers by the digest of their verdict keys."""
    questions = {question.question_id: question for user in users for question in questions_of(setup, user)}
    samplings = {type_: setup.judge.samplings_for(type_) for type_ in QuestionType}
    asked: dict[str, Asked] = {}
    for generation in generations:
        question = questions.get(generation.key.question_id)
        if question is None or generation.answer is None or generation.defect is not None:
            continue
        for order in slot_orders(question, setup.protocol, setup.judge.orders):
            key = verdict_key(setup, question, generation, order, engine)
            messages = judge_messages(question, generation.answer, order, setup.pack)
            request = Request(key.digest(), f"judge/{question.type}", messages)
            read = partial(_read, judge=setup.judge, type_=question.type, order=order)
            asked[request.key] = Asked(key, request, samplings[question.type], read)
    return asked


def _read(completion: str, judge: JudgeSpec, type_: QuestionType, order: SlotOrder) -> Reading:
    """Reads what a judge says of an answer to a question of some type."""
    word = judge.read(completion, type_)
    return Reading(word, outcome(word, type_, order))


def verdict_key(
    setup: HicupidSetup, question: Question | Item, generation: Generation, order: SlotOrder, judge_engine: EngineInfo
) -> VerdictKey:
    """Returns the key under which a verdict on an answer is known.

    Args:
        setup: The run.
        question: What was asked.
        generation: What was answered, which is not None.
        order: Which answer stands in slot A.
        judge_engine: What the judge runs on.
    """
    assert generation.content_hash is not None
    return VerdictKey(
        content_hash=generation.content_hash,
        data_sha=setup.data.sha,
        question_id=question.question_id,
        rater=setup.judge.id,
        rater_revision=setup.judge_revision,
        judge_prompt_pack=wording_of(setup.pack),
        decoding=setup.judge.decoding(question.type),
        engine=judge_engine.engine,
        dtype=judge_engine.dtype,
        chat_template_hash=judge_engine.chat_template_hash,
        chat_template_arguments=judge_engine.chat_template_arguments,
        slot_order=order,
    )


def _verdict(asked: Asked, completion: Completion, attempt: int, engine: EngineInfo, terms: Terms) -> Verdict:
    """Makes the row of one judge completion."""
    text = completion.text or ""
    said = asked.read(text)
    return Verdict(
        schema_version=verdict_version(said.outcome),
        key=asked.key,
        verdict_key=asked.request.key,
        rater_kind="model",
        completion=text,
        word=said.word,
        outcome=said.outcome,
        failure=completion.failure,
        word_probabilities=completion.word_probabilities,
        prompt_hash=completion.prompt_hash,
        prompt_tokens=completion.prompt_tokens,
        cached_tokens=completion.cached_tokens,
        output_tokens=completion.output_tokens,
        attempt=attempt,
        engine_version=engine.version,
        seconds=round(completion.seconds, 3),
        terms=terms,
    )
