"""A site whose board has ranks and gaps, released as the publisher does it; and hands that change its public files."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from evaluator.errors import Cause
from evaluator.judges.spec import load_judge
from evaluator.protocol import load_protocol
from evaluator.records import Defect, Generation, Outcome, Terms, Verdict
from leaderboard.open_data import layout as public
from leaderboard.open_data.records import OpenCard, OpenRecord
from leaderboard.records import Lane, Plan, State, Submission, Transition
from leaderboard.results import Scorecard
from leaderboard.scorecards import RunRows, make_scorecard, make_user_scores
from leaderboard.store import layout
from leaderboard.store.base import Delete, Store, Write
from leaderboard.store.local import LocalStore
from leaderboard.store.open import Stores
from leaderboard.store.parquet import decode_parquet, encode_parquet
from leaderboard.store.rows import encode_rows
from leaderboard.submissions.history import History
from tests.builders import (
    LOSS,
    NO,
    NOON,
    PERSONA,
    PROFILE,
    SCHEDULE,
    TERMS,
    TIE,
    WIN,
    YES,
    make_declaration,
    make_generation,
    make_input_key,
    make_item,
    make_plan,
    make_report,
    make_submission,
    make_verdict,
    make_verdict_key,
)
from tests.released import released

Row = TypeVar("Row", bound=OpenRecord)

JUDGE = "hicupid-llama-3.2-3b"
USERS, ITEMS = 12, 5
GOOD, FAIR, POOR, PRIVATE = "org/good", "org/fair", "org/poor", "org/private"
SPLITS = {"official-v1": "test_2", "gold-v1": "test_2", "seen-v1": "test_1"}


class Model(NamedTuple):
    """One model of the site."""

    name: str
    protocols: tuple[str, ...]
    bad: int
    """The more, the worse its answers are."""
    consents: bool = True
    terms: Terms = TERMS


MODELS = (
    Model(GOOD, ("official-v1", "gold-v1", "seen-v1"), 1),
    Model(FAIR, ("official-v1",), 3),
    Model(POOR, ("official-v1",), 6, consents=False),
)
CLOSED = Model(PRIVATE, ("official-v1",), 5, terms=TERMS.model_copy(update={"visibility": "private"}))


def make_site(folder: Path, *models: Model) -> Stores:
    """Writes a site's archive, and releases it."""
    archive = LocalStore(folder / "store")
    for number, model in enumerate(models, start=1):
        archive.commit(list(_files_of(model, number)), f"all of {model.name}")
    return released(archive, folder)


def name_of(model: str, protocol: str = "official-v1") -> str:
    """Returns the id of a scorecard."""
    number = 1 + [each.name for each in (*MODELS, CLOSED)].index(model)
    return f"s-20260301-{number:08x}.{protocol}@{JUDGE}"


def change(results: Store, path: str, kind: type[Row], by: Callable[[list[Row]], Sequence[Row]]) -> None:
    """Changes the rows of a public file."""
    rows = decode_parquet(results.read(path), kind, path)
    results.commit([Write(path, encode_parquet(by(rows), kind))], "by hand")


def change_first(results: Store, path: str, kind: type[Row], fits: Callable[[Row], bool], **values: object) -> Row:
    """Changes one row of a public file, and returns it as it was."""
    found: list[Row] = []

    def by(rows: list[Row]) -> list[Row]:
        place = next(place for place, row in enumerate(rows) if fits(row))
        found.append(rows[place])
        return [*rows[:place], rows[place].model_copy(update=values), *rows[place + 1 :]]

    change(results, path, kind, by)
    return found[0]


def change_card(results: Store, scorecard_id: str, by: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Changes a public scorecard, and returns it as it was."""
    path = public.scorecards_path(_model_of(scorecard_id))
    rows = decode_parquet(results.read(path), OpenCard, path)
    (row,) = [row for row in rows if row.id == scorecard_id]
    value = json.loads(row.scorecard)
    by(value)
    change_first(results, path, OpenCard, lambda each: each.id == scorecard_id, scorecard=json.dumps(value))
    old: dict[str, Any] = json.loads(row.scorecard)
    return old


def _model_of(scorecard_id: str) -> str:
    return (*MODELS, CLOSED)[int(scorecard_id[11:19], 16) - 1].name


def put(results: Store, path: str, content: bytes | None) -> None:
    """Puts a content in place of a public file, or takes the file away."""
    results.commit([Delete(path) if content is None else Write(path, content)], "by hand")


def _files_of(model: Model, number: int) -> Iterator[Write]:
    """Yields what a publisher leaves of a model in the archive."""
    declaration = make_declaration(publish_answers=model.consents)
    submission = make_submission(
        number, model=model.name, protocols=model.protocols, declaration=declaration, terms=model.terms
    )
    yield Write(layout.submission_path(submission.id), _history_of(submission).model_dump_json().encode())
    for run_id, protocol in zip(submission.run_ids(), model.protocols, strict=True):
        plan = _plan(run_id, protocol, model.terms)
        rows = _rows(plan, model, protocol)
        card = _scorecard(submission, plan, rows, protocol)
        users = make_user_scores(card, plan, rows)
        yield Write(layout.plan_path(run_id), plan.model_dump_json().encode())
        for folder, some in (
            (layout.generations_folder(run_id), rows.generations),
            (layout.verdicts_folder(run_id), rows.verdicts),
            (layout.reports_folder(run_id), rows.reports),
        ):
            yield Write(layout.batch_path(folder, "0000-000001-0a0a0a0a-0001"), encode_rows(some))
        yield Write(layout.scorecard_path(model.name, card.id), card.model_dump_json().encode())
        yield Write(layout.user_scores_path(model.name, card.id), users.model_dump_json().encode())


def _history_of(submission: Submission) -> History:
    steps = [None, State.CHECKING, State.PUBLISHED]
    moves = [(run_id, before, after) for run_id in submission.run_ids() for before, after in itertools.pairwise(steps)]
    events = [
        Transition(run_id=run_id, sequence=place, before=before, after=after, at=NOON, actor="alice", failure=None)
        for place, (run_id, before, after) in enumerate(moves, start=1)
    ]
    return History(submission=submission, events=tuple(events))


def _plan(run_id: str, protocol: str, terms: Terms) -> Plan:
    types = (PERSONA, PROFILE, SCHEDULE)
    split = SPLITS[protocol]
    items = [
        make_item(f"{split}/{user}-{type_}-{number}", type_, user)
        for user in range(USERS)
        for type_ in types
        for number in range(ITEMS)
    ]
    named = {"data_source": "12kimih/HiCUPID", "prompt_pack_status": "official", "judge": JUDGE}
    return make_plan(run_id, users=range(USERS), items=items, terms=terms, **named)


def _rows(plan: Plan, model: Model, protocol: str) -> RunRows:
    """Answers and verdicts, with a defect, a failure, an unread verdict, and an answer that was given twice."""
    generations: list[Generation] = []
    verdicts: list[Verdict] = []
    for place, item in enumerate(plan.items):
        key = make_input_key(item.question_id, model=model.name, protocol=protocol)
        answer = make_generation(key, f"{item.question_id}: {place}.", terms=model.terms)
        if place == 7:
            answer = answer.model_copy(update={"defect": Defect.REPETITION})
        if place == 11:
            generations.append(make_generation(key, "The second one counts.", terms=model.terms))
            answer = answer.model_copy(update={"attempt": 2})
        if place == 13:
            answer = make_generation(key, None, failure=Cause.CONTEXT_OVERFLOW, cached_tokens=None, terms=model.terms)
        generations.append(answer)
        if place in (7, 13):
            continue
        for number, order in enumerate(item.orders):
            bad = model.bad + (protocol == "seen-v1") - (protocol == "gold-v1")
            outcome = None if (place, number) == (17, 1) else _outcome(item.type is SCHEDULE, place, bad)
            judge = make_verdict_key(answer, order, rater=JUDGE)
            verdicts.append(make_verdict(answer, outcome, order, judge, terms=model.terms))
    return RunRows(generations, verdicts, [make_report(lane, terms=model.terms) for lane in Lane])


def _outcome(schedule: bool, place: int, bad: int) -> Outcome:
    """What a judge says: worse the more often, in an order that looks like chance."""
    luck = place * 37 % 101 % 8
    if schedule:
        return NO if luck < bad else YES
    return LOSS if luck < bad else (TIE if luck == bad else WIN)


def _scorecard(submission: Submission, plan: Plan, rows: RunRows, protocol: str) -> Scorecard:
    """The scorecard as the publisher makes it, but for the reason that so few questions were asked."""
    card = make_scorecard(submission, plan, rows, load_protocol(protocol), load_judge(JUDGE), (), NOON)
    reasons = [reason for reason in card.unranked_because if not reason.endswith("items")]
    return card.model_copy(update={"unranked_because": tuple(reasons)})
