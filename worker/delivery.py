"""Takes notices to submitters: to an address of the operator's, or to a discussion on the Hub.

A notice waits in Redis until it is delivered, so it may come twice, which its id tells, and is not lost with a process.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import Protocol

import httpx
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import httpx as hub_httpx  # type: ignore[attr-defined]
from redis import Redis
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from evaluator.errors import Cause, RapportError
from leaderboard.connection import text
from leaderboard.records import now
from leaderboard.settings import Settings
from leaderboard.store.open import repositories
from leaderboard.store.rows import read_record
from leaderboard.submissions import keys
from worker.notices import Notice, said

log = logging.getLogger("rapport.publisher")

FIRST_PAUSE_SECONDS = 10.0
MOST_ATTEMPTS = 12
"""With pauses that double, some eleven hours."""
_PATIENCE_SECONDS = 5.0
_REMEMBERED_SECONDS = 90 * 24 * 3600
# A submission is saved again when somebody adds a word to it: what was told once is not told again.
_PUT = """
if redis.call('SET', KEYS[2], '1', 'NX', 'EX', ARGV[3]) then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
"""


class Undelivered(RuntimeError):
    """A notice did not arrive; the text says why, without addresses or secrets."""


class Sender(Protocol):
    """Where notices go."""

    name: str
    """Tells it from other senders."""

    def send(self, notice: Notice) -> None:
        """Delivers a notice.

        Raises:
            Undelivered: If it did not arrive, or may not have.
        """


class WebhookSender:
    """Posts notices to one address of the operator's, signed as Standard Webhooks 1.0 are.

    Example:
        >>> sender = WebhookSender("https://example.org/rapport", "whsec_c2VjcmV0")
        >>> sender.send(notice)  # doctest: +SKIP
    """

    name = "webhook"

    def __init__(self, address: str, secret: str) -> None:
        """Posts to `address`; the secret is `whsec_` and the key in base64."""
        self._address, self._webhook = address, Webhook(secret)

    def send(self, notice: Notice) -> None:
        """See `Sender.send`."""
        body, at = notice.model_dump_json(), now()
        headers = {
            "Content-Type": "application/json",
            "webhook-id": notice.id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": self._webhook.sign(notice.id, at, body),
        }
        try:
            answer = httpx.post(self._address, content=body, headers=headers, timeout=_PATIENCE_SECONDS)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Undelivered(f"the webhook does not answer ({type(error).__name__})") from error
        if not answer.is_success:
            raise Undelivered(f"the webhook answered {answer.status_code}")


class DiscussionSender:
    """Opens a discussion on the results data set for each notice, which mentions the submitter."""

    name = "discussion"

    def __init__(self, repo_id: str, token: str | None, endpoint: str | None = None) -> None:
        """Writes with the publisher's own token; `endpoint` is another Hub than the one of the environment."""
        self._repo_id, self._hub = repo_id, HfApi(endpoint, token)

    def send(self, notice: Notice) -> None:
        """See `Sender.send`; a discussion that is there already, by its title, is not opened again."""
        title = f"{notice.submission_id}: {notice.state} ({notice.id.rsplit('-', 1)[1]})"
        try:
            opened = self._hub.get_repo_discussions(self._repo_id, repo_type="dataset", author=None)
            if any(discussion.title == title for discussion in opened):
                return
            self._hub.create_discussion(self._repo_id, title, description=said(notice), repo_type="dataset")
        except (HfHubHTTPError, hub_httpx.HTTPError, OSError, ValueError, LookupError) as error:
            # The last two are what the client's own reading ends with where something else than the Hub has answered.
            raise Undelivered(f"the Hub took no discussion ({type(error).__name__})") from error


def senders_of(settings: Settings) -> list[Sender]:
    """Returns where the settings want notices to go.

    Raises:
        RapportError: `infrastructure` if something that this needs is not set.
    """
    senders: list[Sender] = []
    if settings.webhook_url:
        senders.append(WebhookSender(settings.webhook_url, _webhook_secret(settings)))
    if settings.notify_discussions:
        if not settings.store:
            raise RapportError(
                Cause.INFRASTRUCTURE,
                "RAPPORT_NOTIFY_DISCUSSIONS is set, but the store is a folder.",
                "Set RAPPORT_STORE to a data set on the Hub, where discussions can be opened.",
            )
        senders.append(DiscussionSender(repositories(settings.store).results, os.environ.get("HF_TOKEN")))
    return senders


def _webhook_secret(settings: Settings) -> str:
    """Returns what notices are signed with."""
    secret = os.environ.get(settings.webhook_secret_variable, "")
    try:
        Webhook(secret)
    except (ValueError, EmptyWebhookSecretError):
        raise RapportError(
            Cause.INFRASTRUCTURE,
            f"The variable {settings.webhook_secret_variable} holds no secret for the webhook.",
            "Set it to `whsec_` and at least 24 random bytes in base64.",
        ) from None
    return secret


class Notices:
    """Notices on their way, in Redis."""

    def __init__(self, redis: Redis, senders: Sequence[Sender]) -> None:
        """Delivers through every sender, each at its own pace."""
        self._redis, self._senders = redis, {sender.name: sender for sender in senders}
        self._put = redis.register_script(_PUT)

    def put(self, notice: Notice) -> None:
        """Takes in a notice for each sender, once; without a sender there is nobody to tell."""
        for name in self._senders:
            delivery = f"{notice.id}/{name}"
            self._put(
                keys=[keys.NOTICES, keys.notice_known(delivery)],
                args=[delivery, notice.model_dump_json(), _REMEMBERED_SECONDS],
            )

    def drop_undeliverable(self) -> int:
        """Drops the notices for senders that the settings name no more; returns how many there were."""
        names = [text(name) for name in self._redis.hkeys(keys.NOTICES)]
        foreign = [name for name in names if name.rsplit("/", 1)[1] not in self._senders]
        if foreign:
            log.warning("dropped %d notices that nothing in the settings delivers any more", len(foreign))
            self._redis.hdel(keys.NOTICES, *foreign)
            self._redis.delete(*(keys.notice_attempts(name) for name in foreign))
        return len(foreign)

    def step(self) -> bool:
        """Tries the notices that are due; says whether there were any.

        One that does not arrive waits twice as long as before, and is given up after `MOST_ATTEMPTS`, which the log
        tells.
        """
        tried = False
        for field, value in sorted(self._redis.hgetall(keys.NOTICES).items()):
            delivery = text(field)
            sender = self._senders.get(delivery.rsplit("/", 1)[1])
            if sender is None or self._redis.exists(keys.notice_pause(delivery)):
                continue
            tried = True
            try:
                self._try(delivery, sender, read_record(value, Notice, f"notice {delivery}"))
            except RapportError as error:
                log.error("given up: %s", error)
                self._redis.hdel(keys.NOTICES, delivery)
        return tried

    def _try(self, delivery: str, sender: Sender, notice: Notice) -> None:
        """Sends one notice, or has it wait."""
        try:
            sender.send(notice)
        except Undelivered as error:
            attempts = int(self._redis.incr(keys.notice_attempts(delivery)))
            if attempts < MOST_ATTEMPTS:
                pause = FIRST_PAUSE_SECONDS * 2 ** (attempts - 1)
                self._redis.set(keys.notice_pause(delivery), "1", px=int(1000 * pause))
                log.warning("notice %s: %s; tried again in %.0f s", delivery, error, pause)
                return
            log.error("notice %s: %s; given up after %d attempts", delivery, error, attempts)
        self._redis.hdel(keys.NOTICES, delivery)
        self._redis.delete(keys.notice_attempts(delivery))
