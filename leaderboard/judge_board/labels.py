"""Labelled verdict files in the archive: taken in as a whole or not at all, under terms, and taken out again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.questions import QuestionType
from evaluator.judges.quality.judged import ItemName
from evaluator.judges.quality.label_reading import Known, read_labels
from evaluator.judges.quality.labelled import LabelledVerdict
from leaderboard.judge_board.reading import answers_of
from leaderboard.judge_board.records import LabelledSet, StoredLabel
from leaderboard.records import Moment
from leaderboard.rescoring.selection import Filters, select
from leaderboard.store import layout
from leaderboard.store.base import Delete, Operation, Store, Write
from leaderboard.store.parquet import decode_parquet, encode_parquet
from leaderboard.store.rows import read_record
from leaderboard.store.runs import StoredRun

SITE = "site"
"""Name of the labels that people gave on the site itself."""
RESERVED = frozenset({SITE})
"""Names of sources that are no files."""
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")
_LICENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,99}")


class KeptLabels(NamedTuple):
    """A labelled verdict file as the archive holds it."""

    terms: LabelledSet
    labels: tuple[LabelledVerdict, ...]


class TakenIn(NamedTuple):
    """A labelled verdict file that may be stored."""

    terms: LabelledSet
    operations: tuple[Operation, ...]
    """What stores it; one commit."""


def known_answers(store: Store) -> Known:
    """Returns what a label may be about: the questions of all published runs, and the answers to them.

    Raises:
        RapportError: `data_error` if a run cannot be read: whether its answers are there could not be told then.
        StoreError: If the store cannot be read.
    """
    types: dict[str, QuestionType] = {}
    answers: dict[ItemName, QuestionType] = {}
    for run in select(store, Filters()):
        stored = StoredRun(store, run.run_id)
        plan = stored.plan()
        if plan is None:
            raise RapportError(
                Cause.DATA_ERROR, f"The archive does not hold the plan of {run.run_id}.", "Restore it from a backup."
            )
        own = {item.question_id: item.type for item in plan.questions}
        types |= own
        answers |= {about: own[about[0]] for about in answers_of(store, stored) if about[0] in own}
    return Known(types, answers, answers)


def take_in(path: Path, name: str, licence: str, known: Known, at: Moment) -> TakenIn:
    """Reads a labelled verdict file.

    Args:
        path: The file.
        name: What it is called on the board.
        licence: Under what its labels may be used.
        known: What a label may be about.
        at: Now.

    Raises:
        RapportError: `malformed_id` if it cannot be called so, `not_found` if there is no such file, `data_error` with
            all findings if anything is wrong with it.
    """
    labels = read_labels(path, known)
    rows = [StoredLabel.model_validate(label.model_dump(exclude={"note"})) for label in labels]
    rows.sort(key=lambda row: (row.question_id, row.content_hash, row.annotator))
    content = encode_parquet(rows, StoredLabel)
    told: dict[str, Any] = {
        "name": name,
        "licence": licence,
        "kind": labels[0].kind,
        "sha256": _sha256(path),
        "added_at": at,
        "labels": len(labels),
        "annotators": len({label.annotator for label in labels}),
        "answers": len({(label.question_id, label.content_hash) for label in labels}),
        "labels_sha": hashlib.sha256(content).hexdigest(),
    }
    terms = LabelledSet.model_validate(told)
    writes = (
        Write(layout.labelled_rows_path(name), content),
        Write(layout.labelled_set_path(name), terms.model_dump_json().encode()),
    )
    return TakenIn(terms, writes)


def check_terms(store: Store, name: str, licence: str) -> None:
    """Returns if a labelled verdict file may be called so, and stand under such a licence.

    Raises:
        RapportError: `malformed_id` if not, or if there is one of that name.
    """
    if not _NAME.fullmatch(name) or name in RESERVED:
        raise RapportError(
            Cause.MALFORMED_ID,
            f"Labels cannot be called {name!r}.",
            "Use small letters, digits, dots and hyphens, at most 63; `site` are the site's own.",
        )
    if not _LICENCE.fullmatch(licence):
        raise RapportError(
            Cause.MALFORMED_ID, f"{licence!r} is no id of a licence.", "Use one such as cc-by-4.0, from spdx.org."
        )
    if layout.labelled_set_path(name) in store.list(f"{layout.LABELLED}/{name}"):
        raise RapportError(
            Cause.MALFORMED_ID,
            f"There are labels called {name} already.",
            f"Choose another name, or take them out first with `rapport judge labels remove {name}`.",
        )


def sets_in(store: Store) -> Iterator[LabelledSet]:
    """Yields the terms of all labelled verdict files that an archive holds, by name.

    Raises:
        RapportError: `data_error` if one cannot be read.
    """
    for path in sorted(store.list(layout.LABELLED)):
        if path.endswith("/set.json"):
            yield read_record(store.read(path), LabelledSet, path)


def labels_in(store: Store) -> Iterator[KeptLabels]:
    """Yields all labelled verdict files that an archive holds, by name.

    Raises:
        RapportError: `data_error` if one cannot be read, or holds other labels than its terms say.
    """
    for terms in sets_in(store):
        yield KeptLabels(terms, read_kept(store, terms))


def read_kept(store: Store, terms: LabelledSet) -> tuple[LabelledVerdict, ...]:
    """Reads the labels of one file.

    Raises:
        RapportError: `data_error` if they cannot be read, or are others than its terms say.
    """
    path = layout.labelled_rows_path(terms.name)
    content = store.read(path)
    if hashlib.sha256(content).hexdigest() != terms.labels_sha:
        raise RapportError(
            Cause.DATA_ERROR, f"{path} holds other labels than its terms say.", "Remove it, and add it again."
        )
    rows = decode_parquet(content, StoredLabel, path)
    return tuple(LabelledVerdict.model_validate(row.model_dump() | {"schema_version": 1}) for row in rows)


def removal_of(store: Store, name: str) -> tuple[Operation, ...]:
    """Returns what takes a labelled verdict file out; one commit.

    Raises:
        RapportError: `not_found` if there is none of that name.
    """
    there = set(store.list(f"{layout.LABELLED}/{name}")) if _NAME.fullmatch(name) else set()
    paths = [path for path in (layout.labelled_set_path(name), layout.labelled_rows_path(name)) if path in there]
    if not paths:
        raise RapportError(
            Cause.NOT_FOUND, f"There are no labels called {name}.", "See them with `rapport judge labels list`."
        )
    return tuple(Delete(path) for path in paths)


def _sha256(path: Path) -> str:
    """Returns the digest of a file, which is not held as a whole."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
