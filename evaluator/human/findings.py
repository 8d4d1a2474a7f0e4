"""What is wrong with a data set of people's labels, row by row, or worth knowing of it."""

from __future__ import annotations

from enum import StrEnum

from evaluator.records import Record


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    """The data set is not opened before it is mended."""
    NOTE = "note"
    """Figures leave it out, or say less for it."""


class Problem(StrEnum):
    """What a finding is about."""

    MISSING_FILE = "missing_file"
    """A table has no file, or the data set has no card."""
    UNREADABLE = "unreadable"
    """A file or a line of it cannot be read at all."""
    CARD = "card"
    """The card says something else than what the data set is."""
    FOREIGN_COLUMN = "foreign_column"
    """A column that the layout does not have."""
    INVALID = "invalid"
    """A value is missing, of another type, out of range, or no word of the list."""
    DUPLICATE_ID = "duplicate_id"
    """Two rows have one name."""
    DUPLICATE_LABEL = "duplicate_label"
    """An annotator has labelled an item twice."""
    REPEATED = "repeated"
    """A list names the same thing twice."""
    BROKEN_REFERENCE = "broken_reference"
    """A row names another that is not there."""
    UNKNOWN_ANNOTATOR = "unknown_annotator"
    """A label by somebody whom the table of annotators does not have, or has as another kind."""
    WRONG_USER = "wrong_user"
    """A row names another that is there, but of somebody else."""
    TURN_OUT_OF_RANGE = "turn_out_of_range"
    """Evidence names a turn that the conversation does not have."""
    NOT_WRITTEN_FROM = "not_written_from"
    """A rating of an attribute that the response was not written from."""
    MIXED_SIMULATED = "mixed_simulated"
    """Simulated labels stand beside people's."""
    NOT_A_PSEUDONYM = "not_a_pseudonym"
    """The name of a user or an annotator looks like an e-mail address."""
    EMPTY_TEXT = "empty_text"
    """Nothing stands where a text should."""
    NO_EVIDENCE = "no_evidence"
    """An attribute without evidence, which nobody can verify."""
    UNLABELLED = "unlabelled"
    """An item without any label."""
    ONE_ANNOTATOR = "one_annotator"
    """An item with the label of one annotator: nobody can be compared with him."""
    CONSENSUS_ONLY = "consensus_only"
    """An item with nothing but what several agreed on: it has no disagreement, so no ceiling follows from it."""
    MIXED_CONSENSUS = "mixed_consensus"
    """A consensus stands beside single labels of the same item, which it may contain."""

    @property
    def severity(self) -> Severity:
        """Whether it keeps the data set from being opened.

        Example:
            >>> Problem.BROKEN_REFERENCE.severity.value, Problem.ONE_ANNOTATOR.severity.value
            ('error', 'note')
        """
        return Severity.NOTE if self in _NOTES else Severity.ERROR


_NOTES = frozenset(
    {
        Problem.EMPTY_TEXT,
        Problem.NO_EVIDENCE,
        Problem.UNLABELLED,
        Problem.ONE_ANNOTATOR,
        Problem.CONSENSUS_ONLY,
        Problem.MIXED_CONSENSUS,
    }
)


class Finding(Record):
    """One thing that is wrong or worth knowing, and where.

    Example:
        >>> print(Finding(problem=Problem.NO_EVIDENCE, table="attributes", place="attributes/part-0000.jsonl:3",
        ...               row="u1-a3", message="It has no evidence."))
        attributes/part-0000.jsonl:3 (u1-a3): It has no evidence.
    """

    problem: Problem
    table: str
    """Name of the table, or of the card."""
    place: str
    """File and line (of Parquet: file and row, from 1), or the file alone."""
    row: str | None = None
    """The name of the row, of a label its item and its annotator; None where there is no row or no name."""
    message: str
    """One sentence."""

    @property
    def severity(self) -> Severity:
        """Whether it keeps the data set from being opened."""
        return self.problem.severity

    def __str__(self) -> str:
        """Returns it as one line."""
        return f"{self.place}{f' ({self.row})' if self.row else ''}: {self.message}"
