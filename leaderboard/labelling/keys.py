"""The names under which labels lie in Redis."""

from __future__ import annotations

from leaderboard.labelling.records import Task

PEOPLE = "rapport:label:people"
"""Set of all annotators that have done anything."""
UNSAVED = "rapport:label:unsaved"
"""Set of those whose latest event is not in the store yet."""
URGENT = "rapport:label:urgent"
"""Set of those of them that have withdrawn: saved at once."""


HELD = "rapport:label:held"
"""Hash: people whose labels the store cannot be read of, and why. Nothing is taken or saved of them until it can."""
SAVED = "rapport:label:saved"
"""Hash: how many events of each person the store holds. Fewer are never saved in their place."""


def events(annotator: str) -> str:
    """List of a person's events; the place in the list is the sequence number."""
    return f"rapport:label:events:{annotator}"


def shown(annotator: str, task: Task) -> str:
    """What the person sees in a task right now; gone after a month."""
    return f"rapport:label:shown:{task}:{annotator}"


def put_off(annotator: str, task: Task) -> str:
    """Sorted set of items that the person skipped, each with its data set; what was skipped last stands last."""
    return f"rapport:label:put-off:{task}:{annotator}"


def just_skipped(annotator: str, task: Task) -> str:
    """Sorted set of those that were skipped since the last label, which can be brought back."""
    return f"rapport:label:just-skipped:{task}:{annotator}"


def tally(data_set: str, task: Task) -> str:
    """Hash: for each word and item, how many people have given it."""
    return f"rapport:label:tally:{task}:{data_set}"
