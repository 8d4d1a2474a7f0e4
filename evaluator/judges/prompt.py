"""Builds the prompts that a judge reads, and decides which answer stands in which slot."""

from __future__ import annotations

import hashlib

from evaluator.engines.base import Message
from evaluator.hicupid.prompts import PromptPack, fill
from evaluator.hicupid.questions import Item, Question, QuestionType
from evaluator.judges.neutral import VERSION, marks_of, neutralised
from evaluator.judges.spec import SLOTS, Orders
from evaluator.protocol import HicupidProtocol
from evaluator.records import SlotOrder


def slot_orders(question: Question | Item, protocol: HicupidProtocol, orders: Orders = "both") -> tuple[SlotOrder, ...]:
    """Returns the slot orders in which an answer is judged: of those of the judge, all or one, as the protocol says.

    The draw of one-order protocols depends on question id and seed alone, so that filters never change it.

    Args:
        question: What is asked.
        protocol: Asks for both orders, or for one.
        orders: Those in which the judge is asked.
    """
    if question.type is QuestionType.SCHEDULE:
        return (SlotOrder.SINGLE,)
    known = SLOTS[orders]
    if protocol.orders == "both" or len(known) == 1:
        return known
    drawn = hashlib.sha256(f"{protocol.sampling.seed}:{question.question_id}".encode()).digest()[0] % 2
    return (known[drawn],)


def judge_messages(question: Question, answer: str, order: SlotOrder, pack: PromptPack) -> tuple[Message, ...]:
    """Returns the judge prompt for one answer in one slot order.

    The answer and gold are neutralised alike, so that neither can look like a part of the prompt, or like a verdict.
    """
    template = pack.evaluation[question.type]
    marks = marks_of(template)
    answer, gold = (neutralised(text, marks) for text in (answer, question.gold))
    first, second = (answer, gold) if order is SlotOrder.ANSWER_FIRST else (gold, answer)
    values = {"question": question.question, "answer": answer, "answer_a": first, "answer_b": second}
    for fact in (question.persona, question.profile, question.schedule):
        if fact is not None:
            values |= fact.model_dump()
    return fill(template, values)


def wording_of(pack: PromptPack) -> str:
    """Names all that decides how answers stand before a judge that compares: its prompts, and how these are kept.

    Example:
        >>> from evaluator.hicupid.prompts import builtin_pack
        >>> wording_of(builtin_pack()).partition("+")[2]
        'neutral-v1'
    """
    return f"{pack.evaluation_id}+{VERSION}"
