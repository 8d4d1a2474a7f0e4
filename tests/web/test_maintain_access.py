"""The maintainers' pages under the access list of docs/security.md: the page may read and do all that they offer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from redis import Redis

from leaderboard.connection import connect
from leaderboard.pages.maintain.routes import ANSWERS
from leaderboard.records import AmendmentKind, State
from leaderboard.rescoring.desk import RescoreDesk
from leaderboard.rescoring.records import RescoreStatus
from leaderboard.rescoring.reports import ReportDesk
from leaderboard.rescoring.service import RescoreService
from leaderboard.settings import Settings
from leaderboard.submissions.keys import EPOCH
from leaderboard.submissions.ledger import Ledger
from tests.ledger.test_access_lists import denied, urls
from tests.model_folders import make_model_folder
from tests.rescoring.other_judge import OTHER, write_judge
from tests.rescoring.rescores import CAROL
from tests.web.maintaining import enter, fail, visitor_of

__all__ = ["urls"]


def test_every_page_and_act_is_within_the_list(
    redis: Redis, ledger: Ledger, urls: Mapping[str, str], tmp_path: Path
) -> None:
    redis.set(EPOCH, "tests:0")
    published, queued, failed = enter(ledger, 1, State.PUBLISHED).id, enter(ledger, 2).id, fail(ledger, 3)
    ledger.amend(ledger.history(published), AmendmentKind.DISPUTED, "bob", "It is wrong.")
    settings = Settings(data=tmp_path, models=tmp_path / "models", judges=write_judge(tmp_path / "judges"))
    make_model_folder(settings.models, OTHER)
    rescore = RescoreService(settings, redis).start(OTHER, [f"{published}.demo-v1"], CAROL)
    done, told = {"reason": "Because.", "sure": "yes"}, {"judge": OTHER, "name": "bob", "of_one": "3"}
    with connect(urls["web"]) as web:
        maintainer = visitor_of(web, tmp_path, models=settings.models, judges=settings.judges)

        def post(path: str, **form: str) -> None:
            answer = maintainer.post(f"/maintain/{path}", data={**done, **told, **form})
            assert answer.status_code == 303, (path, answer.text)

        for act in ("answer", "flag", "clear", "hide", "show", "withdraw"):
            post(f"submissions/{published}/{act}")
        for act in ("lift", "pause", "resume", "cancel"):
            post(f"submissions/{queued}/{act}")
        post("submissions/retry", cause="crashed")
        assert ledger.history(failed).state is State.QUEUED
        for path in ("pause", "resume", "quota", "quota/unset"):
            post(f"site/{path}")
        post("previews")
        post(f"rescores/{rescore.id}/compare", protocol="demo-v1")
        for act in ("pause", "resume"):
            post(f"rescores/{rescore.id}/{act}")
        page = maintainer.get(f"/maintain/rescores/{rescore.id}/discard").text
        post(f"rescores/{rescore.id}/discard", seen=page.partition('name="seen" value="')[2].partition('"')[0])
        assert RescoreDesk(redis).get(rescore.id).status is RescoreStatus.DISCARDED

        report = ReportDesk(redis).recent(1)[0].id
        named = {"/maintain/submissions/{id}": queued, "/maintain/reports/{id}": report}
        for way, path in ANSWERS:
            if way == "GET" and "{act}" not in path and not path.endswith("json"):
                address = path.replace("{id}", named.get(path, rescore.id))
                assert maintainer.get(address).status_code == 200, address
    assert denied(redis) == []


@pytest.mark.parametrize("role", ["worker", "reaper"])
def test_no_other_role_could_serve_them(redis: Redis, urls: Mapping[str, str], tmp_path: Path, role: str) -> None:
    with connect(urls[role]) as other:
        maintainer = visitor_of(other, tmp_path)
        answer = maintainer.post("/maintain/site/pause", data={"reason": "Why."})
        assert answer.status_code == 503
        assert "NOPERM" not in answer.text
