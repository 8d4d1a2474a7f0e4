"""What people do to submissions that were entered: checked against who they are and what has happened so far."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from redis import Redis
from redis.exceptions import RedisError

from evaluator.errors import Cause, RapportError
from leaderboard.maintaining.records import Act, ActKind, act_of
from leaderboard.people import Person
from leaderboard.records import AmendmentKind, Declaration, Failure, State, now
from leaderboard.settings import Settings
from leaderboard.store.base import StoreError
from leaderboard.submissions.history import History
from leaderboard.submissions.ledger import Ledger, MovedMeanwhile
from leaderboard.submissions.permissions import Action, refusal
from leaderboard.submissions.quotas import Limits, amendment_refusal, limits_of, retry_refusal
from leaderboard.submissions.restoring import recount
from leaderboard.submissions.views import SubmissionView

LONGEST_TEXT = 1000
"""Most characters of a reason, a dispute or an answer."""


class SubmissionActions:
    """Everything that may be done to a submission after it was entered.

    Every method returns the submission as it is then, and raises `RapportError`: `not_found` for an unknown submission,
    `forbidden` with the reason, `data_error` for a text that is missing or too long, `quota` for what was done too
    often of late, or `infrastructure`.

    Example:
        >>> SubmissionActions(settings, redis).cancel("s-20260101-0a1b2c3d", Person("alice")).state  # doctest: +SKIP
        <State.CANCELLED: 'cancelled'>
    """

    def __init__(self, settings: Settings, redis: Redis) -> None:
        """Works on an open connection."""
        self._settings, self._redis = settings, redis
        self.ledger = Ledger(redis)

    def view(self, submission_id: str) -> SubmissionView:
        """Returns a submission as people see it."""
        with told():
            self._known(submission_id)
            return self.ledger.view(submission_id)

    def cancel(self, submission_id: str, person: Person, reason: str = "") -> SubmissionView:
        """Stops all runs that have not ended; what was finished is kept for a retry."""
        with told():
            history = self._allowed(submission_id, person, Action.CANCEL)
            message = " ".join([f"{person.name} stopped it.", checked_text(reason, needed=False)]).strip()
            failure = Failure(cause=Cause.CANCELLED, message=message, remedy="Retry to go on; finished items are kept.")
            act = act_of(person, ActKind.CANCEL, submission_id, checked_text(reason, needed=False))
            for run_id in history.submission.run_ids():
                if self.ledger.cancel(run_id, person.name, failure, act):
                    act = None  # However many runs it stops, it is one thing that was done.
            return self.ledger.view(submission_id)

    def retry(self, submission_id: str, person: Person) -> SubmissionView:
        """Takes up again all runs that failed or were cancelled, where they stopped."""
        with told():
            self.take_up(self._allowed(submission_id, person, Action.RETRY), person)
            return self.ledger.view(submission_id)

    def withdraw(self, submission_id: str, person: Person, reason: str) -> SubmissionView:
        """Stops all runs and takes the results off the board, for good; nothing is deleted."""
        view = self._amend(submission_id, person, Action.WITHDRAW, AmendmentKind.WITHDRAWN, reason)
        with told():
            self.ledger.put_away(self.ledger.history(submission_id), person.name)
            return self.ledger.view(view.submission.id)

    def correct(self, submission_id: str, person: Person, declaration: Declaration, reason: str = "") -> SubmissionView:
        """Replaces what was declared; scorecards follow. Whether the model thinks decides its rows and stays."""
        with told():
            if self._allowed(submission_id, person, Action.CORRECT).declaration == declaration:
                return self.ledger.view(submission_id)
        return self._amend(
            submission_id, person, Action.CORRECT, AmendmentKind.CORRECTED, reason, declaration=declaration
        )

    def dispute(self, submission_id: str, person: Person, reason: str, about: str | None = None) -> SubmissionView:
        """Says that something about a result is wrong.

        Args:
            submission_id: Whose result.
            person: Who says so.
            reason: What is wrong with it.
            about: A question, a verdict's key or the like; None for the whole result.
        """
        return self._amend(submission_id, person, Action.DISPUTE, AmendmentKind.DISPUTED, reason, about=about)

    def answer(self, submission_id: str, person: Person, reason: str, about: str | None = None) -> SubmissionView:
        """Answers a dispute; `about` as in the dispute."""
        return self._amend(submission_id, person, Action.ANSWER, AmendmentKind.ANSWERED, reason, about=about)

    def lift(self, submission_id: str, person: Person, reason: str = "") -> SubmissionView:
        """Puts a submission before all that are not lifted."""
        return self._amend(submission_id, person, Action.LIFT, AmendmentKind.LIFTED, reason)

    def pause(self, submission_id: str, person: Person, reason: str = "") -> SubmissionView:
        """Keeps workers from a submission until it is resumed."""
        return self._amend(submission_id, person, Action.PAUSE, AmendmentKind.PAUSED, reason)

    def resume(self, submission_id: str, person: Person, reason: str = "") -> SubmissionView:
        """Ends a pause."""
        return self._amend(submission_id, person, Action.RESUME, AmendmentKind.RESUMED, reason)

    def flag(self, submission_id: str, person: Person, reason: str) -> SubmissionView:
        """Marks a submission's results for all to see; they do not rank until that is cleared."""
        return self._amend(submission_id, person, Action.FLAG, AmendmentKind.FLAGGED, reason)

    def clear(self, submission_id: str, person: Person, reason: str) -> SubmissionView:
        """Takes a mark away, or answers what a program suspected."""
        return self._amend(submission_id, person, Action.CLEAR, AmendmentKind.CLEARED, reason)

    def hide(self, submission_id: str, person: Person, reason: str) -> SubmissionView:
        """Takes a submission's results off the board until they are shown again."""
        return self._amend(submission_id, person, Action.HIDE, AmendmentKind.HIDDEN, reason)

    def show(self, submission_id: str, person: Person, reason: str) -> SubmissionView:
        """Puts results back on the board that were hidden."""
        return self._amend(submission_id, person, Action.SHOW, AmendmentKind.SHOWN, reason)

    def queue_new(self, submission_id: str, person: Person) -> None:
        """Queues the runs of a submission that was just entered; one that has gone on by itself is left as it is.

        A worker may have failed it already: that is an answer, and not to be tried again unasked.
        """
        self._queue(self.ledger.history(submission_id), (State.CHECKING,), person)

    def take_up(self, history: History, person: Person) -> None:
        """Queues the runs of a submission that are being checked, failed or were cancelled.

        Raises:
            RapportError: `quota` if it was taken up again too often of late; maintainers may as often as they like.
        """
        submission = history.submission
        ended = [run_id for run_id, state in history.states.items() if state in _RETRIED]
        if ended and not person.maintainer and (error := retry_refusal(history, limits_of(self._settings), now())):
            raise error
        self._queue(history, (State.CHECKING,), person)
        self._queue(history, _RETRIED, person, act_of(person, ActKind.RETRY, submission.id))
        if ended:
            latest = self.ledger.history(submission.id)
            recount(self._redis, latest)
            if latest.withdrawn:  # Meanwhile: whichever came first, it stays withdrawn.
                self.ledger.put_away(latest, person.name)

    def _queue(self, history: History, among: Collection[State], person: Person, act: Act | None = None) -> None:
        """Queues those runs that were seen in one of some states; `act` is noted with the first of them."""
        for run_id, seen in history.states.items():
            if seen in among:
                with contextlib.suppress(MovedMeanwhile):  # Somebody else was faster: it goes on already.
                    self.ledger.move(run_id, seen, State.QUEUED, person.name, act=act)
                    act = None

    def _amend(
        self,
        submission_id: str,
        person: Person,
        action: Action,
        kind: AmendmentKind,
        reason: str,
        *,
        declaration: Declaration | None = None,
        about: str | None = None,
    ) -> SubmissionView:
        """Adds an amendment that is allowed on all that has happened before it."""
        words = checked_text(reason, needed=kind in _NEEDS_REASON)
        subject = checked_text(about or "", needed=False, longest=200) or None
        with told():
            while True:
                history = self._allowed(submission_id, person, action)
                if kind in _BOUNDED and not person.maintainer:
                    _check_bound(history, limits_of(self._settings))
                if declaration and declaration.thinking != history.declaration.thinking:
                    raise _thinking_stays()
                act = _act_of(person, action, history, words, declaration, subject)
                try:
                    self.ledger.amend(
                        history, kind, person.name, words, declaration=declaration, about=subject, act=act
                    )
                except MovedMeanwhile:
                    continue
                return self.ledger.view(submission_id)

    def _allowed(self, submission_id: str, person: Person, action: Action) -> History:
        """Returns a submission's history if a person may do something to it now."""
        history = self._known(submission_id)
        if because := refusal(person, action, history.submission, history.events):
            raise RapportError(Cause.FORBIDDEN, because, "Its page says who submitted it and what has happened to it.")
        return history

    def _known(self, submission_id: str) -> History:
        """Returns a submission's history."""
        try:
            return self.ledger.history(submission_id)
        except KeyError as error:
            raise RapportError(
                Cause.NOT_FOUND, "There is no such submission.", "Check its id; the queue lists all submissions."
            ) from error


_RETRIED = (State.FAILED, State.CANCELLED)
_BOUNDED = (AmendmentKind.CORRECTED, AmendmentKind.DISPUTED)
_NEEDS_REASON = (
    *(AmendmentKind.WITHDRAWN, AmendmentKind.DISPUTED, AmendmentKind.ANSWERED),
    *(AmendmentKind.FLAGGED, AmendmentKind.CLEARED, AmendmentKind.HIDDEN, AmendmentKind.SHOWN),
)


def _check_bound(history: History, limits: Limits) -> None:
    """Refuses the words of somebody who has said too much of late.

    Raises:
        RapportError: `quota`.
    """
    if error := amendment_refusal(history, limits, now()):
        raise error


def _act_of(
    person: Person, action: Action, history: History, reason: str, declared: Declaration | None, about: str | None
) -> Act | None:
    """Returns the entry for an amendment in the log of maintainers; None for what anybody may say, and for others."""
    if action is Action.DISPUTE:
        return None
    detail = changes(history.declaration, declared) if declared else about and f"About {about}."
    return act_of(person, ActKind(f"submission.{action}"), history.submission.id, reason, detail)


def changes(before: Declaration, after: Declaration) -> str:
    """Says what a correction changes.

    Example:
        >>> told = Declaration(relation="owner", training_data="unknown", thinking=False, publish_answers=True)
        >>> changes(told, told.model_copy(update={"publish_answers": False}))
        'publish_answers: False instead of True.'
    """
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    return "; ".join(f"{name}: {new[name]} instead of {old[name]}" for name in new if new[name] != old[name]) + "."


def _thinking_stays() -> RapportError:
    """Says why one field of a declaration cannot be corrected."""
    return RapportError(
        Cause.FORBIDDEN,
        "Whether the model thinks cannot be corrected: its answers were asked for that way.",
        "Submit the model anew with the right declaration, and withdraw this submission.",
    )


def checked_text(text: str, *, needed: bool, longest: int = LONGEST_TEXT) -> str:
    """Returns a person's words without the space around them.

    Raises:
        RapportError: `data_error` if they are missing where they are needed, or too long.

    Example:
        >>> checked_text(" The gold answer is wrong. ", needed=True)
        'The gold answer is wrong.'
    """
    words = text.strip()
    if needed and not words:
        raise RapportError(Cause.DATA_ERROR, "A reason is needed.", "Say in a sentence why.")
    if len(words) > longest:
        raise RapportError(
            Cause.DATA_ERROR, f"The text has {len(words)} characters; {longest} are kept.", "Shorten it."
        )
    return words


@contextmanager
def told() -> Iterator[None]:
    """Says to a person that a fault is ours, without addresses or paths of this machine.

    Raises:
        RapportError: `infrastructure` for whatever failed below.
    """
    try:
        yield
    except (RedisError, StoreError, OSError) as error:
        failed = "Redis does not answer" if isinstance(error, RedisError) else "a disk or the network failed"
        raise RapportError(
            Cause.INFRASTRUCTURE,
            f"It could not be completed: {failed} ({type(error).__name__}).",
            "Try it again in a minute; what has been entered is taken up where it stopped.",
        ) from error
