"""What the board shows, as it stands in its address: the address is the whole state, and there is one of each state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from leaderboard.pages.asking import SAFE, one_of, page_number
from leaderboard.pages.board.columns import COLUMNS, MODEL

SHOWN = ("references", "published", "demo", "incomplete")
"""Kinds of rows that can be shown or left out."""
SHOWN_UNASKED = ("references", "published")
NOTHING = "nothing"
"""Stands in an address where all kinds are left out."""
TRAINED = ("no", "yes", "unknown")
COMPACT = "compact"

_LONGEST = 200
"""Characters of a text that somebody may mean; search terms in all."""
_MOST_PINS, _LONGEST_PIN = 20, 400
_TEXTS = ("protocol", "ranking", "judge", "q", "size", "licence", "family", "trained", "context")
_STAYS_ON_THE_PAGE = frozenset(("page", "columns", "density", "pin"))
"""Changes that leave a reader on the page where he is; any other leads to the first."""


class BoardState(NamedTuple):
    """One state of the board; an empty text is the default, whatever that is of the results there are."""

    protocol: str = ""
    ranking: str = ""
    """Id of a table of the protocol; see `leaderboard.pages.tables.Table`."""
    judge: str = ""
    q: str = ""
    """Search terms, one space between two."""
    size: str = ""
    licence: str = ""
    family: str = ""
    trained: str = ""
    context: str = ""
    """A context mode: of protocols, only those with it are offered."""
    complete: bool = False
    """Leaves out what is not judged in full."""
    show: tuple[str, ...] | None = None
    """Kinds of rows beside the models', of `SHOWN`; None is the default."""
    columns: tuple[str, ...] | None = None
    """Names of columns beside those that are always there; None is the default."""
    sort: str = ""
    """A column's name, after a minus from the greatest down."""
    pin: tuple[str, ...] = ()
    """Scorecards on top, in the order in which they were pinned."""
    density: str = ""
    page: int = 1

    @property
    def terms(self) -> tuple[str, ...]:
        """The search terms, in one case."""
        return tuple(self.q.casefold().split())

    def query(self, **changes: Any) -> str:
        """Returns what the address of this state, or of one that differs from it, ends with.

        Parameters stand in one order and defaults are left out, so equal states have equal addresses.

        Args:
            **changes: Fields with their new values.

        Example:
            >>> BoardState(q="qwen 7b", page=3).query(), BoardState(page=3).query(sort="-total"), BoardState().query()
            ('?q=qwen%207b&page=3', '?sort=-total', '')
        """
        state = self._replace(**changes) if changes else self
        if not _STAYS_ON_THE_PAGE.issuperset(changes):
            state = state._replace(page=1)
        found = "&".join(f"{name}={quote(value, safe=SAFE, errors='replace')}" for name, value in state.parameters())
        return f"?{found}" if found else ""

    def parameters(self) -> list[tuple[str, str]]:
        """Returns names and values as they stand in an address, defaults left out."""
        told = {
            **{name: getattr(self, name) for name in _TEXTS},
            "complete": "1" if self.complete else "",
            "show": "" if self.show is None else ",".join(self.show) or NOTHING,
            "columns": "" if self.columns is None else ",".join(self.columns) or MODEL,
            "sort": self.sort,
            "density": self.density,
        }
        pins = [("pin", each) for each in self.pin]
        page = [("page", str(self.page))] if self.page > 1 else []
        return [(name, value) for name, value in told.items() if value] + pins + page

    def pinned(self, key: str) -> str:
        """Returns the end of the address in which a scorecard is pinned, or no longer pinned where it is."""
        others = tuple(each for each in self.pin if each != key)
        return self.query(pin=others if key in self.pin else (*self.pin, key))


def read_state(parameters: Iterable[tuple[str, str]]) -> BoardState:
    """Reads a state from the parameters of an address; what cannot be meant gives the default.

    Of a parameter that stands there several times, the first that says something counts; of lists all.

    Args:
        parameters: Names and values, whatever they hold.

    Example:
        >>> read_state([("page", "two"), ("sort", "-nothing"), ("q", "  Qwen   7B ")])
        BoardState(protocol='', ranking='', judge='', q='Qwen 7B', size='', licence='', family='', trained='', \
context='', complete=False, show=None, columns=None, sort='', pin=(), density='', page=1)
    """
    found: dict[str, list[str]] = {}
    for name, value in parameters:
        if value:
            found.setdefault(name, []).append(value)
    plain = {name: _plain(found, name) for name in ("protocol", "ranking", "q", "size", "licence", "family", "context")}
    return BoardState(
        **plain,
        judge=_first(found, "judge"),
        trained=one_of(_first(found, "trained"), TRAINED),
        complete=_first(found, "complete") == "1",
        show=_shown(_listed(found, "show")),
        columns=_chosen(_listed(found, "columns")),
        sort=_sort(_first(found, "sort")),
        pin=_pins(found.get("pin", ())),
        density=one_of(_first(found, "density"), (COMPACT,)),
        page=page_number(_first(found, "page")),
    )


def _first(found: Mapping[str, list[str]], name: str) -> str:
    """Returns the first value of a parameter."""
    return found[name][0] if name in found else ""


def _plain(found: Mapping[str, list[str]], name: str) -> str:
    """Returns a text that somebody may have written, its spaces made one."""
    value = " ".join(_first(found, name).split())
    return value if len(value) <= _LONGEST and value.isprintable() else ""


def _listed(found: Mapping[str, list[str]], name: str) -> list[str]:
    """Returns all values of a list, which stand between commas or in parameters of their own."""
    return [part for value in found.get(name, ()) for part in value.split(",")]


def _shown(listed: list[str]) -> tuple[str, ...] | None:
    """Returns the kinds of rows that are shown."""
    kinds = tuple(kind for kind in SHOWN if kind in listed)
    if not kinds and NOTHING not in listed:
        return None
    return None if kinds == SHOWN_UNASKED else kinds


def _chosen(listed: list[str]) -> tuple[str, ...] | None:
    """Returns the columns that are shown, in their own order; `MODEL` alone asks for no other one."""
    names = tuple(name for name, column in COLUMNS.items() if name in listed and not column.always)
    return names if names or MODEL in listed else None


def _sort(value: str) -> str:
    """Returns what rows are sorted by; by rank they are unasked."""
    name = value.removeprefix("-")
    return value if name in COLUMNS and value != "rank" else ""


def _pins(values: Iterable[str]) -> tuple[str, ...]:
    """Returns the scorecards that are pinned, each once."""
    fit = [each for each in values if len(each) <= _LONGEST_PIN and each.isprintable()]
    return tuple(dict.fromkeys(fit))[:_MOST_PINS]
