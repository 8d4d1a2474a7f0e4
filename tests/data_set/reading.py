"""Reads a data set to the end, here or in another process."""

from __future__ import annotations

import contextlib
from typing import NamedTuple

from evaluator.hicupid.data import HicupidData
from evaluator.hicupid.questions import History, Question
from evaluator.records import Terms

EVALUATED = ("test_1", "test_2")


class Contents(NamedTuple):
    """All that a data set says."""

    sha: str
    terms: Terms
    questions: list[Question]
    histories: dict[tuple[str, int], History]


def read_all(source: str, splits: tuple[str, ...] = EVALUATED, revision: str | None = None) -> Contents:
    """Opens a data set and reads its questions and the histories of those who are asked."""
    data = HicupidData.open(source, revision)
    return Contents(
        data.sha,
        data.terms,
        [question for split in splits for question in data.questions(split)],
        {(split, user): data.history(split, user) for split in splits for user in data.users(split)},
    )


def open_sha(source: str) -> str:
    return HicupidData.open(source).sha


def open_sha_in(folder: str, source: str) -> str:
    """Opens a data set from a working folder."""
    with contextlib.chdir(folder):
        return open_sha(source)


def open_terms(source: str) -> Terms:
    return HicupidData.open(source).terms
