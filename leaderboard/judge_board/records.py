"""What the archive keeps of the board of judges: the quality of each version of a judge, and labelled verdict files."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from evaluator.human.records import RaterKind
from evaluator.identity import digest
from evaluator.judges.quality.records import JudgeQuality
from evaluator.records import Outcome, Record, SlotOrder
from leaderboard.records import Moment

SetName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")]
"""Name of a labelled verdict file on the board; it stands in a path, and in public."""


class ComputedQuality(Record):
    """All that is told of one version of a judge, and what it was worked out from."""

    schema_version: Literal[1] = 1
    quality: JudgeQuality
    computed_at: Moment
    runs: int = Field(ge=0)
    """Runs with verdicts of this version."""
    archive_revision: str
    """State of the archive that was read."""

    @property
    def name(self) -> str:
        """Names the version: its judge, and a digest of commit, configuration and prompts."""
        version = digest([self.quality.revision, self.quality.config, self.quality.prompt_pack])
        return f"{self.quality.judge}/{version[:16]}"


class LabelledSet(Record):
    """A labelled verdict file that was taken in: under which terms, and what is in it."""

    schema_version: Literal[1] = 1
    name: SetName
    licence: str = Field(min_length=1, max_length=100)
    """SPDX-like id, as whoever added it said."""
    kind: RaterKind
    """Whose labels they are, of all of them."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Of the file that was added."""
    added_at: Moment
    labels: int = Field(gt=0)
    annotators: int = Field(gt=0)
    answers: int = Field(gt=0)
    """Different answers that they are about."""
    labels_sha: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Of the file of its labels in the archive."""


class StoredLabel(Record):
    """One label of such a file; its note, which nothing here needs, is left behind."""

    schema_version: Literal[1] = 1
    question_id: str
    content_hash: str
    """SHA-256 of the answer's text."""
    annotator: str
    """A pseudonym; never published."""
    outcome: Outcome
    kind: RaterKind
    slot_order: SlotOrder | None
