"""Notices reach a real receiver once, signed, and wait while it is down."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi
from redis import Redis
from standardwebhooks import Webhook, WebhookVerificationError

from evaluator.errors import RapportError
from leaderboard.records import AmendmentKind, State
from leaderboard.settings import Settings
from leaderboard.store import LocalStore
from leaderboard.submissions import keys
from leaderboard.submissions.ledger import Ledger
from tests.hub_server import Account, LocalHub
from tests.worker.conftest import FAILURE
from worker.delivery import MOST_ATTEMPTS, DiscussionSender, Notices, Undelivered, WebhookSender, senders_of
from worker.notices import Notice, notice_of, said
from worker.publisher import Publisher

TOKEN = "hf_publisherThatMustNeverBeSeenAnywhere"
SECRET = "whsec_c29tZSBzZWNyZXQgb2YgdGhlIG9wZXJhdG9y"


class Receiver(ThreadingHTTPServer):
    """Keeps what is posted and answers with `status`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 204
        self.received: list[tuple[dict[str, str], str]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?key=canary-in-the-address"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_GET(self) -> None:
        """A page for people, as what stands between us and the Hub may show."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>Please sign in</html>")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.received.append((dict(self.headers.items()), body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def notices(redis: Redis, *addresses: str) -> Notices:
    return Notices(redis, [WebhookSender(address, SECRET) for address in addresses])


def wake(redis: Redis) -> None:
    """Lets the pauses of all notices be over."""
    for name in redis.scan_iter(match=keys.notice_pause("*")):
        redis.delete(name)


def test_a_webhook_gets_a_notice_once_and_can_verify_it(redis: Redis, receiver: Receiver, notice: Notice) -> None:
    outgoing = notices(redis, receiver.address)
    outgoing.put(notice)
    outgoing.put(notice)

    assert outgoing.step()
    assert not outgoing.step()
    ((headers, body),) = receiver.received
    told: Any = Webhook(SECRET).verify(body, headers)
    assert Notice.model_validate(told) == notice
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body.replace("failed", "published"), headers)


def test_a_notice_waits_while_the_receiver_is_down(
    redis: Redis, receiver: Receiver, notice: Notice, caplog: pytest.LogCaptureFixture
) -> None:
    outgoing = notices(redis, receiver.address)
    outgoing.put(notice)
    receiver.status = 503

    assert outgoing.step()
    assert not outgoing.step(), "it was to wait"
    assert 0 < redis.pttl(keys.notice_pause(f"{notice.id}/webhook")) <= 10_000
    receiver.status = 200
    wake(redis)
    assert outgoing.step()
    assert len(receiver.received) == 2
    assert redis.hlen(keys.NOTICES) == 0
    assert "answered 503" in caplog.text
    assert "canary" not in caplog.text


def test_nobody_at_the_address_is_given_up_in_the_end(
    redis: Redis, notice: Notice, caplog: pytest.LogCaptureFixture
) -> None:
    outgoing = notices(redis, "http://127.0.0.1:9/hook?key=canary-in-the-address")
    outgoing.put(notice)
    for _ in range(MOST_ATTEMPTS):
        assert outgoing.step()
        wake(redis)

    assert not outgoing.step()
    assert "given up after 12 attempts" in caplog.text
    assert "canary" not in caplog.text
    assert not redis.exists(keys.notice_attempts(f"{notice.id}/webhook"))


def test_without_a_sender_nothing_is_kept(redis: Redis, notice: Notice) -> None:
    notices(redis).put(notice)
    assert redis.hlen(keys.NOTICES) == 0


def test_the_publisher_tells_once_of_an_end_however_often_it_is_saved(
    redis: Redis, store: LocalStore, ledger: Ledger, run_id: str, receiver: Receiver
) -> None:
    outgoing = notices(redis, receiver.address)
    publisher = Publisher(redis, ledger, store, tell=lambda history: outgoing.put(notice_of(history, None)))
    publisher.step()
    assert not outgoing.step(), "it has not ended"

    ledger.fail(run_id, "worker", FAILURE)
    publisher.step()
    assert outgoing.step()
    ledger.amend(ledger.history(run_id.split(".")[0]), AmendmentKind.DISPUTED, "alice", "It was the worker.")
    publisher.step()
    assert not outgoing.step()
    assert len(receiver.received) == 1

    ledger.advance(run_id, State.QUEUED, "alice")
    publisher.step()
    ledger.fail(run_id, "worker", FAILURE)
    publisher.step()
    assert outgoing.step(), "it has ended a second time"


def test_a_webhook_without_a_secret_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(webhook_url="https://example.org/hook?key=canary")
    for secret in ("", "whsec_", "not base64!"):
        monkeypatch.setenv("RAPPORT_WEBHOOK_SECRET", secret)
        with pytest.raises(RapportError, match="RAPPORT_WEBHOOK_SECRET") as caught:
            senders_of(settings)
        assert "canary" not in str(caught.value)
    monkeypatch.setenv("RAPPORT_WEBHOOK_SECRET", SECRET)
    assert [sender.name for sender in senders_of(settings)] == ["webhook"]


def test_discussions_need_a_store_on_the_hub() -> None:
    with pytest.raises(RapportError, match="RAPPORT_STORE"):
        senders_of(Settings(notify_discussions=True))
    assert [sender.name for sender in senders_of(Settings(notify_discussions=True, store="hub://org/results"))] == [
        "discussion"
    ]


def test_a_notice_that_cannot_be_read_keeps_no_other_waiting(
    redis: Redis, receiver: Receiver, notice: Notice, caplog: pytest.LogCaptureFixture
) -> None:
    outgoing = notices(redis, receiver.address)
    redis.hset(keys.NOTICES, "a-0/webhook", '{"schema_version": 9}')
    outgoing.put(notice)
    assert outgoing.step()
    assert len(receiver.received) == 1
    assert redis.hlen(keys.NOTICES) == 0
    assert "given up" in caplog.text


def test_notices_for_a_sender_that_is_gone_are_dropped_and_others_wait(
    redis: Redis, receiver: Receiver, notice: Notice, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.status = 500
    outgoing = notices(redis, receiver.address)
    outgoing.put(notice)
    outgoing.step()
    assert outgoing.drop_undeliverable() == 0
    assert notices(redis).drop_undeliverable() == 1
    assert "dropped 1 notices" in caplog.text
    assert not redis.exists(keys.NOTICES, keys.notice_attempts(f"{notice.id}/webhook"))


def test_a_discussion_is_opened_once_and_says_how_it_ended(tmp_path: Path, notice: Notice) -> None:
    with LocalHub(tmp_path) as hub:
        hub.tokens |= {TOKEN: Account("publisher", ("org",), "write")}
        there = HfApi(hub.url, TOKEN)
        there.create_repo("org/results", repo_type="dataset")
        for _ in range(2):
            DiscussionSender("org/results", TOKEN, hub.url).send(notice)

        (opened,) = there.get_repo_discussions("org/results", repo_type="dataset")
        told = there.get_discussion_details("org/results", opened.num, repo_type="dataset").events[0]
        assert opened.title.startswith(f"{notice.submission_id}: failed (")
        assert told.content == said(notice)

        with pytest.raises(Undelivered, match="RepositoryNotFound"):
            DiscussionSender("org/none", TOKEN, hub.url).send(notice)


def test_what_is_no_answer_of_the_hub_is_no_delivery(receiver: Receiver, notice: Notice) -> None:
    with pytest.raises(Undelivered, match="JSONDecodeError"):
        DiscussionSender("org/results", TOKEN, receiver.address.partition("/hook")[0]).send(notice)


def test_an_address_that_is_none_is_no_delivery_and_is_not_told(notice: Notice) -> None:
    with pytest.raises(Undelivered, match="InvalidURL") as error:
        WebhookSender("http://h:canary/", SECRET).send(notice)
    assert "canary" not in str(error.value)
