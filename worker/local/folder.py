"""The folder of one evaluation: what it asks, under which conditions, and every row that came of it.

evaluation.json     who was evaluated under which conditions
plan.json           what was asked, fixed before the first question
generations.jsonl   one answer a line
verdicts.jsonl      one verdict a line
reports.jsonl       what each call ran on and took
scorecard.json      what the rows add up to
users.jsonl         what each user's items came to
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

from evaluator.errors import Cause, RapportError
from evaluator.human.items import HumanItem
from evaluator.identity import digest
from evaluator.journal import Journal, hold_alone
from evaluator.records import Generation, Record, Verdict
from leaderboard.records import Plan, ShardReport, Submission
from leaderboard.store.rows import encode_rows, read_record

Kept = TypeVar("Kept", bound=Record)


class Evaluation(Record):
    """Who is evaluated under which conditions."""

    schema_version: Literal[1] = 1
    submission: Submission
    """As if it had been handed in."""
    conditions: tuple[tuple[str, str], ...]
    """Sorted names and values; two evaluations that share them all are one."""
    limit: int | None
    """Items that are asked, where not all are."""


def evaluation_name(conditions: Iterable[tuple[str, str]]) -> str:
    """Returns the name of the folder of an evaluation: readable, and never the same under other conditions.

    Example:
        >>> evaluation_name([("judge", "demo"), ("model", "org/m"), ("protocol", "demo-v1")])
        'org-m.demo-v1.demo.b0307b91a087'
    """
    told = dict(conditions)
    words = [re.sub(r"[^A-Za-z0-9._-]+", "-", told[name]) for name in ("model", "protocol", "judge")]
    return ".".join([*words, digest(sorted(told.items()))[:12]])


class Folder(NamedTuple):
    """The files of one evaluation."""

    path: Path

    @property
    def evaluation(self) -> Path:
        """Who is evaluated under which conditions."""
        return self.path / "evaluation.json"

    @property
    def plan(self) -> Path:
        """What is asked."""
        return self.path / "plan.json"

    @property
    def scorecard(self) -> Path:
        """What the rows add up to."""
        return self.path / "scorecard.json"

    @property
    def user_scores(self) -> Path:
        """What each user's items came to."""
        return self.path / "user_scores.json"

    @property
    def generations(self) -> Path:
        """The answers."""
        return self.path / "generations.jsonl"

    @property
    def verdicts(self) -> Path:
        """The verdicts."""
        return self.path / "verdicts.jsonl"

    @property
    def reports(self) -> Path:
        """What each call ran on and took."""
        return self.path / "reports.jsonl"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Makes the folder and keeps every other process from writing to it.

        Raises:
            RapportError: `infrastructure` if another one does, or the folder cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            opened = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise _not_written(self.path, error) from error
        try:
            hold_alone(opened, self.path)
            yield
        finally:
            os.close(opened)


class Rows(NamedTuple):
    """The open journals of an evaluation."""

    generations: Journal[Generation]
    verdicts: Journal[Verdict]
    reports: Journal[ShardReport]


def read_kept(path: Path, kind: type[Kept]) -> Kept | None:
    """Returns the record that a file holds, or None if there is no such file.

    Raises:
        RapportError: `data_error` if it holds something else.
    """
    try:
        return read_record(path.read_bytes(), kind, str(path))
    except FileNotFoundError:
        return None


def read_lines(path: Path, kind: type[Kept]) -> list[Kept]:
    """Returns the whole lines of a file of rows, also while another process writes to it.

    Raises:
        RapportError: `data_error` naming line and file if a line is not a row of this kind.
    """
    content = path.read_bytes() if path.exists() else b""
    lines = content.split(b"\n")[:-1]
    return [read_record(line, kind, f"line {number} of {path}") for number, line in enumerate(lines, start=1)]


def write_whole(path: Path, record: Record) -> None:
    """Writes a record so that its file is there whole or as it was before, whatever happens.

    Raises:
        RapportError: `disk_full` or `infrastructure`.
    """
    scratch = path.with_name(f".{path.name}.new")
    try:
        with scratch.open("wb") as file:
            file.write(encode_rows([record]))
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    except OSError as error:
        with suppress(OSError):
            scratch.unlink(missing_ok=True)
        raise _not_written(path, error) from error


@contextmanager
def open_rows(folder: Folder, plan: Plan, evaluation: Evaluation) -> Iterator[Rows]:
    """Opens the journals of an evaluation.

    Raises:
        RapportError: What `Journal` raises, `data_error` for rows of another evaluation among it.
    """
    asked = {item.question_id for item in plan.items}
    # A verdict may be about a part of an answer, or about all of one person's together.
    judged = asked | {item.person for item in plan.items if isinstance(item, HumanItem)}
    submission, numbers = evaluation.submission, itertools.count()

    def is_ours(row: Generation) -> bool:
        key = row.key
        made_by = (key.model, key.model_sha, key.adapter_sha, key.data_sha)
        ours = (submission.model, submission.revision, submission.adapter_revision, plan.asked_sha)
        return made_by == ours and key.protocol == submission.protocols[0] and key.question_id in asked

    def is_on_ours(row: Verdict) -> bool:
        key = row.key
        by_judge = (key.rater, key.rater_revision) == (plan.judge, plan.judge_revision)
        of_these = key.question_id in judged or key.question_id.rpartition("/")[0] in judged
        return (by_judge or row.rater_kind == "rule") and key.data_sha == plan.asked_sha and of_these

    with (
        Journal(folder.generations, Generation, lambda row: row.input_key, is_ours) as generations,
        Journal(folder.verdicts, Verdict, verdict_name, is_on_ours) as verdicts,
        Journal(folder.reports, ShardReport, lambda _: str(next(numbers))) as reports,
    ):
        yield Rows(generations, verdicts, reports)


def verdict_name(row: Verdict) -> str:
    """Tells the verdict rows of a journal apart."""
    return f"{row.verdict_key} {row.attempt}"


def _not_written(path: Path, error: OSError) -> RapportError:
    """Says that a file or folder cannot be written."""
    return RapportError(
        Cause.DISK_FULL if error.errno == 28 else Cause.INFRASTRUCTURE,
        f"{path} cannot be written: {error.strerror}.",
        "Name a folder with --out in which there is room, then start it again.",
    )
