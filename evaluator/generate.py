"""Asks a model: some users' questions in, rows out as they are finished, nothing kept.

What is already done is told by its key, so that a run that was cut off goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from evaluator.engines.base import Completion, Engine, EngineInfo, Request, Sampling
from evaluator.hicupid.answers import find_defect, overlap_with_gold
from evaluator.hicupid.contexts import Contexts, prompt_messages
from evaluator.hicupid.questions import Question
from evaluator.hicupid.selection import UserItems
from evaluator.identity import text_digest
from evaluator.records import Defect, Generation, InputKey, Terms
from evaluator.setup import HicupidSetup, questions_of


class Asked(NamedTuple):
    """One question under way."""

    key: InputKey
    question: Question
    evidence_recall: float | None


def generate(
    setup: HicupidSetup, users: Sequence[UserItems], engine: Engine, contexts: Contexts, done: Mapping[str, Generation]
) -> Iterator[Generation]:
    """Yields the answers to some users' questions as they are finished, except those whose input key is in `done`.

    Args:
        setup: The run.
        users: Who is asked, handed to the engine together and user by user.
        engine: The model.
        contexts: What the protocol shows of a history.
        done: What is there already, by input key. The engine is told which prompts of the same users were answered, so
            that what they share is never taken for new.

    Raises:
        RapportError: If the data set is broken or the engine is gone.
    """
    asked: dict[str, Asked] = {}
    requests: list[Request] = []
    seen: list[Request] = []
    for user in users:
        for request, prompt in _requests(setup, user, engine.info, contexts, done):
            if request.key not in done:
                requests.append(request)
                asked[request.key] = prompt
            elif done[request.key].answer is not None:
                seen.append(request)
    if not requests:
        return
    for completion in engine.generate(requests, sampling_of(setup), seen):
        yield generation_row(setup, asked[completion.key], completion, engine.info)


def sampling_of(setup: HicupidSetup) -> Sampling:
    """Returns how answers are drawn: the protocol's sampling, with room for a thought if the model thinks."""
    budget = setup.protocol.thought_tokens if setup.thinking else 0
    return setup.protocol.sampling.model_copy(update={"thought_tokens": budget})


def _requests(
    setup: HicupidSetup, user: UserItems, engine: EngineInfo, contexts: Contexts, done: Mapping[str, Generation]
) -> Iterator[tuple[Request, Asked]]:
    """Yields all prompts of one user if any of them is still to be answered."""
    prompts = {
        key.digest(): Asked(key, question, None)
        for question in questions_of(setup, user)
        for key in [input_key(setup, question.question_id, engine, contexts.provenance)]
    }
    if prompts.keys() <= done.keys():
        return
    shown = contexts.of(setup.data.history(user.split, user.user_id), [asked.question for asked in prompts.values()])
    for (name, asked), context in zip(prompts.items(), shown, strict=True):
        messages = prompt_messages(context.messages, asked.question, setup.protocol, setup.pack)
        request = Request(name, f"{user.split}/{user.user_id}", messages)
        yield request, asked._replace(evidence_recall=context.evidence_recall)


def input_key(
    setup: HicupidSetup, question_id: str, engine: EngineInfo, context: tuple[tuple[str, str], ...] = ()
) -> InputKey:
    """Returns the key under which an answer to a question is known; `context` is the provenance of its context."""
    told = {**dict(engine.chat_template_arguments), "enable_thinking": str(setup.thinking).lower()}
    return InputKey(
        model=setup.model.model,
        model_sha=setup.model.sha,
        adapter=setup.adapter and setup.adapter.model,
        adapter_sha=setup.adapter and setup.adapter.sha,
        data_sha=setup.data.sha,
        protocol=setup.protocol.id,
        conditions=setup.protocol.conditions(),
        prompt_pack=setup.pack.inference_id,
        chat_template_hash=engine.chat_template_hash,
        chat_template_arguments=tuple(sorted(told.items())),
        context=context,
        engine=engine.engine,
        dtype=engine.dtype,
        sample_index=0,
        question_id=question_id,
    )


def generation_row(setup: HicupidSetup, asked: Asked, completion: Completion, engine: EngineInfo) -> Generation:
    """Returns the row of one completion."""
    found = NOTHING_FOUND
    if completion.text is not None:
        answer = completion.text.strip()
        overlap = overlap_with_gold(answer, asked.question.gold)
        defect = find_defect(answer, completion.finish_reason)
        found = Found(defect, overlap.bleu, overlap.rouge_l, asked.evidence_recall)
    return completion_row(asked.key, completion, engine, setup.terms, found)


class Found(NamedTuple):
    """What was found of an answer; see `Generation`."""

    defect: Defect | None
    bleu: float | None
    rouge_l: float | None
    evidence_recall: float | None


NOTHING_FOUND = Found(None, None, None, None)


def completion_row(
    key: InputKey, completion: Completion, engine: EngineInfo, terms: Terms, found: Found = NOTHING_FOUND
) -> Generation:
    """Returns the row of one completion.

    Args:
        key: What was asked of whom.
        completion: What came.
        engine: Whence.
        terms: Of the row.
        found: What was found of the answer, where the suite looks into it before it is scored.
    """
    answer = None if completion.text is None else completion.text.strip()
    return Generation(
        key=key,
        input_key=key.digest(),
        answer=answer,
        content_hash=None if answer is None else text_digest(answer),
        thought=completion.thought,
        defect=found.defect,
        bleu=found.bleu,
        rouge_l=found.rouge_l,
        evidence_recall=found.evidence_recall,
        failure=completion.failure,
        prompt_hash=completion.prompt_hash,
        prompt_tokens=completion.prompt_tokens,
        cached_tokens=completion.cached_tokens,
        shared_tokens=completion.shared_tokens,
        output_tokens=completion.output_tokens,
        thought_tokens=completion.thought_tokens,
        finish_reason=completion.finish_reason,
        attempt=1,
        engine_version=engine.version,
        engine_flags=engine.flags,
        hardware=engine.hardware,
        seconds=round(completion.seconds, 3),
        terms=terms,
    )
