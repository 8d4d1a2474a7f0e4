"""Where the authors' file comes from: a path or a safe address, never too much of it; and which files are accepted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from evaluator.errors import Cause, RapportError
from evaluator.hicupid import prompt_sources
from evaluator.hicupid.prompt_import import LARGEST_SOURCE, pack_from_source
from evaluator.hicupid.prompt_sources import load_sources, read_source
from tests.unit.authors_file import SHA256, SOURCE, Server, leads_to, refuses, sends, serving

PACK = pack_from_source(SOURCE.encode()).id


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        server.answers["/constants.py"] = sends(SOURCE.encode())
        yield server


def read_fault(place: str) -> RapportError:
    with pytest.raises(RapportError) as refused:
        read_source(place)
    return refused.value


def test_nothing_but_the_question_is_sent_along_also_after_a_redirect(server, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    server.answers["/moved.py"] = leads_to("constants.py")
    assert read_source(server.url("/moved.py")) == SOURCE.encode()
    assert len(server.headers) == 2
    for headers in server.headers:
        assert set(headers) <= {"host", "accept", "accept-encoding", "connection", "user-agent"}
        assert headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "target",
    [
        "http://example.org/constants.py",
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "https://me:secret@example.org/x",
    ],
)
def test_a_redirect_to_an_unsafe_address_is_not_followed(server, target):
    server.answers["/moved.py"] = leads_to(target)
    error = read_fault(server.url("/moved.py"))
    assert error.cause is Cause.DATA_ERROR
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    "place",
    [
        "http://example.org/x",
        "file:///etc/passwd",
        "HTTP://192.168.0.1/x",
        "https://me:secret@example.org/x",
        "https://",
    ],
)
def test_an_unsafe_address_is_not_asked(place):
    error = read_fault(place)
    assert error.cause is Cause.DATA_ERROR
    assert "secret" not in str(error)


def test_redirects_in_a_circle_end(server):
    server.answers["/moved.py"] = leads_to("/moved.py")
    assert "too many redirects" in read_fault(server.url("/moved.py")).message
    assert len(server.headers) == 6


def test_a_download_ends_at_the_largest_size(server):
    server.answers["/fits.py"] = sends(b" " * LARGEST_SOURCE)
    server.answers["/large.py"] = sends(b" " * 50 * LARGEST_SOURCE)
    assert len(read_source(server.url("/fits.py"))) == LARGEST_SOURCE
    error = read_fault(server.url("/large.py"))
    assert error.cause is Cause.DATA_ERROR
    assert "larger than 1,000,000 bytes" in error.message


def test_a_download_that_never_ends_is_given_up(server, monkeypatch):
    monkeypatch.setattr(prompt_sources, "_DOWNLOAD_SECONDS", -1)
    error = read_fault(server.url("/constants.py"))
    assert error.cause is Cause.INFRASTRUCTURE
    assert "not done" in error.message


@pytest.mark.parametrize(("status", "cause"), [(404, Cause.NOT_FOUND), (500, Cause.INFRASTRUCTURE)])
def test_an_answer_without_the_file_says_whose_fault_it_is(server, status, cause):
    server.answers["/constants.py"] = refuses(status)
    assert read_fault(server.url("/constants.py")).cause is cause


def test_a_path_is_read_up_to_the_largest_size(tmp_path):
    file = tmp_path / "constants.py"
    file.write_text(SOURCE, encoding="utf-8")
    assert read_source(str(file)) == SOURCE.encode()
    file.write_bytes(b" " * (LARGEST_SOURCE + 1))
    assert read_fault(str(file)).cause is Cause.DATA_ERROR
    for missing in (tmp_path, tmp_path / "nothing.py"):
        assert read_fault(str(missing)).cause is Cause.NOT_FOUND


def test_the_shipped_sources_know_the_authors_file_and_its_pack():
    shipped = load_sources()
    assert shipped.sources == ("https://raw.githubusercontent.com/12kimih/HiCUPID/main/src/constants.py",)
    assert shipped.hashes == ["a449a241b866710f7f6a22b1f36832cafbd13b0f729320bce1e510d7061eeac9"]
    assert shipped.status(shipped.hashes[0], "375456de47a93de1") == "official"
    assert shipped.status(shipped.hashes[0], "0" * 16) == "imported"


def test_a_list_of_ones_own_adds_to_the_shipped_one(tmp_path):
    mine = tmp_path / "mine.yaml"
    accepted = f"[{{sha256: {SHA256}, pack: '{PACK}', note: ours}}]"
    mine.write_text(f"sources: [https://example.org/x.py]\naccepted: {accepted}\n")
    both = load_sources(str(mine))
    assert both.sources == (*load_sources().sources, "https://example.org/x.py")
    assert both.status(SHA256, PACK) == both.status(both.hashes[0], "375456de47a93de1") == "official"


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (None, Cause.NOT_FOUND),
        ("sources: [", Cause.DATA_ERROR),
        ("sources: []\n", Cause.DATA_ERROR),
        (f"sources: []\naccepted: [{{sha256: ABC, pack: {'0' * 16!r}, note: x}}]\n", Cause.DATA_ERROR),
        (f"sources: []\naccepted: [{{sha256: {SHA256}, note: x}}]\n", Cause.DATA_ERROR),
        (f"sources: []\naccepted: [{{sha256: {SHA256}, pack: ABC, note: x}}]\n", Cause.DATA_ERROR),
    ],
)
def test_a_list_that_cannot_be_read_is_named(tmp_path, text, cause):
    path = tmp_path / "mine.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(RapportError, match=r"mine\.yaml") as refused:
        load_sources(str(path))
    assert refused.value.cause is cause
