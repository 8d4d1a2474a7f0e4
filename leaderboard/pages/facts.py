"""What is known of a model, in words: how large it is, how much it reads, and by which sizes models are looked for."""

from __future__ import annotations

from evaluator.plurals import several

_UNITS = ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k"))
_CLASSES = ((10**9, "up to 1B"), (4 * 10**9, "1B to 4B"), (9 * 10**9, "4B to 9B"), (32 * 10**9, "9B to 32B"))
"""The most parameters that a class takes, and its name."""
_ABOVE, _NOT_TOLD = "over 32B", "not told"
SIZE_CLASSES = (*(name for _, name in _CLASSES), _ABOVE, _NOT_TOLD)
"""All of them, the smallest first and those of which nobody knows last."""


def size_in_words(parameters: int | None) -> str:
    """Writes a number of parameters with one decimal; a missing one as a dash.

    Args:
        parameters: At least 0.

    Example:
        >>> size_in_words(134_515_008), size_in_words(7_615_616_512), size_in_words(64), size_in_words(None)
        ('134.5M', '7.6B', '64', '–')
        >>> size_in_words(999_960_000)
        '1.0B'
    """
    if parameters is None:
        return "–"
    # What would be rounded to 1000.0 of a unit is 1.0 of the next.
    unit = next((each for each in _UNITS if parameters >= each[0] - each[0] // 20_000), None)
    return f"{parameters:,}" if unit is None else f"{parameters / unit[0]:.1f}{unit[1]}"


def context_in_words(tokens: int | None) -> str:
    """Writes how many tokens of prompt and answer a model takes together; a missing number as a dash.

    Example:
        >>> context_in_words(8192), context_in_words(None)
        ('8,192 tokens', '–')
    """
    return "–" if tokens is None else several(tokens, "token")


def size_class(parameters: int | None) -> str:
    """Returns the class of `SIZE_CLASSES` that a model belongs to; each but the last two takes what it ends at.

    Args:
        parameters: At least 0; None where they are not known.

    Example:
        >>> size_class(134_515_008), size_class(4 * 10**9), size_class(7_615_616_512), size_class(None)
        ('up to 1B', '1B to 4B', '4B to 9B', 'not told')
    """
    if parameters is None:
        return _NOT_TOLD
    return next((name for most, name in _CLASSES if parameters <= most), _ABOVE)
