"""The prompts of the judges that read what a model wrote, and how their completions are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from evaluator.engines.base import EngineInfo, Message, Request, Sampling
from evaluator.hicupid.questions import QuestionType
from evaluator.human.items import HumanItem, Part
from evaluator.human.judged.extracted import Merger
from evaluator.human.judged.items import given_response
from evaluator.human.judged.subjects import Pair, Subject, prompt_of
from evaluator.human.records import Attribute, Evidence, Rating
from evaluator.human.setup import HumanSetup
from evaluator.human.stages.rating import rating_messages, read_rating
from evaluator.human.stages.reading import Invalid
from evaluator.human.stages.verification import read_verification, verification_messages
from evaluator.human.stages.wording import Wording, load_wording
from evaluator.human.stages.writing import SLOT_ORDERS, comparison_messages, read_comparison
from evaluator.human.tasks import JudgedTask, Order
from evaluator.judge import Asked, Reading
from evaluator.judges.parse import BETTER_RESPONSE, parse_word
from evaluator.judges.prompt import wording_of
from evaluator.judges.spec import JudgeSpec, decoding_of
from evaluator.records import Outcome, SlotOrder, VerdictKey

RATED: dict[Rating, Outcome] = {rating: Outcome(rating.name.lower()) for rating in Rating}
"""How a rating stands in a verdict."""
RATINGS: dict[Outcome, Rating] = {outcome: rating for rating, outcome in RATED.items()}
"""And back."""
_ORDERS: dict[SlotOrder, Order] = {slot: order for order, slot in SLOT_ORDERS.items()}


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
        key = _key(setup, judge, subject, samplings, engine)
        if setup.protocol.task is JudgedTask.COMPARISON:
            messages, read = _comparison(setup, pairs[subject.item.question_id], subject)
        elif setup.protocol.task is JudgedTask.UPLIFT:
            messages, read = _rating(setup, judge, pairs, subject)
        else:
            messages, read = _verification(setup, judge, subject)
        request = Request(key.digest(), f"judge/{setup.protocol.task}", messages)
        asked[request.key] = Asked(key, request, samplings, read)
    return asked


def samplings_of(judge: JudgeSpec) -> tuple[Sampling, ...]:
    """Returns how a judge is decoded here, one an attempt."""
    return judge.samplings_for(QuestionType.PERSONA) if judge.kind == "pairwise" else judge.word_samplings()


def _key(
    setup: HumanSetup, judge: JudgeSpec, subject: Subject, samplings: Sequence[Sampling], engine: EngineInfo
) -> VerdictKey:
    """Returns the key of a verdict."""
    pairwise = judge.kind == "pairwise"
    return VerdictKey(
        content_hash=subject.content_hash,
        data_sha=setup.data.shown_sha,
        question_id=subject.question_id,
        rater=judge.id,
        rater_revision=setup.judge_revision,
        judge_prompt_pack=wording_of(setup.pack) if pairwise else load_wording(judge.prompt_pack).name,
        decoding=decoding_of(samplings),
        engine=engine.engine,
        dtype=engine.dtype,
        chat_template_hash=engine.chat_template_hash,
        chat_template_arguments=engine.chat_template_arguments,
        slot_order=subject.order,
    )


def _comparison(
    setup: HumanSetup, pair: Pair, subject: Subject
) -> tuple[tuple[Message, ...], Callable[[str], Reading]]:
    """Returns what a judge of pairs is asked."""
    data, order = setup.data, _ORDERS[subject.order]
    messages = comparison_messages(
        data.prompts[prompt_of(pair.item)],
        [data.attributes[name] for name in pair.item.attributes],
        pair.generic.answer or "",
        pair.personalised.answer or "",
        order,
        setup.pack,
    )
    return messages, partial(_read_comparison, order=order)


def _rating(
    setup: HumanSetup, judge: JudgeSpec, pairs: Mapping[str, Pair], subject: Subject
) -> tuple[tuple[Message, ...], Callable[[str], Reading]]:
    """Returns what a rating judge is asked: what a rater is."""
    data, order = setup.data, _ORDERS[subject.order]
    prompt_id, generic, personalised = _texts(setup, pairs, subject.item)
    attribute = data.attributes[str(subject.attribute_id)]
    wording: Wording = load_wording(judge.prompt_pack)
    messages = rating_messages(data.prompts[prompt_id], generic, personalised, order, attribute, wording)
    return messages, partial(_read_rating, order=order)


def _verification(
    setup: HumanSetup, judge: JudgeSpec, subject: Subject
) -> tuple[tuple[Message, ...], Callable[[str], Reading]]:
    """Returns what a verifier is asked: what people are."""
    person = subject.item.person
    attribute = (
        _extracted(person, subject.merger) if subject.merger else setup.data.attributes[str(subject.attribute_id)]
    )
    wording = load_wording(judge.prompt_pack)
    messages = verification_messages(attribute, setup.data.conversations_of.get(person, ()), wording)
    if isinstance(messages, Invalid):
        raise ValueError(f"{subject.question_id} has nothing to be verified by")
    return messages, _read_verification


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


def _read_comparison(text: str, order: Order) -> Reading:
    """Reads what a judge of pairs says."""
    said = read_comparison(text, order)
    return Reading(None, None) if isinstance(said, Invalid) else Reading(parse_word(text, BETTER_RESPONSE), said)


def _read_rating(text: str, order: Order) -> Reading:
    """Reads what a rating judge says: a word from A to B, and an outcome from generic to personalised."""
    said = read_rating(text, order)
    if isinstance(said, Invalid):
        return Reading(None, None)
    return Reading(str(said.value if order is Order.GENERIC_FIRST else 6 - said.value), RATED[said])


def _read_verification(text: str) -> Reading:
    """Reads what a verifier says."""
    said = read_verification(text)
    return Reading(None, None) if isinstance(said, Invalid) else Reading(said.value, Outcome(said.value))
