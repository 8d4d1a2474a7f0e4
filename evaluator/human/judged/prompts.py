"""The prompts of the judges that read what a model wrote, and how their completions are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from evaluator.engines.base import EngineInfo, Request, Sampling
from evaluator.hicupid.questions import QuestionType
from evaluator.human.items import HumanItem, Part
from evaluator.human.judged.extracted import Merger
from evaluator.human.judged.items import given_response
from evaluator.human.judged.subjects import Pair, Subject, prompt_of
from evaluator.human.judged.words import ORDERS, RATED, JudgePrompt, rating_prompt, verification_prompt, words_of
from evaluator.human.records import Attribute, Evidence, Rating
from evaluator.human.setup import HumanSetup
from evaluator.human.stages.reading import LONGEST_ANSWER
from evaluator.human.stages.writing import comparison_messages
from evaluator.human.tasks import JudgedTask
from evaluator.judge import Asked, Reading
from evaluator.judges.parse import outcome
from evaluator.judges.prompt import wording_of
from evaluator.judges.spec import JudgeSpec, decoding_of
from evaluator.records import Outcome, SlotOrder, VerdictKey

RATINGS: dict[Outcome, Rating] = {outcome: rating for rating, outcome in RATED.items()}
"""What an outcome of a rating judge says."""


def prompts_of(
    setup: HumanSetup, judge: JudgeSpec, subjects: Iterable[Subject], pairs: Mapping[str, Pair], engine: EngineInfo
) -> dict[str, Asked]:
    """Returns the judge prompts about some subjects, by the digests of their verdict keys.

    Args:
        setup: The run.
        judge: That of the run.
        subjects: What it is asked about.
        pairs: The answers, by item.
        engine: What the judge runs on.
    """
    samplings = samplings_of(judge)
    asked: dict[str, Asked] = {}
    for subject in subjects:
        key = key_of(setup, judge, subject.about, samplings, engine)
        if setup.protocol.task is JudgedTask.COMPARISON:
            prompt = _comparison(setup, judge, pairs[subject.item.question_id], subject)
        elif setup.protocol.task is JudgedTask.UPLIFT:
            prompt = _rating(setup, judge, pairs, subject)
        else:
            prompt = _verification(setup, judge, subject)
        request = Request(key.digest(), f"judge/{setup.protocol.task}", prompt.messages)
        asked[request.key] = Asked(key, request, samplings, prompt.read)
    return asked


def samplings_of(judge: JudgeSpec) -> tuple[Sampling, ...]:
    """Returns how a judge is decoded here, one an attempt."""
    return judge.samplings_for(QuestionType.PERSONA) if judge.kind == "pairwise" else judge.word_samplings()


def key_of(
    setup: HumanSetup,
    judge: JudgeSpec,
    about: tuple[str, str, SlotOrder],
    samplings: Sequence[Sampling],
    engine: EngineInfo,
) -> VerdictKey:
    """Returns the key of a verdict.

    Args:
        setup: The run.
        judge: Who says it.
        about: As of `Subject.about`.
        samplings: How it is decoded, one an attempt.
        engine: What the judge runs on.
    """
    question_id, content_hash, order = about
    return VerdictKey(
        content_hash=content_hash,
        data_sha=setup.data.shown_sha,
        question_id=question_id,
        rater=judge.id,
        rater_revision=setup.judge_revision,
        judge_prompt_pack=wording_of(setup.pack) if judge.kind == "pairwise" else words_of(judge),
        decoding=decoding_of(samplings),
        engine=engine.engine,
        dtype=engine.dtype,
        chat_template_hash=engine.chat_template_hash,
        chat_template_arguments=engine.chat_template_arguments,
        slot_order=order,
    )


def _comparison(setup: HumanSetup, judge: JudgeSpec, pair: Pair, subject: Subject) -> JudgePrompt:
    """Returns what a judge of pairs is asked."""
    data = setup.data
    messages = comparison_messages(
        data.prompts[prompt_of(pair.item)],
        [data.attributes[name] for name in pair.item.attributes],
        pair.generic.answer or "",
        pair.personalised.answer or "",
        ORDERS[subject.order],
        setup.pack,
    )
    return JudgePrompt(messages, partial(read_comparison, judge=judge, order=subject.order))


def _rating(setup: HumanSetup, judge: JudgeSpec, pairs: Mapping[str, Pair], subject: Subject) -> JudgePrompt:
    """Returns what a rating judge is asked: what a rater is."""
    prompt_id, generic, personalised = _texts(setup, pairs, subject.item)
    attribute = setup.data.attributes[str(subject.attribute_id)]
    return rating_prompt(judge, setup.data.prompts[prompt_id], generic, personalised, subject.order, attribute)


def _verification(setup: HumanSetup, judge: JudgeSpec, subject: Subject) -> JudgePrompt:
    """Returns what a verifier is asked: what people are."""
    person = subject.item.person
    attribute = (
        _extracted(person, subject.merger) if subject.merger else setup.data.attributes[str(subject.attribute_id)]
    )
    return verification_prompt(judge, attribute, setup.data.conversations_of.get(person, ()))


def _extracted(person: str, merger: Merger) -> Attribute:
    """Returns an extracted attribute as one of the data set's."""
    evidence = tuple(Evidence(conversation_id=name) for name in merger.evidence)
    return Attribute(attribute_id="extracted", user_id=person, text=merger.text, evidence=evidence, origin="extracted")


def _texts(setup: HumanSetup, pairs: Mapping[str, Pair], item: HumanItem) -> tuple[str, str, str]:
    """Returns the prompt's name and both answers: the model's, or those that the data set holds."""
    if item.part is Part.GIVEN:
        response = setup.data.responses[given_response(item)]
        return response.prompt_id, response.generic, response.personalised
    pair = pairs[item.question_id]
    return prompt_of(item), pair.generic.answer or "", pair.personalised.answer or ""


def read_comparison(text: str, judge: JudgeSpec, order: SlotOrder) -> Reading:
    """Reads what a judge of pairs says of a personalised answer beside a generic one, as of an answer beside gold.

    Example:
        >>> from evaluator.judges.spec import load_judge
        >>> read_comparison("Better Response: A", load_judge("demo"), SlotOrder.GOLD_FIRST)
        Reading(word='A', outcome=<Outcome.LOSS: 'loss'>)
    """
    word = judge.read(text) if len(text) <= LONGEST_ANSWER else None
    return Reading(word, outcome(word, QuestionType.PERSONA, order))
