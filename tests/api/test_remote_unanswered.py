"""The command line and a site that does not answer as it should; and where the token goes."""

from __future__ import annotations

import httpx
import pytest

from leaderboard.api.records import Submission
from leaderboard.cli import remote_commands
from leaderboard.cli.remote import Site as Remote
from leaderboard.cli.remote_errors import NoAnswer
from leaderboard.guard.rates import BY_ADDRESS, Kind
from tests.api.conftest import Rapport, Site
from tests.api.servers import Answer, answering, closed_port, older_site

TOKEN = "hf_canaryThatGoesToOneSiteAlone"


def unanswered(rapport: Rapport, url: str, *arguments: str) -> str:
    """The sentence that a command ends with if a site does not answer."""
    code, out, err = rapport(*(arguments or ("board",)), "--url", url)
    assert (code, out) == (3, "")
    assert err.startswith("rapport: infrastructure: ")
    assert len(err.splitlines()) == 1
    return err


def test_a_site_that_is_away_is_code_three(rapport: Rapport) -> None:
    assert "does not answer (ConnectError)" in unanswered(rapport, closed_port())
    assert "does not answer" in unanswered(rapport, closed_port(), "export", "board.csv")


@pytest.mark.parametrize(
    "answer",
    [
        (200, {"Content-Type": "text/html"}, b"<h1>It works!</h1>"),
        (200, {"Content-Type": "application/json"}, b"{}"),
        (200, {"Content-Type": "application/json"}, b"[1, 2"),
        (200, {"Content-Type": "application/json"}, b"[]"),
        (200, {"Content-Type": "application/json"}, b'{"version": "3.0", "protocol": "ws", "dependencies": []}'),
        (200, {"Content-Type": "application/json"}, b'{"version": "6.0", "protocol": "sse_v3", "dependencies": []}'),
    ],
)
def test_what_is_no_rapport_is_code_three_and_nobody_else_is_asked(
    rapport: Rapport, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPPORT_TOKEN", TOKEN)
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, closed_port())  # Whatever goes elsewhere would fail with another sentence.
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with answering(lambda _: answer) as (url, _):
        assert "nothing that this command understands" in unanswered(rapport, url, "cancel", "s-20260301-00000001")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((404, {}, b""), "answered with status 404."),
        ((500, {}, b"\xff"), "answered with status 500."),
        ((503, {}, b'{"detail": "Back at\\n\\u001b[31m noon."}'), "status 503: Back at\\n\\x1b[31m noon."),
        ((301, {"Location": "http://127.0.0.1:1/"}, b""), "leads elsewhere"),
    ],
)
def test_another_status_is_named(rapport: Rapport, answer: Answer, said: str) -> None:
    with answering(lambda _: answer) as (url, _):
        assert said in unanswered(rapport, url)


def test_a_site_that_wants_to_be_left_alone_is_code_three(site: Site, rapport: Rapport) -> None:
    with answering(lambda _: (429, {"Retry-After": "7"}, b"{}")) as (url, _):
        assert "status 429. Try it again in 7 seconds." in unanswered(rapport, url)
    for _ in range(BY_ADDRESS[Kind.ACT][0].events):
        httpx.post(f"{site.url}/gradio_api/cancel", content=b"{}")
    said = unanswered(rapport, site.url)
    assert "Too many requests from your address. Try again in" in said
    with pytest.raises(NoAnswer) as refused:
        Remote(site.url).call("submissions", dict)
    assert refused.value.after is not None
    assert 0 < refused.value.after <= 60


def test_a_site_of_another_version_is_code_three(rapport: Rapport) -> None:
    with older_site() as url:
        assert "has no endpoint `compare`" in unanswered(rapport, url, "compare", "a", "b")
        assert "has no endpoint `status`" in unanswered(rapport, url, "status", "s-20260301-00000001")
        assert "has no endpoint `board`" in unanswered(rapport, url, "board")
        assert "nothing that this command understands" in unanswered(rapport, url, "check", "org/model")


def test_an_answer_of_another_kind_is_code_three(site: Site) -> None:
    with pytest.raises(NoAnswer, match="nothing that this command understands"):
        Remote(site.url).call("board", Submission)


def test_the_token_goes_to_the_site_that_is_named_with_what_acts_and_never_in_the_clear(
    rapport: Rapport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPPORT_TOKEN", TOKEN)
    monkeypatch.setenv("HF_TOKEN", "hf_canaryOfEverythingElse")
    config = b'{"version": "6.31", "protocol": "sse_v3", "dependencies": [], "api_prefix": "/gradio_api"}'
    said = {"/config": (200, {}, config)}
    with answering(lambda path: said.get(path, (500, {}, b""))) as (url, asked):
        unanswered(rapport, url, "board")
        unanswered(rapport, url, "status", "s-20260301-00000001")
        assert asked
        assert not [headers for headers in asked if "canary" in str(headers)]
        for acts in (("cancel", "s-20260301-00000001"), ("check", "org/model")):
            asked.clear()
            unanswered(rapport, url, *acts)
            assert {headers["authorization"] for headers in asked[1:]} == {f"Bearer {TOKEN}"}
        assert "EverythingElse" not in str(asked)
    code, _, err = rapport("cancel", "s-20260301-00000001", "--url", "http://board.example")
    assert (code, "over https alone" in err, "canary" in err) == (1, True, False)
    with answering(lambda _: (301, {"Location": closed_port()}, b"")) as (url, _):
        unanswered(rapport, url, "cancel", "s-20260301-00000001")


@pytest.mark.parametrize("url", ["board.example", "ftp://board.example", "https://", "https://u:p@board.example", ""])
def test_what_is_no_address_is_said(rapport: Rapport, url: str) -> None:
    code, _, err = rapport("board", "--url", url)
    assert (code, "is no address of a site" in err) == (1, True)


def test_the_exit_codes_of_waiting_are_apart() -> None:
    assert len({0, 1, 2, 3, remote_commands.WAIT_FAILED, remote_commands.WAIT_CANCELLED}) == 6
