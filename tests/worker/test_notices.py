"""What a notice says, and what it leaves out."""

from __future__ import annotations

import pytest

from evaluator.errors import Cause
from leaderboard.people import LOCAL_USER
from leaderboard.records import State
from worker.notices import Notice, said


def test_a_notice_says_how_a_submission_ended_and_what_helps(notice: Notice) -> None:
    assert (notice.state, notice.runs[0].cause, notice.runs[0].remedy) == (State.FAILED, Cause.LOAD_ERROR, "Add one.")
    assert notice.page == f"https://rapport.example/submission?id={notice.submission_id}"
    assert said(notice).splitlines()[1].endswith("failed: `load_error. It has 'no' layers. Add one.`")


@pytest.mark.parametrize("name", ["maintainer", "demo", LOCAL_USER])
def test_nobody_is_mentioned_for_what_the_leaderboard_itself_has_entered(notice: Notice, name: str) -> None:
    assert "@" not in said(notice.model_copy(update={"submitter": name}))
    assert "@alice" in said(notice.model_copy(update={"submitter": "alice"}))
