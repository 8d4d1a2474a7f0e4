"""An archive with judges whose rules are known in advance, on made-up users' questions with their own gold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from evaluator.hicupid.data import HicupidData
from evaluator.hicupid.demo_data import DemoSize, write_demo_set
from evaluator.hicupid.questions import Item, Question
from evaluator.records import Generation, Outcome, SlotOrder, Verdict
from leaderboard.records import Declaration, Plan, Shard
from leaderboard.rescoring.records import judging_id
from leaderboard.store import LocalStore, Write, layout
from tests.builders import (
    BOTH_ORDERS,
    LOSS,
    PERSONA,
    SCHEDULE,
    WIN,
    YES,
    make_declaration,
    make_generation,
    make_input_key,
    make_plan,
    make_scorecard,
    make_submission,
    make_verdict,
    make_verdict_key,
)
from tests.unit.rescored_archive import Run, run_id_of, write_history, write_rows

USERS, PAIRS = 24, 3
"""Made-up users, and questions of each on which an answer is compared with gold."""
BASES = ("meta-llama/Llama-3.2-3B-Instruct", "Qwen/Qwen2.5-7B-Instruct")
"""What the two models were made from."""
LONG, SHORT = 400, 2
"""Characters of an answer that is longer than any gold, and of one that is shorter."""

Rule = Callable[["Case", SlotOrder], Outcome | None]


class Case(NamedTuple):
    """One answer, and what is true of it."""

    place: int
    """Number of the pair, from 0."""
    item: Item
    row: Generation

    @property
    def longer(self) -> bool:
        """Whether it is longer than gold."""
        return len(self.row.answer or "") == LONG

    @property
    def truth(self) -> Outcome:
        """What an honest judge says of it: every other one wins, whatever its length."""
        return WIN if (self.place // 2) % 2 else LOSS


def honest(case: Case, _: SlotOrder) -> Outcome:
    """Says the truth."""
    return case.truth


def noisy(case: Case, _: SlotOrder) -> Outcome:
    """Says the contrary of the truth of every sixth answer, in both orders."""
    return flipped(case.truth) if case.place % 6 == 0 else case.truth


def likes_length(case: Case, _: SlotOrder) -> Outcome:
    """Prefers the longer answer, but for every eighth."""
    wins = case.longer != (case.place % 8 in (0, 1))
    return WIN if wins else LOSS


def says_a(_: Case, order: SlotOrder) -> Outcome:
    """Always prefers what stands in slot A."""
    return WIN if order is SlotOrder.ANSWER_FIRST else LOSS


def mumbles(case: Case, _: SlotOrder) -> Outcome | None:
    """Cannot be read on every fourth answer."""
    return None if case.place % 4 == 0 else case.truth


def flipped(outcome: Outcome) -> Outcome:
    return LOSS if outcome is WIN else WIN


class WrittenBoard(NamedTuple):
    """An archive of two published runs, and what is in it."""

    store: LocalStore
    data: HicupidData
    cases: dict[int, list[Case]]
    """Of each run by number, its answers that are compared with gold."""


def made_up_data(folder: Path, seed: int = 7) -> HicupidData:
    write_demo_set(folder, DemoSize(USERS, 0, 1), seed)
    return HicupidData.open(str(folder))


def write_board(
    store: LocalStore, data: HicupidData, *, numbers: tuple[int, ...] = (1, 2), small_files: bool = False
) -> WrittenBoard:
    """Publishes some runs that the judge `demo` judged honestly."""
    items = _items(data)
    board = WrittenBoard(store, data, {number: _cases(items, number, data.sha) for number in numbers})
    for number, cases in board.cases.items():
        plan = _plan(run_id_of(number), data, items)
        rows = [case.row for case in cases]
        rows += [_answer(item, number, LONG, data.sha) for item in items if item.type is SCHEDULE]
        single = [make_verdict(row, YES, SlotOrder.SINGLE) for row in rows[len(cases) :]]
        run = Run(plan, rows, [*said_by(cases, "demo", honest), *single])
        write_rows(store, run, small_files=small_files)
        _write_card(store, number, data, "demo")
        write_history(store, make_submission(number, declaration=_declared(number)))
    return board


def rescore(
    board: WrittenBoard, judge: str, rule: Rule, numbers: tuple[int, ...] = (1, 2), again: Rule | None = None
) -> None:
    """Has another judge judge some runs in a re-score that nobody has promoted; what cannot be read perhaps again."""
    for number in numbers:
        name = judging_of(judge, number)
        plan = _plan(name, board.data, _items(board.data), judge=judge)
        said = said_by(board.cases[number], judge, rule)
        if again is not None:
            unread = {row.verdict_key for row in said if row.outcome is None}
            second = said_by(board.cases[number], judge, again)
            said += [row.model_copy(update={"attempt": 2}) for row in second if row.verdict_key in unread]
        write_rows(board.store, Run(plan, (), said))
        _write_card(board.store, number, board.data, judge, _rescore_of(judge))


def _declared(number: int) -> Declaration:
    """What each model was made from."""
    return make_declaration(base_model=BASES[(number - 1) % len(BASES)])


def judging_of(judge: str, number: int) -> str:
    """The judging of a run by another judge."""
    return judging_id(_rescore_of(judge), run_id_of(number))


def _rescore_of(judge: str) -> str:
    return f"r-20260301-{sum(judge.encode()):08x}"


def said_by(cases: list[Case], judge: str, rule: Rule) -> list[Verdict]:
    """A judge's verdicts by a rule, two seconds each."""
    return [
        make_verdict(
            case.row,
            rule(case, order),
            order,
            make_verdict_key(case.row, order, rater=judge),
            seconds=2.0,
        )
        for case in cases
        for order in BOTH_ORDERS
    ]


def _items(data: HicupidData) -> list[Item]:
    """Some pairs and one schedule question of each user."""
    found = []
    for user in data.users("test_2"):
        questions = list(data.questions("test_2", user))
        found += [_item(each, BOTH_ORDERS) for each in questions if each.type is PERSONA][:PAIRS]
        found += [_item(each, (SlotOrder.SINGLE,)) for each in questions if each.type is SCHEDULE][:1]
    return found


def _item(question: Question, orders: tuple[SlotOrder, ...]) -> Item:
    return Item.of(question, orders)


def _cases(items: list[Item], number: int, sha: str) -> list[Case]:
    pairs = [item for item in items if item.type is PERSONA]
    return [
        Case(place, item, _answer(item, number, LONG if place % 2 else SHORT, sha)) for place, item in enumerate(pairs)
    ]


def _answer(item: Item, number: int, characters: int, sha: str) -> Generation:
    """An answer of so many characters that no other model gives."""
    signs = "abc"[number - 1]
    key = make_input_key(item.question_id, model=f"org/model-{number}", data_sha=sha)
    return make_generation(key, signs * characters)


def _plan(run_id: str, data: HicupidData, items: list[Item], **changes: Any) -> Plan:
    users = tuple(sorted({(item.split, item.user_id) for item in items}))
    told = {
        "data_source": data.source,
        "data_sha": data.sha,
        "items": items,
        "shards": [Shard(id=f"{run_id}.0000", users=users)] if users else [],
    }
    return make_plan(run_id, **(told | changes))


def _write_card(store: LocalStore, number: int, data: HicupidData, judge: str, rescore_id: str | None = None) -> None:
    """Writes the scorecard of a run under a judge."""
    submission, run_id = make_submission(number), run_id_of(number)
    changes: dict[str, Any] = {"schema_version": 2, "rescore_id": rescore_id} if rescore_id else {}
    card = make_scorecard(
        submission.model,
        id=f"{run_id}@{judge}",
        submission_id=submission.id,
        run_id=run_id,
        judge=judge,
        data_sha=data.sha,
        declaration=_declared(number),
        **changes,
    )
    path = layout.rescored_card_path(rescore_id, card.id) if rescore_id else layout.scorecard_path(card.model, card.id)
    store.commit([Write(path, card.model_dump_json().encode())], f"scorecard {card.id}")
