"""Where the tasks of runs stand, read for many at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from leaderboard.records import Lane
from tests.builders import make_plan
from worker.tasks import Board, Task, board_of, finished, read_boards, shard_ids

SHARDS = ("a", "b", "c")


@st.composite
def boards(draw) -> Board:
    generated = draw(st.frozensets(st.sampled_from(SHARDS)))
    judged = draw(st.frozensets(st.sampled_from(sorted(generated)))) if generated else frozenset()
    tasks = [Task(shard, lane) for shard in SHARDS for lane in Lane]
    return Board(SHARDS, generated, judged, draw(st.frozensets(st.sampled_from(tasks))))


@given(boards())
def test_what_is_free_is_neither_done_nor_held_nor_too_early(board):
    free = board.free()
    assert len(set(free)) == len(free)
    for shard in SHARDS:
        generate, judge = (Task(shard, lane) for lane in Lane)
        assert (generate in free) == (shard not in board.generated and generate not in board.held)
        assert (judge in free) == (shard in board.generated and shard not in board.judged and judge not in board.held)


def test_a_board_follows_the_work_on_its_run(redis, leases, plan, do_task):
    first, second = shard_ids(plan)
    assert board_of(redis, plan).free() == [Task(first, Lane.GENERATE), Task(second, Lane.GENERATE)]
    do_task(plan, Lane.GENERATE)
    lease = leases.claim(plan, "gpu-2", [Lane.GENERATE])
    board = board_of(redis, plan)
    assert (board.generated, board.held) == ({first}, {lease.task})
    assert board.free() == [Task(first, Lane.JUDGE)]


def test_boards_of_many_runs_are_not_mixed_up(redis, leases, plan, do_task):
    other = make_plan("s-20260301-00000002.demo-v1", users=(1, 2, 3))
    do_task(plan, Lane.GENERATE)
    held = leases.claim(other, "gpu-2")
    boards = read_boards(redis, {each.run_id: shard_ids(each) for each in (plan, other)})
    assert boards[plan.run_id] == board_of(redis, plan)
    assert (boards[other.run_id].generated, boards[other.run_id].held) == (frozenset(), {held.task})
    assert read_boards(redis, {}) == {}


def test_a_run_is_finished_when_all_its_shards_are_done_in_both_lanes(redis, plan, do_task):
    for lane in (Lane.GENERATE, Lane.JUDGE, Lane.GENERATE):
        do_task(plan, lane)
        assert not finished(redis, plan)
    assert finished(redis, plan, [Lane.GENERATE])
    do_task(plan, Lane.JUDGE)
    assert finished(redis, plan)
