"""Checks of whether there is room for a model: in its own context, and on the workers that are alive."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from evaluator.errors import Cause, RapportError
from evaluator.estimate import GPU_SHARE, model_size
from evaluator.facts import ModelFacts
from evaluator.protocol import load_protocol
from leaderboard.checks.findings import NO_LEADERBOARD, Findings, passed, skipped, warned
from leaderboard.checks.records import Check, CheckName
from leaderboard.fleet import Announcement
from leaderboard.records import Lane

MOST_CHARACTERS = 6.0
"""Characters that one token stands for at most, over a whole English prompt."""
FEWEST_CHARACTERS = 3.5
"""The fewest, with the vocabularies of models that hold a conversation."""
_TIGHT = 0.9
"""Part of a worker's room beyond which it is doubtful whether a model fits: activations take some, too."""
_CPU_SHARE = 0.8
"""Part of a machine's memory that engines may take."""


class Demand(NamedTuple):
    """Tokens that the longest prompt of a protocol takes with its answer."""

    protocol: str
    characters: int
    answer: int

    def tokens(self, characters_each: float) -> int:
        """Returns them all, at so many characters a token."""
        return math.ceil(self.characters / characters_each) + self.answer


def demands(found: Findings) -> list[Demand] | None:
    """Returns what each protocol takes; None where there is one of which nobody knows."""
    ask, wanted = found.surroundings.need, found.request
    if ask is None:
        return None
    made = []
    for name in wanted.protocols:
        need, protocol = ask(name), load_protocol(name)
        if need is None:
            return None
        answer = protocol.sampling.max_tokens + (protocol.thought_tokens if wanted.thinking else 0)
        made.append(Demand(name, need.longest_characters, answer))
    return made


def check_context(found: Findings) -> Check:
    """Compares the model's context with the longest prompt."""
    context = model_size(found.config, None).context_length
    found.facts["context_length"] = context
    if found.surroundings.need is None:
        declared = "Its settings do not tell." if context is None else f"{context:,} tokens."
        return skipped(CheckName.CONTEXT, f"{declared} {NO_LEADERBOARD}")
    wanted = demands(found)
    later = "Nothing needs to be done: the worker counts exactly before the first question."
    if context is None:
        return warned(CheckName.CONTEXT, "Its settings do not tell how long a prompt may be.", later)
    if wanted is None:
        message = f"{context:,} tokens; nobody has measured the prompts of the protocol yet."
        return warned(CheckName.CONTEXT, message, later, context=context)
    longest = max(wanted, key=lambda demand: demand.tokens(FEWEST_CHARACTERS))
    least, most = longest.tokens(MOST_CHARACTERS), longest.tokens(FEWEST_CHARACTERS)
    told = f"the longest prompt of {longest.protocol} takes some {least:,} to {most:,} tokens with its answer"
    if least > context:
        raise RapportError(
            Cause.CONTEXT_OVERFLOW,
            f"The model's context is {context:,} tokens, and {told}.",
            "Submit a model with a longer context; prompts are never cut.",
        )
    if most > context:
        return warned(CheckName.CONTEXT, f"{context:,} tokens may be too few: {told}.", later, context=context)
    return passed(CheckName.CONTEXT, f"{context:,} tokens; {told}.", context=context, needed=most)


class Fit(NamedTuple):
    """How a model goes with one worker."""

    part: float
    """Of the worker's room that weights and one history take; above 1 it does not fit."""
    alone: float
    """The same if a judge beside it took no room."""
    problem: str
    """What is too small, in words."""


def check_fit(found: Findings) -> Check:
    """Compares weights and one history with the memory of the workers that are alive."""
    if found.surroundings.alive is None:
        return skipped(CheckName.FIT, NO_LEADERBOARD)
    workers = [each for each in found.surroundings.alive() if Lane.GENERATE in each.lanes and not each.draining]
    if not workers:
        return warned(CheckName.FIT, "No worker is alive.", "It can be submitted, and waits until one is.", workers=0)
    facts = found.model_facts
    wanted = demands(found) or []
    least, most = (
        max((demand.tokens(characters) for demand in wanted), default=0)
        for characters in (MOST_CHARACTERS, FEWEST_CHARACTERS)
    )
    at_best = min((fit_of(worker, facts, least) for worker in workers), key=lambda fit: fit.alone)
    if at_best.alone > 1:
        raise RapportError(Cause.TOO_LARGE, f"It fits no worker that is alive: {at_best.problem}.", _smaller(workers))
    fits = [fit_of(worker, facts, most) for worker in workers]
    fitting = sum(fit.part <= _TIGHT for fit in fits)
    known = {"workers": len(workers), "fitting": fitting}
    if not fitting:
        problem = min(fits, key=lambda fit: fit.part).problem
        message = f"It may not fit the workers that are alive: {problem}."
        return warned(CheckName.FIT, message, "It can be submitted; if it fails, nothing of it is lost.", **known)
    counted = f"{fitting} of {len(workers)} workers"
    if facts.kv_bytes_per_token is None or not most:
        message = f"Its weights fit {counted}; how much a history takes is not known."
        return warned(CheckName.FIT, message, "Nothing needs to be done: the worker finds out.", **known)
    return passed(CheckName.FIT, f"Weights and a history fit {counted}.", **known)


def _smaller(workers: Sequence[Announcement]) -> str:
    """Says what to do about a model that is too large."""
    roomy = max(workers, key=_room)
    return f"Submit a smaller or quantised model: the largest worker has {_room(roomy) / 1e9:,.1f} GB for its engines."


def fit_of(worker: Announcement, facts: ModelFacts, tokens: int) -> Fit:
    """Says how a model goes with a worker.

    Weights count as they lie in memory: 2 bytes a parameter, 4 where the worker computes in float32, and as they are
    stored where they are quantised. One engine uses one GPU; without any, its cache is as large as it was set. A worker
    of both lanes may have to hold a judge as well, which gets as much room as the model.

    Args:
        worker: What it says of itself.
        facts: The model.
        tokens: Those of the longest prompt with its answer; 0 where nobody knows.
    """
    if tokens > worker.context_tokens:
        told = f"engines are set up for {worker.context_tokens:,} tokens, and the longest prompt takes {tokens:,}"
        return Fit(math.inf, math.inf, told)
    weights, room = memory_bytes(worker, facts), _room(worker)
    history = tokens * (facts.kv_bytes_per_token or 0) * (2 if _in_float32(worker) else 1)
    cache = history if worker.gpus else worker.kv_cache_bytes
    shared = 2 if Lane.JUDGE in worker.lanes else 1
    crowded = 0.0 if worker.gpus else history / cache
    taken = (weights + cache) / room
    if crowded > shared * taken:
        told = f"one history takes {history / 1e9:,.1f} GB, and its cache has {cache / 1e9:,.1f} GB"
    else:
        beside = ", half of which may go to the judge" if shared > 1 else ""
        told = f"weights of {weights / 1e9:,.1f} GB and a cache of {cache / 1e9:,.1f} GB, and there is "
        told += f"{room / 1e9:,.1f} GB{beside}"
    return Fit(max(crowded, shared * taken), max(crowded, taken), told)


def memory_bytes(worker: Announcement, facts: ModelFacts) -> int:
    """Returns the bytes that a model's weights take on a worker."""
    if facts.parameters is None or facts.quantisation is not None:
        return facts.weight_bytes or 0
    return facts.parameters * (4 if _in_float32(worker) else 2)


def _in_float32(worker: Announcement) -> bool:
    """Says whether a worker computes in float32; `auto` does so without a GPU."""
    return worker.dtype == "float32" or (worker.dtype == "auto" and not worker.gpus)


def _room(worker: Announcement) -> float:
    """Returns the bytes that all engines of a worker may take together, on one GPU if it has any."""
    if worker.gpus:
        return GPU_SHARE * max(gpu.memory_bytes for gpu in worker.gpus)
    return _CPU_SHARE * worker.memory_bytes
