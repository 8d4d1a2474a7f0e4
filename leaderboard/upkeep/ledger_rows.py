"""What Redis holds of what is taken down: submissions are withdrawn in the ledger, and rows go from there too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from redis import Redis

from evaluator.errors import Cause, RapportError
from leaderboard.connection import text
from leaderboard.labelling.desk import Desk
from leaderboard.records import Amendment, AmendmentKind, Batch, Moment, Plan, State, Transition
from leaderboard.rescoring.records import is_of_rescore
from leaderboard.store.rows import read_record
from leaderboard.submissions import keys
from leaderboard.submissions.history import History
from leaderboard.submissions.ledger import WITHDRAWN, Ledger
from leaderboard.submissions.states import ENDED, NEXT
from leaderboard.upkeep.records import Takedown, TakedownKind
from leaderboard.upkeep.row_changes import Changes

_OF_RUN = (keys.batches, keys.marks, keys.log)
_START_PUBLISHER = "Start the publisher, and try again once the run has ended."


def check_ledger(redis: Redis) -> None:
    """Returns if the ledger is whole.

    Raises:
        RapportError: `infrastructure` if a publisher has yet to compare it with the archive.
    """
    if not Ledger(redis).is_open():
        raise RapportError(
            Cause.INFRASTRUCTURE,
            "Redis has lost something, or is new, and was not compared with the archive since.",
            "Start the publisher, wait until submissions are accepted, stop it, and try again.",
        )


def withdraw_in_ledger(redis: Redis, submission_id: str, takedown: Takedown) -> History | None:
    """Withdraws a submission, stops its runs and drops their rows; returns its history, None if it is not known.

    Raises:
        RapportError: `infrastructure` if one of its runs is just being published.
    """
    ledger = Ledger(redis)
    known = ledger.histories([submission_id])
    if not known:
        return None
    if not known[0].withdrawn:
        ledger.amend(known[0], AmendmentKind.WITHDRAWN, takedown.actor, takedown.reason)
    ledger.put_away(ledger.history(submission_id), takedown.actor)
    history = ledger.history(submission_id)
    for run_id, state in history.states.items():
        if state not in ENDED:
            raise _under_way(run_id, state)
        redis.delete(*(name(run_id) for name in _OF_RUN))
    return history


def withdrawn(history: History, takedown: Takedown) -> History:
    """Returns a history as it goes on where it is withdrawn and no ledger is at hand.

    Raises:
        RapportError: `infrastructure` if one of its runs is just being published.
    """
    events, at = list(history.events), takedown.at
    if not history.withdrawn:
        events.append(_withdrawal(history, takedown, len(events) + 1))
    for run_id, state in history.states.items():
        if state not in ENDED:
            if State.CANCELLED not in NEXT[state]:
                raise _under_way(run_id, state)
            events.append(_cancelled(run_id, state, at, takedown.actor, len(events) + 1))
    return history.model_copy(update={"events": tuple(events)})


def judgings_with(redis: Redis, changes: Changes) -> list[str]:
    """Returns the judgings of which Redis holds a plan or rows that change, sorted."""
    batches = (name for name, _, _ in _changing(redis, changes))
    plans = (plan.run_id for plan in _changing_plans(redis, changes))
    return sorted({name for name in (*batches, *plans) if is_of_rescore(name)})


def check_batches(redis: Redis, changes: Changes) -> None:
    """Returns if no run that goes on has a plan or rows in Redis that change; judgings are closed and may go on.

    Raises:
        RapportError: `infrastructure` naming the run otherwise.
    """
    batches = (run_id for run_id, _, _ in _changing(redis, changes))
    plans = (plan.run_id for plan in _changing_plans(redis, changes))
    for run_id in (*batches, *plans):
        value = redis.get(keys.state(run_id))  # Nobody goes on with a run that the ledger does not know.
        if value is not None and (state := State(text(value))) not in ENDED:
            raise _under_way(run_id, state)


def change_batches(redis: Redis, changes: Changes) -> None:
    """Changes the plans and rows that Redis keeps of runs that have ended; judgings with such were closed before."""
    for run_id, name, batch in list(_changing(redis, changes)):
        redis.hset(keys.batches(run_id), name, batch.model_dump_json())
    for plan in list(_changing_plans(redis, changes)):
        redis.set(keys.plan(plan.run_id), plan.model_dump_json())


def unsaved_of(redis: Redis, kind: TakedownKind, name: str) -> list[str]:
    """Returns the submissions that are named, or are of the model that is, and may not be in the archive yet."""
    ledger = Ledger(redis)
    submissions = [history.submission for history in ledger.histories(ledger.unsaved())]
    return [each.id for each in submissions if name == (each.model if kind is TakedownKind.MODEL else each.id)]


def labels_of(redis: Redis, kind: TakedownKind, name: str) -> int:
    """Returns how many things Redis holds that a person did on the labelling page; the archive may lack them all."""
    return len(Desk(redis).written(name)) if kind is TakedownKind.PERSON else 0


def _changing(redis: Redis, changes: Changes) -> Iterator[tuple[str, str, Batch]]:
    """Yields the batches that change, with their run and name, as they will be."""
    prefix = keys.batches("")
    for key in redis.scan_iter(f"{prefix}*", count=1000):
        run_id = text(key).removeprefix(prefix)
        entries: Iterable[tuple[bytes, bytes]] = redis.hscan_iter(key)
        batches = {text(name): read_record(value, Batch, f"batch {text(name)} of {run_id}") for name, value in entries}
        rows = (row for batch in batches.values() for row in batch.generations)
        of_run = changes.among(rows, _plan_of(redis, run_id))
        for name, batch in batches.items():
            if (changed := of_run.of_batch(batch)) != batch:
                yield run_id, name, changed


def _changing_plans(redis: Redis, changes: Changes) -> Iterator[Plan]:
    """Yields the plans that change, as they will be."""
    prefix = keys.plan("")
    for key in redis.scan_iter(f"{prefix}*", count=1000):
        plan = _plan_of(redis, text(key).removeprefix(prefix))
        if plan and (changed := changes.of_plan(plan)) is not plan:
            yield changed


def _plan_of(redis: Redis, run_id: str) -> Plan | None:
    """Returns the plan of a run; None if it is not there, or went in between."""
    value = redis.get(keys.plan(run_id))
    return None if value is None else read_record(value, Plan, f"the plan of {run_id}")


def _withdrawal(history: History, takedown: Takedown, sequence: int) -> Amendment:
    return Amendment(
        kind=AmendmentKind.WITHDRAWN,
        submission_id=history.submission.id,
        sequence=sequence,
        at=takedown.at,
        actor=takedown.actor,
        text=takedown.reason,
    )


def _cancelled(run_id: str, before: State, at: Moment, actor: str, sequence: int) -> Transition:
    return Transition(
        run_id=run_id,
        sequence=sequence,
        before=before,
        after=State.CANCELLED,
        at=at,
        actor=actor,
        failure=WITHDRAWN,
    )


def _under_way(run_id: str, state: State) -> RapportError:
    """Says that a run has to end first."""
    return RapportError(Cause.INFRASTRUCTURE, f"The run {run_id} is {state}.", _START_PUBLISHER)
