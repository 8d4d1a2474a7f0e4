"""Who is logged in, read on the server: from the session that Gradio keeps, never from what a request says."""

from __future__ import annotations

import os
from collections.abc import Mapping

from evaluator.errors import Cause, RapportError
from leaderboard.people import Person, hub_person, local_person
from leaderboard.settings import Settings

_SCOPES = frozenset({"openid", "profile"})
_NEEDED = ("SPACE_ID", "OAUTH_CLIENT_SECRET", "OAUTH_SCOPES", "OPENID_PROVIDER_URL")
"""Without the first, Gradio makes everybody the same user; without the second, anybody can sign a session."""


def person_of(profile: Mapping[str, object] | None, settings: Settings) -> Person:
    """Returns who acts.

    Args:
        profile: What Gradio fills in for `gr.OAuthProfile | None`: the claims in the session, None without a login.
        settings: Says who maintains, and whether there is a local user instead.

    Raises:
        RapportError: `forbidden` if nobody is logged in, or under a name that cannot act here.
    """
    if not settings.can_log_in:
        if not settings.allow_local_user:
            raise RapportError(Cause.FORBIDDEN, "Nobody can log in here.", "Submit on a Space with `hf_oauth`.")
        return local_person(settings.maintainers)
    if profile is None:
        raise RapportError(Cause.FORBIDDEN, "Nobody is logged in.", "Log in with Hugging Face and try again.")
    person = hub_person(profile, settings.maintainers)
    if person is None:
        raise RapportError(
            Cause.FORBIDDEN,
            "The name that you are logged in with cannot be used here.",
            "It is one that this leaderboard signs with itself, or none of the Hub; log in under another one.",
        )
    return person


def profile_in(session: Mapping[str, object], seconds: float) -> Mapping[str, object] | None:
    """Returns the claims of whoever is logged in, as Gradio's pages get them; None if nobody is, or no longer.

    Args:
        session: What the signed cookie of a request holds.
        seconds: The present time, since 1970.

    Example:
        >>> profile_in({"oauth_info": {"userinfo": {"preferred_username": "alice"}, "expires_at": 20}}, 10)
        {'preferred_username': 'alice'}
        >>> profile_in({"oauth_info": {"userinfo": {"preferred_username": "alice"}, "expires_at": 20}}, 30)
        >>> profile_in({}, 10)
    """
    info = session.get("oauth_info")
    if not isinstance(info, Mapping):
        return None
    expires, claims = info.get("expires_at"), info.get("userinfo")
    if isinstance(expires, int | float) and expires < seconds:
        return None
    return claims if isinstance(claims, Mapping) else None


def check_login(settings: Settings) -> None:
    """Makes sure that nobody can pass for somebody else before anything is served.

    Raises:
        RapportError: `infrastructure` if the development flag is set on a Space, or its login is set up by half or asks
            for more than who somebody is.
    """
    if not settings.on_space:
        return  # There is no login at all: the button that brings Gradio's pretended one is never made.
    if settings.allow_local_user:
        raise RapportError(
            Cause.INFRASTRUCTURE,
            "RAPPORT_ALLOW_LOCAL_USER is set on a Space: every visitor would be the same user.",
            "Take it out of the Space's settings; people log in with Hugging Face there.",
        )
    if settings.can_log_in:
        _check_provider()


def _check_provider() -> None:
    """Checks what a Space sets for its login."""
    if missing := [name for name in _NEEDED if not os.environ.get(name)]:
        raise RapportError(
            Cause.INFRASTRUCTURE,
            f"The login of this Space is set up by half: {', '.join(missing)} is missing.",
            "Write `hf_oauth: true` into the Space's card and let the Space set these.",
        )
    if (scopes := frozenset(os.environ["OAUTH_SCOPES"].split())) != _SCOPES:
        raise RapportError(
            Cause.INFRASTRUCTURE,
            f"The login asks for the scopes {' '.join(sorted(scopes))}; this site uses `openid profile` only.",
            "Take `hf_oauth_scopes` out of the Space's card.",
        )
