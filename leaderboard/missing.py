"""What a site lacks before it can be served: said on a page and by `rapport doctor`, where it would crash and crash.

No value of a setting is ever part of it: it may be a secret that was put into the wrong place.
"""

from __future__ import annotations

from typing import NamedTuple

from pydantic import ValidationError
from pydantic_settings import SettingsError

from evaluator.errors import RapportError
from evaluator.human.importers.pseudonyms import VARIABLE, load_salt
from leaderboard.pages.identity import check_login
from leaderboard.settings import Settings
from leaderboard.store.base import StoreError
from leaderboard.store.open import open_stores


class Missing(NamedTuple):
    """One thing that is missing or set up wrongly."""

    name: str
    """What it is: a setting, or `login`."""
    message: str
    remedy: str


NO_STORE = Missing(
    "RAPPORT_STORE",
    "There is no store, and a Space forgets its folders at every start.",
    "Make the data sets with `rapport store create`, and set RAPPORT_STORE to hub://owner/name; see docs/deploy.md.",
)
NO_REDIS = Missing(
    "RAPPORT_REDIS_URL",
    "There is no Redis: the board can be read, and nothing can be submitted.",
    "Set RAPPORT_REDIS_URL as a secret of the Space to open submissions; see docs/deploy.md.",
)


def read_settings() -> tuple[Settings | None, tuple[Missing, ...]]:
    """Returns the settings of this process; or None, with what is wrong with them.

    Example:
        >>> settings, faults = read_settings()
        >>> faults
        ()
    """
    try:
        return Settings(), ()
    except ValidationError as error:
        return None, tuple(
            Missing(
                "RAPPORT_" + "_".join(map(str, fault["loc"])).upper(),
                f"{fault['msg']}.",
                "Correct it; see docs/settings.md.",
            )
            for fault in error.errors()
        )
    except SettingsError:
        remedy = 'Write a list like ["one", "two"]; see docs/settings.md.'
        return None, (Missing("RAPPORT_...", "A setting that holds a list is no JSON.", remedy),)


def missing_on_space(settings: Settings) -> tuple[Missing, ...]:
    """Returns what keeps a Space from being served; nothing is missing elsewhere, where all of it comes along.

    Example:
        >>> missing_on_space(Settings())
        ()
    """
    if not settings.on_space:
        return ()
    return tuple(filter(None, [_store(settings), _login(settings), _pseudonyms(settings)]))


def _store(settings: Settings) -> Missing | None:
    """What keeps the stores from being opened, which asks the Hub nothing."""
    if not settings.store:
        return NO_STORE
    try:
        open_stores(settings)
    except RapportError as error:
        return Missing("RAPPORT_STORE", error.message, error.remedy)
    except StoreError as error:
        return Missing("HF_TOKEN or RAPPORT_DATA", f"{error.cause}.", error.remedy)
    return None


def _login(settings: Settings) -> Missing | None:
    """What is wrong with the login."""
    try:
        check_login(settings)
    except RapportError as error:
        return Missing("login", error.message, error.remedy)
    return None


def _pseudonyms(settings: Settings) -> Missing | None:
    """What is wrong with the secret under which those who label have pseudonyms; without one nobody labels."""
    try:
        load_salt(None, settings.data)
    except RapportError as error:
        remedy = "Make one with `openssl rand -hex 32`, or take it out, which closes /label; see docs/deploy.md."
        return Missing(VARIABLE, error.message, remedy)
    return None
