"""References: answers that no model gave, so that readers know the scale. The judge reads them like any other's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from evaluator.engines.base import Completion, EngineInfo
from evaluator.generate import Asked, generation_row, input_key
from evaluator.hicupid.questions import Question
from evaluator.hicupid.selection import UserItems
from evaluator.identity import digest
from evaluator.protocol import REFERENCE, Reference
from evaluator.records import Generation, InputKey
from evaluator.setup import HicupidSetup, questions_of

INFO = EngineInfo(
    engine="reference",
    version="1",
    dtype="none",
    flags=(),
    hardware="none",
    context_length=0,
    chat_template_hash="none",
    chat_template_arguments=(),
    load_seconds=0.0,
)
"""Provenance of every reference."""

_USERS_AT_ONCE = 25


class ReferenceAnswers(NamedTuple):
    """Answers out of the data set; see `evaluator.ask.AnswerSource`."""

    setup: HicupidSetup

    @property
    def info(self) -> EngineInfo:
        """See `AnswerSource.info`."""
        return INFO

    def key(self, question_id: str) -> InputKey:
        """See `AnswerSource.key`."""
        return input_key(self.setup, question_id, INFO)

    def standing(self, question_id: str, known: Mapping[str, Generation]) -> Generation | None:
        """See `AnswerSource.standing`."""
        return known.get(self.key(question_id).digest())

    def waves(self, users: Sequence[UserItems]) -> Iterator[tuple[UserItems, ...]]:
        """See `AnswerSource.waves`."""
        return (tuple(users[start : start + _USERS_AT_ONCE]) for start in range(0, len(users), _USERS_AT_ONCE))

    def answers(self, users: Sequence[UserItems], done: Mapping[str, Generation]) -> Iterator[Generation]:
        """See `AnswerSource.answers`."""
        reference = Reference(self.setup.model.model.removeprefix(REFERENCE))
        for user in users:
            for question in questions_of(self.setup, user):
                if self.key(question.question_id).digest() not in done:
                    yield answer_row(self.setup, question, answer_of(question, reference))


def answer_row(setup: HicupidSetup, question: Question, text: str) -> Generation:
    """Returns the row of an answer that no model gave.

    Args:
        setup: The run; its model names who answers.
        question: What was asked.
        text: What is answered.
    """
    key = input_key(setup, question.question_id, INFO)
    return generation_row(setup, Asked(key, question, None), _completion(key.digest(), text), INFO)


def answer_of(question: Question, reference: Reference) -> str:
    """Returns what a reference says to a question."""
    if reference is Reference.EMPTY:
        return ""
    return question.gold if reference is Reference.GOLD else question.general_answer


def _completion(key: str, text: str) -> Completion:
    """Says in an engine's terms that an answer cost nothing."""
    return Completion(
        key=key,
        text=text,
        prompt_hash=digest([]),
        prompt_tokens=0,
        cached_tokens=0,
        shared_tokens=0,
        output_tokens=0,
        finish_reason="stop",
        seconds=0.0,
    )
