"""What maintainers do to the site as a whole, and the log of everything that they do."""

from __future__ import annotations

import datetime
import html
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from redis import Redis

from leaderboard.maintaining.desk import MaintainDesk
from leaderboard.maintaining.records import Act, ActKind
from leaderboard.maintaining.service import Maintenance
from leaderboard.pages.maintain.log import LOOKED_AT, PAGE_LENGTH, WantedActs, find
from leaderboard.people import LOCAL_USER
from leaderboard.records import State, now
from leaderboard.settings import Settings
from leaderboard.submissions import keys
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.quotas import Limits
from tests.builders import NOON, make_submission
from tests.web.maintaining import HOSTILE, enter, visitor_of

LIMITS = Limits(5, 50, 7)


@pytest.fixture
def maintainer(redis: Redis, tmp_path: Path) -> TestClient:
    return visitor_of(redis, tmp_path)


@pytest.fixture
def maintenance(redis: Redis, tmp_path: Path) -> Maintenance:
    return Maintenance(Settings(data=tmp_path), redis)


def words_of(page: str) -> str:
    """What a reader sees of a page, roughly."""
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", page).split()))


def test_submissions_are_paused_with_a_public_reason_and_accepted_again(
    maintainer: TestClient, maintenance: Maintenance
) -> None:
    page = maintainer.get("/maintain/site").text
    assert "Submissions are accepted." in page
    assert maintainer.post("/maintain/site/pause", data={"reason": ""}).status_code == 400
    sent = maintainer.post("/maintain/site/pause", data={"reason": HOSTILE})
    assert sent.headers["location"] == "/maintain/site?done=site-pause"
    paused = maintenance.paused()
    assert paused is not None
    assert (paused.reason, paused.actor) == (HOSTILE, LOCAL_USER)
    for path in ("/maintain/site?done=site-pause", "/maintain"):
        page = maintainer.get(path).text
        assert "<script>document" not in page
        assert "owned" in page
    assert maintainer.post("/maintain/site/pause", data={"reason": "Again."}).status_code == 403
    maintainer.post("/maintain/site/resume", data={"reason": ""})
    assert maintenance.paused() is None


def test_a_quota_is_set_and_taken_back(maintainer: TestClient, maintenance: Maintenance, ledger: Ledger) -> None:
    at = now() - datetime.timedelta(days=1)
    for number in range(3):
        ledger.create(make_submission(number, submitter="bob", created_at=at), LIMITS)
    ledger.create(make_submission(9, submitter="ann", created_at=at), LIMITS)
    assert "bob 3 of 5 ann 1 of 5" in words_of(maintainer.get("/maintain/site").text)
    form = {"name": " bob ", "of_one": "12", "reason": "A class of his."}
    assert maintainer.post("/maintain/site/quota", data=form).headers["location"] == "/maintain/site?done=quota-set"
    assert maintenance.quotas()["bob"].of_one == 12
    page = words_of(maintainer.get("/maintain/site?name=bob").text)
    assert "bob 3 of 12" in page
    assert "Counts now 3 of 12" in page
    assert "A class of his." in page
    assert "4 of 50 are used" in page
    sent = maintainer.post("/maintain/site/quota/unset", data={"name": "bob", "reason": "It is over."})
    assert sent.headers["location"] == "/maintain/site?done=quota-unset"
    assert maintenance.quotas() == {}


@pytest.mark.parametrize(("field", "value"), [("name", HOSTILE), ("name", ""), ("of_one", "-1"), ("of_one", "x"),
                                              ("of_one", "1001"), ("of_one", "٣"), ("reason", " ")])  # fmt: skip
def test_a_quota_that_is_none_is_refused(
    maintainer: TestClient, maintenance: Maintenance, field: str, value: str
) -> None:
    answer = maintainer.post(
        "/maintain/site/quota", data={"name": "bob", "of_one": "1", "reason": "Why."} | {field: value}
    )
    assert answer.status_code == 400
    assert "<script>document" not in answer.text
    assert maintenance.quotas() == {}


def test_a_name_that_is_none_is_not_looked_up(maintainer: TestClient) -> None:
    answer = maintainer.get("/maintain/site", params={"name": HOSTILE})
    assert answer.status_code == 400
    assert "<script>document" not in answer.text


def test_every_act_stands_in_the_log_and_is_found_by_whom_about_what_and_of_which_kind(
    maintainer: TestClient, ledger: Ledger
) -> None:
    name, other = enter(ledger, 3, State.PUBLISHED).id, enter(ledger, 4).id
    maintainer.post(f"/maintain/submissions/{name}/flag", data={"reason": HOSTILE})
    maintainer.post(f"/maintain/submissions/{other}/lift", data={"reason": "It is for a paper."})
    page = maintainer.get("/maintain/log").text
    assert "2 acts in all" in page
    assert "<script>document" not in page
    assert page.index("submission.lift</a>") < page.index("submission.flag</a>")
    for query in ("kind=submission.lift", f"subject={other}"):
        found = maintainer.get(f"/maintain/log?{query}").text
        assert "It is for a paper." in found
        assert "submission.flag</a>" not in found
    assert "There is none." in maintainer.get("/maintain/log?actor=carol").text
    assert maintainer.get("/maintain/log?start=99999999999&kind=%3Cb%3E").status_code == 200


def make_act(number: int, kind: ActKind = ActKind.LIFT) -> Act:
    return Act(sequence=number, at=NOON, actor="carol", kind=kind, subject="s-20260301-00000001", reason="")


def test_the_log_is_read_page_by_page_and_no_request_reads_all_of_it(redis: Redis) -> None:
    rare = 3
    acts = [make_act(place, ActKind.HIDE if place == rare else ActKind.LIFT) for place in range(1, LOOKED_AT + 501)]
    redis.rpush(keys.ACTS, *(act.model_dump_json() for act in acts))
    desk, total = MaintainDesk(redis), len(acts)

    page = find(desk, WantedActs())
    assert [act.sequence for act in page.acts] == list(range(total, total - PAGE_LENGTH, -1))
    assert (page.looked_at, page.older) == (PAGE_LENGTH, total - PAGE_LENGTH)
    again = find(desk, WantedActs(start=page.older))
    assert again.acts[0].sequence == page.acts[-1].sequence - 1

    first = find(desk, WantedActs(kind=ActKind.HIDE))
    assert (first.acts, first.looked_at, first.older) == ((), LOOKED_AT, total - LOOKED_AT)
    second = find(desk, WantedActs(kind=ActKind.HIDE, start=first.older))
    assert ([act.sequence for act in second.acts], second.looked_at, second.older) == ([rare], 500, None)
    exactly = find(desk, WantedActs(start=PAGE_LENGTH))
    assert (len(exactly.acts), exactly.older) == (PAGE_LENGTH, None)
