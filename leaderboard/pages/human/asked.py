"""What an address of the page of human agreement asks for, and the address of what is asked for.

Whatever stands in an address is text: what cannot be meant is left out, and what is the default is not written.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import quote, urlencode

from leaderboard.pages.asking import first_of, page_number, page_told

PAGE = "/human"
REFERENCES, SIMULATED, INCOMPLETE_ROWS = "references", "simulated", "incomplete"
SWITCHES = (REFERENCES, SIMULATED, INCOMPLETE_ROWS)
"""Rows that are shown when they are asked for, in the order of addresses."""


class Asked(NamedTuple):
    """What is to be shown; the whole state of the page."""

    task: str = ""
    """Id of a protocol; empty is the first tab, whichever that is by now, so links name one."""
    q: str = ""
    """Terms, one space between two."""
    show: tuple[str, ...] = ()
    """Some of `SWITCHES`, in that order."""
    sort: str = ""
    """Name of a column, rising, or falling with a minus before it; empty is the board's own order."""
    page: int = 1
    """From 1."""
    at: str = ""
    """Id of a scorecard whose page is to be found; goes before `page`, `task` and `q`."""

    @property
    def terms(self) -> tuple[str, ...]:
        """What a row's text must hold, as it is compared."""
        return tuple(self.q.casefold().split())

    @property
    def query(self) -> str:
        """The state as the end of an address; empty where all of it is the default.

        Example:
            >>> Asked("human-rating-v1", "a b", (SIMULATED,), page=2).query, Asked().query
            ('?task=human-rating-v1&q=a+b&show=simulated&page=2', '')
        """
        named = {
            "task": self.task,
            "q": self.q,
            "show": ",".join(self.show),
            "sort": self.sort,
            "page": page_told(self.page),
            "at": self.at,
        }
        found = urlencode({name: value for name, value in named.items() if value}, safe=",@")
        return f"?{found}" if found else ""

    @property
    def address(self) -> str:
        """The address of the page that shows it."""
        return PAGE + self.query

    def on(self, page: int) -> str:
        """Returns the address of another page of the same rows."""
        return self._replace(page=page, at="").address


def asked_of(pairs: Iterable[tuple[str, str]]) -> Asked:
    """Reads an address.

    Args:
        pairs: Names and values of its query, in order; of a name that is given twice the first that says something
            counts, but `show` adds up.

    Example:
        >>> asked_of([("show", "simulated,odd"), ("show", "references"), ("q", " a  b ")])
        Asked(task='', q='a b', show=('references', 'simulated'), sort='', page=1, at='')
    """
    given = list(pairs)
    values = first_of(given)
    shown = {each for name, value in given if name == "show" for each in value.split(",")}
    return Asked(
        values.get("task", ""),
        " ".join(values.get("q", "").split()),
        tuple(name for name in SWITCHES if name in shown),
        values.get("sort", ""),
        page_number(values.get("page", "")),
        values.get("at", ""),
    )


def figures_address(scorecard_id: str) -> str:
    """Returns where all figures of a scorecard stand.

    Example:
        >>> figures_address("s-1.human-rating-v1@people")
        '/human/figures?id=s-1.human-rating-v1@people'
    """
    return f"{PAGE}/figures?id={quote(scorecard_id, safe='@')}"
