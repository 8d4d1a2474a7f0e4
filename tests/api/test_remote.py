"""The command line against a site: what it prints, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluator.errors import Cause, RapportError
from leaderboard.api.records import Submission
from leaderboard.cli.remote import Site as Remote
from leaderboard.cli.remote_commands import follow
from leaderboard.cli.remote_errors import NoAnswer
from leaderboard.people import LOCAL_USER
from leaderboard.records import Failure, State
from leaderboard.submissions.ledger import Ledger
from tests.api.conftest import Rapport, Site
from tests.api.servers import answering
from tests.builders import make_submission
from tests.waiting import until

FAILURE = Failure(
    cause=Cause.LOAD_ERROR, message="The tokenizer \x1b[31mis missing.", remedy="Add it.", log=("loading", "KeyError")
)


def test_a_model_is_submitted_followed_stopped_and_withdrawn_at_a_site(
    site: Site, ledger: Ledger, rapport: Rapport
) -> None:
    code, out, err = rapport("submit", "local/tiny", "--relation", "owner", "--url", site.url)
    assert (code, err) == (0, "")
    name, state = out.split()
    assert (state, ledger.view(name).submission.submitter) == ("queued", LOCAL_USER)
    assert rapport("submit", "local/tiny", "--url", site.url)[1].split()[0] == name

    code, out, _ = rapport("status", name, "--url", f"{site.url}/queue?page=1")
    assert code == 0
    assert out.splitlines()[:2] == [f"{name} queued", "demo-v1 queued: waiting for a worker"]
    assert "  No worker is alive at the moment; it waits for one, and nothing is lost." in out.splitlines()
    told = json.loads(rapport("status", name, "--url", site.url, "--json")[1])
    assert (told["declaration"]["relation"], told["runs"][0]["protocol"]) == ("owner", "demo-v1")

    assert rapport("cancel", name, "--reason", "A typo.", "--url", site.url) == (0, f"{name} cancelled\n", "")
    # What is read is up to a second old.
    logs = "demo-v1 cancelled: nothing is kept of its log\n"
    until(lambda: rapport("logs", name, "--url", site.url)[1] == logs, what="the cancelling is seen")
    assert rapport("history", name, "--url", site.url)[1].splitlines()[-1].endswith("stopped it. A typo.")
    assert rapport("retry", name, "--url", site.url) == (0, f"{name} queued\n", "")
    assert rapport("correct", name, "--base-model", "org/base", "--url", site.url)[0] == 0
    assert ledger.view(name).declaration.base_model == "org/base"
    assert rapport("withdraw", name, "--url", site.url)[2].startswith("rapport: data_error: A reason is needed.")
    code, out, _ = rapport("withdraw", name, "--reason", "Wrong weights.", "--url", site.url, "--json")
    assert (code, "withdrawn" in [event["what"] for event in json.loads(out)["events"]]) == (0, True)


def test_what_a_site_refuses_is_one_sentence_with_its_cause(site: Site, rapport: Rapport, ledger: Ledger) -> None:
    theirs = make_submission(7, submitter="bob")
    ledger.create(theirs)
    for arguments, cause in (
        (("submit", "no id"), "malformed_id"),
        (("status", "s-20260301-ffffffff"), "not_found"),
        (("cancel", theirs.id), "forbidden"),
        (("compare", "org/better", "org/nothing"), "not_found"),
        (("cancel", theirs.id, "--reason", "x" * 1001), "data_error"),
    ):
        code, out, err = rapport(*arguments, "--url", site.url)
        assert (code, out) == (1, ""), arguments
        assert err.startswith(f"rapport: {cause}: "), err
        assert len(err.splitlines()) == 1


def test_logs_and_failures_obey_no_control_characters(site: Site, rapport: Rapport, ledger: Ledger) -> None:
    failed = make_submission(3)
    ledger.create(failed)
    ledger.fail(failed.run_ids()[0], "worker", FAILURE)
    assert rapport("logs", failed.id, "--url", site.url)[1].splitlines() == [
        "demo-v1 failed",
        "  | loading",
        "  | KeyError",
    ]
    code, out, _ = rapport("status", failed.id, "--url", site.url)
    assert (code, "Add it." in out, "\x1b" in out) == (0, True, False)


def ended(ledger: Ledger, number: int, end: State) -> str:
    """A submission that has ended."""
    submission = make_submission(number)
    ledger.create(submission)
    (run_id,) = submission.run_ids()
    if end is State.PUBLISHED:
        for state in list(State)[1:7]:
            ledger.advance(run_id, state, "worker")
    elif end is State.FAILED:
        ledger.fail(run_id, "worker", FAILURE)
    else:
        ledger.cancel(run_id, "alice", FAILURE)
    return submission.id


def test_waiting_ends_as_the_submission_does(site: Site, rapport: Rapport, ledger: Ledger) -> None:
    for number, (end, code) in enumerate(((State.PUBLISHED, 0), (State.FAILED, 4), (State.CANCELLED, 5)), start=20):
        name = ended(ledger, number, end)
        assert rapport("status", name, "--url", site.url)[0] == 0, "without --wait it has done what it was asked"
        assert rapport("status", name, "--wait", "--json", "--url", site.url)[0] == code


def test_waiting_asks_ever_less_often_and_anew_when_something_moves(site: Site, ledger: Ledger) -> None:
    watched = make_submission(30)
    ledger.create(watched)
    (run_id,) = watched.run_ids()
    steps = iter([None, None, State.QUEUED, None, None, State.GENERATING, State.JUDGING, *list(State)[4:7]])
    pauses: list[float] = []
    told: list[str] = []
    remote = Remote(site.url)

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if (step := next(steps)) is not None:
            ledger.advance(run_id, step, "worker")
            until(lambda: _state(remote, watched.id) == step, what="the site tells of the step")

    found = follow(lambda: remote.call("status", Submission, submission_id=watched.id), told.append, pause)
    assert found["state"] == "published"
    assert told[:2] == ["demo-v1 checking: being checked", "demo-v1 queued: waiting for a worker"]
    assert pauses[:5] == [2.0, 3.0, 4.5, 2.0, 3.0]
    assert max(pauses) <= 30


def _state(remote: Remote, name: str) -> str:
    return remote.call("status", Submission, submission_id=name)["state"]


def test_waiting_outlasts_a_site_that_is_away_for_a_while_and_not_for_ever() -> None:
    pauses: list[float] = []

    def away() -> Submission:
        raise NoAnswer("Away.", "", after=90.0)

    with pytest.raises(NoAnswer):
        follow(away, print, pauses.append)
    assert len(pauses) == 9
    assert set(pauses) == {90.0}, "a site is not asked before it wants to be"
    with pytest.raises(RapportError, match="Refused"):
        follow(_refused, print, pauses.append)
    assert len(pauses) == 9, "what is refused is not asked again"


def _refused() -> Submission:
    raise RapportError(Cause.NOT_FOUND, "Refused.", "")


def test_the_board_is_a_table_or_json(site: Site, rapport: Rapport, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, err = rapport("board", "--url", site.url)
    head, better, worse = out.splitlines()
    assert (code, err) == (0, "")
    assert head.split()[:2] == ["rank", "Total"]
    assert better.split()[:2] == ["1", "60.0"]
    assert worse.index("org/worse") == better.index("org/better") == head.index("model")
    assert len(rapport("board", "--protocol", "official-v1", "--url", site.url)[1].splitlines()) == 1
    monkeypatch.setattr("leaderboard.api.endpoints.ROWS_A_PAGE", 1)
    board = json.loads(rapport("board", "--json", "--url", site.url)[1])
    assert [row["model"] for row in board["rows"]] == ["org/better", "org/worse"], "of all pages"
    assert (board["page"], board["pages"], board["total"]) == (1, 1, 2)


def test_two_results_of_a_site_are_compared(site: Site, rapport: Rapport) -> None:
    code, out, _ = rapport("compare", "org/better", "org/worse", "--url", site.url, "--protocol", "demo-v1")
    assert code == 0
    assert out.splitlines()[-1].startswith("org/better scores 17.5 points more than org/worse")
    found = json.loads(rapport("compare", "org/worse", "org/better", "--json", "--url", site.url)[1])
    assert (found["difference"], found["users"]) == (-17.5, 12)


def test_an_export_is_written_as_it_came(rapport: Rapport, tmp_path: Path) -> None:
    content = bytes(range(256))
    with answering(lambda path: (200, {}, content) if path == "/exports/board.parquet" else (404, {}, b"")) as (url, _):
        target = tmp_path / "board.parquet"
        assert rapport("export", "board.parquet", "--output", str(target), "--url", url) == (0, "", "")
        assert target.read_bytes() == content
        code, _, err = rapport("export", "scorecard/x?y.json", "--url", url)
        assert (code, err.startswith("rapport: not_found: ")) == (1, True)
        assert rapport("export", "../secrets", "--url", url)[0] == 2
        assert "cannot be written" in rapport("export", "board.parquet", "--output", str(tmp_path), "--url", url)[2]


def test_the_board_of_a_site_is_exported(site: Site, rapport: Rapport) -> None:
    code, out, _ = rapport("export", "board.csv", "--url", site.url)
    assert (code, "org/better" in out, "org/worse" in out) == (0, True, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("export", "board.csv"),
        ("board",),
        ("compare", "org/a", "--url", "http://127.0.0.1:1"),
        ("compare", "a", "b", "--protocol", "demo-v1"),
        ("submit", "m", "--relation", "friend", "--url", "http://127.0.0.1:1"),
    ],
)
def test_wrong_usage_is_code_two(rapport: Rapport, arguments: tuple[str, ...]) -> None:
    assert rapport(*arguments)[0] == 2
