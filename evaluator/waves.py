"""Packs users into waves that fit the engine's cache, so that no history is pushed out before its last question."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from evaluator.engines.base import Engine, Message
from evaluator.generate import sampling_of
from evaluator.hicupid.contexts import Contexts, prompt_messages
from evaluator.hicupid.selection import UserItems
from evaluator.setup import RunSetup, questions_of

_UNKNOWN_CAPACITY = 2**18
"""Tokens that a server is taken to hold which does not say; a wave of a quarter million keeps a fleet busy."""
_TAIL_TOKENS = 128
"""Instruction, question and partly filled blocks: what a question adds to the history besides its answer."""


def waves(
    setup: RunSetup, users: Iterable[UserItems], engine: Engine, contexts: Contexts
) -> Iterator[tuple[UserItems, ...]]:
    """Yields users in their order, together as many as the engine's cache holds, at least one at a time."""
    capacity = engine.info.kv_cache_tokens or _UNKNOWN_CAPACITY
    return pack(users, lambda user: _tokens(setup, user, engine, contexts), capacity)


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


def _tokens(setup: RunSetup, user: UserItems, engine: Engine, contexts: Contexts) -> int:
    """Estimates a user's share of the cache: every distinct context once, and a tail for each question."""
    questions = questions_of(setup, user)
    if not questions:
        return 0
    shown = contexts.of(setup.data.history(user.split, user.user_id), questions)
    distinct: Sequence[tuple[Message, ...]] = list(dict.fromkeys(context.messages for context in shown))
    prompts = [prompt_messages(messages, questions[0], setup.protocol, setup.pack) for messages in distinct]
    sampling = sampling_of(setup)
    tail = sampling.max_tokens + sampling.thought_tokens + _TAIL_TOKENS
    return sum(engine.count_tokens(prompts)) + tail * len(questions)
