"""What is left, or has come back, of what was taken down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from leaderboard.objections.records import Objection
from leaderboard.records import Plan
from leaderboard.scorecards import RunRows
from leaderboard.store import layout
from leaderboard.upkeep.findings import FindingKind, Found, found
from leaderboard.upkeep.places import Place, Sort
from leaderboard.upkeep.records import Takedown, TakedownKind
from leaderboard.upkeep.row_changes import changes_of

_REMEDY = "Run the same `rapport store takedown` again: it goes on where it stopped."
_GONE = (
    Sort.RUN,
    Sort.SCORECARD,
    Sort.HUMAN_SCORECARD,
    Sort.USER_SCORES,
    Sort.JUDGING,
    Sort.RESCORED_CARD,
    Sort.RESCORED_USERS,
)


class Traces:
    """Knows what was taken down.

    Example:
        >>> list(Traces().of_person("annotator-0a1b2c3d"))
        []
    """

    def __init__(self) -> None:
        """Knows of nothing yet."""
        self._named: list[tuple[TakedownKind, str]] = []
        self._submissions: set[str] = set()

    def add(self, takedown: Takedown) -> None:
        """Takes note of something that was taken down."""
        if changes_of(takedown.kind, takedown.name):
            self._named.append((takedown.kind, takedown.name))
        else:
            self._submissions |= set(takedown.submissions)

    def is_gone(self, submission_id: str) -> bool:
        """Says whether a submission was taken down, by itself or with all of its model."""
        return submission_id in self._submissions

    def of_submission(self, submission_id: str, places: Mapping[str, Place]) -> Iterator[Found]:
        """Yields results of a submission that was taken down, by itself or with all of its model.

        Args:
            submission_id: The submission.
            places: Its files.
        """
        for path, place in places.items():
            if place.sort in _GONE and self.is_gone(submission_id):
                yield found(FindingKind.TAKEN_DOWN, path, "It belongs to what was taken down.", _REMEDY)

    def of_person(self, person: str) -> Iterator[Found]:
        """Yields what there is of a person who was taken down."""
        if (TakedownKind.PERSON, person) in self._named:
            yield found(FindingKind.TAKEN_DOWN, layout.person_folder(person), "It was taken down.", _REMEDY)

    def of_objection(self, path: str, objection: Objection) -> Iterator[Found]:
        """Yields an objection of a person, or about a submission, that was taken down."""
        of_person = (TakedownKind.PERSON, objection.person) in self._named
        if of_person or self.is_gone(objection.submission_id):
            yield found(FindingKind.TAKEN_DOWN, path, "It was taken down.", _REMEDY)

    def in_run(self, folder: str, plan: Plan, rows: RunRows) -> Iterator[Found]:
        """Yields answers, people's words and people's labels in a run that were taken down.

        Args:
            folder: Where the run lies.
            plan: What it asked.
            rows: What came out of it.
        """
        for kind, name in self._named:
            if (changes := changes_of(kind, name)) is None:
                continue
            changes = changes.among(rows.generations, plan)
            left = sum(changes.generation(row) != row for row in rows.generations)
            left += sum(changes.verdict(row) != row for row in rows.verdicts)
            left += sum(changes.item(item) != item for item in plan.items)
            if left:
                message = f"{left} rows hold what was taken down as {kind} {name}."
                yield found(FindingKind.TAKEN_DOWN, folder, message, _REMEDY)
