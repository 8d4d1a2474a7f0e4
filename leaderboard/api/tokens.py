"""Who calls, told by a Hub token that can do nothing but tell it.

A program has no browser in which to log in. It may send a token as `Authorization: Bearer hf_...`; the Hub is asked
whose it is, and then it is forgotten. A token that could do anything else on the Hub is refused, so that nobody makes a
habit of sending one here; so are tokens that were made for another site, which could have kept them.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from typing import Any

from huggingface_hub import constants, get_session
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status, httpx  # type: ignore[attr-defined]

from evaluator.errors import Cause, RapportError
from leaderboard.guard.rates import BY_USER
from leaderboard.guard.window import Limit, Windows
from leaderboard.pages.recent import Recent
from leaderboard.people import Person, hub_person

REMEMBERED_SECONDS = 60.0
"""For so long the Hub is not asked again whose a token is."""
ASKED_OF_THE_HUB = (Limit(60, 60.0),)
"""How often it is asked at most, whoever calls: it answers few such questions."""

_HEADER = re.compile(r"[Bb]earer +(hf_[A-Za-z0-9]{8,200})")
"""Tokens that people make. Those that a login hands to a site have another form: whoever runs that site has them."""
_TIMEOUT_SECONDS = 10.0
_HUB = b"hub"
_MAKE_ONE = (
    "Make one at https://huggingface.co/settings/tokens of the kind fine-grained, without any permission, and send it "
    "as `Authorization: Bearer hf_...`; or do it in a browser."
)

Whoami = Callable[[str], Mapping[str, Any]]
"""What the Hub says of a token."""


def ask_hub(token: str) -> Mapping[str, Any]:
    """Asks the Hub whose a token is.

    Raises:
        RapportError: `forbidden` if nobody's, `infrastructure` if the Hub did not answer.
    """
    answer: object = None
    try:
        response = get_session().get(
            f"{constants.ENDPOINT}/api/whoami-v2", headers=build_hf_headers(token=token), timeout=_TIMEOUT_SECONDS
        )
        hf_raise_for_status(response)
        answer = response.json()
    except HfHubHTTPError as error:
        refused, failed = error.response.status_code in (401, 403), f"status {error.response.status_code}"
    except (httpx.HTTPError, OfflineModeIsEnabled, json.JSONDecodeError, UnicodeDecodeError) as error:
        refused, failed = False, type(error).__name__
    else:
        refused, failed = False, "an answer that is none"
    # Raised out here, so that no error of the client, whose request holds the token, hangs on this one.
    if isinstance(answer, dict):
        return answer
    if refused:
        raise RapportError(Cause.FORBIDDEN, "The Hub does not know this token.", _MAKE_ONE)
    raise RapportError(
        Cause.INFRASTRUCTURE, f"The Hub did not say whose token this is ({failed}).", "Try it again in a minute."
    )


def person_told(claims: Mapping[str, Any]) -> Person:
    """Returns whom a token names. Nobody maintains by one, whatever the name.

    Args:
        claims: The Hub's answer to `whoami`.

    Raises:
        RapportError: `forbidden` if it is no user's, can do more than name one, or names one who cannot act here.

    Example:
        >>> token = {"role": "fineGrained", "fineGrained": {"global": [], "scoped": []}}
        >>> person_told({"type": "user", "name": "alice", "auth": {"type": "access_token", "accessToken": token}})
        Person(name='alice', maintainer=False)
    """
    if claims.get("type") != "user":
        raise RapportError(Cause.FORBIDDEN, "This token is no user's.", _MAKE_ONE)
    if not _is_powerless(claims.get("auth")):
        raise RapportError(
            Cause.FORBIDDEN,
            "This token may do more on the Hub than name you, so it is not taken here.",
            f"Revoke it if you sent it by mistake. {_MAKE_ONE}",
        )
    person = hub_person({"preferred_username": claims.get("name")}, ())
    if person is None:
        raise RapportError(
            Cause.FORBIDDEN,
            "The name that this token belongs to cannot be used here.",
            "It is one that this leaderboard signs with itself; use a token of another account.",
        )
    return person


def _is_powerless(auth: object) -> bool:
    """Says whether a token was made by its user and carries no permission at all; what is not told is not believed."""
    if not isinstance(auth, dict) or auth.get("type") != "access_token":
        return False
    token = auth.get("accessToken")
    if not isinstance(token, dict) or token.get("role") != "fineGrained":
        return False
    rights = token.get("fineGrained")
    if not isinstance(rights, dict) or rights.get("global") != [] or rights.get("canReadGatedRepos"):
        return False
    scoped = rights.get("scoped")
    return isinstance(scoped, list) and all(
        isinstance(scope, dict) and scope.get("permissions") == [] for scope in scoped
    )


class Tokens:
    """Tells whose tokens are; remembers persons for a minute, under a hash whose key dies with the process."""

    def __init__(self, whoami: Whoami = ask_hub) -> None:
        """Asks with `whoami`."""
        self._whoami, self._secret = whoami, secrets.token_bytes(32)
        self._recent = Recent(REMEMBERED_SECONDS)
        self._lock = threading.Lock()
        self._of_hub, self._of_users = Windows(ASKED_OF_THE_HUB), Windows(BY_USER)

    def person(self, authorization: str) -> Person:
        """Returns who sends a header, and counts what that one does.

        Args:
            authorization: The value of the header `Authorization`.

        Raises:
            RapportError: `forbidden` if it names nobody who may act here, `quota` if that one does too much in a short
                time, `infrastructure` if the Hub does not answer or has been asked too often.
        """
        found = _HEADER.fullmatch(authorization.strip())
        if found is None:
            raise RapportError(Cause.FORBIDDEN, "This is no token that people make on the Hub.", _MAKE_ONE)
        token = found[1]
        name = hashlib.blake2b(token.encode(), key=self._secret, digest_size=16).digest()
        person = self._recent.get(name, lambda: self._ask(token))
        if isinstance(person, RapportError):
            raise RapportError(person.cause, person.message, person.remedy)
        if wait := self._take(self._of_users, person.name.encode()):
            raise RapportError(Cause.QUOTA, "You have done a lot in a short time.", f"Try again in {wait} seconds.")
        return person

    def _ask(self, token: str) -> Person | RapportError:
        """Asks the Hub; a failure is given back and not raised, since what is raised holds on to the token."""
        if wait := self._take(self._of_hub, _HUB):
            return RapportError(
                Cause.INFRASTRUCTURE,
                "The Hub has been asked too often whose tokens are.",
                f"Try again in {wait} seconds, or do it in a browser.",
            )
        try:
            return person_told(self._whoami(token))
        except RapportError as error:
            return RapportError(error.cause, error.message, error.remedy)

    def _take(self, windows: Windows, key: bytes) -> int:
        """Counts one event; handlers run in threads."""
        with self._lock:
            return windows.take(key)
