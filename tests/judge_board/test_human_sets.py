"""Verifiers and rating judges beside data sets of people's labels, from the runs in which they read what these hold."""

from __future__ import annotations

import pytest

from evaluator.human.data import HumanData, demo_set
from evaluator.human.tasks import JudgedTask
from leaderboard.judge_board.computing import compute_board
from leaderboard.judge_board.words import board_lines
from leaderboard.pages.judges.rows import beside_of
from leaderboard.store import LocalStore, Write, layout
from tests.builders import NOON
from tests.human_sites import write_human_run
from tests.written_runs import make_written_run


@pytest.mark.parametrize("task", [JudgedTask.EXTRACTION, JudgedTask.UPLIFT])
def test_the_figures_are_those_that_the_runs_scorecard_has_of_its_judge(archive: LocalStore, task: JudgedTask) -> None:
    data = HumanData.open(str(demo_set()))
    runs = [make_written_run(task, number, data=data) for number in (1, 2)]
    for run in runs:
        write_human_run(archive, run)
    board = compute_board(archive, [], NOON, human=["demo"], epsilon=runs[0].protocol.epsilon)
    (found,) = board.qualities
    card = runs[0].card
    assert (found.quality.judge, found.quality.config, found.runs) == (card.judge, card.judge_config, 2)
    (agreement,) = found.quality.human_sets
    assert card.result.judging is not None
    told = {each.name: each.value for each in agreement.figures}
    assert {each.name: each.value for each in card.result.judging.figures} == told
    assert (agreement.source, agreement.kind.value) == ("demo", "simulated")
    name = {JudgedTask.EXTRACTION: "single_kappa", JudgedTask.UPLIFT: "spearman_within_annotators"}[task]
    (beside,), text = beside_of(found.quality), "\n".join(board_lines(board))
    assert beside.judge.value == told[name]
    assert f"    {agreement.task}: {name} {told[name]:.3f} (" in text
    assert f"; one more simulated annotator {told[f'{name}.one_more_human']:.3f} (" in text
    assert 0 < agreement.answered <= agreement.items
    assert found.quality.costs.verdicts == found.quality.costs.prompt_tokens.counted > 0
    assert (found.quality.answers, found.quality.agreement) == (0, ())

    assert compute_board(archive, [], NOON).qualities == (), "no data set was named"
    gone = layout.tombstone_path(runs[0].submission.id)
    archive.commit([Write(gone, b"{}")], "withdrawn")
    (left,) = compute_board(archive, [], NOON, human=["demo"]).qualities
    assert left.runs == 1


def test_a_data_set_in_another_state_has_no_part_in_it(archive: LocalStore) -> None:
    run = make_written_run(JudgedTask.EXTRACTION)
    write_human_run(archive, run._replace(plan=run.plan.model_copy(update={"shown_sha": "0" * 64})))
    assert compute_board(archive, [], NOON, human=["demo"]).qualities == ()
