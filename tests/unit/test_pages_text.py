"""Whatever people or models write stands on a page as text."""

import datetime

import pytest

from evaluator.errors import Cause, RapportError
from leaderboard.board.build import rank
from leaderboard.pages.reader import About
from leaderboard.pages.render import render
from leaderboard.records import Failure, State, Transition
from leaderboard.submissions.ledger import Progress, RunView, SubmissionView
from tests.builders import NOON, make_declaration, make_scorecard, make_submission

ODD = {
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "attribute": '" onmouseover="alert(1)" x=\'',
    "right-to-left": "org/\u202egnp.exe\u200f\u2066",
    "long": "x" * 10_000,
    "template": "{{ 7 * 7 }}{% raw %}${7*7}",
    "nul": "a\x00b",
}
NONE = Progress(0, None, 0, None)


def odd_view(text: str, *states: State, progress: Progress = NONE) -> SubmissionView:
    submission = make_submission(model=text, submitter=text, protocols=[f"p-{n}" for n in range(len(states))])
    failure = Failure(cause=Cause.LOAD_ERROR, message=text, remedy=text)
    runs = [
        RunView(
            run_id,
            state,
            progress,
            (
                Transition(
                    run_id=run_id,
                    sequence=number,
                    before=None,
                    after=state,
                    at=NOON + datetime.timedelta(minutes=number),
                    actor=text,
                    failure=failure if state is State.FAILED else None,
                ),
            ),
        )
        for number, (run_id, state) in enumerate(zip(submission.run_ids(), states, strict=True), start=1)
    ]
    return SubmissionView(submission, tuple(runs), saved=True)


def pages_with(text: str) -> list[str]:
    view = odd_view(text, State.FAILED)
    declaration = make_declaration(base_model=text[:200])
    rows = rank(
        [make_scorecard(text, 50, submitter=text, declaration=declaration, judge=text, unranked_because=(text,))]
    )
    about = About(view.submission.id, text, text, text, declaration, NOON)
    error = RapportError(Cause.NOT_FOUND, text, text)
    return [
        render("live.html", active=[view], problems=[text]),
        render("rows.html", rows=rows),
        render("submission.html", here="", about=about, active=[view], problems=[text], rows=rows),
        render("message.html", here="", title=text, message=text),
        render("submit_answer.html", error=error, view=None),
        render("submit_answer.html", error=None, view=view),
        render("login.html", name=text),
    ]


@pytest.mark.parametrize("kind", ODD)
def test_what_people_write_is_shown_as_text(kind):
    plain, odd = pages_with("plain"), pages_with(ODD[kind])
    for before, after in zip(plain, odd, strict=True):
        assert after.count("<") == before.count("<"), "no tag comes from what people write"
        assert after.count('"') == before.count('"'), "no attribute either"
        assert "49" not in after or "49" in before


def test_a_name_that_is_written_from_right_to_left_does_not_turn_what_stands_beside_it():
    for page in pages_with(ODD["right-to-left"])[:4]:
        body = page.partition("<main")[2] or page
        shown = [part for part in body.split(ODD["right-to-left"])[:-1] if not part.endswith('="')]
        assert shown
    live = pages_with(ODD["right-to-left"])[0]
    assert f"<bdi>{ODD['right-to-left']}</bdi>" in live


@pytest.mark.parametrize(
    ("state", "progress", "said"),
    [
        (State.CHECKING, NONE, "being checked"),
        (State.QUEUED, NONE, "waiting for a worker"),
        (State.GENERATING, NONE, "planning"),
        (State.GENERATING, Progress(2, 9, 1, 18), "2 of 9 answers, 1 of 18 verdicts"),
        (State.FAILED, Progress(2, 9, 1, 18), "2 of 9 answers"),
    ],
)
def test_a_run_says_what_it_does_or_waits_for(state, progress, said):
    assert said in render("live.html", active=[odd_view("org/m", state, progress=progress)], problems=[])


@pytest.mark.parametrize("state", [State.FAILED, State.PUBLISHED, State.CANCELLED, State.JUDGING])
def test_a_run_without_counts_shows_no_bar_and_never_says_planning(state):
    page = render("live.html", active=[odd_view("org/m", state)], problems=[])
    assert "planning" not in page
    assert "<progress" not in page


def test_all_runs_of_a_submission_are_shown():
    page = render("live.html", active=[odd_view("org/m", State.FAILED, State.QUEUED)], problems=[])
    assert "p-0" in page
    assert "waiting for a worker" in page
    assert str(Cause.LOAD_ERROR) in page
