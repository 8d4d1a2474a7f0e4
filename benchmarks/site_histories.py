"""What happened to the submissions of generated models, and to some that never came to a result."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Sequence

from benchmarks.site_models import SiteModel, site_model
from evaluator.errors import Cause
from evaluator.hicupid.data import SEASON
from evaluator.records import Terms
from leaderboard.records import Failure, State, Submission, Transition
from leaderboard.submissions.history import History

_TERMS = Terms(visibility="public", season=SEASON, licence=None, redistributable=True, personal_data="pseudonymous")
_WORKING = (State.CHECKING, State.QUEUED, State.GENERATING)
_PUBLISHED = (*_WORKING, State.JUDGING, State.SCORING, State.PUBLISHING, State.PUBLISHED)
_UNFINISHED: Sequence[tuple[State, ...]] = (
    _WORKING[:2],
    _WORKING,
    (*_WORKING, State.JUDGING),
    (*_WORKING, State.FAILED),
    (*_WORKING, State.FAILED),
    (State.CHECKING, State.QUEUED, State.CANCELLED),
    _WORKING[:1],
)
_WHY = {
    State.FAILED: Failure(
        cause=Cause.LOAD_ERROR,
        message="The model could not be loaded.",
        remedy="Save it again.",
        log=("Loading shards: 50 %", "OSError: a file of the model is not there"),
    ),
    State.CANCELLED: Failure(cause=Cause.CANCELLED, message="It was stopped.", remedy="Retry to go on."),
}
_MINUTES = 20
"""Between two steps."""
_FIRST = 2**27
"""Number of the first submission that never came to a result."""


def histories_of(models: Iterable[SiteModel], protocols_of: Callable[[SiteModel], Sequence[str]]) -> Iterator[History]:
    """Yields the histories of models that are on the board.

    Args:
        models: The models.
        protocols_of: Under what each was run.
    """
    for model in models:
        yield _history(model, tuple(protocols_of(model)), _PUBLISHED)


def unfinished(newest: datetime.datetime, protocol: str) -> Iterator[History]:
    """Yields submissions that wait, are under way, have failed or were stopped."""
    for place, steps in enumerate(_UNFINISHED):
        at = newest + datetime.timedelta(minutes=7 * place)
        number = _FIRST + place
        named = site_model(place, 1)._replace(submission_id=f"s-{at:%Y%m%d}-{number:08x}", handed_in=at)
        model = named._replace(name=f"under-way/model-{place}", revision=f"{number:040x}")
        yield _history(model, (protocol,), steps)


def _history(model: SiteModel, protocols: tuple[str, ...], steps: Sequence[State]) -> History:
    """Returns a submission whose runs have all come as far."""
    submission = Submission(
        id=model.submission_id,
        model=model.name,
        revision=model.revision,
        adapter=model.adapter,
        adapter_revision=model.adapter and model.revision,
        submitter=model.submitter,
        declaration=model.declaration,
        protocols=protocols,
        created_at=model.handed_in,
        terms=_TERMS,
        facts=model.facts,
    )
    runs = [(run_id, step) for run_id in submission.run_ids() for step in zip([None, *steps], steps, strict=False)]
    events = tuple(
        Transition(
            run_id=run_id,
            sequence=place,
            before=before,
            after=after,
            at=model.handed_in + datetime.timedelta(minutes=_MINUTES * steps.index(after)),
            actor=model.submitter if after in _WORKING[:2] else "gpu-1",
            failure=_WHY.get(after),
        )
        for place, (run_id, (before, after)) in enumerate(runs, 1)
    )
    return History(submission=submission, events=events)
