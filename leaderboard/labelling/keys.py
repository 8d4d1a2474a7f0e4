"""The names under which labels lie in Redis."""

from __future__ import annotations

from leaderboard.labelling.records import Task

PEOPLE = "rapport:label:people"
"""Set of all annotators that have done anything."""
UNSAVED = "rapport:label:unsaved"
"""Set of those whose latest event is not in the store yet."""
URGENT = "rapport:label:urgent"
"""Set of those of them that have withdrawn: saved at once."""


def events(annotator: str) -> str:
    """List of a person's events; the place in the list is the sequence number."""
    return f"rapport:label:events:{annotator}"


def shown(annotator: str, task: Task) -> str:
    """What the person sees in a task right now; gone after a month."""
    return f"rapport:label:shown:{task}:{annotator}"


def skipped(annotator: str, task: Task) -> str:
    """Set of items that the person did not want to label."""
    return f"rapport:label:skipped:{task}:{annotator}"


def tally(data_set: str, task: Task) -> str:
    """Hash: for each word and item, how many people have given it."""
    return f"rapport:label:tally:{task}:{data_set}"
