"""Student's t distribution, to the bit what `scipy.stats.t` gives: importing that takes most of a second.

Every role, command and page needs a quantile, and starts sooner without the rest of `scipy.stats`.

Example:
    >>> round(float(ppf(0.975, 9)), 3), round(float(sf(2.262157, 9)), 3)
    (2.262, 0.025)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import stdtr, stdtrit


def ppf(probability: Any, freedom: Any) -> Any:
    """Returns quantiles.

    Args:
        probability: Above 0, to 1; any shape.
        freedom: Degrees of freedom, above 0; of a shape that goes with it. Not a number otherwise.
    """
    return stdtrit(freedom, probability)


def sf(value: Any, freedom: Any) -> Any:
    """Returns how likely more than `value` is, 0 to 1; takes shapes and freedom as `ppf` does."""
    return stdtr(freedom, -value)


def isf(probability: Any, freedom: Any) -> Any:
    """Returns what is exceeded with a probability, 0 to 1: infinity for none; takes shapes and freedom as `ppf` does.

    Example:
        >>> isf([0.0, 1.0], 9).tolist()
        [inf, -inf]
    """
    return np.where(np.equal(probability, 0), np.inf, -stdtrit(freedom, probability))
