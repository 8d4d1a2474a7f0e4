"""Runs with all that can be wrong with them, as the files that everyone reads and as what the scorecard says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from evaluator.engines.base import Request
from evaluator.hicupid.outcomes import which_count
from evaluator.hicupid.questions import Item, QuestionType
from evaluator.hicupid.scoring import score
from evaluator.hicupid.user_scores import UserScore, user_scores
from evaluator.identity import text_digest
from evaluator.records import Defect, Generation, Outcome, SlotOrder, Verdict
from evaluator.results import Result
from evaluator.setup import HicupidSetup, items, users_of
from leaderboard.answers.table import ItemTable, item_table
from leaderboard.open_data import files
from leaderboard.open_data.views import open_generation, open_verdict
from leaderboard.records import Declaration
from tests.builders import (
    BOTH_ORDERS,
    LOSS,
    NO,
    PERSONA,
    SCHEDULE,
    TIE,
    WIN,
    YES,
    make_declaration,
    make_generation,
    make_input_key,
    make_item,
    make_verdict,
)
from tests.scripted import ScriptedEngine, answers

RUN_ID = "s-20260301-00000001.demo-v1"
CATEGORIES = ("art", "food", "sport")


class Run(NamedTuple):
    """One run."""

    items: Sequence[Item]
    generations: Sequence[Generation]
    verdicts: Sequence[Verdict]
    files: tuple[bytes, bytes]
    """Its public answers and verdicts."""

    @property
    def table(self) -> ItemTable:
        return item_table(*self.files, "demo")

    @property
    def result(self) -> Result:
        return score(self.items, self.generations, self.verdicts)

    @property
    def users(self) -> tuple[UserScore, ...]:
        return user_scores(self.items, self.generations, self.verdicts)


def make_run(
    asked: Sequence[Item],
    generations: Sequence[Generation],
    verdicts: Sequence[Verdict],
    declaration: Declaration | None = None,
) -> Run:
    """Returns a run with its public files."""
    counting, by_question = which_count(asked, generations, verdicts), {item.question_id: item for item in asked}
    said = declaration or make_declaration()
    public = [
        open_generation(row, by_question[row.key.question_id], counts, said, RUN_ID)
        for row, counts in zip(generations, counting.generations, strict=True)
    ]
    words = [
        open_verdict(row, counts, row_model(generations), said, RUN_ID)
        for row, counts in zip(verdicts, counting.verdicts, strict=True)
    ]
    written = (
        files.encode_generations(row for row in public if row),
        files.encode_verdicts(row for row in words if row),
    )
    return Run(asked, generations, verdicts, written)


def row_model(generations: Sequence[Generation]) -> str:
    return generations[0].key.model


def luck(*parts: object) -> int:
    """A number below 100 that looks like chance and is the same each time."""
    return int(text_digest("/".join(map(str, parts)))[:8], 16) % 100


def scripted_run(setup: HicupidSetup, seed: int = 0) -> Run:
    """Asks and judges the demo set; some answers fail, some are broken, some verdicts cannot be read."""
    from evaluator.judge import judge

    def say(request: Request) -> str | None:
        number = luck(seed, "answer", request.messages[-1].content)
        return None if number < 5 else "  " if number < 12 else f"Answer {number} to {request.messages[-1].content}"

    def opine(request: Request) -> str:
        number = luck(seed, "verdict", request.key, request.messages[-1].content)
        if request.group == "judge/schedule":
            return "Hm." if number < 4 else "Satisfaction: YES" if number < 60 else "Satisfaction: NO"
        return "Hm." if number < 4 else f"Better Response: {('A', 'B', 'Tie')[number % 3]}"

    asked = list(items(setup))
    made = answers(setup, users_of(asked), say)
    return make_run(asked, made, list(judge(setup, users_of(asked), made, ScriptedEngine(opine), [])))


def made_up_run(users: int = 14, seed: int = 0, skill: int = 0, model: str = "org/model", **changes: Any) -> Run:
    """Makes a run of two splits up; the more skill, the better its answers; evidence lies anywhere."""
    asked, made, said = [], [], []
    for user in range(users):
        for number, type_ in enumerate([*QuestionType] * 4):
            name = f"test_{1 + user % 2}/{user}-{number}"
            item = make_item(name, type_, user // 2).model_copy(update=subject_of(name, type_, number))
            asked.append(item)
            made.append(answer_of(item, seed, model, **changes))
            said += verdicts_of(item, made[-1], seed, skill)
    return make_run(asked, made, said)


def subject_of(name: str, type_: QuestionType, number: int) -> dict[str, Any]:
    """What a made-up question is about."""
    evidence = (
        {} if number % 5 == 4 else {"evidence": (1, 2), "evidence_position": (luck(name) / 100, luck(name, 2) / 100)}
    )
    if type_ is SCHEDULE:
        return {"persona_category": None, "sentiment": None, "evidence": (), "evidence_position": (), **evidence}
    about = {"persona_category": CATEGORIES[luck(name, "c") % 3], "sentiment": ("POS", "NEG")[luck(name, "s") % 2]}
    return {"evidence": (), "evidence_position": (), **about, **evidence}


def answer_of(item: Item, seed: int, model: str, **changes: Any) -> Generation:
    """An answer, one of ten broken and one of thirty failed."""
    key, number = make_input_key(item.question_id, model=model), luck(seed, item.question_id)
    if number < 3:
        from evaluator.errors import Cause

        return make_generation(key, None, failure=Cause.CONTEXT_OVERFLOW, **changes)
    return make_generation(key, f"{model} {number}.", defect=Defect.REPETITION if number < 13 else None, **changes)


def verdicts_of(item: Item, answer: Generation, seed: int, skill: int) -> list[Verdict]:
    """Verdicts in all slot orders of an answer that is judged; some missing, some unread."""
    if answer.content_hash is None or answer.defect is not None:
        return []
    found = []
    for order in item.orders:
        number = luck(seed, item.question_id, order)
        if number < 2:
            continue
        outcome = None if number < 5 else outcome_of(order, number + skill)
        found.append(make_verdict(answer, outcome, order, terms=answer.terms))
    return found


def outcome_of(order: SlotOrder, number: int) -> Outcome:
    if order is SlotOrder.SINGLE:
        return YES if number > 50 else NO
    return WIN if number > 65 else TIE if number > 40 else LOSS


__all__ = ["BOTH_ORDERS", "PERSONA", "Run", "made_up_run", "make_run", "scripted_run"]
