"""Public verdicts on what models write are looked at, made anew and taken down with what they were made from."""

from __future__ import annotations

from redis import Redis

from evaluator.human.tasks import JudgedTask
from evaluator.records import Outcome
from leaderboard.open_data import layout as open_layout
from leaderboard.open_data.files import encode_verdicts
from leaderboard.open_data.records import OpenVerdict
from leaderboard.records import Batch
from leaderboard.store import Write
from leaderboard.store.open import Stores
from leaderboard.store.parquet import decode_parquet
from leaderboard.submissions import keys
from leaderboard.upkeep.findings import FindingKind
from leaderboard.upkeep.ledger_rows import change_batches
from leaderboard.upkeep.records import TakedownKind
from leaderboard.upkeep.row_changes import changes_of
from tests.human_sites import write_human_run
from tests.upkeep.sites import findings, release
from tests.written_runs import make_written_run


def test_what_a_publisher_wrote_is_right_and_what_was_changed_is_made_anew(local_stores: Stores) -> None:
    runs = [make_written_run(task, number) for number, task in enumerate(JudgedTask, start=1)]
    for run in runs:
        write_human_run(local_stores.archive, run, small_files=run is runs[1])
    release(local_stores)
    assert findings(local_stores) == []
    path = open_layout.verdicts_path(runs[0].plan.judge, runs[0].submission.model, runs[0].id)
    right = local_stores.results.read(path)
    rows = decode_parquet(right, OpenVerdict, path)
    wrong = [row.model_copy(update={"outcome": Outcome.ACCEPTED}) for row in rows]
    strange = path.replace(runs[0].submission.id, runs[1].submission.id)
    files = [Write(path, encode_verdicts(wrong)), Write(strange, encode_verdicts(wrong))]
    local_stores.results.commit(files, "by hand")
    assert {each.path: each.kind for each in findings(local_stores, repair=True)} == {
        path: FindingKind.PUBLIC,
        strange: FindingKind.PUBLIC,
    }
    assert (local_stores.results.read(path), strange in local_stores.results.list()) == (right, False)


def test_a_verifiers_words_go_from_redis_with_any_list_about_the_same_user(redis: Redis) -> None:
    run = make_written_run(JudgedTask.EXTRACTION)
    shard = run.plan.shards[0].id
    batch = Batch(
        id="0000-000001-0a0a0a0a-0001",
        run_id=run.id,
        shard_id=shard,
        generations=tuple(run.rows.generations),
        verdicts=tuple(run.rows.verdicts),
        report=run.rows.reports[0],
    )
    redis.hset(keys.batches(run.id), batch.id, batch.model_dump_json())
    redis.set(keys.plan(run.id), run.plan.model_dump_json())
    gone = run.rows.generations[0]
    changes = changes_of(TakedownKind.ANSWER, str(gone.content_hash))
    assert changes is not None
    change_batches(redis, changes)
    value = redis.hget(keys.batches(run.id), batch.id)
    assert isinstance(value, bytes)
    after = Batch.model_validate_json(value)
    (user,) = {item.person for item in run.plan.labelled if item.question_id == gone.key.question_id}
    silent = {row.key.question_id for row in after.verdicts if row.taken_down is not None and row.rater_kind == "model"}
    assert silent == {user}
    assert [row.outcome for row in after.verdicts] == [row.outcome for row in run.rows.verdicts]
