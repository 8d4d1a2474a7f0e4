"""Checks of whether there is room for a model: in its own context, and on the workers that are alive."""

from __future__ import annotations

from collections.abc import Sequence

from evaluator.errors import Cause, RapportError
from evaluator.estimate import model_size
from evaluator.protocol import load_protocol
from leaderboard.checks.findings import NO_LEADERBOARD, Findings, passed, skipped, warned
from leaderboard.checks.records import Check, CheckName
from leaderboard.fleet import Announcement
from leaderboard.records import Lane
from leaderboard.submissions.room import (
    FEWEST_CHARACTERS,
    MOST_CHARACTERS,
    Demand,
    demand_of,
    fit_of,
    footprint_of,
    problem_of,
)

_TIGHT = 0.9
"""Part of a worker's room beyond which it is doubtful whether a model fits: activations take some, too."""


def demands(found: Findings) -> list[Demand] | None:
    """Returns what each protocol takes; None where there is one of which nobody knows."""
    ask, wanted = found.surroundings.need, found.request
    if ask is None:
        return None
    made = []
    for name in wanted.protocols:
        need = ask(name)
        if need is None:
            return None
        made.append(demand_of(need, load_protocol(name), wanted.thinking))
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


def check_fit(found: Findings) -> Check:
    """Compares weights and one history with the memory of the workers that are alive."""
    if found.surroundings.alive is None:
        return skipped(CheckName.FIT, NO_LEADERBOARD)
    workers = [each for each in found.surroundings.alive() if Lane.GENERATE in each.lanes]
    if not workers:
        return warned(CheckName.FIT, "No worker is alive.", "It can be submitted, and waits until one is.", workers=0)
    facts = found.model_facts
    wanted = demands(found) or []
    least, most = (
        footprint_of(facts, max((demand.tokens(characters) for demand in wanted), default=0))
        for characters in (MOST_CHARACTERS, FEWEST_CHARACTERS)
    )
    best = min((worker.kind for worker in workers), key=lambda kind: fit_of(kind, least).alone)
    if fit_of(best, least).alone > 1:
        told = f"It fits no worker that is alive: {problem_of(best, least)}."
        raise RapportError(Cause.TOO_LARGE, told, _smaller(workers))
    fitting = sum(fit_of(worker.kind, most).part <= _TIGHT for worker in workers)
    known = {"workers": len(workers), "fitting": fitting}
    if not fitting:
        best = min((worker.kind for worker in workers), key=lambda kind: fit_of(kind, most).part)
        message = f"It may not fit the workers that are alive: {problem_of(best, most)}."
        return warned(CheckName.FIT, message, "It can be submitted; if it fails, nothing of it is lost.", **known)
    counted = f"{fitting} of {len(workers)} workers"
    if not most.history:
        message = f"Its weights fit {counted}; how much a history takes is not known."
        return warned(CheckName.FIT, message, "Nothing needs to be done: the worker finds out.", **known)
    return passed(CheckName.FIT, f"Weights and a history fit {counted}.", **known)


def _smaller(workers: Sequence[Announcement]) -> str:
    """Says what to do about a model that is too large."""
    most = max(worker.kind.room for worker in workers)
    return f"Submit a smaller or quantised model: the largest worker has {most / 1e9:,.1f} GB for its engines."
