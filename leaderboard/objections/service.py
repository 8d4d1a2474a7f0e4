"""What people do about objections: any reader makes one, and maintainers reply; checked against who they are."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import NamedTuple

from redis import Redis

from evaluator.errors import Cause, RapportError
from leaderboard.maintaining.records import ActKind, act_of
from leaderboard.maintaining.state import read_own_quota
from leaderboard.objections.desk import Known, Listed, ObjectionDesk
from leaderboard.objections.records import Decision, Ground, Objection, Reply, objection_id
from leaderboard.people import Person
from leaderboard.records import now
from leaderboard.settings import Settings
from leaderboard.submissions.actions import checked_text, told
from leaderboard.submissions.ledger import BeingRestored
from leaderboard.submissions.quotas import minute

MOST_WAITING = 5000
"""How many objections may wait for maintainers at a time, so that nobody fills Redis with them."""
_DAY = datetime.timedelta(days=1)


class Answered(NamedTuple):
    """The answer that is objected to."""

    scorecard_id: str
    question_id: str
    model: str
    submitter: str


class Objections:
    """The way in to objections.

    What changes something raises `RapportError`: `forbidden` for whom it is not for, `data_error` for words that are
    missing or too long, `quota` for too many, `not_found`, or `infrastructure` where Redis is away or being restored.

    Example:
        >>> Objections(settings, redis).enter(Person("bob"), answered, "gold", "It is not.")  # doctest: +SKIP
    """

    def __init__(self, settings: Settings, redis: Redis, clock: Callable[[], datetime.datetime] = now) -> None:
        """Works on an open connection."""
        self._settings, self._redis, self._clock = settings, redis, clock
        self.desk = ObjectionDesk(redis)

    def known(self, person: Person | None, scorecard_id: str, question_id: str) -> Known:
        """Returns what there is on one answer: that of a person, and all that were accepted."""
        own = person and objection_id(scorecard_id, question_id, person.name)
        with told():
            return self.desk.known(own, scorecard_id, question_id)

    def by(self, person: Person, start: int, count: int) -> Listed:
        """Returns a person's objections, the newest first."""
        with told():
            return self.desk.by(person.name, start, count)

    def about(self, person: Person, start: int, count: int) -> Listed:
        """Returns the objections about what a person has submitted, newest first; who objects is not for showing."""
        with told():
            return self.desk.about(person.name, start, count)

    def enter(self, person: Person, answered: Answered, ground: str, reason: str) -> Objection:
        """Enters a reader's objection to one answer.

        Args:
            person: Who objects; anybody may who is logged in.
            answered: What is objected to; it has to exist.
            ground: One of `Ground`.
            reason: Why, in that person's words.
        """
        if ground not in list(Ground):
            raise RapportError(
                Cause.DATA_ERROR, "It does not say what is wrong.", "Choose one of those that are listed."
            )
        words, at = checked_text(reason, needed=True), self._clock()
        objection = Objection(
            scorecard_id=answered.scorecard_id,
            question_id=answered.question_id,
            model=answered.model,
            submitter=answered.submitter,
            person=person.name,
            ground=Ground(ground),
            text=words,
            at=at,
        )
        with told():
            self._check_welcome(person)
            window, most = _window(at), self._settings.objections_per_day
            entered = self.desk.enter(objection, *window, most, MOST_WAITING)
            if entered == "quota":
                raise self._too_many(person, window)
        if entered != "entered":
            raise _REFUSALS[entered]()
        return objection

    def reply(self, person: Person, name: str, decision: Decision, reason: str) -> Objection:
        """Accepts or declines an objection; nothing else follows from that by itself.

        Args:
            person: A maintainer.
            name: Id of the objection.
            decision: What is decided.
            reason: Why, in that person's words: the reader and the submitter read it, and everybody if it is accepted.
        """
        if not person.maintainer:
            raise RapportError(Cause.FORBIDDEN, "Only maintainers may reply to an objection.", "Ask a maintainer.")
        words = checked_text(reason, needed=True)
        with told():
            seen = self.desk.get(name)
            if seen.reply is not None:
                raise _decided()
            reply = Reply(decision=decision, text=words, at=self._clock(), actor=person.name)
            replied = seen.model_copy(update={"reply": reply})
            detail = f"Objection {name} to {seen.question_id} of {seen.scorecard_id}: {decision}."
            done = self.desk.reply(seen, replied, act_of(person, ActKind.ANSWER, seen.submission_id, words, detail))
        if done == "lost":
            raise BeingRestored
        if done == "moved":
            raise _decided()
        return replied

    def _check_welcome(self, person: Person) -> None:
        """Refuses objections where none are taken, and those of whom a maintainer lets submit nothing.

        Raises:
            RapportError: `forbidden`.
        """
        if self._settings.objections_per_day == 0:
            raise RapportError(Cause.FORBIDDEN, "This site takes no objections.", "Write to its maintainers.")
        own = None if person.maintainer else read_own_quota(self._redis, person.name)
        if own is not None and own.of_one == 0:
            raise RapportError(
                Cause.FORBIDDEN,
                "A maintainer has decided that nothing of yours is accepted now.",
                "Ask the maintainers.",
            )

    def _too_many(self, person: Person, window: tuple[float, float]) -> RapportError:
        """Says that a person has objected often enough for a day, and from when on the next one is taken."""
        most = self._settings.objections_per_day
        # That many were made of late: once the last of them but that many counts no longer, there is room.
        made = self.desk.nth_last_of(person.name, window, most)
        again = f"from {minute(_moment(made) + _DAY)} on" if made is not None else "tomorrow"
        return RapportError(
            Cause.QUOTA,
            f"You have objected {most} times within a day, which is the most.",
            f"The next one is accepted {again}; keep your words until then.",
        )


def _window(at: datetime.datetime) -> tuple[float, float]:
    """Returns between which moments objections count; those to come were told by a clock that was wrong."""
    return (at - _DAY).timestamp(), (at + _DAY).timestamp()


def _moment(seconds: float) -> datetime.datetime:
    """Returns a moment that is told in seconds since 1970."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


def _decided() -> RapportError:
    """Says that somebody was faster."""
    return RapportError(
        Cause.FORBIDDEN, "Somebody has replied to this objection already.", "The list of objections has the reply."
    )


def _known() -> RapportError:
    """Says that somebody has objected to the same before."""
    return RapportError(
        Cause.FORBIDDEN,
        "You have objected to this answer before, and maintainers have it: once is enough.",
        "What has become of it stands on the answer's page and among your objections.",
    )


def _full() -> RapportError:
    """Says that maintainers have more than enough to do."""
    return RapportError(
        Cause.QUOTA,
        f"{MOST_WAITING:,} objections wait for the maintainers, and no more are taken until they have replied to some.",
        "Keep your words and come back in some days.",
    )


_REFUSALS: dict[str, Callable[[], RapportError]] = {"lost": BeingRestored, "known": _known, "full": _full}
"""What is said where an objection was not entered."""
