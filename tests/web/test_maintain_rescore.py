"""A better judge brought from the page alone: preview, start, watch, compare, promote; and what cannot be decided."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Route, sync_playwright
from redis import Redis

from evaluator.errors import Cause
from evaluator.hicupid.prompts import builtin_pack
from evaluator.judges.canaries import Bound, CanaryFigure, CanaryVerdict
from evaluator.judges.spec import load_judge
from evaluator.results import Rate
from leaderboard.people import LOCAL_USER
from leaderboard.records import Failure
from leaderboard.rescoring.checks import JudgeChecks
from leaderboard.rescoring.desk import RescoreDesk
from leaderboard.rescoring.promotions import read_promotions
from leaderboard.rescoring.records import Rescore, RescoreEvent, RescoreStatus, RescoreStep, judging_id
from leaderboard.rescoring.reports import ReportDesk, ReportKind, ReportState
from leaderboard.settings import Settings
from leaderboard.submissions import keys
from tests.browser import ARGUMENTS, chromium
from tests.builders import NOON
from tests.rescoring.conftest import bench, publisher, rescore, settings, store
from tests.rescoring.other_judge import OTHER
from tests.rescoring.rescores import CAROL, Bench, make_check, settle
from tests.web.maintaining import HOSTILE, visitor_of
from worker.report_child import work_out

__all__ = ["bench", "publisher", "rescore", "settings", "store"]

WHY = "It agrees better <b>with people</b>."


@pytest.fixture
def maintainer(redis: Redis, settings: Settings, tmp_path: Path) -> TestClient:
    return visitor_of(redis, tmp_path / "data", judges=settings.judges, models=settings.models)


def worked_out(settings: Settings, redis: Redis, address: str) -> None:
    """Has a report worked out as a child of the publisher does."""
    desk = ReportDesk(redis)
    taken = {"state": ReportState.RUNNING, "tries": 1}
    report = desk.change(address.rpartition("/")[2], lambda asked: asked.model_copy(update=taken))
    assert report is not None
    assert work_out(settings, redis, report.id, 1)


def words_of(page: str) -> str:
    """What a reader sees of a page, roughly."""
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", page).split()))


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found is not None, page
    return found[1]


def sideways(visitor: TestClient, address: str, width: int) -> int:
    """How many pixels of a page stick out to the right, in a browser without JavaScript."""

    def answer(route: Route) -> None:
        response = visitor.get(route.request.url.removeprefix("http://board.test"))
        route.fulfill(status=response.status_code, headers=dict(response.headers), body=response.content)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": width, "height": 800}, java_script_enabled=False)
        page.route("**/*", answer)
        page.goto(f"http://board.test{address}")
        found = int(page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth"))
        browser.close()
    return found


@pytest.fixture
def entered(settings: Settings, redis: Redis) -> Rescore:
    """A re-score of which nothing is laid out."""
    judge = load_judge(OTHER, settings.judges)
    started = RescoreEvent(sequence=1, step=RescoreStep.STARTED, at=NOON, actor="carol", reason=HOSTILE)
    entered = Rescore(
        id="r-20260301-0a1b2c3d",
        judge=OTHER,
        judge_revision="b" * 40,
        judge_config=judge.digest(),
        prompt_pack=HOSTILE,
        prompt_pack_status="builtin",
        runs=("s-20260301-00000001.demo-v1",),
        words=HOSTILE,
        created_by=HOSTILE,
        created_at=NOON,
        events=(started,),
    )
    RescoreDesk(redis).enter(entered)
    return entered


def test_a_judge_is_brought_from_the_page_alone(maintainer: TestClient, bench: Bench) -> None:
    form = {"judge": OTHER, "models": "", "since": "", "protocol": "demo-v1"}
    waiting = maintainer.post("/maintain/previews", data=form).headers["location"]
    page = maintainer.get(waiting).text
    assert '<meta http-equiv="refresh" content="3">' in page
    assert "The publisher works it out as soon as it comes to it." in words_of(page)
    worked_out(bench.settings, bench.redis, waiting)
    page = maintainer.get(waiting).text
    assert "http-equiv" not in page
    assert "Runs to judge 3" in words_of(page)
    assert "Time for one worker" in page or "Time unknown" in words_of(page)
    assert bench.desk.all() == ()

    begun = maintainer.post(f"{waiting}/start", data={"reason": WHY}).headers["location"]
    worked_out(bench.settings, bench.redis, begun)
    home = maintainer.get(begun).headers["location"].removesuffix("?done=started")
    (entered,) = bench.desk.all()
    assert home == f"/maintain/rescores/{entered.id}"
    assert (entered.judge, set(entered.runs), entered.events[0].actor) == (OTHER, set(bench.runs), LOCAL_USER)
    settle(bench.publisher)
    page = maintainer.get(home).text
    assert '<meta http-equiv="refresh"' in page
    assert "0 of 3 runs judged" in page
    assert "&lt;b&gt;with people&lt;/b&gt;" in page
    assert "It is running: every run has to be judged first." in page
    assert "Nobody has asked" in words_of(page)

    done = bench.finish(entered)
    page = maintainer.get(home).text
    assert "http-equiv" not in page
    assert "3 of 3 runs judged" in page
    compared = maintainer.post(f"{home}/compare", data={"protocol": "demo-v1", "against": ""}).headers["location"]
    worked_out(bench.settings, bench.redis, compared)
    told = words_of(maintainer.get(compared).text)
    for heading in ("Kappa", "Rank intervals that move", "old judge (rows) by new judge (columns)", "Flips", "People"):
        assert heading in told
    assert "Old judge, answer as A" in told
    page = maintainer.get(compared).text
    for anchor in re.findall(r'href="#([a-z]+)"', page):
        assert f' id="{anchor}"' in page, "each figure leads to what is behind it"
    assert maintainer.get(f"{compared}/json").json()["new"]["id"] == OTHER

    assert "It cannot be promoted now" in maintainer.get(f"{home}/promote").text
    JudgeChecks(bench.redis).put(make_check(done))
    asks = maintainer.get(f"{home}/promote").text
    assert "cannot be promoted" not in asks
    assert f'href="{compared}"' in asks
    assert "decides ranks under demo-v1, and under no other protocol" in words_of(asks)
    assert "<strong>Public:</strong>" in asks
    form = {"sure": "yes", "seen": hidden(asks, "seen"), "reason": WHY}
    assert maintainer.post(f"{home}/promote", data={**form, "sure": ""}).headers["location"] == f"{home}/promote"
    assert maintainer.post(f"{home}/promote", data={**form, "reason": ""}).status_code == 400
    sent = maintainer.post(f"{home}/promote", data=form)
    assert sent.headers["location"] == f"{home}?done=promoted"
    settle(bench.publisher)
    (promotion,) = read_promotions(bench.store).promotions
    assert (promotion.judge, promotion.actor, promotion.reason) == (OTHER, LOCAL_USER, WHY)
    assert "The judge is promoted" in maintainer.get(sent.headers["location"]).text
    judges = words_of(maintainer.get("/maintain/judges").text)
    assert "promoted for demo-v1" in judges
    assert "in another configuration" not in judges, "it is what was checked, whatever its status is by now"


def test_hostile_texts_of_a_comparison_are_shown_as_texts(maintainer: TestClient, bench: Bench) -> None:
    done = bench.finish(bench.begin())
    address = maintainer.post(f"/maintain/rescores/{done.id}/compare").headers["location"]
    worked_out(bench.settings, bench.redis, address)
    desk, name = ReportDesk(bench.redis), address.rpartition("/")[2]
    told = json.loads(desk.get(name).result or "")
    long = HOSTILE + "w" * 300
    told["models"][0]["model"] = told["old"]["id"] = told["new"]["engines"][0] = long
    shown = told["flips"][0]["shown"][0]
    shown["model"] = shown["answer"] = shown["said"][0]["new"]["completion"] = shown["question_id"] = long
    desk.change(name, lambda report: report, result=json.dumps(told))
    page = maintainer.get(address)
    assert page.status_code == 200
    assert page.text.count("&lt;script&gt;document") > 5
    assert "<script>document" not in page.text
    assert sideways(maintainer, address, 360) <= 0
    assert sideways(maintainer, address, 1400) <= 0
    desk.change(name, lambda report: report, result="{}")
    assert maintainer.get(address).status_code == 400, "a result that cannot be read is told"


def test_of_two_maintainers_the_later_one_is_told(
    maintainer: TestClient, bench: Bench, rescore: Rescore, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = Failure(cause=Cause.INFRASTRUCTURE, message="A disk failed.", remedy="Try it again.")
    bench.desk.note(rescore.id, RescoreStep.RUN_FAILED, "publisher", run_id=bench.runs[0], failure=lost)
    bench.desk.close([judging_id(rescore.id, bench.runs[0])], rescore.id)
    done, home = bench.finish(rescore), f"/maintain/rescores/{rescore.id}"
    assert (done.status, list(done.failed)) == (RescoreStatus.COMPLETED, [bench.runs[0]])
    JudgeChecks(bench.redis).put(make_check(done))
    seen = hidden(maintainer.get(f"{home}/discard").text, "seen")
    bench.service.resume(done.id, CAROL, "Once more.")
    settle(bench.publisher)
    bench.finish(done)
    assert bench.desk.get(done.id).status is RescoreStatus.COMPLETED, "what is seen has changed, its status has not"
    before = bench.desk.get(done.id)
    for act in ("promote", "discard"):
        late = maintainer.post(f"{home}/{act}", data={"sure": "yes", "seen": seen, "reason": WHY})
        assert late.status_code == 409
        assert "somebody else has decided meanwhile" in late.text
        assert "&lt;b&gt;with people&lt;/b&gt;" in late.text, "what was written is not lost"
    assert bench.desk.get(done.id) == before

    def meanwhile(*_: str) -> None:
        now_there = bench.desk.get(done.id)
        again = [
            now_there.events[-1].model_copy(update={"sequence": len(now_there.events) + place, "step": step})
            for place, step in enumerate((RescoreStep.RESUMED, RescoreStep.COMPLETED), start=1)
        ]
        changed = now_there.model_copy(update={"events": (*now_there.events, *again)})
        bench.redis.hset(keys.RESCORES, done.id, changed.model_dump_json())

    seen = hidden(maintainer.get(f"{home}/promote").text, "seen")
    with monkeypatch.context() as context:  # Somebody else decides at the very moment.
        context.setattr("leaderboard.rescoring.service.JudgeChecks.require_passed", meanwhile)
        late = maintainer.post(f"{home}/promote", data={"sure": "yes", "seen": seen, "reason": WHY})
    assert late.status_code == 409
    assert bench.desk.get(done.id).status is RescoreStatus.COMPLETED
    seen = hidden(maintainer.get(f"{home}/discard").text, "seen")
    maintainer.post(f"{home}/discard", data={"sure": "yes", "seen": seen, "reason": "Not better."})
    assert bench.desk.get(done.id).status is RescoreStatus.DISCARDED
    assert maintainer.get(f"{home}/promote").status_code == 409
    assert "What you may do now" not in maintainer.get(home).text


def test_it_is_paused_and_resumed(maintainer: TestClient, redis: Redis, entered: Rescore) -> None:
    home, desk = f"/maintain/rescores/{entered.id}", RescoreDesk(redis)
    for act, status in (("pause", RescoreStatus.PAUSED), ("resume", RescoreStatus.RUNNING)):
        assert f'href="{home}/{act}"' in maintainer.get(home).text
        assert "For maintainers:" in maintainer.get(f"{home}/{act}").text
        sent = maintainer.post(f"{home}/{act}", data={"sure": "yes", "reason": "Night."})
        assert sent.headers["location"] == f"{home}?done={status if act == 'pause' else 'resumed'}"
        assert desk.get(entered.id).status is status
    assert desk.get(entered.id).events[-1].actor == LOCAL_USER


def test_one_that_is_not_finished_is_not_called_decided(maintainer: TestClient, entered: Rescore) -> None:
    page = maintainer.get(f"/maintain/rescores/{entered.id}/promote")
    assert page.status_code == 200
    assert "It is running: every run has to be judged first." in words_of(page.text)
    assert "somebody else has decided" not in page.text
    assert 'name="sure"' not in page.text


def test_hostile_texts_of_a_re_score_are_shown_as_texts(maintainer: TestClient, redis: Redis, entered: Rescore) -> None:
    failure = Failure(cause=Cause.JUDGE_ERROR, message=HOSTILE, remedy=HOSTILE, log=(HOSTILE,))
    desk = RescoreDesk(redis)
    desk.note(entered.id, RescoreStep.RUN_FAILED, HOSTILE, run_id=entered.runs[0], failure=failure)
    desk.note(entered.id, RescoreStep.PAUSED, HOSTILE, HOSTILE, failure=failure)
    for path in (f"/rescores/{entered.id}", f"/rescores/{entered.id}/discard", "/judges", ""):
        page = maintainer.get(f"/maintain{path}")
        assert page.status_code == 200
        assert "<script>document" not in page.text
        assert "<img" not in page.text


def test_a_judge_that_fell_for_a_canary_is_not_offered(maintainer: TestClient, redis: Redis, entered: Rescore) -> None:
    entered = entered.model_copy(update={"prompt_pack": builtin_pack().id})
    redis.hset(keys.RESCORES, entered.id, entered.model_dump_json())
    check, fallen = make_check(entered), Rate(value=90.0, judged=10, items=10, interval=None)
    figure = CanaryFigure(
        canary="constant", figure="score", rate=fallen, bound=Bound(at_most=5.0), verdict=CanaryVerdict.OUTSIDE
    )
    figures = tuple(each for each in check.figures if (each.canary, each.figure) != ("constant", "score"))
    JudgeChecks(redis).put(check.model_copy(update={"figures": (*figures, figure)}))
    RescoreDesk(redis).note(entered.id, RescoreStep.COMPLETED, "publisher")
    page = maintainer.get(f"/maintain/rescores/{entered.id}/promote").text
    assert "falls for a canary" in page
    assert 'name="sure"' not in page
    judges = words_of(maintainer.get("/maintain/judges").text)
    assert "constant: score" in judges
    assert OTHER in judges


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        *(("since", "yesterday", 400), ("since", "2026-02-31", 400)),
        *(("judge", "../../etc", 404), ("judge", "nosuch", 404), ("judge", HOSTILE, 404)),
    ],
)
def test_what_cannot_be_asked_is_refused(
    maintainer: TestClient, redis: Redis, field: str, value: str, status: int
) -> None:
    answer = maintainer.post("/maintain/previews", data={"judge": OTHER, field: value})
    assert answer.status_code == status
    assert "<script>document" not in answer.text
    assert ReportDesk(redis).recent() == ()


def test_what_is_asked_is_what_the_form_says(maintainer: TestClient, redis: Redis) -> None:
    form = {
        "judge": f" {OTHER} ",
        "models": f"org/a,\r\n{'org/b'}  ",
        "since": "2026-11-01",
        "protocol": ["paper", "demo-v1"],
    }
    address = maintainer.post("/maintain/previews", data=form).headers["location"]
    (asked,) = ReportDesk(redis).recent()
    assert address == f"/maintain/reports/{asked.id}"
    assert (asked.kind, asked.judge, asked.models) == (ReportKind.PREVIEW, OTHER, ("org/a", "org/b"))
    assert (asked.protocols, str(asked.since)) == (("paper", "demo-v1"), "2026-11-01")
    assert maintainer.post(f"{address}/start", data={"reason": "x"}).status_code == 400, "it is not ready"
    assert maintainer.get(f"{address}/json").status_code == 404
    assert maintainer.get("/maintain/reports/nothing").status_code == 404
    assert f"preview of {OTHER}" in words_of(maintainer.get("/maintain/judges").text)


def test_a_failed_report_says_why(maintainer: TestClient, settings: Settings, redis: Redis) -> None:
    address = f"/maintain/reports/{ReportDesk(redis).ask_preview(CAROL, 'nosuch').id}"  # The publisher lacks it.
    worked_out(settings, redis, address)
    page = maintainer.get(address).text
    assert "There is no judge" in page
    assert "http-equiv" not in page
    assert ReportDesk(redis).recent(1)[0].state is ReportState.FAILED
