"""How large a demo set is."""

from __future__ import annotations

from typing import NamedTuple


class DemoSize(NamedTuple):
    """How much there is of everything; a fraction is the chance of one more.

    Example:
        >>> SMALL.users, DECLARED.users
        (6, 50)
    """

    users: int
    topics: float
    """Conversations of a user that show something of him."""
    tasks: float
    """Conversations of a user that show nothing of him."""
    right: float
    """Attributes that hold, of a topic."""
    wrong: float
    """Attributes that do not hold, of a topic."""
    task_wrong: float
    """Attributes that do not hold, of a task."""
    prompts: int
    prompts_per_user: float
    responses_per_user: float
    """As many as there are prompts for which something of the user is relevant, but no more."""
    attributes_per_response: float
    """Relevant attributes that a response is written from, at most."""


SEED = 39
"""Of the set that ships: of its small number of responses, each manner of serving an attribute has some."""
SMALL = DemoSize(
    users=6,
    topics=2,
    tasks=1.5,
    right=2.5,
    wrong=1.0,
    task_wrong=1.0,
    prompts=6,
    prompts_per_user=4,
    responses_per_user=2,
    attributes_per_response=3,
)
"""The set that ships."""
DECLARED = DemoSize(
    users=50,
    topics=8,
    tasks=3,
    right=3.31,
    wrong=1.12,
    task_wrong=1.4,
    prompts=41,
    prompts_per_user=3,
    responses_per_user=1.7,
    attributes_per_response=4.6,
)
"""About as much as the published study declares: 50 users, 550 conversations, 1,983 attributes, 3,973 pairs of a prompt
and an attribute, and 367 rated attributes of 80 responses. For dry runs: its conversations are shorter than those of
people."""
