"""What an address of the page of comparisons asks for, and the address of what is asked for.

Whatever stands in an address is text: what cannot be meant is left out, and what is the default is not written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, cast, get_args

from evaluator.hicupid.questions import QuestionType
from leaderboard.answers.choosing import Which
from leaderboard.answers.slices import SliceKind
from leaderboard.pages.asking import address_of, first_of, one_of, page_number, page_told

PAGE = "/compare"
_MOST_IDS, _LONGEST = 20, 400


class Asked(NamedTuple):
    """What is to be compared, and which items are shown; the whole state of the page."""

    ids: tuple[str, ...] = ()
    """Scorecards by id or models by name, in the order in which they stand; a name may stand there twice."""
    slice: str = ""
    """Kind and name of a slice, such as `category:food`; empty for all items, as is `type`."""
    only: Which = "differ"
    type: str = ""
    page: int = 1
    """From 1."""

    @property
    def address(self) -> str:
        """The address of the page that shows it.

        Example:
            >>> Asked(("s-1.demo-v1@demo", "org/b"), "category:good food", "alike", page=2).address
            '/compare?ids=s-1.demo-v1@demo,org/b&slice=category:good%20food&only=alike&page=2'
        """
        return address_of(PAGE, {"ids": ",".join(self.ids), **dict(self.parameters)})

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """Names and values of all but the results, as they stand in an address; defaults are left out."""
        named = {
            "slice": self.slice,
            "only": self.only if self.only != "differ" else "",
            "type": self.type,
            "page": page_told(self.page),
        }
        return tuple((name, value) for name, value in named.items() if value)

    def of(self, ids: Sequence[str]) -> str:
        """Returns the address of a comparison of other results, from the first page of the same items on."""
        return self._replace(ids=tuple(ids), page=1).address

    def items(self, **changes: Any) -> str:
        """Returns the address of other items, where they stand on the page; from their first page on unless told."""
        return f"{self._replace(**{'page': 1, **changes}).address}#items"


def asked_of(pairs: Iterable[tuple[str, str]]) -> Asked:
    """Reads an address.

    Args:
        pairs: Names and values of its query, in order; of a name that is given twice the first that says something
            counts, but `ids` add up.

    Example:
        >>> asked_of([("ids", "org/a, org/b"), ("only", "all"), ("type", "persona"), ("ids", "org/a")])
        Asked(ids=('org/a', 'org/b', 'org/a'), slice='', only='differ', type='persona', page=1)
    """
    given = list(pairs)
    values = first_of(given)
    ids = [each.strip() for name, value in given if name == "ids" for each in value.split(",")]
    only = values.get("only", "")
    return Asked(
        tuple(each[:_LONGEST] for each in ids if each)[:_MOST_IDS],
        _slice(values.get("slice", "")),
        cast(Which, only) if only in get_args(Which) else "differ",
        one_of(values.get("type", ""), tuple(QuestionType)),
        page_number(values.get("page", "")),
    )


def slice_called(kind: SliceKind, name: str) -> str:
    """Returns what a slice is called in addresses."""
    return f"{kind}:{name}"


def _slice(value: str) -> str:
    """Returns the name of a slice if it can be meant."""
    kind, _, name = value.partition(":")
    return value if kind in tuple(SliceKind) and name and len(value) <= _LONGEST else ""
