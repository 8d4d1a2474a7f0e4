"""Makes a published row again on this machine, by the same loop as `rapport evaluate`, and compares it item by item."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from evaluator.context_mode import Dense
from evaluator.engines.load import Own
from evaluator.errors import Cause, RapportError
from evaluator.hicupid.outcomes import join_rows
from evaluator.hicupid.prompt_packs import stored_packs
from evaluator.hicupid.prompts import builtin_pack
from evaluator.hicupid.spread import spread
from evaluator.judges.spec import JudgeSpec, judge_ids, load_judge
from evaluator.models import LOCAL, PinnedModel, model_name, pin, pin_adapter
from evaluator.protocol import HicupidProtocol, hicupid_protocol, is_reference, protocol_ids
from evaluator.records import Record
from evaluator.reproduction import Answer, Compared, Report, Said, Side, compare
from evaluator.setup import items
from leaderboard.open_data.published import Published
from leaderboard.records import Lane, Plan, ShardReport
from leaderboard.results import Scorecard
from leaderboard.settings import Settings
from worker.engines import Endpoints, judge_endpoint
from worker.local.conditions import Change, changed_engines, changed_setup, refuse
from worker.local.evaluation import asked
from worker.local.folder import Rows, write_whole
from worker.local.progress import Progress
from worker.local.wanted import Again, Wanted
from worker.planning import Candidate, Conditions, make_hicupid_setup

REPORT = "reproduction.json"
"""Name of the whole report in the folder of a reproduction."""


class Order(NamedTuple):
    """What a person asks for."""

    limit: int | None
    """Items at most; None is all."""
    lanes: frozenset[Lane]
    """What is done again: answers, verdicts or both."""
    anyway: bool
    """Whether to go on where what is here makes the comparison meaningless."""
    data: str | None
    """Where the data set is; None is where the row's was."""
    engine: Own | None
    """What runs models; None is what ran them there."""
    out: Path | None
    """Folder; None is one below the data folder."""


class Reproduction(Record):
    """What came of making a published row again."""

    schema_version: Literal[1] = 1
    scorecard_id: str
    model: str
    engine: str
    """With its version, as all engines here; of the published row."""
    engine_here: str
    """Of the model; of answers that were taken over, the published one."""
    judge_engine: str
    judge_engine_here: str | None
    """None where nothing was judged."""
    published_items: int
    """Items that the published run asked."""
    withheld: int
    """Items that could not be judged again, because their answers are not public."""
    changes: tuple[Change, ...]
    """In what this machine differs."""
    report: Report


class Made(NamedTuple):
    """A reproduction, and where it lies."""

    found: Reproduction
    folder: Path


def reproduce(
    published: Published, order: Order, settings: Settings, progress: Progress, tell: Callable[[str], None]
) -> Made:
    """Makes a published row again and compares it; goes on where an earlier call with the same arguments stopped.

    Args:
        published: The row, as everyone can read it.
        order: What is done again.
        settings: Those of this machine.
        progress: Is told how far it has come.
        tell: Is told each difference between this machine and the published row's, before the first question.

    Raises:
        RapportError: `data_error` if what is here makes the comparison meaningless, or what `evaluate` raises.
    """
    card = published.card
    settings = settings.model_copy(update={"engine": _engine(card, order, settings)})
    judge = _judge(card, settings)
    candidate = _candidate(card, settings, order.lanes)
    conditions = Conditions(_protocol(card), judge, _prompts(card, judge, settings), _data(card, order))
    setup = make_hicupid_setup(candidate, conditions, settings, _planned(card))
    changes = changed_setup(card, setup, order.lanes)
    if not order.anyway:
        refuse(changes)
    for change in changes:
        tell(change.describe())

    def loaded(reports: Sequence[ShardReport]) -> None:
        for change in changed_engines(card, reports, order.lanes):
            tell(change.describe())

    everything = list(items(setup))
    answers = {} if Lane.GENERATE in order.lanes else {row.key.question_id: row for row in published.answers()}
    can = everything if Lane.GENERATE in order.lanes else [item for item in everything if item.question_id in answers]
    chosen = spread(can, len(can) if order.limit is None else order.limit)
    if not chosen:
        raise RapportError(
            Cause.NOT_FOUND, "None of the answers is public, so none can be judged again.", "Leave out --judge-only."
        )
    names = frozenset(item.question_id for item in chosen)
    kept = tuple(row for name, row in answers.items() if name in names)
    again = Again(card.id, names, order.lanes, kept, loaded)
    wanted = Wanted(
        candidate,
        conditions,
        Endpoints(None, judge_endpoint(settings, judge) if Lane.JUDGE in order.lanes else None),
        None,
        order.out,
        again,
    )
    with asked(setup, wanted, settings, progress) as done:
        changes += changed_engines(card, done.rows.reports.rows, order.lanes)
        made = Compared(Lane.GENERATE in order.lanes, Lane.JUDGE in order.lanes)
        report = compare(done.plan.questions, published.side(), _side(done.plan, done.rows), made)
        found = _found(card, len(everything) - len(can), changes, report, done.rows.reports.rows)
        write_whole(done.folder.path / REPORT, found)
    return Made(found, done.folder.path)


def _side(plan: Plan, rows: Rows) -> Side:
    """Returns the rows that count of those that were made here."""
    last = {}
    for said in sorted(rows.verdicts.rows, key=lambda row: (row.outcome is not None, row.attempt)):
        last[said.key.question_id, said.key.content_hash, said.key.slot_order] = Said.of(said)
    entries = join_rows(plan.questions, rows.generations.rows, ())
    return Side({entry.item.question_id: Answer.of(entry.answer) for entry in entries if entry.answer}, last)


def _found(
    card: Scorecard, withheld: int, changes: Sequence[Change], report: Report, reports: Sequence[ShardReport]
) -> Reproduction:
    """Puts together what came of it."""
    last = {each.lane: f"{each.engine} {each.engine_version}" for each in reports}
    return Reproduction(
        scorecard_id=card.id,
        model=card.model,
        engine=f"{card.engine} {card.engine_version}",
        engine_here=last[Lane.GENERATE],
        judge_engine=f"{card.judge_engine} {card.judge_engine_version}",
        judge_engine_here=last.get(Lane.JUDGE),
        published_items=card.result.items,
        withheld=withheld,
        changes=tuple(changes),
        report=report,
    )


def _engine(card: Scorecard, order: Order, settings: Settings) -> str:
    """Returns what runs models: what is ordered, or else what ran them there, if it can be had here."""
    told = (order.engine, card.engine, card.judge_engine)
    chosen = next((name for name in told if name in get_args(Own)), settings.engine)
    if chosen in ("vllm", "transformers") and find_spec(chosen) is None:
        raise RapportError(
            Cause.LOAD_ERROR,
            f"The row was made with {chosen}, which is not installed here.",
            "Install it, or name another engine with --engine.",
        )
    return str(chosen)


def _protocol(card: Scorecard) -> HicupidProtocol:
    """Returns the row's protocol as it is here, with the encoder of the row if it has one."""
    if card.protocol not in protocol_ids():
        raise _not_here(f"the protocol {card.protocol}")
    protocol, encoder = hicupid_protocol(card.protocol), dict(card.context).get("encoder", "")
    context = protocol.context
    if not isinstance(context, Dense) or not encoder:
        return protocol
    pinned = context.model_copy(update={"revision": encoder.rpartition("@")[2]})
    return protocol.model_copy(update={"context": pinned})


def _judge(card: Scorecard, settings: Settings) -> JudgeSpec:
    """Returns the row's judge as it is here."""
    if card.judge not in judge_ids(settings.judges):
        raise _not_here(f"the judge {card.judge}")
    return load_judge(card.judge, settings.judges)


def _not_here(what: str) -> RapportError:
    return RapportError(
        Cause.NOT_FOUND,
        f"This version of Rapport does not have {what} of the row.",
        "Check out the version that the row was made with.",
    )


def _prompts(card: Scorecard, judge: JudgeSpec, settings: Settings) -> str:
    """Returns the row's prompt pack if it is here, or the nearest one: that it is another one is found later."""
    here = {builtin_pack().id, *(stored.pack.id for stored in stored_packs(settings.packs).packs)}
    if card.prompt_pack in here:
        return card.prompt_pack
    return "official" if card.prompt_pack_status == "official" else judge.prompt_pack


def _data(card: Scorecard, order: Order) -> str:
    """Returns where the data set is; a folder is only read where the person names it."""
    source = order.data or card.data_source
    if order.data is None and source != "demo" and not re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", source):
        raise RapportError(
            Cause.NOT_FOUND,
            f"The row was made with the folder {source!r} of another machine.",
            "Name your copy of that data set with --data.",
        )
    return source


def _candidate(card: Scorecard, settings: Settings, lanes: frozenset[Lane]) -> Candidate:
    """Returns who answered, at the state that answered; of a local folder, at its present state."""
    model = PinnedModel(model_name(card.model, settings.models), card.revision)
    adapter = None
    if card.adapter is not None and card.adapter_revision is not None:
        adapter = PinnedModel(model_name(card.adapter, settings.models), card.adapter_revision)
    if Lane.GENERATE in lanes:
        if model.model.startswith(LOCAL) and not is_reference(model.model):
            model = pin(model.model, None, settings.models)
        if adapter and adapter.model.startswith(LOCAL):
            adapter = pin_adapter(adapter.model, None, settings.models)
    return Candidate(model, adapter, card.declaration.thinking)


def _planned(card: Scorecard) -> Plan:
    """Returns what is known of the row's plan: data set and judge are taken at its commits."""
    return Plan(
        run_id=card.run_id,
        data_source=card.data_source,
        data_sha=card.data_sha,
        prompt_pack=card.prompt_pack,
        prompt_pack_status=card.prompt_pack_status,
        protocol_config=card.protocol_config,
        judge=card.judge,
        judge_revision=card.judge_revision,
        judge_config=card.judge_config,
        terms=card.terms,
        items=(),
        shards=(),
    )
