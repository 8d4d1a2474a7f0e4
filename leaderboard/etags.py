"""Whether whoever asks has an answer already, by the name that it was given (RFC 9110, 13.1.2)."""

from __future__ import annotations


def is_known(etag: str, known: str) -> bool:
    """Says whether a header `If-None-Match` names an answer, however strongly.

    Args:
        etag: What the answer is called.
        known: The header; empty where there is none.

    Example:
        >>> is_known('W/"a"', '"b", "a"'), is_known('W/"a"', "*"), is_known('W/"a"', "")
        (True, True, False)
    """
    names = {each.strip().removeprefix("W/") for each in known.split(",")}
    return "*" in names or etag.removeprefix("W/") in names
