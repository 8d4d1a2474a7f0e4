"""Runs all checks of one request, each as soon as it can be decided."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping

from redis.exceptions import RedisError

from evaluator.errors import RapportError
from leaderboard.checks.adapter import check_adapter
from leaderboard.checks.findings import Findings, Surroundings, Waits, skipped
from leaderboard.checks.place import check_context, check_fit
from leaderboard.checks.records import REFUSING, Check, CheckedModel, CheckName, CheckReport, CheckRequest, CheckResult
from leaderboard.checks.repository import (
    check_access,
    check_architecture,
    check_exists,
    check_id,
    check_licence,
    check_pinned,
    check_size,
    check_template,
    check_weights,
)
from leaderboard.checks.standing import check_duplicate, check_estimate, check_quota
from leaderboard.connection import unreachable
from leaderboard.maintaining.state import paused_refusal

_CHECKS: Mapping[CheckName, Callable[[Findings], Check]] = {
    CheckName.ID: check_id,
    CheckName.EXISTS: check_exists,
    CheckName.ACCESS: check_access,
    CheckName.REVISION: check_pinned,
    CheckName.WEIGHTS: check_weights,
    CheckName.LICENCE: check_licence,
    CheckName.ARCHITECTURE: check_architecture,
    CheckName.SIZE: check_size,
    CheckName.CONTEXT: check_context,
    CheckName.CHAT_TEMPLATE: check_template,
    CheckName.ADAPTER: check_adapter,
    CheckName.FIT: check_fit,
    CheckName.DUPLICATE: check_duplicate,
    CheckName.QUOTA: check_quota,
    CheckName.ESTIMATE: check_estimate,
}
_NEEDS = {
    CheckName.EXISTS: CheckName.ID,
    CheckName.ACCESS: CheckName.EXISTS,
    CheckName.REVISION: CheckName.ACCESS,
    CheckName.WEIGHTS: CheckName.REVISION,
    CheckName.LICENCE: CheckName.REVISION,
    CheckName.ARCHITECTURE: CheckName.REVISION,
    CheckName.SIZE: CheckName.WEIGHTS,
    CheckName.CONTEXT: CheckName.REVISION,
    CheckName.CHAT_TEMPLATE: CheckName.REVISION,
    CheckName.ADAPTER: CheckName.REVISION,
    CheckName.FIT: CheckName.SIZE,
    CheckName.DUPLICATE: CheckName.REVISION,
    CheckName.ESTIMATE: CheckName.SIZE,
}
"""Which check each needs the result of; the others go on whatever happens to it."""


def run_checks(request: CheckRequest, surroundings: Surroundings) -> Generator[Check, None, CheckedModel | None]:
    """Yields the result of each check in order, and returns what may be submitted; None if one refuses it.

    Args:
        request: What a person typed.
        surroundings: Whom to ask.

    Example:
        >>> from pathlib import Path
        >>> lines = list(run_checks(CheckRequest("no id"), Surroundings(Path("models"))))
        >>> lines[0].result, lines[1].result, len(lines)
        (<CheckResult.FAILED: 'failed'>, <CheckResult.SKIPPED: 'skipped'>, 15)
    """
    found = Findings(request, surroundings)
    refused = _paused(surroundings)
    for name in _CHECKS:
        check = _in_vain(name, refused) if refused else _decide(name, found)
        found.results[name] = check.result
        yield check
    return _checked(found)


def _paused(surroundings: Surroundings) -> Check | None:
    """Returns what is said in the place of the quota while nothing is accepted; None while it is."""
    try:
        pause = surroundings.pause() if surroundings.pause else None
    except RapportError as error:
        return _refusal(CheckName.QUOTA, error)
    except RedisError:
        return None  # Each check that asks Redis says so itself, and those that do not still tell something.
    return _refusal(CheckName.QUOTA, paused_refusal(pause)) if pause else None


def _in_vain(name: CheckName, refused: Check) -> Check:
    """Returns the result of a check that nobody is asked for, since nothing is accepted whatever it finds."""
    return refused if name is CheckName.QUOTA else skipped(name, "Not looked at: nothing is accepted now.")


def _decide(name: CheckName, found: Findings) -> Check:
    """Makes one check."""
    needed = _NEEDS.get(name)
    try:
        if needed and found.results[needed] in (*REFUSING, CheckResult.SKIPPED):
            raise Waits(needed)
        return _CHECKS[name](found)
    except Waits as waits:
        return skipped(name, f"Not looked at: it needs what the check of {waits.of.replace('_', ' ')} did not find.")
    except RapportError as error:
        return _refusal(name, error)
    except RedisError as error:
        return _refusal(name, unreachable(error))


def _refusal(name: CheckName, error: RapportError) -> Check:
    """Tells what is wrong with a model from what did not answer."""
    result = CheckResult.UNANSWERED if error.cause.is_ours else CheckResult.FAILED
    return Check(name=name, result=result, message=error.message, remedy=error.remedy, cause=error.cause)


def _checked(found: Findings) -> CheckedModel | None:
    """Returns what may be submitted."""
    if any(result in REFUSING for result in found.results.values()):
        return None
    return CheckedModel(*found.pinned(), found.model_facts)


def report(request: CheckRequest, surroundings: Surroundings) -> CheckReport:
    """Runs all checks and returns their results together."""
    lines = run_checks(request, surroundings)
    checks: list[Check] = []
    while True:
        try:
            checks.append(next(lines))
        except StopIteration as end:
            checked: CheckedModel | None = end.value
            break
    return CheckReport(
        allowed=checked is not None,
        model=checked and checked.model.model,
        revision=checked and checked.model.sha,
        adapter=checked and checked.adapter and checked.adapter.model,
        adapter_revision=checked and checked.adapter and checked.adapter.sha,
        facts=checked and checked.facts,
        checks=tuple(checks),
    )


def checked(request: CheckRequest, surroundings: Surroundings) -> CheckedModel:
    """Returns what may be submitted, for those who need no list; how long it would take is left out.

    Raises:
        RapportError: What the first check that refuses it found.
    """
    lines = run_checks(request, surroundings._replace(expected=None))
    while True:
        try:
            check = next(lines)
        except StopIteration as end:
            found: CheckedModel = end.value
            return found
        if check.refuses:
            raise check.error()
