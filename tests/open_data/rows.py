"""Public rows of a small board, made the way the publisher makes them."""

from __future__ import annotations

from typing import Any

from evaluator.errors import Cause
from evaluator.records import Generation, SlotOrder, Verdict
from leaderboard.open_data.board import OpenScorecard
from leaderboard.open_data.figures import open_scorecard
from leaderboard.open_data.people import OpenAnnotator, OpenLabel
from leaderboard.open_data.records import OpenGeneration, OpenVerdict
from leaderboard.open_data.views import open_generation, open_verdict
from leaderboard.records import Declaration, State, Transition
from leaderboard.results import Scorecard
from leaderboard.scorecards import UserScores
from leaderboard.submissions.history import History
from tests.builders import (
    NOON,
    TIE,
    WIN,
    make_declaration,
    make_generation,
    make_input_key,
    make_item,
    make_scorecard,
    make_submission,
    make_user_scores,
    make_verdict,
)
from tests.ranked import rank

RUN = "s-20260301-00000001.demo-v1"
CONSENT, NO_CONSENT = make_declaration(), make_declaration(publish_answers=False)


def board_of(cards: list[Scorecard]) -> tuple[list[OpenScorecard], list[UserScores]]:
    """Returns the public rows of the board, in its order, and the users' sums."""
    sums = [make_user_scores(card) for card in cards]
    rows = rank(cards, {each.scorecard_id: each.users for each in sums})
    by_id = {card.id: card for card in cards}
    return [open_scorecard(row, by_id[row.scorecard_id]) for row in rows], sums


def some_cards() -> list[Scorecard]:
    return [
        make_scorecard("org/good", 80.0),
        make_scorecard("org/poor", 20.0, adapter="org/adapter", adapter_revision="b" * 40),
        make_scorecard("reference/gold", 50.0, unranked_because=("reference", "demo judge")),
        make_scorecard("org/none", None),
    ]


def shown(row: Generation, declaration: Declaration = CONSENT, run_id: str = RUN) -> OpenGeneration:
    public = open_generation(row, make_item(row.key.question_id), True, declaration, run_id)
    assert public is not None
    return public


def judged(row: Verdict, declaration: Declaration = CONSENT, model: str = "org/model") -> OpenVerdict:
    public = open_verdict(row, True, model, declaration, RUN)
    assert public is not None
    return public


def failed(question_id: str = "test_1/2") -> Generation:
    return make_generation(make_input_key(question_id), None, failure=Cause.CONTEXT_OVERFLOW, cached_tokens=None)


def some_generations() -> list[OpenGeneration]:
    keys = [make_input_key(f"test_1/{number}") for number in range(3)]
    return [shown(make_generation(key, f"Answer to {key.question_id}.")) for key in keys]


def some_verdicts() -> list[OpenVerdict]:
    answer = make_generation()
    orders = (SlotOrder.ANSWER_FIRST, SlotOrder.GOLD_FIRST)
    words: list[tuple[str, float]] = [("A", 0.5), ("B", 0.25)]
    return [
        judged(make_verdict(answer, outcome, order, word_probabilities=tuple(words)))
        for order, outcome in zip(orders, (WIN, TIE), strict=True)
    ]


def make_label(item_id: str = "1", **changes: Any) -> OpenLabel:
    values: dict[str, Any] = {
        "data_set": "org/set",
        "stage": "relevance",
        "item_id": item_id,
        "annotator": "a1",
        "number": None,
        "word": "yes",
        "data_sha": "0" * 40,
        "order": None,
        "wording": "human-v1@0123456789abcdef",
        "seconds": 2.5,
        "consent": "2026-01",
        "created_at": NOON,
        "licence": "cc-by-4.0",
    }
    return OpenLabel(**(values | changes))


def make_annotator(name: str, **changes: Any) -> OpenAnnotator:
    values: dict[str, Any] = {"consent": None, "withdrawn_at": None, "labels": 3}
    return OpenAnnotator(annotator=name, **(values | {"attention_items": 2, "attention_right": 1} | changes))


def make_history(number: int = 1, *steps: Transition, **changes: Any) -> History:
    """Returns a submission that was entered and queued, and went on as told."""
    submission = make_submission(number, **changes)
    run_id = submission.run_ids()[0]
    entered = make_step(run_id, 1, None, State.CHECKING)
    queued = make_step(run_id, 2, State.CHECKING, State.QUEUED)
    return History(submission=submission, events=(entered, queued, *steps))


def make_step(run_id: str, sequence: int, before: State | None, after: State, **changes: Any) -> Transition:
    values: dict[str, Any] = {
        "run_id": run_id,
        "sequence": sequence,
        "before": before,
        "after": after,
        "at": NOON.replace(minute=sequence),
        "actor": "alice",
        "failure": None,
    }
    return Transition(**(values | changes))
