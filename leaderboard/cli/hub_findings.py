"""What `rapport doctor` finds out about the Hub: whether it answers, our token, its clock, and the three data sets."""

from __future__ import annotations

import email.utils
import os
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from huggingface_hub import HfApi, constants, get_session
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled, RepositoryNotFoundError
from huggingface_hub.utils import build_hf_headers, httpx  # type: ignore[attr-defined]

from evaluator.errors import RapportError
from leaderboard.cli.findings import Finding, Mark, Role, clock_finding
from leaderboard.cli.token_findings import Need, need_of, token_findings, without_token
from leaderboard.settings import Settings
from leaderboard.store.open import repositories

_SECONDS = 5.0
"""How long the Hub may take for an answer."""
_FAILURES = (httpx.HTTPError, HfHubHTTPError, OfflineModeIsEnabled, OSError, ValueError)
_WAIT = "Wait, or look at status.huggingface.co, HF_ENDPOINT and this machine's network."
_ARCHIVE = "archive"


def data_sets_of(settings: Settings) -> dict[str, str]:
    """Returns the data sets of the store by what they are for; none where the store is in folders.

    Raises:
        RapportError: `infrastructure` if the Hub could have none of that name.

    Example:
        >>> data_sets_of(Settings(store="hub://org/rapport"))["archive"]
        'org/rapport-archive'
    """
    return repositories(settings.store)._asdict() if settings.store else {}


def token() -> str | None:
    """Returns the token of this process, None without one."""
    return os.environ.get("HF_TOKEN", "").strip() or None


def hub_findings(settings: Settings, role: Role) -> Iterator[Finding]:
    """Yields what is found; asks the Hub nothing where neither a store, nor a token, nor a worker leads there."""
    try:
        data_sets = data_sets_of(settings)
    except RapportError as error:
        yield Finding("store", Mark.BROKEN, error.message, error.remedy)
        return
    need = need_of(role, data_sets.values(), settings.notify_discussions)
    if not token():
        yield without_token(need)
    elif need.nothing:
        remedy = "Take HF_TOKEN out: whoever breaks in here would have it."
        yield Finding("hub token", Mark.NOTE, "There is an HF_TOKEN, and this role needs none.", remedy)
    if role is Role.REAPER or not (data_sets or token() or role is Role.WORKER):
        return
    answer = _who_am_i()
    if isinstance(answer, Finding):
        yield answer
        return
    yield from _told_by(answer, need)
    for word, repo_id in data_sets.items():
        if _reads(role, word):
            yield _data_set(word, repo_id)


def _reads(role: Role, word: str) -> bool:
    """Says whether a role reads a data set: never the page the archive, and a worker none."""
    return role in (Role.ALL, Role.PUBLISHER) or (role is Role.WEB and word != _ARCHIVE)


class _Answer(NamedTuple):
    """What the Hub said when it was asked who we are."""

    status: int
    identity: dict[str, Any]
    apart: float | None
    """Seconds that its clock is ahead of ours; None if it does not tell."""


def _who_am_i() -> _Answer | Finding:
    """Asks the Hub, once: who asks more often is turned away."""
    began = time.time()
    headers = build_hf_headers(token=token() or False)
    try:
        said = get_session().get(f"{constants.ENDPOINT}/api/whoami-v2", headers=headers, timeout=_SECONDS)
        identity = said.json() if said.status_code == 200 else {}
    except _FAILURES as error:
        return Finding("hub", Mark.BROKEN, f"The Hub does not answer ({type(error).__name__}).", _WAIT)
    apart = _apart(said.headers.get("Date", ""), (began + time.time()) / 2)
    return _Answer(said.status_code, identity if isinstance(identity, dict) else {}, apart)


def _apart(date: str, here: float) -> float | None:
    """Returns how many seconds a `Date` header is ahead of a time of ours; None if it is none.

    Example:
        >>> _apart("Thu, 01 Jan 1970 00:01:00 GMT", 0.0), _apart("yesterday", 0.0)
        (60.5, None)
    """
    try:  # It is told in whole seconds: half of one is meant.
        return email.utils.parsedate_to_datetime(date).timestamp() + 0.5 - here
    except (ValueError, TypeError):
        return None


def _told_by(answer: _Answer, need: Need) -> Iterator[Finding]:
    """What the Hub says of our clock and our token."""
    if answer.apart is not None:
        yield clock_finding("hub clock", "the Hub", answer.apart)
    if not token() or need.nothing:
        return
    if answer.status == 200:
        yield from token_findings(answer.identity, need)
    elif answer.status in (401, 403):
        remedy = "Put the bare token of an account that still exists into HF_TOKEN; see docs/deploy.md."
        yield Finding("hub token", Mark.BROKEN, "The Hub does not know the token, or it was revoked.", remedy)
    else:
        yield Finding("hub token", Mark.NOTE, f"The Hub does not say what the token may do ({answer.status}).", _WAIT)


def _data_set(word: str, repo_id: str) -> Finding:
    """Whether a data set is there, and as private as it should be."""
    name = f"store {word}"
    api = HfApi(endpoint=constants.ENDPOINT, token=token() or False)
    try:
        private = bool(api.dataset_info(repo_id, timeout=_SECONDS).private)
    except RepositoryNotFoundError:
        remedy = "Run `rapport store create` once, with a token that may; or give this role's token access."
        return Finding(name, Mark.BROKEN, "The data set is not there, or hidden from us.", remedy)
    except _FAILURES as error:
        return Finding(name, Mark.BROKEN, f"The data set cannot be read ({type(error).__name__}).", _WAIT)
    if word == _ARCHIVE and not private:
        remedy = "Make it private in its settings on the Hub, at once: it holds questions, gold answers and evidence."
        return Finding(name, Mark.BROKEN, "The data set is public.", remedy)
    if word != _ARCHIVE and private:
        remedy = "Make it public in its settings on the Hub, unless the whole site is meant to be private."
        return Finding(name, Mark.NOTE, "The data set is private: nobody else can read the results.", remedy)
    return Finding(name, Mark.FINE, f"The data set is there, and {'private' if private else 'public'}.")
