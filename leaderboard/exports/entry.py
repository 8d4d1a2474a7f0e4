"""What an export is made of: a row of the board with its scorecard, and of which state of which site it is."""

from __future__ import annotations

import re
from typing import NamedTuple

from evaluator.protocol import is_reference
from leaderboard.board.build import BoardRow
from leaderboard.open_data.cleaning import clean
from leaderboard.results import Provenance, Scorecard

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")


class Edition(NamedTuple):
    """A state of a site's board."""

    revision: str
    """Of the store that the board was read from."""
    site: str | None = None
    """Address of the site, without a slash at the end; None where it is not known."""
    problems: tuple[str, ...] = ()
    """What is wrong with the board, in sentences."""

    def page_of(self, submission_id: str) -> str | None:
        """Returns the address of a submission's page.

        Example:
            >>> Edition("r1", "https://rapport.example").page_of("s-20260101-0a1b2c3d")
            'https://rapport.example/submission?id=s-20260101-0a1b2c3d'
        """
        return f"{self.site}/submission?id={submission_id}" if self.site else None


class Entry(NamedTuple):
    """One result of the board."""

    row: BoardRow
    """Its place, and the figures that take several scorecards."""
    card: Scorecard
    """The scorecard behind it."""


def entry_of(row: BoardRow, card: Scorecard) -> Entry:
    """Returns an entry without anything that looks like a secret."""
    return Entry(clean(row), clean(card))


def is_on_the_hub(model: str) -> bool:
    """Says whether a model has a repository on the Hub.

    Example:
        >>> is_on_the_hub("org/model"), is_on_the_hub("local/model"), is_on_the_hub("reference/gold")
        (True, False, False)
    """
    return _HUB_ID.fullmatch(model) is not None and not model.startswith("local/") and not is_reference(model)


def hub_data_set(of: Provenance) -> str | None:
    """Returns the id of the data set on the Hub that was asked from; None if it lies elsewhere.

    A folder may be called like a data set on the Hub, but is named by its digest and not by a commit.
    """
    at_commit = _COMMIT.fullmatch(of.data_sha) is not None
    return of.data_source if at_commit and _HUB_ID.fullmatch(of.data_source) else None
