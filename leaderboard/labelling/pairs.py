"""Pairs of HiCUPID to judge: a question, a model's answer and gold, of what may be shown of each.

The question and gold are the data set's own text and need its terms; the model's answer is one that is public, since
its owner agreed. So pairs come from the public results alone, and from a data set that may be passed on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from evaluator.hicupid.data import HicupidData, demo_set
from evaluator.hicupid.questions import Question, QuestionType
from evaluator.human.stages.wording import load_wording
from evaluator.human.tasks import Order
from evaluator.protocol import is_reference
from evaluator.records import SlotOrder, Terms
from leaderboard.labelling.pieces import Piece, pair_pieces
from leaderboard.labelling.pools import DEMO, check_terms, set_name
from leaderboard.labelling.records import Judged
from leaderboard.open_data import layout
from leaderboard.open_data.records import OpenGeneration
from leaderboard.results import Scorecard
from leaderboard.store.base import NotFound, Store
from leaderboard.store.parquet import decode_parquet

MOST_RUNS = 20
"""Answers of the newest runs are judged, of so many at most: few of the older ones would ever be chosen."""


class Pair(NamedTuple):
    """One answer with what it is set beside."""

    judged: Judged
    question: str
    known: tuple[str, ...]
    """What the question is about, as its judge is told."""
    answer: str
    gold: str


class PairPool:
    """Pairs of one data set."""

    counts: Mapping[str, Mapping[str, int]] = {}
    """The public results are what people have said here."""

    def __init__(self, name: str, data_sha: str, terms: Terms, pairs: Mapping[str, Pair]) -> None:
        """Takes pairs by name; `name` is what the data set is called."""
        self.data_set, self.data_sha, self.terms, self._pairs = name, data_sha, terms, pairs
        self.names = tuple(pairs)

    @property
    def made_up(self) -> bool:
        """Whether nobody real stands behind its text."""
        return self.terms.personal_data in ("none", "synthetic")

    def pieces(self, item_id: str, order: Order | SlotOrder | None) -> tuple[Piece, ...]:
        """Returns what is shown of a pair."""
        pair, headings = self._pairs[item_id], load_wording().headings
        return pair_pieces(pair.question, pair.known, pair.answer, pair.gold, SlotOrder(str(order)), headings)

    def judged(self, item_id: str) -> Judged:
        """Returns the answer of a pair."""
        return self._pairs[item_id].judged


def open_hicupid(source: str) -> HicupidData:
    """Opens the data set that a setting names: `demo`, a folder, or a Hub id.

    Raises:
        RapportError: `forbidden` if its text may not be shown; as of `HicupidData.open`.
    """
    data = HicupidData.open(str(demo_set()) if source == DEMO else source)
    check_terms(set_name(source), data.terms)
    return data


def pair_pool(data: HicupidData, source: str, results: Store, cards: Iterable[Scorecard]) -> PairPool:
    """Returns the pairs that public answers to a data set's questions make.

    Args:
        data: The data set.
        source: As a setting names it.
        results: The public results.
        cards: All public scorecards.

    Raises:
        RapportError: `data_error` if a file of rows or the data set is broken.
        StoreError: If the results cannot be read.
    """
    rows = {f"{row.run_id}/{row.question_id}": row for row in _answers(results, _newest(cards, data.sha))}
    questions = {
        question.question_id: question
        for split in sorted({row.split for row in rows.values()})
        for question in data.questions(split)
    }
    pairs = {name: _pair(row, questions[row.question_id]) for name, row in rows.items() if row.question_id in questions}
    return PairPool(set_name(source), data.sha, data.terms, pairs)


def _newest(cards: Iterable[Scorecard], data_sha: str) -> list[Scorecard]:
    """Returns a scorecard of each of the newest runs of models on a data set."""
    runs = {card.run_id: card for card in cards if card.data_sha == data_sha and not is_reference(card.model)}
    return sorted(runs.values(), key=lambda card: (card.created_at, card.run_id), reverse=True)[:MOST_RUNS]


def _answers(results: Store, cards: Iterable[Scorecard]) -> Iterator[OpenGeneration]:
    """Yields the sound answers that are public and are judged beside gold."""
    for card in cards:
        path = layout.generations_path(card.model, card.run_id)
        try:
            rows = decode_parquet(results.read(path), OpenGeneration, path)
        except NotFound:
            continue  # Its rows are private.
        for row in rows:
            sound = row.counts and row.answer and row.content_hash and row.defect is None
            if sound and row.data_sha == card.data_sha and row.type is not QuestionType.SCHEDULE:
                yield row


def _pair(row: OpenGeneration, question: Question) -> Pair:
    """Sets an answer beside gold."""
    judged = Judged(run_id=row.run_id, model=row.model, question_id=row.question_id, content_hash=str(row.content_hash))
    return Pair(judged, question.question, tuple(_known(question)), row.answer or "", question.gold)


def _known(question: Question) -> Iterator[str]:
    """Yields what the judge is told of a question's user."""
    if fact := question.persona:
        yield f"The user {fact.relation} {fact.entity}."
    if profile := question.profile:
        yield from (f"{name.replace('_', ' ').capitalize()}: {value}" for name, value in profile)
