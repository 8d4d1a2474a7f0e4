"""What every page reads from its address, and how its addresses are written.

Whatever stands in an address is text: what cannot be meant is left out, and what is the default is not written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from urllib.parse import quote, urlencode

SAFE = "@,/:"
"""Characters that stand in an address as they are."""
_MOST_DIGITS = 9


def first_of(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Returns of each name in an address the first value that says something.

    Example:
        >>> first_of([("q", ""), ("q", "a"), ("q", "b")])
        {'q': 'a'}
    """
    return {name: value for name, value in reversed(list(pairs)) if value}


def one_of(value: str, known: Collection[str]) -> str:
    """Returns a value if it can be meant, and else an empty text."""
    return value if value in known else ""


def page_number(text: str) -> int:
    """Reads a page's number from an address; what is none is the first page.

    Example:
        >>> page_number("2"), page_number("-1"), page_number("two"), page_number("9" * 400)
        (2, 1, 1, 999999999)
    """
    return max(1, int(text[:_MOST_DIGITS])) if text.isascii() and text.isdigit() else 1


def page_told(page: int) -> str:
    """Returns how a page's number stands in an address: not at all where it is the first."""
    return str(page) if page > 1 else ""


def address_of(path: str, values: Mapping[str, str]) -> str:
    """Writes an address; what is empty is left out.

    Args:
        path: Where it leads.
        values: Names and values, in the order in which they stand there.

    Example:
        >>> address_of("/answers", {"scorecard": "s-1@demo", "only": "", "q": "a b"}), address_of("/compare", {})
        ('/answers?scorecard=s-1@demo&q=a%20b', '/compare')
    """
    told = {name: value for name, value in values.items() if value}
    query = urlencode(told, safe=SAFE, errors="replace", quote_via=quote)
    return f"{path}?{query}" if query else path
