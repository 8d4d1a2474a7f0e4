"""An archive of as many published runs as wanted, for planning a re-score of all of them.

One run is real but for its engines: every question of a made-up data set, answered and judged by rehearsal. All others
are that run with other names and other answers, written column by column, so that a thousand of them take minutes.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.setup import bench_setup
from evaluator.context_mode import FullHistory
from evaluator.engines.base import EngineSpec
from evaluator.engines.deterministic import DeterministicEngine
from evaluator.hicupid.data import HicupidData
from evaluator.hicupid.demo_data import DemoSize, write_demo_set
from evaluator.hicupid.questions import QuestionType
from evaluator.hicupid.selection import UserItems
from evaluator.judge import judge
from evaluator.judges.spec import load_judge
from evaluator.models import PinnedModel
from evaluator.parquet import read_table
from evaluator.protocol import hicupid_protocol
from evaluator.records import Generation, Verdict
from evaluator.references import ReferenceAnswers
from evaluator.setup import HicupidSetup
from leaderboard.records import Declaration, Lane, Plan, Relation, ShardReport, Submission, TrainingData
from leaderboard.rescoring.records import Rescore, RescoreEvent, RescoreStep, judging_id
from leaderboard.results import Scorecard
from leaderboard.scorecards import RunRows, make_scorecard, scorecard_id
from leaderboard.store import layout
from leaderboard.store.items import digest_of, encode_items
from leaderboard.store.local import LocalStore
from leaderboard.store.parquet import encode_parquet
from leaderboard.store.runs import CompactBatch, CompactPlan
from leaderboard.submissions.history import History
from worker.planning import make_plan

PROTOCOL, JUDGE = "official-v1", "hicupid-llama-3.2-3b"
REVISION = "0" * 40
"""Of the judge that is to judge."""
USERS = 286
"""With 40 questions each: 11,440 answers and 20,020 verdicts a run."""
EQUAL = 0.02
"""Share of the answers that every model gives."""
_NOON = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)
_RESCORE = "r-20260301-0a0b0c0d"
_SECONDS = 60.0
"""What a report says that a shard's verdicts took."""


class Template(NamedTuple):
    """What all runs have in common."""

    plan: CompactPlan
    answers: Any
    """Table of the real run's answers."""
    verdicts: Any
    reports: bytes
    """File of its reports."""
    answer: NDArray[np.int64]
    """(verdicts,): the place of the judged answer."""
    card: Scorecard
    submission: Submission
    decodings: list[str]
    """(verdicts,): as the judge that is to judge decodes them."""


def run_of(number: int) -> str:
    """Returns the id of a run.

    Example:
        >>> run_of(7)
        's-20260101-00000007.official-v1'
    """
    return f"s-20260101-{number:08x}.{PROTOCOL}"


def begin_archive(folder: Path, scratch: Path, users: int, judged: Sequence[int]) -> Template:
    """Makes an archive without runs and returns what its runs are made of.

    Args:
        folder: Where the archive shall lie.
        scratch: Where the data set may lie.
        users: Whose questions a run asks.
        judged: Runs that an unfinished re-score has judged.
    """
    setup = _setup(scratch, users)
    plan = make_plan(run_of(0), setup)
    submission = _submission(plan)
    rows, counts = _rows(setup, plan)
    card = make_scorecard(submission, plan, rows, setup.protocol, setup.judge, (), _NOON)
    values = {name: getattr(plan, name) for name in Plan.model_fields if name != "items"}
    compact = CompactPlan(**values, items_sha=digest_of(plan.items), batches=tuple(counts))
    LocalStore(folder)
    _write(folder, layout.items_path(compact.items_sha), encode_items(plan.items))
    rescore = _rescore(tuple(map(run_of, judged)))
    _write(folder, layout.rescore_path(rescore.id), rescore.model_dump_json().encode())
    place = {row.key.question_id: number for number, row in enumerate(rows.generations)}
    types = {item.question_id: item.type for item in plan.questions}
    decoding = {type_: load_judge(JUDGE).decoding(type_) for type_ in QuestionType}
    return Template(
        compact,
        _table(rows.generations, Generation),
        _put(_table(rows.verdicts, Verdict), "key.engine", "vllm"),
        encode_parquet(rows.reports, ShardReport),
        np.array([place[row.key.question_id] for row in rows.verdicts]),
        card,
        submission,
        [decoding[types[row.key.question_id]] for row in rows.verdicts],
    )


def write_run(folder: Path, template: Template, number: int, *, judged: bool) -> None:
    """Writes a run with its scorecard and history.

    Args:
        folder: The archive.
        template: What all runs have in common.
        number: Equal numbers give equal runs.
        judged: Whether an unfinished re-score has judged it.
    """
    random, run_id = np.random.default_rng(number), run_of(number)
    submission = template.submission.model_copy(update={"id": run_id.partition(".")[0], "model": f"org/m-{number:05}"})
    hashes = template.answers["content_hash"].to_numpy(zero_copy_only=False).copy()
    own = random.random(len(hashes)) >= EQUAL
    hashes[own] = _digests(random, int(own.sum()))
    answers = _put(template.answers, "content_hash", hashes)
    verdicts = _put(template.verdicts, "key.content_hash", hashes[template.answer])
    plan = template.plan.model_copy(update={"run_id": run_id})
    _write_rows(folder, plan, answers, verdicts, template.reports)
    if judged:
        told = {"key.rater": JUDGE, "key.rater_revision": REVISION, "key.decoding": template.decodings}
        for name, values in told.items():
            verdicts = _put(verdicts, name, values)
        batches = tuple(batch.model_copy(update={"generations": 0}) for batch in plan.batches)
        plan = plan.model_copy(update={"run_id": judging_id(_RESCORE, run_id), "batches": batches})
        _write_rows(folder, plan, answers.slice(0, 0), verdicts, template.reports)
    name = scorecard_id(run_id, template.card.judge)
    told = {"id": name, "run_id": run_id, "submission_id": submission.id, "model": submission.model}
    card = template.card.model_copy(update=told)
    _write(folder, layout.scorecard_path(submission.model, name), card.model_dump_json().encode())
    history = History(submission=submission, events=())
    _write(folder, layout.submission_path(submission.id), history.model_dump_json().encode())


def _setup(scratch: Path, users: int) -> HicupidSetup:
    """Returns the official protocol on a made-up set, with the data set's own general answers."""
    write_demo_set(scratch / "set", DemoSize(users, 1, 1), seed=42)
    protocol = hicupid_protocol(PROTOCOL).model_copy(update={"context": FullHistory(mode="full")})
    setup = bench_setup(HicupidData.open(str(scratch / "set")), protocol)
    return setup._replace(model=PinnedModel("reference/general_answer", ""))


def _rows(setup: HicupidSetup, plan: Plan) -> tuple[RunRows, list[CompactBatch]]:
    """Returns the rows of the real run, shard by shard, and their batches."""
    engine = DeterministicEngine(EngineSpec(engine="deterministic", model_path=".", dtype="auto"))
    source, counts = ReferenceAnswers(setup), list[CompactBatch]()
    generations, judged, reports = list[Generation](), list[Verdict](), list[ShardReport]()
    for number, shard in enumerate(plan.shards):
        users = [UserItems(*user) for user in shard.users]
        answers = list(source.answers(users, {}))
        verdicts = list(judge(setup, users, answers, engine, ()))
        for lane, lease, own in ((Lane.GENERATE, 1, answers), (Lane.JUDGE, 2, verdicts)):
            counts.append(
                CompactBatch(
                    id=f"{number:04d}-{lease:06d}-0a0a0a0a-0001",
                    generations=len(own) if lane is Lane.GENERATE else 0,
                    verdicts=len(own) if lane is Lane.JUDGE else 0,
                    reports=1,
                )
            )
            reports.append(_report(lane, setup))
        generations += answers
        judged += verdicts
    return RunRows(generations, judged, reports), counts


def _report(lane: Lane, setup: HicupidSetup) -> ShardReport:
    """Returns what a worker with a card would report."""
    return ShardReport(
        lane=lane,
        worker="bench",
        engine="vllm",
        engine_version="1",
        engine_flags=(),
        dtype="bfloat16",
        hardware="1 x card",
        context=(),
        stage_seconds=(("judge" if lane is Lane.JUDGE else "generate", _SECONDS),),
        peak_rss_mb=1000.0,
        terms=setup.terms,
    )


def _submission(plan: Plan) -> Submission:
    return Submission(
        id=plan.run_id.partition(".")[0],
        model="org/m-00000",
        revision="a" * 40,
        adapter=None,
        adapter_revision=None,
        submitter="bench",
        declaration=Declaration(
            relation=Relation.OWNER, training_data=TrainingData.NEITHER, thinking=False, publish_answers=True
        ),
        protocols=(PROTOCOL,),
        created_at=_NOON,
        terms=plan.terms,
    )


def _rescore(runs: tuple[str, ...]) -> Rescore:
    return Rescore(
        id=_RESCORE,
        judge=JUDGE,
        judge_revision=REVISION,
        judge_config=load_judge(JUDGE).digest(),
        prompt_pack="builtin",
        prompt_pack_status="builtin",
        runs=runs,
        created_by="bench",
        created_at=_NOON,
        events=(RescoreEvent(sequence=1, step=RescoreStep.STARTED, at=_NOON, actor="bench"),),
    )


def _table(rows: Sequence[Generation] | Sequence[Verdict], kind: Any) -> Any:
    """Returns rows as they stand in a file."""
    return read_table(encode_parquet(rows, kind)).combine_chunks()


def _put(table: Any, name: str, values: Any) -> Any:
    """Returns a table with a column, or a part of one, replaced; one value stands for all rows."""
    outer, _, inner = name.partition(".")
    values = pa.repeat(values, len(table)) if isinstance(values, str) else pa.array(values, pa.string())
    place = table.schema.get_field_index(outer)
    field = table.schema.field(place)
    if inner:
        whole = table[outer].combine_chunks()
        parts = {part.name: whole.field(part.name) for part in field.type} | {inner: values}
        values = pa.StructArray.from_arrays(list(parts.values()), fields=list(field.type))
    return table.set_column(place, field, values)


def _digests(random: np.random.Generator, count: int) -> list[str]:
    """Returns random digests of 64 hexadecimal digits."""
    digits = random.bytes(32 * count).hex()
    return [digits[start : start + 64] for start in range(0, len(digits), 64)]


def _write_rows(folder: Path, plan: CompactPlan, answers: Any, verdicts: Any, reports: bytes) -> None:
    """Writes what is stored of a compacted run."""
    _write(folder, layout.plan_path(plan.run_id), plan.model_dump_json().encode())
    _write(folder, layout.compact_path(layout.reports_folder(plan.run_id)), reports)
    for place, table in ((layout.generations_folder, answers), (layout.verdicts_folder, verdicts)):
        target = folder / "files" / layout.compact_path(place(plan.run_id))
        with pq.ParquetWriter(target, table.schema, compression="zstd", write_page_checksum=True) as file:
            if len(table):
                file.write_table(table, row_group_size=16_384)


def _write(folder: Path, path: str, content: bytes) -> None:
    """Puts a file where a store in a folder keeps it."""
    target = folder / "files" / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
