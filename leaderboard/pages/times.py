"""What is said of a run's progress and of its time to come: about how long, and from how many measurements."""

from __future__ import annotations

from collections.abc import Iterator

from leaderboard.records import State
from leaderboard.submissions.estimate import Estimate
from leaderboard.submissions.outlook import Outlook
from leaderboard.submissions.views import RunView

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_LONGEST_DAYS = 30
_WAITING = {
    State.CHECKING: "being checked",
    State.QUEUED: "waiting for a worker",
    State.GENERATING: "planning",
}
"""What happens in a run that has no plan; of one that has ended without a plan there is nothing to tell."""


def about(seconds: float) -> str:
    """Writes a time as roughly as it is known.

    Example:
        >>> [about(seconds) for seconds in (4, 80, 900, 5_000, 100_000, 10**9)]
        ['less than a minute', 'about 1 min', 'about 15 min', 'about 1.5 h', 'about 28 h', 'more than 30 days']
    """
    if seconds < _MINUTE:
        return "less than a minute"
    if seconds < _HOUR:
        return f"about {seconds / _MINUTE:.0f} min"
    if seconds < 2 * _DAY:
        hours = seconds / _HOUR
        return f"about {round(2 * hours) / 2:g} h" if hours < 10 else f"about {hours:.0f} h"
    return f"about {seconds / _DAY:.0f} days" if seconds < _LONGEST_DAYS * _DAY else f"more than {_LONGEST_DAYS} days"


def _from(estimate: Estimate) -> str:
    """Says what an estimate rests on."""
    noun = "measurement" if estimate.measurements == 1 else "measurements"
    return f"{about(estimate.seconds)} (from {estimate.measurements} {noun})"


def outlook_sentences(run: RunView, outlook: Outlook | None) -> list[str]:
    """Returns what is said of a run that has not ended, a sentence each; nothing of one that has.

    Args:
        run: The run.
        outlook: What is known of its time to come.

    Example:
        >>> view = RunView("s-20260101-0a1b2c3d.demo-v1", State.QUEUED, None, ())
        >>> waits = Outlook(2, 5, 1, Estimate(600, 12), Estimate(1500, 40), None, paused=False)
        >>> outlook_sentences(view, waits)
        ['Place 2 of 5.', 'Begins in about 10 min (from 12 measurements).', 'Then takes about 25 min \
(from 40 measurements).']
    """
    if outlook is None:
        return []
    if outlook.paused:
        return ["Paused by a maintainer: no worker takes it until it is resumed."]
    if run.state in (State.SCORING, State.PUBLISHING):
        said = ["All questions are answered and judged; the result is being made."]
    else:
        said = _waiting(outlook) if outlook.position is not None else _working(outlook)
    return [*said, *_missing(run, outlook)]


def _missing(run: RunView, outlook: Outlook) -> Iterator[str]:
    """Yields what keeps a run from going on; none of it loses anything."""
    if outlook.resting is not None:
        yield f"The last try ended in a failure of ours ({outlook.resting}); it is tried again by itself."
    if not outlook.published:
        yield "The publisher is not alive at the moment: nothing is saved or published until it is back."
    if run.state in (State.SCORING, State.PUBLISHING):
        return
    if outlook.lacks_room:
        yield "It fits none of the workers that are alive; it waits for a larger one, and nothing is lost."
    if not outlook.ordered:
        yield "The reaper is not alive at the moment: no worker is invited until it is back."
    if outlook.workers == 0 and run.state is not State.JUDGING:
        yield "No worker is alive at the moment; it waits for one, and nothing is lost."
    if outlook.judges == 0:
        yield "No worker that judges is alive at the moment."


def _waiting(outlook: Outlook) -> list[str]:
    """What is said of a run that waits for its first worker."""
    said = [f"Place {outlook.position} of {outlook.waiting}."]
    if outlook.lacks_room:
        return said
    if outlook.begins is not None and outlook.workers:
        begins = outlook.begins
        said.append(f"Begins in {_from(begins)}." if begins.measurements else "Begins as soon as a worker is ready.")
    elif outlook.workers:
        said.append("When it begins is not known: nothing like what is ahead of it has been measured yet.")
    if outlook.lasts is not None:
        said.append(f"Then takes {_from(outlook.lasts)}.")
    return said


def _working(outlook: Outlook) -> list[str]:
    """What is said of a run that has a worker."""
    said = []
    if outlook.pace is not None:
        said.append(f"{outlook.pace.tokens_per_second:.0f} tokens/s in the last minutes.")
    if outlook.lasts is not None and outlook.lasts.measurements:
        said.append(f"{_from(outlook.lasts).capitalize()} left.")
    return said


def progress_of(run: RunView) -> str:
    """Says how far a run is, or what it waits for; nothing where its state says it all.

    Example:
        >>> from leaderboard.submissions.views import Progress
        >>> progress_of(RunView("s-20260101-0a1b2c3d.demo-v1", State.QUEUED, Progress(0, None, 0, None), ()))
        'waiting for a worker'
    """
    done = run.progress
    if done.items is None:
        return _WAITING.get(run.state, "")
    return f"{done.generations} of {done.items} answers, {done.verdicts} of {done.verdicts_wanted or 0} verdicts"
