"""What takes the archive of a site: choosing runs for a re-score, previewing it, and comparing judges.

The command line and the publisher's reports both go this way, so that they say the same.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from evaluator.errors import Cause, RapportError
from evaluator.judges.spec import load_judge
from leaderboard.rescoring.records import Rescore
from leaderboard.rescoring.selection import Filters, SelectedRun, select
from leaderboard.rescoring.service import revision_of
from leaderboard.settings import Settings
from leaderboard.store.base import Store

if TYPE_CHECKING:  # With these come numpy and scipy, which the other commands do without.
    from leaderboard.rescoring.comparison import Comparison
    from leaderboard.rescoring.preview_records import Preview


_NUMBERS = re.compile(r"[\d,]+")


def silent(progress: str) -> None:
    """Tells nobody."""


class Chosen(NamedTuple):
    """What a judge is to judge."""

    judge: str
    runs: tuple[SelectedRun, ...]
    """Runs that fit and that the judge has no scorecard of."""
    every: tuple[SelectedRun, ...]
    """All published runs of HiCUPID."""
    words: str
    """How the runs were chosen, for readers."""


def choose(store: Store, settings: Settings, judge: str, filters: Filters) -> Chosen:
    """Returns the runs that a re-score by a judge covers.

    Args:
        store: The archive.
        settings: Where judges are found.
        judge: Its id.
        filters: Which runs are wanted.

    Raises:
        RapportError: `not_found` if there is no such judge, or no run of a model or protocol that was named;
            `data_error` if the judge's file is broken.
        StoreError: If the store as a whole cannot be read.
    """
    spec = load_judge(judge, settings.judges)
    every = select(store, Filters())
    found = every if filters == Filters() else select(store, filters)
    runs = tuple(run for run in found if spec.id not in run.judges)
    return Chosen(spec.id, runs, every, _words(filters, len(runs), len(every)))


def preview_of(store: Store, settings: Settings, chosen: Chosen, tell: Callable[[str], None] = silent) -> Preview:
    """Returns what it would take to have a judge judge what was chosen.

    Args:
        store: The archive.
        settings: Where judges and their models are found.
        chosen: The judge and its runs.
        tell: Is told how far it is, in a sentence.

    Raises:
        RapportError: `judge_error` if the judge compares no answers, or its model cannot be found.
        StoreError: If the store as a whole cannot be read.
    """
    from leaderboard.rescoring.preview import preview

    spec = load_judge(chosen.judge, settings.judges)

    def told(done: int, runs: int) -> None:
        tell(f"{done:,} of {runs:,} runs read")

    return preview(store, spec, revision_of(spec, settings), chosen.runs, chosen.every, tell=told)


def comparison_of(
    store: Store,
    settings: Settings,
    rescore: Rescore,
    *,
    protocol: str | None = None,
    against: str | None = None,
    flips: int | None = None,
    tell: Callable[[str], None] = silent,
) -> Comparison:
    """Returns how the judge of a re-score differs from another, with texts of what flipped where these may be shown.

    Args:
        store: The archive.
        settings: Where the texts of questions are found.
        rescore: The re-score, finished or not.
        protocol: One of those of its runs; None if they have but one.
        against: The judge to compare with; None for the one that decides ranks now.
        flips: How many flips are kept of each kind; None keeps as many as a comparison holds by itself.
        tell: Is told how far it is, in a sentence.

    Raises:
        RapportError: `data_error` if a protocol is to be named; as of `compare`.
        StoreError: If the store cannot be read.
    """
    from leaderboard.rescoring.compared import compare, protocols_of
    from leaderboard.rescoring.comparing import FLIPS_OF_A_KIND
    from leaderboard.rescoring.comparing_texts import QuestionTexts

    known = protocols_of(rescore)
    if protocol is None and len(known) > 1:
        raise RapportError(
            Cause.DATA_ERROR, f"{rescore.id} has runs of {', '.join(known)}.", "Name one of these protocols."
        )
    return compare(
        store,
        rescore,
        protocol or known[0],
        against=against,
        flips=FLIPS_OF_A_KIND if flips is None else flips,
        texts=QuestionTexts(settings.data_set),
        tell=tell,
    )


def now_and_then(
    tell: Callable[[str], None], seconds: float, clock: Callable[[], float] = time.monotonic
) -> Callable[[str], None]:
    """Returns what passes on how far something is: at once where it is another sentence, else every so many seconds.

    Args:
        tell: Is told.
        seconds: How long a sentence that differs in its numbers alone is held back.
        clock: Seconds.

    Example:
        >>> heard = []
        >>> tell = now_and_then(heard.append, 10, clock=lambda: 0.0)
        >>> for sentence in ("run 1 of 9", "run 2 of 9", "ranking"):
        ...     tell(sentence)
        >>> heard
        ['run 1 of 9', 'ranking']
    """
    last, until = "", 0.0

    def pass_on(progress: str) -> None:
        nonlocal last, until
        words = _NUMBERS.sub("", progress)
        if words != last or clock() >= until:
            last, until = words, clock() + seconds
            tell(progress)

    return pass_on


def _words(filters: Filters, chosen: int, every: int) -> str:
    """Says how runs were chosen."""
    told = [
        *(f"model {name}" for name in filters.models),
        *(f"protocol {name}" for name in filters.protocols),
        *([f"since {filters.since}"] if filters.since else []),
    ]
    return f"{chosen} of {every} runs" + (f": {', '.join(told)}" if told else "")
