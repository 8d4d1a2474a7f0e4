"""How many of something there are, in words."""

from __future__ import annotations


def several(number: int, name: str) -> str:
    """Writes how many of something there are.

    Example:
        >>> several(1, "user"), several(2000, "user")
        ('1 user', '2,000 users')
    """
    return f"{number:,} {name}{'' if number == 1 else 's'}"
