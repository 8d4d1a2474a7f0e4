"""Who may object and reply, how often, and what is left when somebody else was faster."""

from __future__ import annotations

import datetime

import pytest
from redis import Redis

from evaluator.errors import Cause, RapportError
from leaderboard.maintaining.desk import MaintainDesk
from leaderboard.maintaining.records import ActKind
from leaderboard.maintaining.service import Maintenance
from leaderboard.objections import service
from leaderboard.objections.desk import ObjectionDesk
from leaderboard.objections.records import Decision, Ground
from leaderboard.people import Person
from leaderboard.settings import Settings
from leaderboard.submissions import keys
from tests.objections.sites import BOB, CARD, CAROL, ON, make_objection, make_objections

ALICE = Person("alice")


def refused(do, *arguments) -> RapportError:
    with pytest.raises(RapportError) as caught:
        do(*arguments)
    return caught.value


def test_any_reader_objects_once_to_an_answer_and_to_others_besides(redis: Redis) -> None:
    objections = make_objections(redis)
    made = objections.enter(BOB, ON, "gold", "  It is not.\nReally. ")
    assert (made.text, made.ground, made.person, made.reply) == ("It is not.\nReally.", Ground.GOLD, "bob", None)
    error = refused(objections.enter, BOB, ON, "verdict", "Once more.")
    assert (error.cause, error.message) == (
        Cause.FORBIDDEN,
        "You have objected to this answer before, and maintainers have it: once is enough.",
    )
    objections.enter(ALICE, ON, "verdict", "I submitted it, and object too.")
    objections.enter(BOB, ON._replace(question_id="test_1/8"), "other", "Another question.")
    objections.enter(BOB, ON._replace(scorecard_id=f"{CARD}2"), "other", "Another judge.")
    waiting = objections.desk.waiting()
    assert [each.text for each in waiting.objections][:2] == [made.text, "I submitted it, and object too."]
    assert waiting.total == 4
    assert objections.desk.get(made.id) == made, "the first words stay"


@pytest.mark.parametrize(
    ("ground", "reason", "said"),
    [
        ("gold", "", "A reason is needed."),
        ("gold", " \n ", "A reason is needed."),
        ("gold", "x" * 1001, "The text has 1001 characters; 1000 are kept."),
        ("", "Because.", "It does not say what is wrong."),
        ("<b>", "Because.", "It does not say what is wrong."),
    ],
)
def test_what_is_missing_or_too_long_is_refused(redis: Redis, ground: str, reason: str, said: str) -> None:
    objections = make_objections(redis)
    error = refused(objections.enter, BOB, ON, ground, reason)
    assert (error.cause, error.message) == (Cause.DATA_ERROR, said)
    assert objections.desk.all().total == 0


def test_a_person_objects_so_often_a_day_and_nobody_else_waits_for_that(redis: Redis) -> None:
    objections = make_objections(redis, objections_per_day=2)
    for number in range(2):
        objections.enter(BOB, ON._replace(question_id=f"test_1/{number}"), "gold", "It is not.")
    error = refused(objections.enter, BOB, ON, "gold", "A third one.")
    assert error.cause is Cause.QUOTA
    assert error.message == "You have objected 2 times within a day, which is the most."
    assert "from 2026-03-02 12:01 UTC on" in error.remedy, "a day after the first of them"
    objections.enter(ALICE, ON, "gold", "I have not.")
    objections.reply(CAROL, objections.desk.by("bob").objections[0].id, Decision.DECLINED, "No.")
    assert refused(objections.enter, BOB, ON, "gold", "Still.").cause is Cause.QUOTA, "a reply does not make room"
    objections._clock.now += datetime.timedelta(days=1)  # type: ignore[attr-defined]
    assert objections.enter(BOB, ON, "gold", "The next day.").text == "The next day."


def test_no_more_may_wait_than_maintainers_can_ever_reply_to(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST_WAITING", 1)
    objections = make_objections(redis)
    made = objections.enter(BOB, ON, "gold", "It is not.")
    assert refused(objections.enter, ALICE, ON, "gold", "Nor do I think so.").cause is Cause.QUOTA
    objections.reply(CAROL, made.id, Decision.DECLINED, "It is.")
    objections.enter(ALICE, ON, "gold", "Nor do I think so.")


def test_a_site_may_take_none_and_none_of_whom_a_maintainer_lets_submit_nothing(redis: Redis) -> None:
    assert refused(make_objections(redis, objections_per_day=0).enter, BOB, ON, "gold", "No.").cause is Cause.FORBIDDEN
    Maintenance(Settings(), redis).set_quota(CAROL, "bob", 0, "Spam.")
    objections = make_objections(redis)
    assert "nothing of yours is accepted" in refused(objections.enter, BOB, ON, "gold", "No.").message
    objections.enter(ALICE, ON, "gold", "It is not.")


def test_maintainers_alone_reply_and_once(redis: Redis) -> None:
    objections = make_objections(redis)
    made = objections.enter(BOB, ON, "gold", "It is not.")
    for person in (BOB, ALICE, Person("eve")):
        error = refused(objections.reply, person, made.id, Decision.ACCEPTED, "It holds.")
        assert (error.cause, error.message) == (Cause.FORBIDDEN, "Only maintainers may reply to an objection.")
    assert refused(objections.reply, CAROL, made.id, Decision.ACCEPTED, " ").cause is Cause.DATA_ERROR
    assert refused(objections.reply, CAROL, "o-none", Decision.ACCEPTED, "It holds.").cause is Cause.NOT_FOUND
    assert objections.desk.get(made.id).reply is None
    assert MaintainDesk(redis).count() == 0
    replied = objections.reply(CAROL, made.id, Decision.ACCEPTED, " It holds. ")
    assert replied.reply is not None
    assert (replied.reply.decision, replied.reply.text, replied.reply.actor) == (
        Decision.ACCEPTED,
        "It holds.",
        "carol",
    )
    assert refused(objections.reply, CAROL, made.id, Decision.DECLINED, "No.").cause is Cause.FORBIDDEN
    assert objections.desk.get(made.id) == replied
    assert objections.desk.waiting().total == 0
    (act,) = MaintainDesk(redis).acts()
    assert (act.kind, act.subject, act.reason) == (ActKind.ANSWER, made.submission_id, "It holds.")
    assert act.detail == f"Objection {made.id} to test_1/7 of {CARD}: accepted."


def test_of_two_maintainers_who_decide_at_once_the_second_is_told(redis: Redis) -> None:
    objections, desk = make_objections(redis), ObjectionDesk(redis)
    seen = objections.enter(BOB, ON, "gold", "It is not.")
    replied = make_objection(decision=Decision.DECLINED, at=seen.at)
    objections.reply(CAROL, seen.id, Decision.ACCEPTED, "It holds.")
    assert desk.reply(seen, replied, None) == "moved"
    assert objections.known(None, CARD, "test_1/7").accepted != ()
    assert MaintainDesk(redis).count() == 1


def test_only_what_was_accepted_stands_beside_the_answer_and_ones_own(redis: Redis) -> None:
    objections = make_objections(redis)
    mine, other = (objections.enter(person, ON, "gold", "It is not.") for person in (BOB, ALICE))
    assert objections.known(BOB, CARD, "test_1/7") == (mine, ())
    assert objections.known(None, CARD, "test_1/7") == (None, ())
    objections.reply(CAROL, mine.id, Decision.DECLINED, "It is.")
    accepted = objections.reply(CAROL, other.id, Decision.ACCEPTED, "It holds.")
    assert objections.known(None, CARD, "test_1/7") == (None, (accepted,))
    assert objections.known(None, CARD, "test_1/8") == (None, ())
    assert objections.known(None, f"{CARD}2", "test_1/7") == (None, ())
    assert [each.person for each in objections.about(ALICE, 0, 9).objections] == ["alice", "bob"]
    assert [each.person for each in objections.by(ALICE, 0, 9).objections] == ["alice"]


def test_nothing_is_entered_or_replied_to_while_the_ledger_is_being_restored(redis: Redis) -> None:
    objections = make_objections(redis)
    made = objections.enter(BOB, ON, "gold", "It is not.")
    redis.delete(keys.EPOCH)
    for error in (
        refused(objections.enter, ALICE, ON, "gold", "It is not."),
        refused(objections.reply, CAROL, made.id, Decision.ACCEPTED, "It holds."),
    ):
        assert (error.cause, error.message) == (Cause.INFRASTRUCTURE, "The ledger is being restored.")
    assert objections.desk.all().objections == (made,)
    assert MaintainDesk(redis).count() == 0


def test_one_that_cannot_be_read_is_counted_and_hides_no_other(redis: Redis) -> None:
    objections = make_objections(redis)
    made, other = (objections.enter(person, ON, "gold", "It is not.") for person in (BOB, ALICE))
    redis.set(keys.objection(made.id), "{")
    assert objections.desk.all() == ((other,), 2, 1)
    assert objections.known(BOB, CARD, "test_1/7").own is None
