"""How a submission is written into the ledger: a new one, or one that comes back from the store."""

from __future__ import annotations

from collections.abc import Iterable

from redis.client import Pipeline

from leaderboard.records import State, Submission, Transition
from leaderboard.submissions import keys
from leaderboard.submissions.history import History, states_of
from leaderboard.submissions.quotas import Limits, is_free
from leaderboard.submissions.states import ENDED, submission_state


def created_keys(submission: Submission) -> list[str]:
    """Names all that entering a submission reads or writes; see `scripts.CREATE`."""
    return [
        *(keys.EPOCH, keys.submission(submission.id), keys.events(submission.id)),
        *(keys.SUBMISSIONS, keys.UNSAVED, keys.ACTIVE, keys.COUNTED, keys.counted_of(submission.submitter)),
        keys.entered_by(submission.submitter),
        *fingerprints(submission),
        *(keys.state(run_id) for run_id in submission.run_ids()),
    ]


def created_arguments(submission: Submission, limits: Limits | None) -> list[str | int]:
    """Returns what is entered, and under which limits; see `scripts.CREATE`."""
    at = submission.created_at
    opening = [
        Transition(
            run_id=run_id,
            sequence=number,
            before=None,
            after=State.CHECKING,
            at=at,
            actor=submission.submitter,
            failure=None,
        ).model_dump_json()
        for number, run_id in enumerate(submission.run_ids(), start=1)
    ]
    bounds = limits.bounds(at) if limits else ("-inf", "+inf")
    most = (limits.of_all, limits.of_one, limits.entered) if limits else (-1, -1, -1)
    entered: list[str | int] = [submission.id, submission.model_dump_json(), len(opening), repr(at.timestamp())]
    entered += [*bounds, *most, int(not is_free(submission)), State.CHECKING.value, *opening]
    return [*entered, keys.SITE if limits else "", keys.PAUSE_FIELD]


def fingerprints(submission: Submission, protocols: Iterable[str] | None = None) -> list[str]:
    """Names what a submission covers: all that decides the model's answers, under some or all of its protocols."""
    of = submission
    asked = (of.model, of.revision, of.adapter, of.adapter_revision, of.declaration.thinking)
    return [keys.fingerprint(protocol, *asked) for protocol in (of.protocols if protocols is None else protocols)]


SUBMIT_AGAIN = "Submit the model again."
"""The remedy of a failure that nothing but a new submission mends: what the run was planned with is gone."""


def uncovered(history: History) -> tuple[str, ...]:
    """Returns the protocols under which a submission is not what its model leads to.

    Those are all if it was withdrawn, and else those of runs that can never go on.
    """
    submission = history.submission
    if history.withdrawn:
        return submission.protocols
    over = {step.run_id for step in history.transitions if step.failure and step.failure.remedy == SUBMIT_AGAIN}
    return tuple(
        protocol for protocol, run_id in zip(submission.protocols, submission.run_ids(), strict=True) if run_id in over
    )


def enter(pipe: Pipeline, history: History) -> None:
    """Writes a submission with its whole history, which the store holds, as part of a transaction."""
    submission, states = history.submission, states_of(history.events)
    pipe.set(keys.submission(submission.id), submission.model_dump_json())
    pipe.zadd(keys.SUBMISSIONS, {submission.id: submission.created_at.timestamp()})
    pipe.delete(keys.events(submission.id))
    pipe.rpush(keys.events(submission.id), *(event.model_dump_json() for event in history.events))
    pipe.mset({keys.state(run_id): state.value for run_id, state in states.items()})
    pipe.srem(keys.UNSAVED, submission.id)
    pipe.srem(keys.URGENT, submission.id)
    if submission_state(states.values()) in ENDED:
        pipe.srem(keys.ACTIVE, submission.id)
    else:
        pipe.sadd(keys.ACTIVE, submission.id)
