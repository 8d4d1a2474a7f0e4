"""The pages with Redis, without it, and while it is away."""

from __future__ import annotations

import json

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from redis import Redis

from evaluator.errors import Cause, RapportError
from leaderboard.connection import web_client
from leaderboard.maintaining.service import Maintenance
from leaderboard.open_data import layout
from leaderboard.open_data.files import encode_request
from leaderboard.open_data.views import open_request
from leaderboard.pages.reader import PAGE_LENGTH, Reader
from leaderboard.pages.site import Pages, router
from leaderboard.people import Person
from leaderboard.records import AmendmentKind, Failure, State
from leaderboard.settings import Settings
from leaderboard.store.base import Write
from leaderboard.store.local import LocalStore
from leaderboard.submissions import keys
from leaderboard.submissions.ledger import Ledger
from tests.builders import make_scorecard, make_submission
from tests.released import publish
from worker.reaper import Reaper
from worker.troubles import Troubles

NOWHERE = "redis://:canary@127.0.0.1:1/0"
ODD_TEXTS = [
    "x" * 10_000,
    "\x00",
    "../../etc/passwd",
    "<script>",
    "s-٢٠٢٦٠١٠١-0a1b2c3d",
    "s-20260101-0a1b2c3d/..",
    "\ud7ff",
]


def visitor(store: LocalStore, ledger: Ledger | None, *protocols: str) -> TestClient:
    app = FastAPI()
    app.include_router(router(Pages(Reader(store, store, ledger), protocols)))
    return TestClient(app)


@pytest.fixture
def published(store: LocalStore) -> str:
    """A submission whose scorecard is in the store; returns its id."""
    card = make_scorecard("org/model", 50)
    publish(store, card)
    return card.submission_id


@pytest.mark.parametrize("ledger_url", ["", NOWHERE])
def test_a_result_stays_readable_without_redis(store, published, ledger_url):
    site = visitor(store, Ledger(web_client(ledger_url)) if ledger_url else None)
    page = site.get("/submission", params={"id": published})
    assert page.status_code == 200
    assert "Scorecard demo-v1" in page.text
    assert "Results stay readable" in page.text
    assert "canary" not in page.text


def test_whatever_happens_to_a_submission_changes_the_revision_of_its_page_and_shows_in_its_details(
    ledger, store, submission
):
    def seen() -> tuple[str, str]:
        site = visitor(store, ledger)  # A new one, which keeps nothing of a moment ago.
        one = {"id": submission.id}
        revision = site.get("/live", params=one).headers["X-Revision"]
        assert f'data-revision="{revision}"' in site.get("/submission", params=one).text
        return revision, site.get("/details", params=one).text

    before, _ = seen()
    assert seen()[0] == before
    ledger.amend(ledger.history(submission.id), AmendmentKind.DISPUTED, "alice", "The gold answer is wrong.")
    disputed, details = seen()
    assert disputed != before
    assert "The gold answer is wrong." in details
    store.commit([Write("note.txt", b"anything")], "the board may be another one")
    assert seen()[0] != disputed


def test_a_try_that_came_to_nothing_stands_in_the_history_with_its_cause(redis, ledger, store, submission):
    failure = RapportError(Cause.DISK_FULL, "<b>No room</b>.", "Free some.")
    Troubles(redis, "gpu-7").may_try_again(submission.run_ids()[0], failure)
    details = visitor(store, ledger).get("/details", params={"id": submission.id}).text
    assert "<strong>disk_full</strong>: &lt;b&gt;No room&lt;/b&gt;. Try 1 of 4; goes on at " in details
    assert "<bdi>gpu-7</bdi>" in details


@pytest.mark.parametrize(("model", "on_the_hub"), [("org/m", True), ("local/m", False), ("reference/empty", False)])
def test_only_what_is_on_the_hub_links_there(ledger, store, model, on_the_hub):
    entered = make_submission(3, model=model)
    ledger.create(entered)
    page = visitor(store, ledger).get("/submission", params={"id": entered.id})
    assert ("https://huggingface.co/" in page.text) is on_the_hub


def test_without_redis_a_submission_shows_the_history_that_everyone_may_read(ledger, store, submission):
    ledger.move(submission.run_ids()[0], State.QUEUED, State.GENERATING, "gpu-7")
    request = open_request(ledger.history(submission.id))
    store.commit([Write(layout.request_path(submission.id), encode_request(request))], "request")
    page = visitor(store, None).get("/submission", params={"id": submission.id})
    assert page.status_code == 200
    assert "gpu-7" in page.text


def test_while_redis_is_away_every_page_answers_and_says_so(store, published):
    site = visitor(store, Ledger(web_client(NOWHERE)))
    for path in ("/", "/queue", "/live", "/live?all=1", "/live?id=" + published, "/submission?id=" + published):
        page = site.get(path)
        assert page.status_code == 200, path
        assert "Redis does not answer" in page.text, path
        assert "canary" not in page.text
    unknown = site.get("/submission", params={"id": "s-20260101-0a1b2c3d"})
    assert unknown.status_code == 503, "it may well be there"


@pytest.mark.parametrize("path", ["/", "/rows"])
def test_every_protocol_of_the_site_has_its_tab_with_or_without_rows(store, published, path):
    site = visitor(store, None, "paper", "demo-v1")
    first, second = site.get(path).text, site.get(path, params={"protocol": "paper"}).text
    for page in (first, second):
        assert page.index(">demo-v1 ") < page.index(">paper "), "those with rows come first"
    assert "org/model" in first
    assert "as published, not re-run" not in first
    assert second.index("No results yet") < second.index("as published, not re-run")


@pytest.mark.parametrize("odd", ODD_TEXTS)
@pytest.mark.parametrize("path", ["/submission", "/details", "/scorecard", "/live", "/queue"])
def test_odd_texts_in_an_address_never_break_a_page(ledger, store, published, path, odd):
    for site in (visitor(store, ledger), visitor(store, None)):
        answer = site.get(path, params={"id": odd, "page": odd, "all": odd if path == "/live" else ""})
        assert answer.status_code == (404 if path in ("/submission", "/details", "/scorecard") else 200)
        assert "<script>" not in answer.text
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_queue_lists_everything_page_by_page(ledger, store):
    for number in range(PAGE_LENGTH + 3):
        ledger.create(make_submission(number))
    site = visitor(store, ledger)
    first, second = site.get("/queue").text, site.get("/queue?page=2").text
    assert f"{PAGE_LENGTH + 3} in all" in first
    assert first.count("<article") == PAGE_LENGTH
    assert second.count("<article") == 3
    assert "org/model-0<" in second
    assert 'href="/queue?page=2">Older' in first
    assert 'href="/queue?page=1">Newer' in second


def test_while_submissions_are_paused_the_front_page_and_the_queue_say_since_when_and_why(redis, ledger, store):
    maintenance = Maintenance(Settings(), redis)
    pause = maintenance.pause_submissions(Person("keeper", maintainer=True), "A <i>new</i> judge.")
    said = f"No submission is accepted since {pause.at:%Y-%m-%d %H:%M} UTC: A &lt;i&gt;new&lt;/i&gt; judge."
    for path in ("/", "/live", "/queue", "/live?all=1"):
        assert said in visitor(store, ledger).get(path).text, path
    maintenance.resume_submissions(Person("keeper", maintainer=True))
    for path in ("/", "/queue"):
        assert "No submission is accepted" not in visitor(store, ledger).get(path).text, path


@pytest.mark.parametrize("wild", ["3", "999999999999999999", "-1", "0", "two", "", "1.5", "²"])
def test_a_wild_page_number_gives_the_nearest_page(ledger, store, wild):
    for number in range(PAGE_LENGTH + 1):
        ledger.create(make_submission(number))
    page = visitor(store, ledger).get("/queue", params={"page": wild})
    assert page.status_code == 200
    assert ("Page 2 of 2" if wild[:1] in "39" and wild else "Page 1 of 2") in page.text


def test_a_page_costs_the_same_few_commands_however_many_submissions_there_are(ledger, store, redis: Redis):
    for number in range(PAGE_LENGTH):
        ledger.create(make_submission(number))
    sent = []
    executed = redis.execute_command
    redis.execute_command = lambda *args, **options: sent.append(args) or executed(*args, **options)  # type: ignore[method-assign]
    site = visitor(store, ledger)
    for _ in range(5):
        site.get("/live?all=1")
    assert len(sent) <= 8


def test_a_broken_file_costs_its_own_row_and_is_counted(ledger, store, published):
    store.commit([Write("scorecards/org/model/x.json", b"{}")], "broken")
    page = visitor(store, ledger).get("/").text
    assert "1 file could not be read" in page
    assert "org/model" in page
    assert "x.json" not in page


def test_a_waiting_submission_shows_its_place_and_one_in_work_its_last_words(redis, ledger, store, submission):
    (run_id,) = submission.run_ids()
    reaper = Reaper(redis, longest_job=60)
    reaper.step()
    page = visitor(store, ledger).get("/queue").text
    assert "Place 1 of 1." in page
    assert "No worker is alive" in page

    ledger.move(run_id, State.QUEUED, State.GENERATING, "gpu-7")
    redis.set(keys.log(run_id), json.dumps(["loading <b>weights</b>", "done"]))
    page = visitor(store, ledger).get("/submission", params={"id": submission.id}).text
    assert "loading &lt;b&gt;weights&lt;/b&gt;\ndone" in page


def test_a_decision_about_its_results_stands_on_top_with_its_reason_and_in_plain_words_below(ledger, store, submission):
    def page() -> tuple[str, str]:
        text = visitor(store, ledger).get("/submission", params={"id": submission.id}).text
        top, _, below = text.partition('<section id="details"')
        return top, below

    def add(kind: AmendmentKind, text: str) -> None:
        ledger.amend(ledger.history(submission.id), kind, "keeper", text)

    add(AmendmentKind.SUSPECTED, "Nearly constant.")
    top, below = page()
    assert "Nearly constant." not in top, "a program decides nothing"
    assert "suspected by a program: a maintainer decides" in below
    add(AmendmentKind.FLAGGED, "It <b>says</b> one thing.")
    add(AmendmentKind.HIDDEN, "It names people.")
    top, below = page()
    assert (
        "<strong>Flagged by a maintainer; its results do not rank</strong>: It &lt;b&gt;says&lt;/b&gt; one thing."
        in top
    )
    assert "<strong>Hidden by a maintainer; its results are not on the board</strong>: It names people." in top
    assert "flagged: does not rank until cleared" in below
    assert "hidden: off the board until shown again" in below
    add(AmendmentKind.CLEARED, "Explained.")
    add(AmendmentKind.SHOWN, "Looked at.")
    top, below = page()
    assert "by a maintainer" not in top
    assert "cleared: no mark any more" in below


def test_the_history_tells_what_people_did_as_well_as_what_happened(ledger, store, submission):
    history = ledger.history(submission.id)
    ledger.amend(history, AmendmentKind.DISPUTED, "mallory", "<i>wrong</i> gold", about="test_1/7")
    failure = Failure(cause=Cause.LOAD_ERROR, message="No layers.", remedy="Add one.", log=("Traceback", "KeyError"))
    ledger.fail(submission.run_ids()[0], "gpu-7", failure)

    page = visitor(store, ledger).get("/submission", params={"id": submission.id}).text
    assert "<strong>test_1/7</strong>: &lt;i&gt;wrong&lt;/i&gt; gold" in page
    assert "Traceback\nKeyError" in page
    assert f"/manage?id={submission.id}" in page
