"""The public record of what changed on the board, and when: one row a change, and rows are only appended.

It is the one public file that does not follow from the archive: where it is lost, it begins anew; see `OpenChange.at`.
Rows of what was withdrawn or hidden are taken out, as everywhere else.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any, Literal, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from evaluator.errors import Cause, RapportError
from evaluator.parquet import read_table
from leaderboard.open_data.records import OpenRecord
from leaderboard.records import Moment
from leaderboard.results import JudgeStatus
from leaderboard.store.parquet import encode_parquet, schema_of

ChangeKind: TypeAlias = Literal["entered", "moved", "left", "judge"]
"""What happened: a scorecard came to the board, its rank moved, it went; or another judge decides ranks."""
ChangeReason: TypeAlias = Literal["withdrawn", "hidden", "shown", "flagged", "cleared", "rescored", "newer_submission"]
"""Why, where that is known."""
REMEDY = "Restore the file from a backup or from the store's history; without it the record begins anew."
_ROWS_A_GROUP = 16_384


class OpenChange(OpenRecord):
    """One change of the board, as it was told when the board was written."""

    schema_version: Literal[1] = 1
    """Version of this row's layout."""
    at: Moment
    """When it happened, in UTC: when the board was written that shows it; of `judge` when that was decided; of rows
    with which the record begins, or begins anew after a loss, when the scorecard was scored."""
    recorded_at: Moment
    """When the board was written that this row came with, in UTC: ranks and totals are those of that moment."""
    kind: ChangeKind
    """`entered`: a scorecard is on the board that was not. `moved`: since the last row of it, its rank under its judge
    moved by a tenth of the smaller one and by one at least, or it ranks no more, or again. `left`: it is gone, and all
    rows of it with it. `judge`: another judge decides the ranks of a protocol."""
    reason: ChangeReason | None
    """Why. Of `left`: `withdrawn` by its submitter, `hidden` by a maintainer. Of `entered`: `shown` after it was
    hidden, `rescored` by another judge, a `newer_submission` of a model that the board has under this protocol and
    judge. Of `moved`: `flagged` by a maintainer, `cleared` of that, `rescored` to another Total. Null where it is none
    of these: a rank moves as others come and go."""
    protocol: str
    """Id of the protocol."""
    judge: str
    """Id of the judge; of `judge` the one that decides ranks from then on."""
    judge_status: JudgeStatus
    """Whether that judge decided ranks then: an `official` one did."""
    scorecard_id: str | None
    """Name of the scorecard; null of `left` and `judge`."""
    model: str | None
    """Model as `owner/name`, `local/NAME` or `reference/NAME`; null of `left` and `judge`."""
    rank_before: int | None
    """Rank under its judge in the last row of the scorecard; null where it had none, and of `left` and `judge`."""
    rank_before_low: int | None
    """Best rank that the data left open then, at 95 % for the whole ranking together; null without a rank."""
    rank_before_high: int | None
    """Worst rank that the data left open then; null without a rank."""
    rank_after: int | None
    """Rank under its judge: 1 + the number of results that are significantly better; null where it does not rank."""
    rank_after_low: int | None
    """Best rank that the data leave open, at 95 % for the whole ranking together; null without a rank."""
    rank_after_high: int | None
    """Worst rank that the data leave open; null without a rank."""
    total_before: float | None
    """Total in the last row of the scorecard, in points, 0 to 87.5; null where there was none, and of `left` and
    `judge`."""
    total_after: float | None
    """Total, in points, 0 to 87.5; null where there is none, and of `left` and `judge`."""
    ranked: int
    """Results that ranked beside it then, itself among them; of `left` and `judge` all that ranked under the protocol
    and that judge."""


def read_changes(content: bytes, name: str) -> Any:
    """Returns the record of changes as an Arrow table, in the order in which it was written.

    It may have some hundred thousand rows, so that nobody makes records of all of them.

    Args:
        content: The file.
        name: What it is called in errors.

    Raises:
        RapportError: `data_error` if it is no such file.
    """
    try:
        table = read_table(content)
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = f"{name} is no readable Parquet file: {str(error).splitlines()[0][:200]}."
        raise RapportError(Cause.DATA_ERROR, reason, REMEDY) from error
    if not table.schema.equals(schema_of(OpenChange)):
        raise RapportError(Cause.DATA_ERROR, f"{name} has other columns than a record of changes.", REMEDY)
    return table


def table_of(rows: Iterable[OpenChange]) -> Any:
    """Returns changes as an Arrow table.

    Example:
        >>> table_of([]).num_rows
        0
    """
    return read_table(encode_parquet(rows, OpenChange))


def encode_changes(table: Any) -> bytes:
    """Returns the file of a record of changes: equal rows give equal bytes."""
    buffer = io.BytesIO()
    with pq.ParquetWriter(buffer, table.schema, compression="zstd", write_page_checksum=True) as file:
        if table.num_rows:  # As in `encode_parquet`.
            file.write_table(table.combine_chunks(), row_group_size=_ROWS_A_GROUP)
    return buffer.getvalue()


def changes_in(table: Any) -> tuple[OpenChange, ...]:
    """Returns the rows of a part of the record.

    Raises:
        RapportError: `data_error` if one is no change.

    Example:
        >>> changes_in(table_of([]))
        ()
    """
    try:
        return tuple(OpenChange.model_validate(row) for row in table.to_pylist())
    except (ValueError, OverflowError) as error:
        raise RapportError(Cause.DATA_ERROR, "A row of the record of changes is none.", REMEDY) from error
