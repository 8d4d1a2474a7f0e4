"""Single faults, each done at the one moment at which it hurts most."""

from __future__ import annotations

import random
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from evaluator.engines.deterministic import SPEED_FILE, Speed
from evaluator.errors import Cause
from leaderboard.connection import text
from leaderboard.records import Batch, Lane, State
from leaderboard.submissions import keys
from leaderboard.submissions.states import ENDED
from tests.faults.accounts import account, stored
from tests.faults.clocks import library
from tests.faults.conftest import OpenSite
from tests.faults.faults import Fault
from tests.faults.injections import engines, holders, strike
from tests.faults.notes import Notes, batches_in, rows_in
from tests.faults.processes import below, freeze, look_at, send, standstill
from tests.faults.site import PATIENCE, Plan, Site, make_quick_model, running_site
from tests.small_disk import NO_SMALL_DISK
from tests.waiting import until
from worker.outbox import Outbox

DAY = 24 * 3600
TRIES = 5
"""At catching a worker at a certain moment, each with a run of its own."""


def submitted(site: Site, name: str, *, thinking: bool = False) -> str:
    """Submits a model; returns its run."""
    return f"{site.submit(name, thinking=thinking)}.{site.settings.protocols[0]}"


def comes_to(site: Site, run_id: str, state: State) -> None:
    """Waits until a run is in a state; one that has ended in another has come nowhere, and is told with its steps."""
    until(lambda: site.ledger.state(run_id) in {state, *ENDED}, what=f"{run_id} is {state}", within=PATIENCE)
    steps = [step for step in site.ledger.transitions(run_id.partition(".")[0]) if step.run_id == run_id]
    assert steps[-1].after is state or state not in ENDED, steps


def settled(site: Site) -> bool:
    return bool(site.redis.exists(keys.EPOCH)) and not (site.ledger.open_runs() or site.ledger.unsaved())


def assert_all_is_well(site: Site, notes: Notes, published: int) -> None:
    """Waits until everything has ended, and accounts for it."""
    until(lambda: notes.sound() and settled(site), what="everything has ended and is saved", within=PATIENCE)
    until(site.released, what="all is public that is to be", within=PATIENCE)
    found = account(site, notes)
    assert found.bad == ()
    assert (found.runs, found.published) == (published, published)


def batches(site: Site, run_id: str) -> set[str]:
    return {text(name) for name in site.redis.hkeys(keys.batches(run_id))}


def test_what_an_older_redis_makes_of_a_run_is_dropped_where_the_store_knows_better(open_site: OpenSite) -> None:
    site = open_site()
    notes = Notes(site)
    run_id = submitted(site, "first")
    until(lambda: batches(site, run_id), what="some of its rows are handed over", within=PATIENCE)
    older = site.copy_redis()
    comes_to(site, run_id, State.PUBLISHED)
    until(lambda: settled(site), what="it is saved", within=PATIENCE)
    notes.take()
    rows = stored(site.store, run_id)

    freeze(publisher := site.role("publisher").pid)  # So that the past goes on for a while before it is noticed.
    strike(site, Fault.REDIS_OLDER, run_id, State.PUBLISHED, random.Random(0), set(), older)
    notes.memory_lost()
    freeze(publisher)
    until(lambda: site.redis.ping() and site.ledger.state(run_id) is not State.PUBLISHED, what="Redis is older")
    known = batches(site, run_id)
    until(
        lambda: batches(site, run_id) - known, what="rows are handed over that the store has already", within=PATIENCE
    )
    other = submitted(site, "second")
    send(publisher, signal.SIGCONT)

    comes_to(site, run_id, State.PUBLISHED)
    comes_to(site, other, State.PUBLISHED)
    assert_all_is_well(site, notes, published=2)
    assert stored(site.store, run_id) == rows


def test_rows_of_a_job_that_wakes_up_too_late_are_refused(open_site: OpenSite) -> None:
    site = open_site()
    notes = Notes(site)
    run_id = submitted(site, "first")
    until(lambda: batches(site, run_id) and holders(site), what="it is worked on", within=PATIENCE)
    assert strike(site, Fault.JOB_FROZEN, run_id, State.GENERATING, random.Random(0), set())
    comes_to(site, run_id, State.PUBLISHED)
    logs = [worker.log for worker in site.workers]
    until(lambda: any("another worker has taken over" in log.read_text() for log in logs), what="the sleeper gives way")
    assert_all_is_well(site, notes, published=1)


def test_a_dead_workers_shard_is_free_within_seconds_though_the_clock_went_back_a_day(open_site: OpenSite) -> None:
    if not library():
        pytest.skip("libfaketime is not installed (on Debian: apt install libfaketime)")
    site = open_site()
    notes = Notes(site)
    run_id = submitted(site, "first")
    until(lambda: holders(site), what="a shard is worked on", within=PATIENCE)
    assert site.clock
    site.clock.jump(-DAY)
    until(lambda: any(site.redis.pttl(name) > DAY for name in leases(site)), what="a lease lasts for a day")
    for worker in site.workers:
        send(worker.pid, signal.SIGKILL)
    comes_to(site, run_id, State.PUBLISHED)
    assert_all_is_well(site, notes, published=1)


def make_slow_model(models: Path, name: str) -> None:
    """Writes a model that takes its time, so that rows are handed over while others are still to come."""
    make_quick_model(models, name)
    (models / name / SPEED_FILE).write_text(Speed(seconds_per_answer=0.15).model_dump_json())


def copied_before_a_batch(site: Site, run_id: str) -> tuple[Path, set[str]]:
    """Copies Redis just before something is handed over under a lease that the copy knows.

    Returns:
        The copy, and the batches that it holds.
    """
    while site.ledger.state(run_id) in {State.QUEUED, State.GENERATING}:
        held, known, older = leases(site), batches(site, run_id), site.copy_redis()
        soon = time.monotonic() + 0.5  # An older copy would tell of leases that ran out since.
        while batches(site, run_id) == known and time.monotonic() < soon:
            time.sleep(0.02)
        if held and batches(site, run_id) != known and time.monotonic() < soon and held == leases(site):
            return older, known
    raise AssertionError("there was no such moment")


def test_a_redis_from_amid_a_lease_loses_no_answer_that_the_job_had_handed_over(open_site: OpenSite) -> None:
    site = open_site(Plan(workers=1))
    notes = Notes(site)
    site.add_model("first")
    (site.settings.models / "first" / SPEED_FILE).write_text(Speed(seconds_per_answer=0.5).model_dump_json())
    run_id = submitted(site, "first")
    until(lambda: leases(site), what="it is worked on", within=PATIENCE)
    freeze(publisher := site.role("publisher").pid)  # So that nothing of what follows is in the store.
    older, known = copied_before_a_batch(site, run_id)
    assert strike(site, Fault.REDIS_OLDER, run_id, State.GENERATING, random.Random(0), set(), older)
    notes.memory_lost()
    freeze(publisher)  # So that the job goes on for a while before it is noticed.
    until(lambda: batches(site, run_id) - known, what="rows are handed over to the older one", within=PATIENCE)
    send(publisher, signal.SIGCONT)
    comes_to(site, run_id, State.PUBLISHED)
    assert "answers missing" not in site.role("publisher").log.read_text(), "the job gave way"
    assert_all_is_well(site, notes, published=1)


def amid_retries(batches: Sequence[Batch]) -> bool:
    return any(row.key.sample_index for batch in batches for row in batch.generations)


def amid_judging(batches: Sequence[Batch]) -> bool:
    return any(row.rater_kind == "model" for batch in batches for row in batch.verdicts)


def killed_in(site: Site, run_id: str, lane: Lane, amid: Callable[[Sequence[Batch]], bool]) -> set[str] | None:
    """Kills the worker that is at work on a run's only shard, amid its work in a lane.

    Returns:
        The rows that the shard had by then; None if there was no such moment.
    """
    outbox = Outbox(site.redis)
    while site.ledger.state(run_id) is not State.PUBLISHED:
        if not amid(outbox.kept(run_id)):
            time.sleep(0.02)
            continue
        with standstill(site.roots()):
            there, plan = outbox.kept(run_id), site.ledger.plan(run_id)
            assert plan
            (shard,) = plan.shards
            at_work = [pid for pid, names in holders(site).items() if keys.lease(shard.id, lane) in names]
            if not at_work or any(batch.report and batch.report.lane is lane for batch in there):
                return None
            worker = look_at(at_work[0])
            assert worker
            send(worker.parent, signal.SIGKILL)
            return {name for batch in there for name in rows_in(batch)}
    return None


def killed_amid(
    site: Site, lane: Lane, amid: Callable[[Sequence[Batch]], bool], *, thinking: bool
) -> tuple[str, set[str]]:
    """Submits models until the worker of one is killed as of `killed_in`; returns that run and the rows it had."""
    for number in range(TRIES):
        run_id = submitted(site, f"{lane}-{number}", thinking=thinking)
        if before := killed_in(site, run_id, lane, amid):
            return run_id, before
    raise AssertionError("no worker was at work at such a moment")


def test_human_grounded_runs_go_on_where_their_workers_were_killed(open_site: OpenSite) -> None:
    site = open_site(Plan(protocols=("human-extraction-demo-v1",), make_model=make_slow_model))
    notes = Notes(site)
    # Nothing forces the words of a model that thinks: what this engine then says is never a list, and is asked twice.
    retried = killed_amid(site, Lane.GENERATE, amid_retries, thinking=True)
    judged = killed_amid(site, Lane.JUDGE, amid_judging, thinking=False)
    for run_id, before in (retried, judged):
        comes_to(site, run_id, State.PUBLISHED)
        rows = [name for batch in batches_in(site.store, run_id) for name in rows_in(batch)]
        assert before < {*rows}, "what was handed over is there, and another worker did the rest"
        assert len(rows) == len({*rows}), "another worker asked for what was known"
    assert_all_is_well(site, notes, published=len(site.ledger.newest(2 * TRIES)))


def leases(site: Site) -> list[str]:
    return [text(name) for lane in Lane for name in site.redis.scan_iter(keys.lease("*", lane))]


def test_an_engine_without_memory_fails_its_run_with_that_cause_and_no_other(open_site: OpenSite) -> None:
    site = open_site(Plan(workers=1))
    run_id = submitted(site, "first")
    comes_to(site, run_id, State.GENERATING)
    while site.ledger.state(run_id) is State.GENERATING:
        strike(site, Fault.ENGINE_OUT_OF_MEMORY, run_id, State.GENERATING, random.Random(0), set())
    comes_to(site, run_id, State.FAILED)
    (failure,) = [step.failure for step in site.ledger.transitions(run_id.partition(".")[0]) if step.failure]
    assert failure.cause is Cause.OUT_OF_MEMORY
    comes_to(site, submitted(site, "second"), State.PUBLISHED)  # Not before: its engine would be struck as well.


def test_a_submission_whose_app_dies_before_it_is_queued_is_queued_all_the_same(open_site: OpenSite) -> None:
    site = open_site()
    notes = Notes(site)
    run_id = f"{site.submit('first', interrupted=True)}.{site.settings.protocols[0]}"
    comes_to(site, run_id, State.PUBLISHED)
    assert_all_is_well(site, notes, published=1)


def test_a_full_disk_ends_runs_with_that_cause_and_what_comes_later_is_published(open_site: OpenSite) -> None:
    site = open_site()
    if not site.small:
        pytest.skip(NO_SMALL_DISK)
    run_id = submitted(site, "first")
    until(lambda: batches(site, run_id), what="it is worked on", within=PATIENCE)
    assert strike(site, Fault.DISK_FULL, run_id, State.GENERATING, random.Random(0), set())
    until(lambda: settled(site), what="it has ended and is saved", within=PATIENCE)  # Open runs all end with the disk.
    comes_to(site, submitted(site, "second"), State.PUBLISHED)
    step = site.ledger.transitions(run_id.partition(".")[0])[-1]
    assert step.after is State.PUBLISHED or (step.failure and step.failure.cause is Cause.DISK_FULL)


def test_nothing_of_a_site_is_left_behind() -> None:
    with tempfile.TemporaryDirectory(prefix="rapport-faults-") as folder:
        with running_site(Path(folder) / "site") as site:
            submitted(site, "first")
            until(lambda: engines(site), what="an engine runs", within=PATIENCE)
            family = [*site.roots(), site.role("redis").pid, *below(site.roots())]
        until(lambda: not any(map(look_at, family)), what="all of its processes are gone")
