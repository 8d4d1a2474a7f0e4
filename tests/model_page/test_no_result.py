"""Models that have come to no result of HiCUPID: their submissions with causes, and their human-grounded tasks."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from evaluator.errors import Cause
from evaluator.human.tasks import Task
from leaderboard.connection import web_client
from leaderboard.pages.handed_in import HandedIn, OfModel
from leaderboard.pages.human.plot import drawn, drawn_figure
from leaderboard.pages.model.handed import handed_without
from leaderboard.pages.model.people import people_of
from leaderboard.records import Failure, State, Submission
from leaderboard.store.local import LocalStore
from leaderboard.submissions.ledger import Ledger
from tests.answers.runs import Run
from tests.builders import make_submission
from tests.human_runs import make_human_scorecard_of
from tests.model_page.sites import MODEL, links, published, seen, visitor
from tests.web.test_human import publish as publish_human
from tests.web.test_human import with_interval

HOSTILE = "<img src=x onerror=alert(1)>"


def handed_in(ledger: Ledger, *submissions: Submission) -> None:
    for each in submissions:
        ledger.create(each)


def fail(ledger: Ledger, submission: Submission, message: str) -> None:
    (run_id,) = submission.run_ids()
    ledger.fail(run_id, "worker", Failure(cause=Cause.LOAD_ERROR, message=message, remedy="Mend it.", log=()))


def part_of(page: str) -> str:
    """What stands of submissions without a result."""
    return page.partition('id="submissions"')[2]


def test_a_model_whose_submissions_failed_has_a_page_with_states_causes_and_links(
    store: LocalStore, ledger: Ledger
) -> None:
    bad, waiting = make_submission(1, model="org/bad"), make_submission(2, model="org/bad", revision="b" * 40)
    handed_in(ledger, bad, waiting, make_submission(3, model="org/other"))
    fail(ledger, bad, HOSTILE)
    answer = visitor(store, ledger).get("/model?id=org/bad")
    assert answer.status_code == 200
    assert links(answer.text, "/submission") == [f"/submission?id={waiting.id}", f"/submission?id={bad.id}"]
    told = seen(part_of(answer.text))
    assert f"failed: load error . {HOSTILE} Mend it." in told
    assert "demo-v1 : checking" in told
    assert "All 3 submissions of this site were looked through." in told
    assert HOSTILE not in answer.text
    assert answer.headers["etag"]


def test_beside_results_stand_only_submissions_without_one(store: LocalStore, ledger: Ledger, demo_run: Run) -> None:
    there, lost = make_submission(1, model=MODEL), make_submission(2, model=MODEL, revision="b" * 40)
    handed_in(ledger, there, lost)
    fail(ledger, lost, "It does not load.")
    card = published(store, demo_run, submission_id=there.id)
    page = visitor(store, ledger).get(f"/model?id={card.id}").text
    part = part_of(page).partition("<h2")[0]
    assert links(part, "/submission") == [f"/submission?id={lost.id}"]
    assert "load error . It does not load." in seen(part)


def test_without_a_ledger_the_page_says_so_and_a_strange_name_is_not_found(store: LocalStore, demo_run: Run) -> None:
    card = published(store, demo_run)
    site = visitor(store)
    assert "They cannot be looked up right now." in seen(part_of(site.get(f"/model?id={card.id}").text))
    assert site.get("/model?id=org/nobody").status_code == 404


def test_while_redis_is_away_nobody_says_that_there_is_no_such_model(store: LocalStore, demo_run: Run) -> None:
    card = published(store, demo_run)
    site = visitor(store, Ledger(web_client("redis://127.0.0.1:1/0")))
    assert "Redis does not answer" in seen(part_of(site.get(f"/model?id={card.id}").text))
    answer = site.get("/model?id=org/nobody")
    assert (answer.status_code, "Redis does not answer" in answer.text) == (503, True)


def test_each_submission_is_read_once_and_how_many_were_looked_at_is_bounded_and_told(ledger: Ledger) -> None:
    every = [make_submission(number, model=f"org/m{number % 2}", revision=f"{number:040x}") for number in range(1, 8)]
    handed_in(ledger, *every)
    newest = ledger.newest(5)
    read: list[Sequence[str]] = []

    class Watched(Ledger):
        def models(self, submission_ids: Sequence[str]) -> dict[str, str]:  # type: ignore[override]
            read.append(list(submission_ids))
            return super().models(submission_ids)

    watched = Watched(ledger._redis)
    index = HandedIn(most=5, at_once=2)
    looked = [index.renewed(watched).looked_at for _ in range(4)]
    assert looked == [2, 4, 5, 5]
    assert [name for some in read for name in some] == newest
    handed_in(ledger, make_submission(9, model="org/new"))
    found = index.renewed(watched)
    assert list(found.ids["org/new"]) == ledger.newest(1)
    assert (found.looked_at, found.total) == (5, 8)
    assert sorted(name for names in found.ids.values() for name in names) == sorted(ledger.newest(5))
    assert read[-1] == ledger.newest(1)


def test_what_was_not_looked_at_is_told() -> None:
    found = handed_without(OfModel((), 30, 500, 12_000, ""), ())
    assert "The newest 500 of 12,000 submissions" in found.told
    assert "The model has 30 among them" in found.told
    assert handed_without(OfModel((), 0, 0, None, "Away."), ()).told == ""


@pytest.mark.parametrize("state", [State.CANCELLED, State.QUEUED])
def test_every_state_is_named(store: LocalStore, ledger: Ledger, state: State) -> None:
    submission = make_submission(1, model="org/bad")
    handed_in(ledger, submission)
    (run_id,) = submission.run_ids()
    ledger.move(run_id, State.CHECKING, State.QUEUED, "alice")
    if state is State.CANCELLED:
        ledger.cancel(run_id, "alice", Failure(cause=Cause.CANCELLED, message="Stopped.", remedy="Retry."))
    assert f"demo-v1 : {state}" in seen(part_of(visitor(store, ledger).get("/model?id=org/bad").text))


def test_a_model_of_human_grounded_tasks_alone_shows_them_beside_one_more_human_and_the_ceiling(
    store: LocalStore,
) -> None:
    card = with_interval(make_human_scorecard_of("org/people", Task.RELEVANCE), "single_kappa", 0.1, 0.9)
    other = make_human_scorecard_of("org/people", Task.RATING, 2)
    publish_human(store, card, other)
    answer = visitor(store).get("/model?id=org/people")
    assert answer.status_code == 200
    told = seen(answer.text)
    assert "It has no result of HiCUPID on the board." in told
    for each in (card, other):
        dot = drawn(each, drawn_figure(each.result.task, each.result.kind, ""))
        assert f"{dot.written} {' '.join(dot.notes)}" in told
        assert f"/human/figures?id={each.id}" in answer.text
    assert "0.100 to 0.900" in told or "0.1 to 0.9" in told
    assert "noise ceiling" in told
    tasks = [link for link in links(answer.text, "/human") if "task=" in link]
    assert {link.partition("#")[0] for link in tasks} == {
        f"/human?task={each.protocol}&at={each.id}" for each in (card, other)
    }


def test_figures_of_different_kinds_stand_on_axes_of_their_own() -> None:
    cards = [make_human_scorecard_of("org/people", task, number) for number, task in enumerate(Task, 1)]
    found = people_of(cards)
    assert sum(len(each.plot.rows) for each in found.plots) == len(cards)
    assert len({each.id for each in found.plots}) == len(found.plots) > 1
    assert found.told == "3 scorecards"
    assert people_of(()).plots == ()
