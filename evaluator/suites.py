"""The suites: what a run of each is made of, what it asks, and who answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from evaluator.human import setup as human
from evaluator.human.setup import HumanSetup
from evaluator.setup import AnyItem, HicupidSetup, items

RunSetup: TypeAlias = HicupidSetup | HumanSetup
"""Everything that a run is made of, apart from engines."""


def items_of(setup: RunSetup) -> Iterator[AnyItem]:
    """Yields every item that a run asks, group by group, without its text.

    Raises:
        RapportError: `data_error` if the data set is broken.
    """
    return human.items(setup) if isinstance(setup, HumanSetup) else items(setup)
