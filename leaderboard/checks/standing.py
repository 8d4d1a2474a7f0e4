"""Checks of how a submission stands among the others: whether it is new, may be made, and how long it takes."""

from __future__ import annotations

from collections.abc import Iterable

from evaluator.estimate import Work, cost, model_size
from evaluator.protocol import EvaluationProtocol, load_protocol
from leaderboard.checks.findings import NO_LEADERBOARD, Expected, Findings, Waits, passed, skipped, warned
from leaderboard.checks.place import FEWEST_CHARACTERS
from leaderboard.checks.records import Check, CheckName
from leaderboard.records import State
from leaderboard.submissions.estimate import Estimate
from leaderboard.submissions.needs import Need
from leaderboard.submissions.quotas import Quotas

_AGAIN = (State.FAILED, State.CANCELLED)
_OF_ONE_HISTORY = ("full", "window")
"""Context modes under which the prompts of a user begin with the same history."""
_MINUTE = 60


def check_duplicate(found: Findings) -> Check:
    """Asks whether the very same was submitted before."""
    model, adapter = found.pinned()
    if found.request.adapter and adapter is None:
        raise Waits(CheckName.ADAPTER)
    if found.surroundings.known is None:
        return skipped(CheckName.DUPLICATE, NO_LEADERBOARD)
    wanted = found.request
    found.known = found.surroundings.known(model, adapter, wanted.thinking, wanted.protocols)
    if found.known is None:
        return passed(CheckName.DUPLICATE, "It is new here.")
    submission_id, state = found.known
    return warned(
        CheckName.DUPLICATE,
        f"Submission {submission_id} covers it already; it is {state}.",
        "Open that one; its submitter or a maintainer can retry it." if state in _AGAIN else "Open that one.",
        submission_id=submission_id,
        state=state.value,
    )


def check_quota(found: Findings) -> Check:
    """Asks whether the person may submit now."""
    if found.surroundings.quotas is None:
        return skipped(CheckName.QUOTA, NO_LEADERBOARD)
    if found.known is not None:
        return passed(CheckName.QUOTA, "Nothing is counted for what is there already.")
    quotas = found.surroundings.quotas()
    if quotas is None:
        return passed(CheckName.QUOTA, "Maintainers have no quota.")
    if refusal := quotas.refusal():
        raise refusal
    return _within(quotas)


def _within(quotas: Quotas) -> Check:
    """Says what is left of the quotas."""
    own, everyone = quotas
    left = min(own.limit - own.used, everyone.limit - everyone.used)
    message = f"{own.used} of your {own.limit} submissions are used, and {everyone.used} of {everyone.limit} of all."
    return passed(CheckName.QUOTA, message, used=own.used, limit=own.limit, left=left)


def check_estimate(found: Findings) -> Check:
    """Says how long it would take, and how long it would wait."""
    if found.surroundings.expected is None and found.surroundings.need is None:
        return skipped(CheckName.ESTIMATE, NO_LEADERBOARD)
    expected = found.surroundings.expected and found.surroundings.expected(found.request.protocols)
    worked_out = gpu_minutes(found)
    parts = [*_work(expected, worked_out), *_waiting(expected)]
    facts = {
        "work_seconds": expected.work.seconds if expected and expected.work else None,
        "gpu_minutes": worked_out,
        "waiting_seconds": expected.waiting.seconds if expected and expected.waiting else None,
    }
    if not parts:
        later = "Its page tells more once a worker has begun."
        return warned(CheckName.ESTIMATE, "Nothing has been measured from which a time could be told.", later, **facts)
    return passed(CheckName.ESTIMATE, f"{'; '.join(parts)}.", **facts)


def _work(expected: Expected | None, worked_out: float | None) -> Iterable[str]:
    """Says how long a worker is busy with it, if anything is known of that."""
    if expected and expected.work:
        yield f"a worker needed some {_minutes(expected.work)} for a model of any size, by {_runs(expected.work)}"
    if worked_out is not None:
        yield f"this model's answers some {worked_out:,.1f} GPU minutes on an H100, worked out and not measured"


def _waiting(expected: Expected | None) -> Iterable[str]:
    """Says how long it waits before, if anything is known of that."""
    if expected and expected.waiting:
        yield f"it waits some {_minutes(expected.waiting)} before" if expected.waiting.seconds else "a worker is free"


def _minutes(estimate: Estimate) -> str:
    """Writes a time.

    Example:
        >>> _minutes(Estimate(90.0, 3)), _minutes(Estimate(20.0, 3))
        ('2 minutes', '1 minute')
    """
    minutes = max(1, round(estimate.seconds / _MINUTE))
    return "1 minute" if minutes == 1 else f"{minutes:,} minutes"


def _runs(estimate: Estimate) -> str:
    """Says on how many runs a time rests."""
    return "one earlier run" if estimate.measurements == 1 else f"{estimate.measurements:,} earlier runs"


def gpu_minutes(found: Findings) -> float | None:
    """Works out the minutes of an H100 that the answers take; None where something is not known of it.

    Prompts are taken to be as long as the longest, answers as long as they may be; see `evaluator.estimate.cost`.
    """
    ask, facts = found.surroundings.need, found.model_facts
    if ask is None or facts.parameters is None or facts.kv_bytes_per_token is None:
        return None
    size = model_size({}, facts.weight_bytes, facts.parameters)._replace(kv_bytes_per_token=facts.kv_bytes_per_token)
    needs = [(ask(name), load_protocol(name)) for name in found.request.protocols]
    work = [work_of(need, protocol, found.request.thinking) if need else None for need, protocol in needs]
    minutes = [cost(each, size).minutes if each else None for each in work]
    known = [each for each in minutes if each is not None]
    return sum(known) if len(known) == len(minutes) else None


def work_of(need: Need, protocol: EvaluationProtocol, thinking: bool) -> Work | None:
    """Returns what a model has to do under a protocol at most; None where nobody counted its items or users."""
    items = need.items or protocol.items
    if items is None or need.users is None:
        return None
    longest = round(need.longest_characters / FEWEST_CHARACTERS)
    histories = need.users if protocol.context.mode in _OF_ONE_HISTORY else items
    answer = protocol.sampling.max_tokens + (protocol.thought_tokens if thinking else 0)
    return Work(
        prompts=items,
        prompt_tokens=items * longest,
        distinct_tokens=histories * longest,
        longest_prompt=longest,
        answer_tokens=items * answer,
    )
