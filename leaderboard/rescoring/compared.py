"""Gathers from the archive what a comparison needs: every run of a re-score under the judge that stands and the new."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence

from evaluator.errors import Cause, RapportError
from evaluator.protocol import load_protocol
from evaluator.records import Verdict
from leaderboard.decided import NOT_SHOWN, as_it_stands, is_shown
from leaderboard.labelling.journal import people_in, read_events
from leaderboard.labelling.standing import standing_of
from leaderboard.open_data.people_views import counts_as_public, verdict_of
from leaderboard.records import protocol_of, submission_of
from leaderboard.rescoring.comparing import FLIPS_OF_A_KIND, Comparing
from leaderboard.rescoring.comparing_rows import RunOfBoth, Scored
from leaderboard.rescoring.comparing_texts import QuestionTexts
from leaderboard.rescoring.comparison import Comparison
from leaderboard.rescoring.promotions import read_promotions
from leaderboard.rescoring.records import Rescore
from leaderboard.rescoring.rows import rows_under
from leaderboard.results import Scorecard
from leaderboard.scorecards import UserScores, scorecard_id
from leaderboard.store import layout
from leaderboard.store.base import NotFound, Store
from leaderboard.store.rows import Row, read_record
from leaderboard.store.runs import StoredRun
from leaderboard.submissions.history import History


def compare(
    store: Store,
    rescore: Rescore,
    protocol: str,
    *,
    against: str | None = None,
    flips: int = FLIPS_OF_A_KIND,
    disregarded: Collection[str] = (),
    texts: QuestionTexts | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Comparison:
    """Returns how the judge of a re-score differs from the one that stands, on the runs of a protocol.

    Args:
        store: The archive.
        rescore: The re-score, finished or not: what is not judged yet is listed.
        protocol: One of those of its runs.
        against: The judge to compare with; None for the one that decides ranks now.
        flips: As of `Comparing`.
        disregarded: Likewise.
        texts: Where the questions' texts are found, to stand with what flipped; None shows none.
        tell: Is told how far it is, in a sentence.

    Raises:
        RapportError: `not_found` if the re-score has no run of the protocol; `data_error` if something of the archive
            cannot be read.
        StoreError: If the store cannot be read.
    """
    runs = [run_id for run_id in rescore.runs if protocol_of(run_id) == protocol]
    if not runs:
        known = ", ".join(protocols_of(rescore))
        raise RapportError(Cause.NOT_FOUND, f"{rescore.id} has no run of {protocol}.", f"Name one of: {known}.")
    old, people = against or standing_judge(store, protocol), people_of(store)
    comparing = Comparing(protocol, old, rescore.judge, flips=flips, disregarded=disregarded)
    for number, run_id in enumerate(runs, start=1):
        tell(f"reading the verdicts of run {number:,} of {len(runs):,}")
        run = _run_of_both(store, rescore, run_id, old, people.get(run_id, ()), texts)
        if run.old or run.new:
            comparing.add(run)
    found = comparing.finish(tell)
    return found.model_copy(update={"no_texts_because": texts.missing_because}) if texts else found


def protocols_of(rescore: Rescore) -> list[str]:
    """Returns the protocols of a re-score's runs, sorted."""
    return sorted({protocol_of(run_id) for run_id in rescore.runs})


def standing_judge(store: Store, protocol: str) -> str:
    """Returns the judge that decides the ranks of a protocol now: the promoted one, or the protocol's own."""
    promotion = read_promotions(store).of(protocol)
    return promotion.judge if promotion else load_protocol(protocol).judge


def people_of(store: Store) -> Mapping[str, Sequence[Verdict]]:
    """Returns the verdicts that people have given on the site and that stand, by the run of the answer.

    Raises:
        RapportError: `data_error` if a person's events cannot be read.
    """
    found: dict[str, list[Verdict]] = defaultdict(list)
    for annotator in people_in(store):
        for given in standing_of(read_events(store, annotator)).labels:
            if given.label.asked.judged and given.label.outcome is not None and counts_as_public(given):
                found[given.label.asked.judged.run_id].append(verdict_of(annotator, given))
    return found


def _run_of_both(
    store: Store, rescore: Rescore, run_id: str, old: str, people: Sequence[Verdict], texts: QuestionTexts | None
) -> RunOfBoth:
    """Reads a run under both judges."""
    run = StoredRun(store, run_id)
    plan = run.plan()
    if plan is None:
        raise RapportError(
            Cause.DATA_ERROR, f"The archive does not hold the plan of {run_id}.", "Restore it from a backup."
        )
    path = layout.submission_path(submission_of(run_id))
    history = read_record(store.read(path), History, path)
    new_id = scorecard_id(run_id, rescore.judge)
    new = _read(store, layout.rescored_card_path(rescore.id, new_id), Scorecard)
    users = _read(store, layout.rescored_users_path(rescore.id, new_id), UserScores)
    return RunOfBoth(
        items=plan.questions,
        generations=run.rows().generations,
        old=_standing(store, run, scorecard_id(run_id, old), history),
        new=Scored(_decided(new, history), users, rows_under(store, run, rescore.id).verdicts)
        if new and users
        else None,
        people=people,
        texts=texts.of(plan) if texts else {},
    )


def _decided(card: Scorecard, history: History) -> Scorecard:
    """Returns a scorecard that ranks no more than people let it: what is flagged, hidden or withdrawn does not."""
    card = as_it_stands(card, history)
    if is_shown(history):
        return card
    return card.model_copy(update={"unranked_because": (*card.unranked_because, NOT_SHOWN)})


def _standing(store: Store, run: StoredRun, card_id: str, history: History) -> Scored | None:
    """Reads a run under the judge that stands; None if it has not judged it."""
    model = history.submission.model
    card = _read(store, layout.scorecard_path(model, card_id), Scorecard)
    card = card or _read(store, layout.old_scorecard_path(model, card_id), Scorecard)
    if card is None:
        return None
    users = _read(store, layout.user_scores_path(model, card_id), UserScores)
    users = users or _read(store, layout.old_user_scores_path(model, card_id), UserScores)
    if users is None:
        raise RapportError(
            Cause.DATA_ERROR, f"The archive does not hold the users' sums of {card_id}.", "Restore them from a backup."
        )
    rows = rows_under(store, run, card.rescore_id).verdicts
    return Scored(_decided(card, history), users, [row for row in rows if row.key.rater == card.judge])


def _read(store: Store, path: str, kind: type[Row]) -> Row | None:
    """Reads a record; None if it is not there."""
    try:
        return read_record(store.read(path), kind, path)
    except NotFound:
        return None
