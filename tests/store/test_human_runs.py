"""A run that asks of people's labels reads the same before and after it was compacted."""

from __future__ import annotations

import pytest

from evaluator.errors import Cause, RapportError
from evaluator.human.tasks import Task
from leaderboard.records import Batch
from leaderboard.store import LocalStore, layout
from leaderboard.store.base import Write
from leaderboard.store.items import decode_items, digest_of, encode_items
from leaderboard.store.runs import StoredRun, compact
from tests.builders import make_item
from tests.human_runs import HumanRun, answer_to, demo_items, make_human_run
from worker.draining import files_of


def write(store: LocalStore, run: HumanRun) -> None:
    shards, rows = run.plan.shards, run.rows.generations
    batches = [
        Batch(
            id=f"{place:04d}-{place + 1:06d}-0a0a0a0a-0001",
            run_id=run.id,
            shard_id=shard.id,
            generations=tuple(row for row in rows[place :: len(shards)]),
        )
        for place, shard in enumerate(shards)
    ]
    reports = [
        Batch(id=f"0000-00000{number}-0b0b0b0b-0001", run_id=run.id, shard_id=shards[0].id, report=report)
        for number, report in enumerate(run.rows.reports, start=7)
    ]
    files = [file for batch in (*batches, *reports) for file in files_of([batch])]
    store.commit([Write(layout.plan_path(run.id), run.plan.model_dump_json().encode()), *files], "rows")


@pytest.mark.parametrize("task", Task)
def test_a_compacted_run_has_the_plan_and_rows_that_it_had(store: LocalStore, task: Task) -> None:
    run = make_human_run(task)
    write(store, run)
    before = StoredRun(store, run.id)
    plan, rows = before.plan(), before.rows()
    assert plan == run.plan
    store.commit(compact(before), "compacted")

    after, folder = StoredRun(store, run.id), layout.run_folder(run.id)
    names = ("generations.parquet", "plan.json", "reports.parquet", "verdicts.parquet")
    assert store.list(folder) == [f"{folder}/{name}" for name in names]
    assert (after.plan(), after.rows()) == (plan, rows)
    assert after.plan().model_dump_json() == run.plan.model_dump_json()
    assert compact(after) == []


def test_runs_that_ask_the_same_of_people_share_their_items(store: LocalStore) -> None:
    for number in (1, 2):
        run = make_human_run(number=number)
        write(store, run)
        store.commit(compact(StoredRun(store, run.id)), "compacted")
    assert store.list(layout.ITEMS) == [layout.items_path(digest_of(run.plan.items))]
    assert StoredRun(store, run.id).plan() == run.plan


def test_both_attempts_at_an_item_are_kept(store: LocalStore) -> None:
    asked = demo_items(Task.RELEVANCE)[:2]
    rows = [answer_to(asked[0], "Perhaps."), answer_to(asked[0], "NO", 1), answer_to(asked[1], None)]
    run = make_human_run(asked=asked, rows=rows)
    write(store, run)
    store.commit(compact(StoredRun(store, run.id)), "compacted")
    kept = StoredRun(store, run.id).rows().generations
    assert sorted(row.model_dump_json() for row in kept) == sorted(row.model_dump_json() for row in rows)


@pytest.mark.parametrize(
    "items", [(), (make_item("test_1/1"),), demo_items(Task.VERIFICATION), demo_items(Task.RATING)], ids=len
)
def test_items_of_either_suite_read_back_as_they_were(items) -> None:
    content = encode_items(items)
    assert decode_items(content, "x") == tuple(items)
    assert encode_items(decode_items(content, "x")) == content


def test_items_of_two_suites_stand_in_no_file() -> None:
    with pytest.raises(ValueError, match="several suites"):
        encode_items([make_item("test_1/1"), *demo_items(Task.RATING)])


@pytest.mark.parametrize("content", [b"", b"PAR1 no more", encode_items(demo_items(Task.RATING))[:-9]])
def test_a_broken_file_of_items_is_named(content: bytes) -> None:
    with pytest.raises(RapportError, match=r"items/x\.parquet") as caught:
        decode_items(content, "items/x.parquet")
    assert caught.value.cause is Cause.DATA_ERROR
