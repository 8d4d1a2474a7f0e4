"""`rapport maintain objections|accept|decline`, where the site's Redis is reached."""

from __future__ import annotations

import json

from leaderboard.maintaining.desk import MaintainDesk
from leaderboard.objections.records import Decision
from tests.maintaining.test_cli import rapport
from tests.objections.sites import BOB, CARD, ON, make_objections

__all__ = ["rapport"]


def test_objections_are_listed_and_replied_to(rapport, redis):
    assert rapport("objections") == (0, "There is none.\n", "")
    objections = make_objections(redis)
    first = objections.enter(BOB, ON, "gold", "It\x1b[31m is not.")
    second = objections.enter(BOB, ON._replace(question_id="test_1/8"), "other", "Nor is this.")
    listed = rapport("objections")[1].splitlines()
    assert listed == [
        f"{first.id} 2026-03-01 12:01 gold by bob: test_1/7 of {CARD}: It\\x1b[31m is not.",
        f"{second.id} 2026-03-01 12:02 other by bob: test_1/8 of {CARD}: Nor is this.",
    ], "nothing steers a terminal"
    assert rapport("accept", first.id, "--reason", "It holds.")[1].endswith("(accepted by maintainer: It holds.)\n")
    assert rapport("decline", second.id, "--reason", "It is.")[0] == 0
    assert rapport("decline", first.id, "--reason", "No.")[2].startswith("rapport: forbidden: Somebody has replied")
    assert rapport("accept", "o-none", "--reason", "No.")[2].startswith(
        "rapport: not_found: There is no such objection"
    )
    assert rapport("accept", second.id)[0] == 2, "a reason is needed"
    assert rapport("objections") == (0, "There is none.\n", "")
    told = json.loads(rapport("objections", "--all", "--json")[1])
    assert [(each["id"], each["reply"]["decision"]) for each in told] == [
        (second.id, Decision.DECLINED),
        (first.id, Decision.ACCEPTED),
    ]
    assert rapport("objections", "--all", "--count", "1")[1].splitlines()[1].startswith("2 in all")
    assert [act.actor for act in MaintainDesk(redis).acts()] == ["maintainer", "maintainer"]
