"""What the store holds of a run reads the same, whether it lies in many small files or in a few large ones."""

from __future__ import annotations

import itertools
import random

import pytest

from evaluator.errors import Cause, RapportError
from leaderboard.records import Batch, Lane, Plan
from leaderboard.scorecards import make_scorecard
from leaderboard.store import LocalStore, layout
from leaderboard.store.base import Delete, Write
from leaderboard.store.items import digest_of
from leaderboard.store.runs import StoredRun, compact
from tests.builders import NOON, make_plan, make_report, make_submission, rows_of
from worker.draining import files_of

RUN = make_submission().run_ids()[0]


@pytest.fixture
def plan() -> Plan:
    return make_plan(RUN, users=(1, 2, 3))


def batches_of(plan: Plan) -> list[Batch]:
    """A run's batches of one row each, handed over under two leases a shard, each report unlike the others."""
    numbers = random.Random(7).sample(range(1, 100), 2 * len(plan.shards))
    found, seconds = [], itertools.count(1)
    for shard in plan.shards:
        rows = rows_of(plan, shard)
        for lane, some in ((Lane.GENERATE, rows.generations), (Lane.JUDGE, rows.verdicts)):
            begins = f"{shard.id.rsplit('.', 1)[1]}-{numbers.pop():06d}-0a0a0a0a"
            named = {"run_id": plan.run_id, "shard_id": shard.id}
            word = "generations" if lane is Lane.GENERATE else "verdicts"
            found += [
                Batch(id=f"{begins}-{place:04d}", **named, **{word: (row,)}) for place, row in enumerate(some, start=1)
            ]
            report = make_report(lane, peak_rss_mb=float(next(seconds)))
            found.append(Batch(id=f"{begins}-{len(some) + 1:04d}", **named, report=report))
    return found


def write(store: LocalStore, plan: Plan, *groups: list[Batch]) -> None:
    """Stores a plan, and batches as they were drained."""
    files = [file for group in groups for file in files_of(group)]
    store.commit([Write(layout.plan_path(plan.run_id), plan.model_dump_json().encode()), *files], "rows")


def by_lease(batches: list[Batch]) -> list[list[Batch]]:
    return [list(group) for _, group in itertools.groupby(batches, lambda batch: batch.id.rpartition("-")[0])]


def make_compact(store: LocalStore) -> None:
    store.commit(compact(StoredRun(store, RUN)), "compacted")


def card_of(store: LocalStore, plan: Plan) -> str:
    """The scorecard that the stored rows come to."""
    from evaluator.judges.spec import load_judge
    from evaluator.protocol import load_protocol

    rows = StoredRun(store, RUN).rows()
    judge, protocol = load_judge("demo"), load_protocol("demo-v1")
    return make_scorecard(make_submission(), plan, rows, protocol, judge, (), NOON).model_dump_json()


def test_a_compacted_run_reads_as_it_did_before_and_lies_in_four_files(store, plan):
    batches = batches_of(plan)
    write(store, plan, *([batch] for batch in batches))
    before, card = StoredRun(store, RUN), card_of(store, plan)
    rows = before.rows()
    assert {batch.id for batch in batches} == before.names
    assert len(store.list(layout.run_folder(RUN))) == len(batches) + 1

    make_compact(store)

    after, folder = StoredRun(store, RUN), layout.run_folder(RUN)
    names = ("generations.parquet", "plan.json", "reports.parquet", "verdicts.parquet")
    assert store.list(folder) == [f"{folder}/{name}" for name in names]
    assert (after.plan(), after.rows()) == (plan, rows)
    assert after.names == before.names
    assert sorted(batches, key=lambda batch: batch.id) == [after.batch(name) for name in sorted(after.names)]
    assert card_of(store, plan) == card


def test_however_batches_were_merged_the_scorecard_is_the_same_to_the_byte(store, tmp_path, plan):
    batches, merged = batches_of(plan), LocalStore(tmp_path / "merged")
    write(store, plan, *([batch] for batch in batches))
    write(merged, plan, *by_lease(batches))
    assert len(merged.list("runs")) == 1 + 2 * 2 * len(plan.shards)
    assert StoredRun(merged, RUN).rows() == StoredRun(store, RUN).rows()
    assert card_of(merged, plan) == card_of(store, plan)


def test_what_was_added_to_a_compacted_run_is_read_with_it_and_compacted_too(store, plan):
    *early, late = by_lease(batches_of(plan))
    write(store, plan, *early)
    make_compact(store)
    store.commit(list(files_of(late)), "more rows")
    run, whole = StoredRun(store, RUN), sorted(batch.id for batch in late)
    assert (run.plan(), run.names) == (plan, {group[0].id for group in early} | {late[0].id})
    assert run.batch(late[0].id).verdicts == tuple(row for batch in late for row in batch.verdicts)
    rows = run.rows()
    make_compact(store)
    assert StoredRun(store, RUN).loose == []
    assert StoredRun(store, RUN).rows() == rows
    assert whole[0] in StoredRun(store, RUN).names


def test_a_batch_that_is_stored_again_beside_the_compacted_run_is_not_doubled(store, plan):
    batches = batches_of(plan)
    write(store, plan, *([batch] for batch in batches))
    rows = StoredRun(store, RUN).rows()
    make_compact(store)
    store.commit(list(files_of([batches[0]])), "again")
    assert StoredRun(store, RUN).rows() == rows
    make_compact(store)
    assert StoredRun(store, RUN).rows() == rows
    assert StoredRun(store, RUN).loose == []


def test_compacting_twice_changes_nothing_and_an_unknown_run_needs_none(store, plan):
    assert compact(StoredRun(store, RUN)) == []
    write(store, plan, *by_lease(batches_of(plan)))
    make_compact(store)
    assert compact(StoredRun(store, RUN)) == []


def test_runs_that_ask_the_same_share_their_items(store, plan):
    other = make_plan(make_submission(2).run_ids()[0], users=(1, 2, 3))
    for each in (plan, other):
        write(store, each, *by_lease(batches_of(each)))
        store.commit(compact(StoredRun(store, each.run_id)), "compacted")
    path = layout.items_path(digest_of(plan.items))
    assert store.list(layout.ITEMS) == [path]
    assert StoredRun(store, other.run_id).plan() == other
    assert store.history(1)[0].paths.count(path) == 0, "what is there is not written again"
    assert b'"items":' not in store.read(layout.plan_path(plan.run_id))


def test_another_file_in_the_place_of_the_items_is_noticed(store, plan):
    write(store, plan, *by_lease(batches_of(plan)))
    make_compact(store)
    fewer = make_plan(make_submission(2).run_ids()[0], users=(1,))
    write(store, fewer, *by_lease(batches_of(fewer)))
    store.commit(compact(StoredRun(store, fewer.run_id)), "compacted")
    mine, theirs = layout.items_path(digest_of(plan.items)), layout.items_path(digest_of(fewer.items))
    store.commit([Write(mine, store.read(theirs))], "damage")
    with pytest.raises(RapportError, match=mine) as caught:
        StoredRun(store, RUN).plan()
    assert caught.value.cause is Cause.DATA_ERROR


def test_a_file_with_other_rows_than_the_plan_says_is_named(store, plan):
    write(store, plan, *by_lease(batches_of(plan)))
    make_compact(store)
    path = layout.compact_path(layout.verdicts_folder(RUN))
    fewer = make_plan(make_submission(2).run_ids()[0], users=(1,))
    write(store, fewer, *by_lease(batches_of(fewer)))
    store.commit(compact(StoredRun(store, fewer.run_id)), "compacted")
    store.commit([Write(path, store.read(layout.compact_path(layout.verdicts_folder(fewer.run_id))))], "damage")
    with pytest.raises(RapportError, match=path):
        StoredRun(store, RUN).rows()
    store.commit([Write(path, b"PAR1 truncated")], "damage")
    with pytest.raises(RapportError, match=path) as caught:
        StoredRun(store, RUN).rows()
    assert caught.value.cause is Cause.DATA_ERROR


def test_rows_without_a_plan_stay_as_they_are(store, plan):
    write(store, plan, *by_lease(batches_of(plan)))
    store.commit([Delete(layout.plan_path(RUN))], "damage")
    assert StoredRun(store, RUN).plan() is None
    assert compact(StoredRun(store, RUN)) == []
