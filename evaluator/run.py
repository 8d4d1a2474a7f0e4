"""One user at a time: ask the model, then ask the judge; rows out, nothing kept.

What is already done is told by its key, so that a run that was cut off goes on where it stopped, and a better judge
never asks the model again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from evaluator.engines.base import Completion, Engine, EngineInfo, Request
from evaluator.hicupid.contexts import history_messages, prompt_messages
from evaluator.hicupid.data import HicupidData
from evaluator.hicupid.prompts import PromptPack
from evaluator.hicupid.questions import Item, Question, QuestionType
from evaluator.hicupid.selection import UserItems, select_questions, select_users
from evaluator.identity import text_digest
from evaluator.judges.parse import BETTER_RESPONSE, SATISFACTION, outcome, parse_word
from evaluator.judges.prompt import judge_messages, slot_orders
from evaluator.judges.spec import JudgeSpec
from evaluator.models import PinnedModel
from evaluator.protocol import EvaluationProtocol
from evaluator.records import Generation, InputKey, SlotOrder, Terms, Verdict, VerdictKey


class RunSetup(NamedTuple):
    """Everything that stays the same from the first to the last question of a run."""

    model: PinnedModel
    data: HicupidData
    protocol: EvaluationProtocol
    pack: PromptPack
    judge: JudgeSpec
    judge_revision: str
    terms: Terms
    """The data set's terms, narrowed by what the submitter consented to."""


def items(setup: RunSetup) -> Iterator[Item]:
    """Yields every item that the protocol asks, without its text."""
    for user in select_users(setup.data, setup.protocol):
        for question in select_questions(setup.data, setup.protocol, user):
            yield Item.of(question, slot_orders(question, setup.protocol))


def generate(setup: RunSetup, user: UserItems, engine: Engine, done: Collection[str]) -> Iterator[Generation]:
    """Yields the answers to one user's questions as they are finished, except those whose input key is in `done`.

    Raises:
        RapportError: If the data set is broken or the engine is gone.
    """
    keys = {
        question.question_id: input_key(setup, question.question_id, engine.info)
        for question in select_questions(setup.data, setup.protocol, user)
    }
    open_questions = [
        question
        for question in select_questions(setup.data, setup.protocol, user)
        if keys[question.question_id].digest() not in done
    ]
    if not open_questions:
        return
    history = history_messages(setup.data.history(user.split, user.user_id))
    requests = [
        Request(
            question.question_id,
            f"{user.split}/{user.user_id}",
            prompt_messages(history, question, setup.protocol, setup.pack),
        )
        for question in open_questions
    ]
    for completion in engine.generate(requests, setup.protocol.sampling):
        yield _generation(keys[completion.key], completion, engine.info, setup.terms)


def input_key(setup: RunSetup, question_id: str, engine: EngineInfo) -> InputKey:
    """Returns the key under which an answer to a question is known."""
    return InputKey(
        model=setup.model.model,
        model_sha=setup.model.sha,
        adapter_sha=None,
        data_sha=setup.data.sha,
        protocol=setup.protocol.id,
        prompt_pack=setup.pack.inference_id,
        chat_template_hash=engine.chat_template_hash,
        chat_template_arguments=engine.chat_template_arguments,
        engine=engine.engine,
        dtype=engine.dtype,
        sample_index=0,
        question_id=question_id,
    )


def _generation(key: InputKey, completion: Completion, engine: EngineInfo, terms: Terms) -> Generation:
    """Makes the row of one completion."""
    answer = None if completion.text is None else completion.text.strip()
    return Generation(
        key=key,
        input_key=key.digest(),
        answer=answer,
        content_hash=None if answer is None else text_digest(answer),
        thought=None,
        failure=completion.failure,
        prompt_hash=completion.prompt_hash,
        prompt_tokens=completion.prompt_tokens,
        cached_tokens=completion.cached_tokens,
        shared_tokens=completion.shared_tokens,
        output_tokens=completion.output_tokens,
        finish_reason=completion.finish_reason,
        attempt=1,
        engine_version=engine.version,
        engine_flags=engine.flags,
        hardware=engine.hardware,
        seconds=round(completion.seconds, 3),
        terms=terms,
    )


class _Asked(NamedTuple):
    """One judge prompt under way."""

    key: VerdictKey
    question: Question


def judge(
    setup: RunSetup, user: UserItems, generations: Iterable[Generation], engine: Engine, done: Collection[str]
) -> Iterator[Verdict]:
    """Yields the verdicts on one user's answers as they are finished, except those whose verdict key is in `done`.

    Equal answers to the same question are judged once, whoever gave them.

    Raises:
        RapportError: If the judge's engine is gone.
    """
    questions = {item.question_id: item for item in select_questions(setup.data, setup.protocol, user)}
    asked: dict[str, _Asked] = {}
    requests: dict[QuestionType, list[Request]] = {}
    for generation in generations:
        question = questions.get(generation.key.question_id)
        if question is None or generation.answer is None:
            continue
        for order in slot_orders(question, setup.protocol):
            key = verdict_key(setup, question, generation, order)
            name = key.digest()
            if name in done or name in asked:
                continue
            asked[name] = _Asked(key, question)
            messages = judge_messages(question, generation.answer, order, setup.pack)
            requests.setdefault(question.type, []).append(Request(name, f"judge/{question.type}", messages))
    for type_, batch in sorted(requests.items()):
        for completion in engine.generate(batch, setup.judge.sampling_for(type_)):
            yield _verdict(asked[completion.key], completion, engine.info, setup.terms)


def verdict_key(setup: RunSetup, question: Question, generation: Generation, order: SlotOrder) -> VerdictKey:
    """Returns the key under which a verdict on an answer is known."""
    assert generation.content_hash is not None
    return VerdictKey(
        content_hash=generation.content_hash,
        data_sha=setup.data.sha,
        question_id=question.question_id,
        rater=setup.judge.id,
        rater_revision=setup.judge_revision,
        judge_prompt_pack=setup.pack.evaluation_id,
        decoding=setup.judge.decoding(question.type),
        slot_order=order,
    )


def _verdict(asked: _Asked, completion: Completion, engine: EngineInfo, terms: Terms) -> Verdict:
    """Makes the row of one judge completion."""
    text = completion.text or ""
    line = SATISFACTION if asked.question.type is QuestionType.SCHEDULE else BETTER_RESPONSE
    word = parse_word(text, line)
    return Verdict(
        key=asked.key,
        verdict_key=asked.key.digest(),
        rater_kind="model",
        completion=text,
        word=word,
        outcome=outcome(word, asked.question.type, asked.key.slot_order),
        failure=completion.failure,
        word_probabilities=completion.word_probabilities,
        prompt_hash=completion.prompt_hash,
        prompt_tokens=completion.prompt_tokens,
        cached_tokens=completion.cached_tokens,
        output_tokens=completion.output_tokens,
        attempt=1,
        engine=engine.engine,
        engine_version=engine.version,
        seconds=round(completion.seconds, 3),
        terms=terms,
    )
