"""What an address of the page of plots asks for, and the address of what is asked for.

Whatever stands in an address is text: what cannot be meant is left out, and what is the default is not written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import quote, urlencode

PAGE, DATA, CHART = "/plots", "/plots/data", "/plots/chart"
SIZE, RANKS, JUDGES, HUMAN = "size", "ranks", "judges", "human"
PLOTS: Mapping[str, tuple[str, ...]] = {
    SIZE: ("protocol", "ranking", "judge"),
    RANKS: ("protocol", "ranking", "judge", "ids"),
    JUDGES: ("protocol", "judges"),
    HUMAN: ("task", "labels"),
}
"""The plots as they are offered, the default first, and what each takes, in the order of addresses."""
MOST_IDS = 8
"""Results whose ranks are drawn beside each other: more lines cannot be told apart."""
_LONGEST, _MOST_READ, _MOST_DIGITS = 400, 40, 6
_SAFE = "@,/:"


class Asked(NamedTuple):
    """What is to be drawn, and which page of its table; the whole state of the page."""

    plot: str = SIZE
    """One of `PLOTS`, or a name that nobody knows."""
    protocol: str = ""
    """Id of a protocol of HiCUPID; an empty text is the default here and below, whatever that is by now."""
    ranking: str = ""
    """Id of a table of the protocol; see `leaderboard.pages.tables.Table`."""
    judge: str = ""
    """Under whose verdicts; empty under those that decide ranks."""
    judges: tuple[str, ...] = ()
    """Two judges, across and up."""
    task: str = ""
    """Id of the protocol of a human-grounded task."""
    labels: str = ""
    """Id of a table of that task; see `leaderboard.pages.human.index.Group`."""
    ids: tuple[str, ...] = ()
    """Scorecards by id or models by name."""
    page: int = 1
    """Of the table, from 1."""

    @property
    def address(self) -> str:
        """The address of the page that shows it.

        Example:
            >>> Asked(RANKS, judge="demo", ids=("org/a", "s-1.demo-v1@demo"), page=2).address
            '/plots?plot=ranks&judge=demo&ids=org/a,s-1.demo-v1@demo&page=2'
            >>> Asked().address
            '/plots'
        """
        return _address(PAGE, self, page=str(self.page) if self.page > 1 else "")

    @property
    def chart(self) -> str:
        """The address of what the page draws."""
        return _address(CHART, self)

    def data(self, form: str) -> str:
        """Returns the address of everything that is drawn, as a file.

        Args:
            form: `csv` or `json`.

        Example:
            >>> Asked(HUMAN, task="human-rating-v1").data("csv")
            '/plots/data?plot=human&task=human-rating-v1&format=csv'
        """
        return _address(DATA, self, format=form)

    @property
    def hidden(self) -> tuple[tuple[str, str], ...]:
        """What a form must send besides what is chosen in it."""
        return (("plot", self.plot),) if self.plot != SIZE else ()


def asked_of(pairs: Iterable[tuple[str, str]]) -> Asked:
    """Reads an address.

    Args:
        pairs: Names and values of its query, in order; of a name that is given twice the first that says something
            counts, but `ids` and `judges` add up. What the plot does not take is left out.

    Example:
        >>> asked_of([("plot", "judges"), ("judges", "a, b"), ("task", "x"), ("page", "0")])
        Asked(plot='judges', protocol='', ranking='', judge='', judges=('a', 'b'), task='', labels='', ids=(), page=1)
    """
    given = list(pairs)
    values = {name: value for name, value in reversed(given) if value}
    plot = values.get("plot", SIZE)[:_LONGEST]
    taken = PLOTS.get(plot, ())
    texts = {name: " ".join(values.get(name, "").split())[:_LONGEST] for name in taken if name not in ("ids", "judges")}
    page = values.get("page", "")
    return Asked(
        plot,
        **texts,
        judges=_listed(given, "judges")[:2] if "judges" in taken else (),
        ids=_listed(given, "ids") if "ids" in taken else (),
        page=max(1, int(page[:_MOST_DIGITS])) if page.isascii() and page.isdigit() else 1,
    )


def _listed(given: Iterable[tuple[str, str]], name: str) -> tuple[str, ...]:
    """Returns the values of a list, each once."""
    every = [each.strip()[:_LONGEST] for key, value in given if key == name for each in value.split(",")]
    return tuple(dict.fromkeys(filter(None, every)))[:_MOST_READ]


def _address(path: str, asked: Asked, **others: str) -> str:
    """Returns an address below some path."""
    named = {"plot": "" if asked.plot == SIZE else asked.plot}
    for name in PLOTS.get(asked.plot, ()):
        value = getattr(asked, name)
        named[name] = value if isinstance(value, str) else ",".join(value)
    told = {name: value for name, value in (named | others).items() if value}
    query = urlencode(told, safe=_SAFE, errors="replace", quote_via=quote)
    return f"{path}?{query}" if query else path
