"""Asks a model at the human-grounded stages: items in, rows out as they are finished, nothing kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import assert_never

from evaluator.engines.base import Engine, EngineInfo, Message, Request, Sampling
from evaluator.generate import completion_row
from evaluator.hicupid.selection import UserItems
from evaluator.human.answers import ATTEMPTS, standing
from evaluator.human.data import HumanData
from evaluator.human.items import HumanItem, Part
from evaluator.human.judged.subjects import prompt_of
from evaluator.human.setup import HumanSetup, items
from evaluator.human.stages import rating, relevance, verification
from evaluator.human.stages.extraction import extraction_messages, forced_pattern
from evaluator.human.stages.rating import rating_messages
from evaluator.human.stages.reading import Invalid
from evaluator.human.stages.relevance import relevance_messages
from evaluator.human.stages.verification import verification_messages
from evaluator.human.stages.wording import Wording
from evaluator.human.stages.writing import generic_messages, personalised_messages
from evaluator.human.tasks import AnyTask, JudgedTask, Order, Task
from evaluator.records import Generation, InputKey
from evaluator.waves import capacity_of, pack

_PATTERNS: dict[AnyTask, str] = {
    Task.VERIFICATION: verification.PATTERN,
    Task.RELEVANCE: relevance.PATTERN,
    Task.RATING: rating.PATTERN,
}
_TAIL_TOKENS = 128
"""What an item adds to what its group begins with, besides its answer."""


class HumanAnswers:
    """A loaded model that answers at a human-grounded stage; see `evaluator.ask.AnswerSource`.

    What cannot be read is asked for once more, drawn instead of greedy, as another sample.
    """

    def __init__(self, setup: HumanSetup, engine: Engine) -> None:
        """Asks `engine` what a run asks."""
        self._setup, self._engine = setup, engine

    @property
    def info(self) -> EngineInfo:
        """See `AnswerSource.info`."""
        return self._engine.info

    def key(self, question_id: str) -> InputKey:
        """See `AnswerSource.key`."""
        return self._key(question_id, ATTEMPTS[0])

    def standing(self, question_id: str, known: Mapping[str, Generation]) -> Generation | None:
        """See `AnswerSource.standing`."""
        return standing(self._items[question_id], self._attempts(question_id, known))

    def waves(self, users: Sequence[UserItems]) -> Iterator[tuple[UserItems, ...]]:
        """See `AnswerSource.waves`."""
        capacity, count = capacity_of(self._engine)
        tail = self._sampling(0).max_tokens + self._sampling(0).thought_tokens + _TAIL_TOKENS

        def tokens(group: UserItems) -> int:
            asked = self._groups.get(group, ())
            return count([self._messages(asked[0])])[0] + tail * len(asked) if asked else 0

        return pack(users, tokens, capacity)

    def answers(self, users: Sequence[UserItems], done: Mapping[str, Generation]) -> Iterator[Generation]:
        """See `AnswerSource.answers`."""
        known = dict(done)
        asked = [item for group in users for item in self._groups.get(group, ())]
        for attempt in ATTEMPTS:
            for row in self._attempt(asked, attempt, known):
                known[row.input_key] = row
                yield row

    def _attempt(
        self, asked: Iterable[HumanItem], attempt: int, known: Mapping[str, Generation]
    ) -> Iterator[Generation]:
        """Yields one attempt at those items that owe it."""
        keys: dict[str, InputKey] = {}
        requests: list[Request] = []
        for item in asked:
            tried = self._attempts(item.question_id, known)
            if len(tried) == attempt and standing(item, tried) is None:
                key = self._key(item.question_id, attempt)
                keys[name := key.digest()] = key
                requests.append(Request(name, f"{item.split}/{item.user_id}", self._messages(item)))
        if requests:
            for said in self._engine.generate(requests, self._sampling(attempt), ()):
                yield completion_row(keys[said.key], said, self._engine.info, self._setup.terms)

    def _attempts(self, question_id: str, known: Mapping[str, Generation]) -> list[Generation]:
        """Returns the attempts at an item that are there, without gaps."""
        found = []
        for attempt in ATTEMPTS:
            row = known.get(self._key(question_id, attempt).digest())
            if row is None:
                break
            found.append(row)
        return found

    def _key(self, question_id: str, attempt: int) -> InputKey:
        """Returns the key of an attempt at an item."""
        setup, engine = self._setup, self._engine.info
        told = {**dict(engine.chat_template_arguments), "enable_thinking": str(setup.thinking).lower()}
        return InputKey(
            model=setup.model.model,
            model_sha=setup.model.sha,
            adapter=setup.adapter and setup.adapter.model,
            adapter_sha=setup.adapter and setup.adapter.sha,
            data_sha=setup.data.shown_sha,
            protocol=setup.protocol.id,
            conditions=setup.protocol.conditions(),
            prompt_pack=setup.prompt_pack,
            chat_template_hash=engine.chat_template_hash,
            chat_template_arguments=tuple(sorted(told.items())),
            engine=engine.engine,
            dtype=engine.dtype,
            sample_index=attempt,
            question_id=question_id,
        )

    def _messages(self, item: HumanItem) -> tuple[Message, ...]:
        """Returns what the model is asked of an item."""
        return messages_of(item, self._setup.data, self._setup.wording)

    def _sampling(self, attempt: int) -> Sampling:
        """Returns how an attempt is drawn; a model that thinks cannot be forced to a pattern."""
        protocol = self._setup.protocol
        changes: dict[str, object] = {"thought_tokens": protocol.thought_tokens if self._setup.thinking else 0}
        if not self._setup.thinking:
            listed = protocol.extraction
            changes["pattern"] = forced_pattern(listed.most, listed.longest) if listed else _PATTERNS.get(protocol.task)
        if attempt:
            changes |= {"temperature": protocol.retry_temperature, "seed": protocol.sampling.seed + attempt}
        return Sampling.model_validate({**dict(protocol.sampling), **changes})

    @cached_property
    def _items(self) -> dict[str, HumanItem]:
        """All items that are asked, by name."""
        return {item.question_id: item for item in items(self._setup) if item.is_asked}

    @cached_property
    def _groups(self) -> dict[UserItems, list[HumanItem]]:
        """The same by group."""
        found: dict[UserItems, list[HumanItem]] = {}
        for item in self._items.values():
            found.setdefault(UserItems(item.split, item.user_id), []).append(item)
        return found


def messages_of(item: HumanItem, data: HumanData, wording: Wording) -> tuple[Message, ...]:
    """Returns the messages that ask a model about an item.

    Args:
        item: One that can be asked.
        data: Where its text is.
        wording: What is said.

    Raises:
        ValueError: If it cannot be asked.
    """
    if item.part is Part.GENERIC:
        return generic_messages(data.prompts[item.question_id], wording)
    if item.part is Part.PERSONALISED:
        known = [data.attributes[name] for name in item.attributes]
        return personalised_messages(data.prompts[prompt_of(item)], known, wording)
    if item.part is Part.CONVERSATION:
        return extraction_messages(data.conversations[item.question_id], wording)
    if isinstance(item.task, JudgedTask):
        raise ValueError(f"{item.question_id} is nothing that a model is asked")
    return _choice_messages(item, item.task, data, wording)


def _choice_messages(item: HumanItem, task: Task, data: HumanData, wording: Wording) -> tuple[Message, ...]:
    """Returns the messages that ask for one of a task's words."""
    if task is Task.VERIFICATION:
        attribute = data.attributes[item.question_id]
        messages = verification_messages(attribute, data.conversations_of.get(attribute.user_id, ()), wording)
        if isinstance(messages, Invalid):
            raise ValueError(f"{item.question_id} cannot be asked: {messages}")
        return messages
    first, second = item.question_id.split("/", 1)
    attribute = data.attributes[second]
    if task is Task.RELEVANCE:
        return relevance_messages(data.prompts[first], attribute, wording)
    if task is Task.RATING:
        pair = data.responses[first]
        prompt, order = data.prompts[pair.prompt_id], item.order or Order.GENERIC_FIRST
        return rating_messages(prompt, pair.generic, pair.personalised, order, attribute, wording)
    assert_never(task)
