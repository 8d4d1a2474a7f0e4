"""Packs users into waves that fit the engine's cache, so that no history is pushed out before its last question."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from evaluator.engines.base import Engine, Message
from evaluator.generate import sampling_of
from evaluator.hicupid.contexts import Contexts, prompt_messages
from evaluator.hicupid.selection import UserItems
from evaluator.setup import HicupidSetup, questions_of

Count = Callable[[Sequence[tuple[Message, ...]]], list[int]]
"""Returns the prompt tokens of each conversation."""

_UNKNOWN_CAPACITY = 2**18
"""Tokens that a server is taken to hold which does not say; a wave of a quarter million keeps a fleet busy."""
_CHARACTERS_PER_TOKEN = 4
"""Of most tokenizers on English text; good enough for a capacity that is not known either."""
_TAIL_TOKENS = 128
"""Instruction, question and partly filled blocks: what a question adds to the history besides its answer."""


def waves(
    setup: HicupidSetup, users: Iterable[UserItems], engine: Engine, contexts: Contexts
) -> Iterator[tuple[UserItems, ...]]:
    """Yields users in their order, together as many as the engine's cache holds, at least one at a time.

    A server that does not tell how much it holds is not asked to count tokens either, which only some can.
    """
    capacity, count = capacity_of(engine)
    return pack(users, lambda user: _tokens(setup, user, count, contexts), capacity)


def capacity_of(engine: Engine) -> tuple[int, Count]:
    """Returns how many tokens an engine's cache holds, and how they are counted."""
    capacity = engine.info.kv_cache_tokens
    return capacity or _UNKNOWN_CAPACITY, estimated_tokens if capacity is None else engine.count_tokens


def estimated_tokens(conversations: Sequence[tuple[Message, ...]]) -> list[int]:
    """Returns about how many tokens each conversation has, told from its characters.

    Example:
        >>> estimated_tokens([(Message("user", "Where is ramen served?"), Message("assistant", "Around here."))])
        [8]
    """
    characters = (sum(len(message.content) for message in messages) for messages in conversations)
    return [count // _CHARACTERS_PER_TOKEN for count in characters]


def pack(
    users: Iterable[UserItems], tokens: Callable[[UserItems], int], capacity: int
) -> Iterator[tuple[UserItems, ...]]:
    """Yields users in their order, together as many as fit; one who does not fit alone is a wave of his own.

    Args:
        users: In the order in which they are asked.
        tokens: How many tokens of the cache a user takes.
        capacity: How many tokens the cache holds.

    Example:
        >>> sizes = {UserItems("test_2", 1): 4, UserItems("test_2", 2): 5, UserItems("test_2", 3): 20}
        >>> [len(wave) for wave in pack(sizes, sizes.__getitem__, capacity=10)]
        [2, 1]
    """
    wave: list[UserItems] = []
    taken = 0
    for user in users:
        needed = tokens(user)
        if wave and taken + needed > capacity:
            yield tuple(wave)
            wave, taken = [], 0
        wave.append(user)
        taken += needed
    if wave:
        yield tuple(wave)


def _tokens(setup: HicupidSetup, user: UserItems, count: Count, contexts: Contexts) -> int:
    """Estimates a user's share of the cache: every distinct context once, and a tail for each question."""
    questions = questions_of(setup, user)
    if not questions:
        return 0
    shown = contexts.of(setup.data.history(user.split, user.user_id), questions)
    distinct: Sequence[tuple[Message, ...]] = list(dict.fromkeys(context.messages for context in shown))
    prompts = [prompt_messages(messages, questions[0], setup.protocol, setup.pack) for messages in distinct]
    sampling = sampling_of(setup)
    tail = sampling.max_tokens + sampling.thought_tokens + _TAIL_TOKENS
    return sum(count(prompts)) + tail * len(questions)
