"""The public files as bytes. Equal rows give equal files, whatever order they came in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, TypeVar

from evaluator.judges.spec import JudgeSpec
from leaderboard.open_data.board import OpenPlace, OpenScorecard
from leaderboard.open_data.columns import columns_of, from_columns, to_columns
from leaderboard.open_data.human import OpenHumanFigure, OpenHumanScorecard
from leaderboard.open_data.judge_views import open_judge
from leaderboard.open_data.judges import OpenJudge, OpenJudgeCheck, OpenJudgeQuality
from leaderboard.open_data.people import OpenAnnotator, OpenLabel
from leaderboard.open_data.records import (
    OpenCard,
    OpenGeneration,
    OpenRecord,
    OpenRequest,
    OpenUserScore,
    OpenVerdict,
    OpenWithdrawal,
)
from leaderboard.store.parquet import decode_parquet, encode_parquet
from leaderboard.store.rows import encode_rows, read_record

Row = TypeVar("Row", bound=OpenRecord)


class Parts(NamedTuple, Generic[Row]):
    """Files of one kind of rows, each with those of some models; a scorecard's rows go in and out of one together.

    Of what people said a person's rows do, and "scorecard" stands for the person.

    Example:
        >>> CARDS.take(CARDS.encode([]), ["s-20260101-0a1b2c3d.demo-v1@demo"], "part") is None
        True
    """

    kind: type[Row]
    scorecard: Callable[[Row], str]
    """The id of the scorecard that a row is of."""
    order: Callable[[Row], Any]
    """What rows are sorted by: they alone decide it."""

    def encode(self, rows: Iterable[Row]) -> bytes:
        """Returns a part with these rows."""
        return _encode(rows, self.kind, self.order)

    def put(self, part: bytes | None, rows: Iterable[Row], name: str) -> bytes:
        """Returns a part with these rows in it, in place of all rows of the same scorecards.

        Args:
            part: The part as it is; None if it does not exist.
            rows: All rows of some scorecards, each once.
            name: What the part is called in errors.

        Raises:
            RapportError: `data_error` if it cannot be read.
        """
        new = list(rows)
        return self.encode([*self._without(part, map(self.scorecard, new), name), *new])

    def exchange(
        self, part: bytes | None, scorecard_ids: Iterable[str], rows: Iterable[Row], name: str
    ) -> bytes | None:
        """Returns a part with these rows in place of those of some scorecards; None if nothing is left of it.

        Args:
            part: The part as it is; None if it does not exist.
            scorecard_ids: Whose rows go.
            rows: What comes.
            name: What the part is called in errors.

        Raises:
            RapportError: `data_error` if it cannot be read.
        """
        left = [*self._without(part, scorecard_ids, name), *rows]
        return self.encode(left) if left else None

    def take(self, part: bytes | None, scorecard_ids: Iterable[str], name: str) -> bytes | None:
        """Returns a part without the rows of some scorecards; None if nothing is left of it.

        Args:
            part: The part as it is; None if it does not exist.
            scorecard_ids: Whose rows go; one that is not there changes nothing.
            name: What the part is called in errors.

        Raises:
            RapportError: `data_error` if it cannot be read.
        """
        return self.exchange(part, scorecard_ids, (), name)

    def _without(self, part: bytes | None, scorecard_ids: Iterable[str], name: str) -> list[Row]:
        """Reads the rows of a part that stay."""
        gone = set(scorecard_ids)
        rows = [] if part is None else decode_parquet(part, self.kind, name)
        return [row for row in rows if self.scorecard(row) not in gone]


CARDS = Parts(OpenCard, lambda row: row.id, lambda row: row.id)
"""Parts of the scorecards."""
USER_SCORES = Parts(OpenUserScore, lambda row: row.scorecard_id, lambda row: (row.scorecard_id, row.split, row.user_id))
"""Parts of the users' sums."""
HUMAN_CARDS = Parts(OpenHumanScorecard, lambda row: row.scorecard_id, lambda row: row.scorecard_id)
"""Parts of the scorecards of human-grounded tasks."""
HUMAN_FIGURES = Parts(
    OpenHumanFigure, lambda row: row.scorecard_id, lambda row: (row.scorecard_id, row.rater, row.figure)
)
"""Parts of their figures."""

LABELS = Parts(OpenLabel, lambda row: row.annotator, lambda row: _label_order(row))
"""People's labels of one stage of a data set; those of a person go in and out together."""
ANNOTATORS = Parts(OpenAnnotator, lambda row: row.annotator, lambda row: row.annotator)
"""All people who label."""
PEOPLES_VERDICTS = Parts(OpenVerdict, lambda row: row.rater, lambda row: _verdict_order(row))
"""People's verdicts on a run's answers; those of a person go in and out together."""


def encode_board(rows: Iterable[OpenScorecard]) -> bytes:
    """Returns the board's file; its rows stay in their order, which is that of the board."""
    return encode_parquet(map(to_columns, rows), columns_of(OpenScorecard))


def decode_board(content: bytes, name: str) -> list[OpenScorecard]:
    """Returns the rows of the board's file.

    Args:
        content: The file.
        name: What it is called in errors.

    Raises:
        RapportError: `data_error` if it is no such file.
    """
    return [from_columns(row, OpenScorecard) for row in decode_parquet(content, columns_of(OpenScorecard), name)]


def decode_places(content: bytes, name: str) -> list[OpenPlace]:
    """Returns the places that stand in the board's file, and reads nothing else of it; see `decode_board`."""
    rows = decode_parquet(content, columns_of(OpenPlace), name, only_its_columns=True)
    return [from_columns(row, OpenPlace) for row in rows]


def encode_generations(rows: Iterable[OpenGeneration]) -> bytes:
    """Returns the answers of a run."""
    return _encode(rows, OpenGeneration, _generation_order)


def encode_verdicts(rows: Iterable[OpenVerdict]) -> bytes:
    """Returns the verdicts of a judge on a run's answers."""
    return _encode(rows, OpenVerdict, _verdict_order)


def encode_judges(judges: Iterable[JudgeSpec], configs: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """Returns the file of all judges.

    Args:
        judges: All judges, with the status that each has by now.
        configs: By id, the digest of its configuration as its file has it; one that is not there has the file's status.
    """
    rows = (open_judge(judge, configs.get(judge.id)) for judge in judges)
    return _encode(rows, OpenJudge, lambda row: (row.id, row.judge_config))


def encode_quality(rows: Iterable[OpenJudgeQuality]) -> bytes:
    """Returns the file of what is known of judges, version by version."""
    ordered = sorted(rows, key=lambda row: (row.judge, row.judge_revision, row.judge_config, row.judge_prompts))
    return encode_parquet(map(to_columns, ordered), columns_of(OpenJudgeQuality))


def encode_checks(rows: Iterable[OpenJudgeCheck]) -> bytes:
    """Returns the file of what canaries said of judges."""
    return _encode(rows, OpenJudgeCheck, lambda row: (row.judge, row.check, row.canary or "", row.figure))


def encode_labels(rows: Iterable[OpenLabel]) -> bytes:
    """Returns the labels of one stage of a data set."""
    return _encode(rows, OpenLabel, _label_order)


def encode_withdrawals(rows: Iterable[OpenWithdrawal]) -> bytes:
    """Returns the file of all withdrawals, one JSON line each."""
    ordered: list[OpenWithdrawal] = sorted(rows, key=lambda row: (row.submission_id, row.at))
    return encode_rows(ordered)


def encode_request(row: OpenRequest) -> bytes:
    """Returns the file of a submission: one JSON object."""
    return encode_rows([row])


def decode_request(content: bytes, name: str) -> OpenRequest:
    """Returns the submission of a file.

    Args:
        content: The file.
        name: What it is called in errors.

    Raises:
        RapportError: `data_error` if it is no such file.
    """
    return read_record(content, OpenRequest, name)


def _encode(rows: Iterable[Row], kind: type[Row], order: Callable[[Row], Any]) -> bytes:
    """Writes rows in an order that they alone decide."""
    return encode_parquet(sorted(rows, key=order), kind)


def _generation_order(row: OpenGeneration) -> Any:
    return row.question_id, row.sample_index, row.input_key, row.attempt, row.model_dump_json()


def _verdict_order(row: OpenVerdict) -> Any:
    return row.question_id, row.content_hash, row.slot_order, row.verdict_key, row.attempt, row.model_dump_json()


def _label_order(row: OpenLabel) -> Any:
    return row.item_id, row.annotator, row.created_at, row.model_dump_json()
