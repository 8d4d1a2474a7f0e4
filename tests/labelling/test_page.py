"""The labelling page: who may label, what is taken, and what is never shown."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from redis import Redis
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.data import HUB_DATA_SET
from evaluator.human.data import demo_set
from evaluator.human.importers.pseudonyms import VARIABLE
from evaluator.human.layout import About
from evaluator.human.reading import read_tables
from evaluator.human.records import Attribute, Prompt
from evaluator.human.writing import write_human_set
from leaderboard.cli.findings import Finding, Mark
from leaderboard.cli.machine_findings import attention_findings, pseudonym_findings
from leaderboard.connection import web_client
from leaderboard.guard import guard
from leaderboard.guard.endpoints import Kind
from leaderboard.guard.rates import BY_ADDRESS, LABELS_BY_USER, UserLimits
from leaderboard.labelling.consent import CONSENT
from leaderboard.labelling.desk import Desk
from leaderboard.labelling.pools import set_name
from leaderboard.labelling.records import WORDS_OF, Task
from leaderboard.labelling.standing import Standing, standing_of
from leaderboard.pages.label import KEYS, LOCAL_ANNOTATOR, LabelPages, Visit, answered
from leaderboard.pages.label_pools import SitePools
from leaderboard.pages.label_routes import label_routes
from leaderboard.settings import Settings
from leaderboard.store.local import LocalStore
from tests.labelling.people import Clock

NOWHERE = "redis://:canary@127.0.0.1:1/0"
HOSTILE = '</p><script>alert("x")</script><img src=x onerror=alert(1)>'


def visitor_of(redis: Redis | None, folder: Path, **settings: Any) -> TestClient:
    """Somebody on the labelling page alone, which is there sooner than the whole site."""
    site = Settings(**{"data": folder, "allow_local_user": True} | settings)
    app = FastAPI(redirect_slashes=False)
    pages = LabelPages(site, redis, LocalStore(folder / "results"), {}, Clock())
    app.router.routes[:0] = label_routes(pages, FastAPI())
    guard(app, site)
    return TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("site")


@pytest.fixture(scope="module")
def site(folder: Path, redis_url: str) -> TestClient:
    return visitor_of(Redis.from_url(redis_url), folder)


@pytest.fixture
def visitor(site: TestClient, redis: Redis) -> TestClient:
    """Somebody who has agreed."""
    assert site.post("/label/consent", data={"version": CONSENT.version}).headers["location"] == "/label"
    return site


def token_of(page: str) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found is not None, page
    return found[1]


def standing(redis: Redis) -> Standing:
    return standing_of(Desk(redis).events(LOCAL_ANNOTATOR))


@pytest.mark.parametrize("task", [Task.VERIFICATION, Task.RELEVANCE, Task.RATING])
def test_a_person_labels_item_after_item(visitor: TestClient, redis: Redis, task: Task) -> None:
    for number, word in enumerate(WORDS_OF[task], start=1):
        page = visitor.get(f"/label/{task}")
        assert page.status_code == 200
        assert f"{number - 1} of " in page.text
        answer = visitor.post(f"/label/{task}", data={"token": token_of(page.text), "word": word})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/label/{task}")
    assert [given.label.word for given in standing(redis).labels] == list(WORDS_OF[task])


def test_the_instruction_and_its_examples_are_the_words_that_models_get(visitor: TestClient) -> None:
    from evaluator.human.stages.wording import load_wording

    for task, instruction in load_wording().choices.items():
        page = html.unescape(" ".join(visitor.get(f"/label/{task}").text.split()))
        assert instruction.decide in page
        for example in instruction.examples:
            assert example.because in page


@pytest.mark.parametrize("task", list(Task))
def test_every_word_of_a_task_has_a_key_of_its_own(task: Task) -> None:
    assert set(KEYS[task]) == set(WORDS_OF[task])
    assert len({*KEYS[task].values(), "s", "z", "p"}) == len(WORDS_OF[task]) + 3


def test_without_consent_there_is_a_text_and_no_item(site: TestClient, redis: Redis) -> None:
    page = html.unescape(site.get("/label").text)
    assert all(paragraph in page for paragraph in CONSENT.paragraphs)
    assert 'href="/label/relevance"' not in page
    assert site.get("/label/relevance").headers["location"] == "/label"
    assert site.post("/label/relevance", data={"token": "x" * 22, "word": "YES"}).status_code == 403
    assert site.post("/label/consent", data={"version": "labelling-v0"}).status_code == 400
    assert site.post("/label/consent").status_code == 400
    assert Desk(redis).events(LOCAL_ANNOTATOR) == ()


@pytest.mark.parametrize("form", [{}, {"word": "YES"}, {"token": "x" * 22, "word": "YES"}, {"token": "é" * 9}])
def test_a_label_of_something_that_was_not_shown_is_not_taken(visitor: TestClient, redis: Redis, form: Any) -> None:
    visitor.get("/label/relevance")
    assert visitor.post("/label/relevance", data=form).status_code == 303
    assert standing(redis).labels == ()


@pytest.mark.parametrize("word", ["MAYBE", "yes", "", "5", "YES\x00", "<b>"])
def test_a_word_that_is_none_is_refused(visitor: TestClient, redis: Redis, word: str) -> None:
    token = token_of(visitor.get("/label/relevance").text)
    answer = visitor.post("/label/relevance", data={"token": token, "word": word})
    assert answer.status_code == 400
    assert standing(redis).labels == ()


@pytest.mark.parametrize(
    "path", ["/label/nothing", "/label/mine", "/label/..%2f", "/label/relevance%00", "/label/pairs"]
)
def test_a_task_that_is_none_is_not_found(visitor: TestClient, path: str) -> None:
    assert visitor.get(path).status_code == 404


@pytest.mark.parametrize("body", [b"\xff\xfe", b"&".join(b"f%d=1" % number for number in range(50)), b"word"])
def test_a_body_that_is_no_form_of_ours_changes_nothing(visitor: TestClient, redis: Redis, body: bytes) -> None:
    visitor.get("/label/relevance")
    assert visitor.post("/label/relevance", content=body).status_code in (303, 400)
    assert standing(redis).labels == ()


def test_a_page_of_another_site_can_neither_label_nor_withdraw(visitor: TestClient, redis: Redis) -> None:
    token = token_of(visitor.get("/label/relevance").text)
    headers = {"Sec-Fetch-Site": "cross-site"}
    for path in ("/label/relevance", "/label/relevance/back", "/label/consent", "/label/withdraw"):
        data = {"token": token, "word": "YES", "sure": "yes"}
        assert visitor.post(path, data=data, headers=headers).status_code == 403
    assert len(Desk(redis).events(LOCAL_ANNOTATOR)) == 1


def test_a_large_body_is_refused(visitor: TestClient) -> None:
    assert visitor.post("/label/relevance", content=b"word=" + b"x" * 70_000).status_code == 413


def test_taking_back_and_skipping(visitor: TestClient, redis: Redis) -> None:
    page = visitor.get("/label/rating").text
    assert "Take back" not in page
    visitor.post("/label/rating", data={"token": token_of(page), "word": "2"})
    assert visitor.post("/label/rating/back").status_code == 303
    assert standing(redis).labels == ()
    again = visitor.get("/label/rating").text
    assert re.findall(r'class="quoted"[^>]*>([^<]+)', again) == re.findall(r'class="quoted"[^>]*>([^<]+)', page)
    visitor.post("/label/rating", data={"token": token_of(again), "skip": "1"})
    assert re.findall(r'class="quoted"[^>]*>([^<]+)', visitor.get("/label/rating").text) != re.findall(
        r'class="quoted"[^>]*>([^<]+)', page
    )


def test_a_person_takes_all_labels_along_and_cannot_tell_attention_items(visitor: TestClient, redis: Redis) -> None:
    for _ in range(22):
        page = visitor.get("/label/rating").text
        assert "attention" not in page.lower()
        visitor.post("/label/rating", data={"token": token_of(page), "word": "3"})
    assert "You have labelled everything" in visitor.get("/label/rating").text
    answer = visitor.get("/label/mine.json")
    assert answer.headers["content-disposition"].startswith("attachment")
    held = answer.json()
    assert held["annotator"] == LOCAL_ANNOTATOR
    attention = {given.label.asked.item_id for given in standing(redis).labels if given.label.asked.attention}
    assert len(held["labels"]) == 20
    assert attention.isdisjoint(label["item_id"] for label in held["labels"])
    assert "known are not among these" in held["left_out"]
    assert standing(redis).attention[0] == len(attention) == 2
    assert "attention" not in answer.text
    assert len({frozenset(label) for label in held["labels"]}) == 1


def test_withdrawing_has_to_be_meant(visitor: TestClient, redis: Redis) -> None:
    visitor.post("/label/rating", data={"token": token_of(visitor.get("/label/rating").text), "word": "3"})
    assert "Withdraw all of your labels" in visitor.get("/label/withdraw").text
    assert visitor.post("/label/withdraw").headers["location"] == "/label/withdraw"
    assert len(standing(redis).labels) == 1
    visitor.post("/label/withdraw", data={"sure": "yes"})
    assert standing(redis).labels == ()
    page = visitor.get("/label").text
    assert "I agree to this" in page
    assert "You withdrew all labels on" in page
    assert "This is being saved" in page
    Desk(redis).note_saved(LOCAL_ANNOTATOR, len(Desk(redis).events(LOCAL_ANNOTATOR)))
    assert "This is saved." in visitor.get("/label").text


def test_no_page_is_kept_by_a_browser_and_each_has_a_policy(visitor: TestClient) -> None:
    for path in ("/label", "/label/relevance", "/label/withdraw", "/label/mine.json"):
        answer = visitor.get(path)
        assert answer.headers["cache-control"] in ("no-store", "no-cache"), path
        assert "script-src 'unsafe-inline'" not in answer.headers["content-security-policy"]
        assert answer.headers["content-security-policy"].startswith("default-src 'self'")


def test_hostile_texts_are_shown_as_texts(redis: Redis, tmp_path: Path) -> None:
    tables = read_tables(demo_set()).tables
    attributes = tuple(Attribute.model_validate(dict(row) | {"text": HOSTILE}) for row in tables.attributes)
    prompts = tuple(Prompt.model_validate(dict(row) | {"text": HOSTILE}) for row in tables.prompts)
    about = About(title=HOSTILE, visibility="public", redistributable=True, personal_data="synthetic")
    write_human_set(tmp_path / "set", tables._replace(attributes=attributes, prompts=prompts), about)
    visitor = visitor_of(redis, tmp_path / "data", human_data_set=str(tmp_path / "set"))
    visitor.post("/label/consent", data={"version": CONSENT.version})
    for path in ("/label", "/label/verification", "/label/relevance", "/label/rating"):
        page = visitor.get(path)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "<img" not in page.text
    first = visitor.get("/label/relevance").text
    visitor.post("/label/relevance", data={"token": token_of(first), "skip": "1"})
    both = first + visitor.get("/label/relevance").text  # One of them may be an attention item, which is ours.
    assert "&lt;/p&gt;&lt;script&gt;" in both


def test_a_data_set_that_may_not_be_shown_is_not_shown(redis: Redis, tmp_path: Path) -> None:
    write_human_set(tmp_path / "set", read_tables(demo_set()).tables, About(visibility="public", redistributable=False))
    visitor = visitor_of(redis, tmp_path / "data", human_data_set=str(tmp_path / "set"))
    visitor.post("/label/consent", data={"version": CONSENT.version})
    page = visitor.get("/label").text
    assert "may not be shown to others" in page
    assert "bakes" not in page
    assert visitor.get("/label/relevance").status_code == 404


def test_a_folder_that_is_called_like_the_set_that_ships_is_refused(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    with pytest.raises(RapportError, match="cannot be filed under"):
        set_name(str(tmp_path / "demo"))
    assert set_name(str(demo_set())) == set_name("demo") == "demo"


def test_a_data_set_is_opened_anew_every_hour_and_stays_while_it_cannot_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds, causes = [0.0], [None, None, Cause.INFRASTRUCTURE, Cause.FORBIDDEN]
    opened: list[str] = []

    def open_pools(source: str) -> dict[Task, Any]:
        opened.append(source)
        if cause := causes[len(opened) - 1]:
            raise RapportError(cause, "It cannot be had.", "Wait.")
        return {Task.RELEVANCE: len(opened)}

    monkeypatch.setattr("leaderboard.pages.label_pools.human_pools", open_pools)
    pools = SitePools(Settings(data=tmp_path, data_set=HUB_DATA_SET), LocalStore(tmp_path), lambda: seconds[0])
    found = []
    for seconds[0] in (0.0, 3599.0, 3700.0, 7200.0, 7400.0, 7500.0):
        found.append(pools.by_task().get(Task.RELEVANCE))
    assert found == [1, 1, 2, 2, 2, None]


def test_doctor_says_where_there_are_too_few_attention_items(tmp_path: Path) -> None:
    (finding,) = attention_findings(Settings(data=tmp_path))
    assert finding.mark is Mark.NOTE
    assert "relevance has 4 for 128 items, which want 12" in finding.message
    assert "rating" not in finding.message
    items = [
        {"task": task, "right": [right], "attribute": f"The user is {number}."} | texts
        for number in range(12)
        for task, right, texts in (
            ("relevance", "NO", {"prompt": "Why?"}),
            ("verification", "rejected", {"conversation": [{"role": "user", "text": "Hi."}]}),
            ("rating", "3", {"prompt": "Why?", "generic": "So.", "personalised": "So."}),
        )
    ]
    (tmp_path / "attention.yaml").write_text(json.dumps(items))
    assert [finding.mark for finding in attention_findings(Settings(data=tmp_path))] == [Mark.FINE]


def test_doctor_says_whether_names_of_labellers_can_be_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def found(secret: str = "", **settings: Any) -> Finding:
        (finding,) = pseudonym_findings(Settings(data=tmp_path, **settings), {VARIABLE: secret})
        return finding

    assert found("tiny").mark is Mark.BROKEN
    assert "tiny" not in found("tiny").line()
    assert found("sixteen bytes or more").mark is Mark.FINE
    assert "local user labels without it" in found(allow_local_user=True).message
    monkeypatch.setenv("SYSTEM", "spaces")
    monkeypatch.setenv("OAUTH_CLIENT_ID", "a client")
    assert found().mark is Mark.NOTE
    assert "labelling page is closed" in found().message
    assert "openssl rand -hex 32" in found().remedy


def test_without_a_key_to_draw_with_the_page_is_closed_and_says_so(redis: Redis, tmp_path: Path) -> None:
    (tmp_path / "label.key").mkdir()
    visitor = visitor_of(redis, tmp_path)
    assert "neither read nor made" in visitor.get("/label").text
    assert visitor.get("/label/relevance").status_code == 403


@pytest.mark.parametrize("url", ["", NOWHERE])
def test_without_redis_the_page_says_so(tmp_path: Path, url: str) -> None:
    visitor = visitor_of(web_client(url) if url else None, tmp_path)
    page = visitor.get("/label")
    assert "Labelling is closed" in page.text
    assert "canary" not in page.text
    assert visitor.get("/label/relevance").status_code in (403, 503)


def test_where_nobody_can_log_in_nobody_can_label(redis: Redis, tmp_path: Path) -> None:
    visitor = visitor_of(redis, tmp_path, allow_local_user=False)
    assert "nobody can log in here" in visitor.get("/label").text
    assert visitor.get("/label/relevance").status_code == 403
    assert visitor.post("/label/consent", data={"version": CONSENT.version}).status_code == 403
    assert visitor.get("/label/mine.json").status_code == 403
    assert Desk(redis).people() == []


def test_maintainers_own_attention_items_take_the_place_of_those_that_ship(redis: Redis, tmp_path: Path) -> None:
    item = {"task": "relevance", "right": ["NO"], "prompt": "Secret prompt?", "attribute": "The user is secret."}
    (tmp_path / "attention.yaml").write_text(json.dumps([item]))
    visitor = visitor_of(redis, tmp_path)
    visitor.post("/label/consent", data={"version": CONSENT.version})
    pages = []
    for _ in range(24):
        pages.append(visitor.get("/label/relevance").text)
        visitor.post("/label/relevance", data={"token": token_of(pages[-1]), "word": "YES"})
    assert sum("Secret prompt?" in page for page in pages) == 1
    assert standing(redis).attention == (1, 0)


def test_who_labels_faster_than_anybody_reads_is_slowed_down_and_may_read_on() -> None:
    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("taken")(scope, receive, send)

    limited = UserLimits(served, LABELS_BY_USER, Kind.LABEL)

    async def by_alice(scope: Scope, receive: Receive, send: Send) -> None:
        session = {"oauth_info": {"userinfo": {"sub": "alice"}}}
        await limited({**scope, "session": session}, receive, send)

    told = (LABELS_BY_USER[0], LABELS_BY_USER[1], BY_ADDRESS[Kind.LABEL][0])
    assert [(limit.events, limit.seconds) for limit in told] == [(60, 60), (1800, 3600), (600, 60)], "docs/labelling.md"
    alice = TestClient(by_alice)
    answers = [alice.post("/label/relevance").status_code for _ in range(61)]
    assert answers == [200] * 60 + [429]
    assert alice.post("/label/relevance/back").status_code == 429
    assert alice.get("/label/relevance").status_code == 200


def test_on_a_space_nobody_labels_without_the_secret_that_hides_names(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYSTEM", "spaces")
    monkeypatch.setenv("OAUTH_CLIENT_ID", "client")
    visit = Visit({"preferred_username": "alice"}, "relevance")
    for environment, status in (({}, 403), ({VARIABLE: "x" * 16}, 303)):
        pages = LabelPages(Settings(data=tmp_path), redis, LocalStore(tmp_path / "results"), environment)
        closed = f"have not set {VARIABLE}" in bytes(pages.overview(visit).body).decode()
        assert closed is (not environment)
        assert answered(pages.item, visit).status_code == status
