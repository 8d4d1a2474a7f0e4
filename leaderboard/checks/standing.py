"""Checks of how a submission stands among the others: whether it is new, may be made, and how long it takes."""

from __future__ import annotations

from collections.abc import Iterable

from evaluator.estimate import Work, cost, model_size
from evaluator.protocol import EvaluationProtocol, HicupidProtocol, HumanProtocol, load_protocol
from leaderboard.checks.findings import NO_LEADERBOARD, Expected, Findings, Waits, passed, skipped, warned
from leaderboard.checks.records import Check, CheckName
from leaderboard.checks.repository import size_told
from leaderboard.records import State
from leaderboard.submissions.estimate import Expectation
from leaderboard.submissions.needs import Need
from leaderboard.submissions.quotas import Quotas
from leaderboard.submissions.room import FEWEST_CHARACTERS, answer_tokens

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
    if not found.known:
        return passed(CheckName.DUPLICATE, "It is new here.")
    told = "; ".join(f"under {each.protocol} by {each.submission_id} ({each.state})" for each in found.known)
    left = found.new_protocols
    message = f"It is covered already {told}." + (f" It is entered for {' and '.join(left)} alone." if left else "")
    remedy = "Open what is there." if len(found.known) > 1 else "Open that one."
    if any(each.state in _AGAIN for each in found.known):
        remedy += " Its submitter or a maintainer can retry what failed or was cancelled."
    return warned(CheckName.DUPLICATE, message, remedy, **{each.protocol: each.submission_id for each in found.known})


def check_quota(found: Findings) -> Check:
    """Asks whether the person may submit now."""
    if found.surroundings.quotas is None:
        return skipped(CheckName.QUOTA, NO_LEADERBOARD)
    if not found.new_protocols:
        return passed(CheckName.QUOTA, "Nothing is counted for what is there already.")
    quotas = found.surroundings.quotas()
    if quotas is None:
        return passed(CheckName.QUOTA, "Maintainers have no quota.")
    if refusal := quotas.refusal():
        raise refusal
    return _within(quotas)


def _within(quotas: Quotas) -> Check:
    """Says what is left of the quotas."""
    own, everyone = quotas.own, quotas.everyone
    left = min(quota.limit - quota.used for quota in quotas)
    message = f"{own.used} of your {own.limit} submissions are used, and {everyone.used} of {everyone.limit} of all."
    return passed(CheckName.QUOTA, message, used=own.used, limit=own.limit, left=left)


def check_estimate(found: Findings) -> Check:
    """Says how long it would take, and how long it would wait."""
    if found.surroundings.expected is None and found.surroundings.need is None:
        return skipped(CheckName.ESTIMATE, NO_LEADERBOARD)
    expected = None
    if found.surroundings.expected:
        expected = found.surroundings.expected(_asked(found), found.model_facts)
    worked_out = gpu_minutes(found)
    work = expected and expected.work
    parts = [*_work(work), *_answers(worked_out), *_waiting(expected)]
    facts = {
        "work_seconds": work and work.seconds,
        "work_least_seconds": work and work.least,
        "work_most_seconds": work and work.most,
        "work_runs": work and work.runs,
        "work_measured": work and work.measured,
        "gpu_minutes": worked_out,
        "waiting_seconds": expected and expected.waiting and expected.waiting.seconds,
    }
    if not parts:
        later = "Its page tells more once a worker has begun."
        return warned(CheckName.ESTIMATE, "Nothing has been measured from which a time could be told.", later, **facts)
    return passed(CheckName.ESTIMATE, f"{'; '.join(parts)}.", **facts)


def _asked(found: Findings) -> tuple[str, ...]:
    """Returns the protocols that it would be run on now; all of them where it is known under each."""
    return found.new_protocols or found.request.protocols


def _work(work: Expectation | None) -> Iterable[str]:
    """Says how long a worker is busy with it, and from which runs that is told, if anything is known of that."""
    if work is None:
        return
    runs = "one earlier run" if work.runs == 1 else f"{work.runs:,} earlier runs"
    sizes = " to ".join(dict.fromkeys(size_told(size) for size in work.sizes))
    how = "measured on" if work.measured else "worked out and not measured, scaled from"
    span = "" if work.least == work.most else f" ({_minutes(work.least)} to {_minutes(work.most)})"
    yield f"a worker needs some {_minutes(work.seconds)}{span}, {how} {runs} of {sizes}"


def _answers(worked_out: float | None) -> Iterable[str]:
    """Says how long the answers alone take on a card that is assumed, if that could be worked out."""
    if worked_out is not None:
        yield f"its answers take some {worked_out:,.1f} GPU minutes on an H100, worked out and not measured"


def _waiting(expected: Expected | None) -> Iterable[str]:
    """Says how long it waits before, if anything is known of that."""
    if expected and expected.waiting:
        waits = expected.waiting.seconds
        yield f"it waits some {_minutes(waits)} before" if waits else "a worker is free"


def _minutes(seconds: float) -> str:
    """Writes a time.

    Example:
        >>> _minutes(90.0), _minutes(20.0)
        ('2 minutes', '1 minute')
    """
    minutes = max(1, round(seconds / _MINUTE))
    return "1 minute" if minutes == 1 else f"{minutes:,} minutes"


def gpu_minutes(found: Findings) -> float | None:
    """Works out the minutes of an H100 that the answers take; None where something is not known of it.

    Prompts are taken to be as long as the longest, answers as long as they may be; see `evaluator.estimate.cost`.
    """
    ask, facts = found.surroundings.need, found.model_facts
    if ask is None or facts.parameters is None or facts.kv_bytes_per_token is None:
        return None
    size = model_size({}, facts.weight_bytes, facts.parameters)._replace(kv_bytes_per_token=facts.kv_bytes_per_token)
    needs = [(ask(name), load_protocol(name)) for name in _asked(found)]
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
    shares = isinstance(protocol, HumanProtocol) or (
        isinstance(protocol, HicupidProtocol) and protocol.context.mode in _OF_ONE_HISTORY
    )
    histories = need.users if shares else items
    return Work(
        prompts=items,
        prompt_tokens=items * longest,
        distinct_tokens=histories * longest,
        longest_prompt=longest,
        answer_tokens=items * answer_tokens(protocol, thinking),
    )
