"""Whether there is room for a model on a worker: one figure, by which checks refuse it and the reaper invites."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pydantic import Field

from evaluator.errors import RapportError
from evaluator.facts import ModelFacts
from evaluator.protocol import EvaluationProtocol, load_protocol
from evaluator.records import Record
from leaderboard.connection import text
from leaderboard.fleet import Kind
from leaderboard.records import Lane, Submission
from leaderboard.submissions.needs import Need

MOST_CHARACTERS = 6.0
"""Characters that one token stands for at most, over a whole English prompt."""
FEWEST_CHARACTERS = 3.5
"""The fewest, with the vocabularies of models that hold a conversation."""


Crowded = tuple[tuple[Lane, int], ...]
"""For lanes in which a run ran out of memory: bytes of the largest room in which it did."""


def read_crowded(values: Mapping[Any, Any]) -> Crowded:
    """Reads what Redis holds of that.

    Example:
        >>> read_crowded({b"judge": b"8000000000"})
        ((<Lane.JUDGE: 'judge'>, 8000000000),)
    """
    return tuple(sorted((Lane(text(lane)), int(room)) for lane, room in values.items()))


class Demand(NamedTuple):
    """What the longest prompt of a protocol takes with its answer."""

    protocol: str
    characters: int
    """Of the prompt."""
    answer: int
    """Tokens that an answer may take, thought included."""

    def tokens(self, characters_each: float) -> int:
        """Returns the tokens of both, at so many characters a token."""
        return math.ceil(self.characters / characters_each) + self.answer


def answer_tokens(protocol: EvaluationProtocol, thinking: bool) -> int:
    """Returns the tokens that one answer under a protocol may take, with its thought if the model thinks."""
    return protocol.sampling.max_tokens + (protocol.thought_tokens if thinking else 0)


def demand_of(need: Need, protocol: EvaluationProtocol, thinking: bool) -> Demand:
    """Returns what a protocol takes whose prompts were measured."""
    return Demand(protocol.id, need.longest_characters, answer_tokens(protocol, thinking))


class Footprint(Record):
    """What a model takes of a worker, with one history.

    Example:
        >>> facts = ModelFacts(parameters=8_030_000_000, weight_bytes=16_060_000_000, kv_bytes_per_token=131_072)
        >>> footprint_of(facts, 10_000)
        Footprint(weights=16060000000, wide_weights=32120000000, history=1310720000, tokens=10000)
    """

    weights: int = Field(ge=0)
    """Bytes in memory: 2 a parameter, and as stored where they are quantised or were not counted."""
    wide_weights: int = Field(ge=0)
    """The same where the worker computes in float32: 4 a parameter."""
    history: int = Field(ge=0)
    """Bytes of the cache of the longest prompt at 16 bits; 0 where nobody knows."""
    tokens: int = Field(ge=0)
    """Of the longest prompt with its answer; 0 where nobody knows."""


def footprint_of(facts: ModelFacts, tokens: int) -> Footprint:
    """Returns what a model takes, as far as is known of it.

    Args:
        facts: The model.
        tokens: Those of the longest prompt with its answer; 0 where nobody knows.
    """
    stored = facts.weight_bytes or 0
    counted = facts.parameters is not None and facts.quantisation is None
    return Footprint(
        weights=2 * (facts.parameters or 0) if counted else stored,
        wide_weights=4 * (facts.parameters or 0) if counted else stored,
        history=tokens * (facts.kv_bytes_per_token or 0),
        tokens=tokens,
    )


def least_footprint(submission: Submission, protocol_id: str, need: Need | None) -> Footprint | None:
    """Returns what a run of a submission takes at least: what does not fit by it certainly does not.

    Args:
        submission: What was handed in.
        protocol_id: The run's protocol.
        need: What the protocol's prompts need; None where nobody has measured them, and then the weights alone count.

    Returns:
        None where nothing is known of the model, or the protocol cannot be read, which the worker that plans it tells.
    """
    if submission.facts is None:
        return None
    try:
        protocol = load_protocol(protocol_id)
    except RapportError:
        return None
    demand = need and demand_of(need, protocol, submission.declaration.thinking)
    return footprint_of(submission.facts, demand.tokens(MOST_CHARACTERS) if demand else 0)


class Fit(NamedTuple):
    """How a model goes with one worker."""

    part: float
    """Of the worker's room that weights and one history take; above 1 it does not fit."""
    alone: float
    """The same if a judge beside it took no room."""


class _Taken(NamedTuple):
    """What a model takes on workers of a kind, in bytes."""

    weights: int
    cache: int
    """Of the engine; where none is set, as much as one history takes."""
    history: int
    """Of one history, where the cache is set; else 0."""
    beside: int
    """How many times that has to be there: a judge beside the model gets as much."""

    @property
    def crowded(self) -> float:
        """Part of a cache of a set size that one history takes."""
        return self.history / self.cache if self.history else 0.0

    def part(self, room: int) -> float:
        """Part of so many bytes that weights and cache take."""
        return (self.weights + self.cache) / room


def _taken(worker: Kind, footprint: Footprint) -> _Taken:
    """Returns what a model takes on workers of a kind."""
    history = footprint.history * (2 if worker.wide else 1)
    return _Taken(
        weights=footprint.wide_weights if worker.wide else footprint.weights,
        cache=history if worker.cache_bytes is None else worker.cache_bytes,
        history=0 if worker.cache_bytes is None else history,
        beside=2 if Lane.JUDGE in worker.lanes else 1,
    )


def fit_of(worker: Kind, footprint: Footprint) -> Fit:
    """Says how a model goes with workers of a kind.

    One engine uses one GPU; without any, its cache is as large as it was set. A worker of both lanes may have to hold a
    judge as well, which gets as much room as the model.
    """
    if footprint.tokens > worker.context_tokens:
        return Fit(math.inf, math.inf)
    taken = _taken(worker, footprint)
    part = taken.part(worker.room)
    return Fit(max(taken.crowded, taken.beside * part), max(taken.crowded, part))


def problem_of(worker: Kind, footprint: Footprint) -> str:
    """Returns in words what a model takes there, and how much there is of it."""
    if footprint.tokens > worker.context_tokens:
        told = f"engines are set up for {worker.context_tokens:,} tokens, and the longest prompt takes "
        return told + f"{footprint.tokens:,}"
    taken = _taken(worker, footprint)
    if taken.crowded > taken.beside * taken.part(worker.room):
        return f"one history takes {taken.history / 1e9:,.1f} GB, and its cache has {taken.cache / 1e9:,.1f} GB"
    beside = ", half of which may go to the judge" if taken.beside > 1 else ""
    told = f"weights of {taken.weights / 1e9:,.1f} GB and a cache of {taken.cache / 1e9:,.1f} GB, and there is "
    return told + f"{worker.room / 1e9:,.1f} GB{beside}"


def kinds_for(lane: Lane, footprint: Footprint | None, crowded: int, fleet: Iterable[Kind]) -> frozenset[Kind]:
    """Returns the kinds of workers on which a run may be worked in a lane.

    To answer, those on which the model fits beside a judge; where there is none, those on which it fits if no judge
    has to stand beside it, which nobody knows before. How large a judge is is not known either.

    Args:
        lane: The lane.
        footprint: What the model takes; None where that is not known, and then every kind may try.
        crowded: Bytes of the largest room in which memory ran out in this lane; 0 if it did not.
        fleet: The kinds there are.

    Example:
        >>> lanes = (Lane.GENERATE, Lane.JUDGE)
        >>> small, large = (Kind(lanes, room, None, 32_768, wide=False) for room in (10**9, 4 * 10**9))
        >>> footprint = footprint_of(ModelFacts(parameters=400_000_000), tokens=0)
        >>> kinds_for(Lane.GENERATE, footprint, 0, [small, large]) == {large}
        True
        >>> kinds_for(Lane.GENERATE, footprint, 0, [small]) == {small}
        True
        >>> kinds_for(Lane.JUDGE, footprint, 0, [small, large]) == {small, large}
        True
        >>> kinds_for(Lane.GENERATE, None, 10**9, [small, large]) == {large}
        True
    """
    larger = {kind for kind in fleet if lane in kind.lanes and kind.room > crowded}
    if footprint is None or lane is not Lane.GENERATE:
        return frozenset(larger)
    fits = {kind: fit_of(kind, footprint) for kind in larger}
    well = frozenset(kind for kind, fit in fits.items() if fit.part <= 1)
    return well or frozenset(kind for kind, fit in fits.items() if fit.alone <= 1)
