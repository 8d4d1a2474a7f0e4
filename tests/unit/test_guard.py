"""The guard's parts by themselves: counting, addresses, bodies, and from where a request may come."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from leaderboard.guard import guard
from leaderboard.guard.body import BodyLimits
from leaderboard.guard.client import Clients, address_of, network_of
from leaderboard.guard.endpoints import Kind, kind_of
from leaderboard.guard.gate import is_ours, known_hosts, same_site
from leaderboard.guard.rates import AddressLimits
from leaderboard.guard.window import Limit, Windows
from leaderboard.settings import Settings


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@given(
    steps=st.lists(st.floats(0, 30), max_size=80),
    limits=st.lists(st.builds(Limit, st.integers(1, 8), st.sampled_from([1.0, 10.0, 60.0])), min_size=1, max_size=3),
)
def test_no_stretch_of_time_ever_holds_more_events_than_a_limit_allows(steps, limits):
    clock = Clock()
    windows, taken = Windows(tuple(limits), clock), []
    for step in steps:
        clock.now += step
        wait = windows.take(b"key")
        if not wait:
            taken.append(clock.now)
        for limit in limits:
            recent = [moment for moment in taken if moment > clock.now - limit.seconds]
            assert len(recent) <= limit.events
            assert wait or len(recent) >= 1
        if wait:
            assert any(
                len([moment for moment in taken if moment > clock.now - limit.seconds]) == limit.events
                for limit in limits
            ), "refused without a reason"


@given(st.lists(st.floats(0, 5), min_size=1, max_size=40))
def test_whoever_waits_as_long_as_told_gets_through(steps):
    clock = Clock()
    windows = Windows((Limit(2, 3.0), Limit(5, 20.0)), clock)
    for step in steps:
        clock.now += step
        if wait := windows.take(b"key"):
            clock.now += wait
            assert windows.take(b"key") == 0


def test_keys_do_not_share_a_limit():
    windows = Windows((Limit(1, 60.0),), Clock())
    assert (windows.take(b"a"), windows.take(b"b")) == (0, 0)
    assert windows.take(b"a") > 0


def test_what_has_left_the_window_is_forgotten_and_never_more_keys_are_held_than_the_bound():
    clock = Clock()
    windows = Windows((Limit(5, 60.0),), clock, most_keys=100)
    for number in range(500):
        clock.now += 0.01
        windows.take(b"%d" % number)
        assert len(windows) <= 101
    clock.now += 61
    windows.take(b"new")
    assert len(windows) == 1


@pytest.mark.parametrize(
    ("forwarded", "proxies", "expected"),
    [
        (["203.0.113.9"], 0, "10.0.0.1"),
        (["203.0.113.9"], 1, "203.0.113.9"),
        (["1.1.1.1, 2.2.2.2", "203.0.113.9"], 1, "203.0.113.9"),
        (["1.1.1.1, 203.0.113.9, 10.0.0.2"], 2, "203.0.113.9"),
        (["203.0.113.9"], 2, "10.0.0.1"),
        ([], 1, "10.0.0.1"),
    ],
)
def test_only_what_our_own_proxies_wrote_is_believed(forwarded, proxies, expected):
    assert address_of("10.0.0.1", forwarded, proxies) == expected


@given(spoofed=st.lists(st.text(alphabet="0123456789abcdef.:, x", max_size=40), max_size=5), proxies=st.integers(1, 3))
def test_nothing_that_a_visitor_writes_changes_which_address_counts(spoofed, proxies):
    ours = ["203.0.113.9", *[f"10.0.0.{number}" for number in range(proxies - 1)]]
    assert address_of("10.9.9.9", [", ".join([*spoofed, *ours])], proxies) == "203.0.113.9"
    assert address_of("10.9.9.9", [*spoofed, *ours], proxies) == "203.0.113.9"


@given(st.text(max_size=60))
def test_no_text_in_place_of_an_address_breaks_anything(text):
    network_of(text)


def test_a_whole_ipv6_customer_is_one_visitor_and_the_next_is_another():
    assert network_of("2001:db8:1:aa01::5") == network_of("2001:db8:1:aaff:1:2:3:4") != network_of("2001:db8:1:ab00::1")


def test_keys_hold_no_address_and_differ_from_process_to_process():
    scope = {"client": ("192.0.2.77", 1), "headers": []}
    one, other = Clients(0), Clients(0)
    assert one.key(scope) == one.key(scope)
    assert one.key(scope) != other.key(scope)
    assert b"192.0.2.77" not in one.key(scope)


@pytest.mark.parametrize(
    "host", ["evil.example", "", "localhost.evil.example", "127.0.0.1.evil.example", "[::1", "a@b"]
)
def test_a_name_that_somebody_else_may_point_at_us_is_not_ours(host):
    assert not is_ours(host, frozenset({"board.org"}))


def test_a_space_answers_to_its_names_only_where_it_is_a_space(monkeypatch):
    monkeypatch.setenv("SPACE_HOST", "org-board.hf.space, Board.org")
    assert known_hosts(Settings(hosts=("mine.org",))) == {"mine.org"}
    monkeypatch.setenv("SYSTEM", "spaces")
    assert known_hosts(Settings(hosts=("mine.org",))) == {"mine.org", "org-board.hf.space", "board.org"}


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "cross-site", "origin": "https://board.org"}, False),
        ({"sec-fetch-site": ""}, False),
        ({"origin": "https://board.org"}, True),
        ({"origin": "https://custom.org"}, True),
        ({"origin": "https://board.org.evil.example"}, False),
        ({"origin": "https://board.org@evil.example"}, False),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "https://[evil"}, False),
        ({"origin": "null"}, False),
        ({"origin": ""}, False),
    ],
)
def test_only_pages_of_this_site_and_clients_that_are_no_browser_may_write(headers, allowed):
    assert same_site(Headers(headers), "board.org", frozenset({"custom.org"})) is allowed


def test_two_trusted_proxies_by_setting_one_on_a_space_and_else_none(monkeypatch):
    assert Settings().trusted_proxies == 0
    assert Settings(proxies=2).trusted_proxies == 2
    monkeypatch.setenv("SYSTEM", "spaces")
    assert Settings().trusted_proxies == 1
    assert Settings(proxies=0).trusted_proxies == 0


class Exchange:
    """One request to an ASGI app: sends parts of a body and collects what is answered."""

    def __init__(self, *parts: bytes, ends: bool = True, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        self.parts, self.ends = list(parts), ends
        self.scope: dict[str, Any] = {
            "type": "http", "method": "POST", "path": "/x", "headers": headers, "client": ("192.0.2.1", 1),
            "query_string": b"",
        }  # fmt: skip
        self.sent: list[dict[str, Any]] = []
        self.read: bytes | None = None

    async def receive(self) -> dict[str, Any]:
        if self.parts:
            return {"type": "http.request", "body": self.parts.pop(0), "more_body": bool(self.parts) or not self.ends}
        return await asyncio.Event().wait() or {}

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        self.read = (await receive())["body"]

    def through(self, **limits: Any) -> Exchange:
        asyncio.run(BodyLimits(self.app, **limits)(self.scope, self.receive, self.send))
        return self

    @property
    def status(self) -> int | None:
        return self.sent[0]["status"] if self.sent else None

    @property
    def text(self) -> str:
        return b"".join(message.get("body", b"") for message in self.sent).decode()


def test_a_body_of_the_largest_size_reaches_the_app_whole():
    exchange = Exchange(b"a" * 60, b"b" * 40).through(most_bytes=100)
    assert exchange.read == b"a" * 60 + b"b" * 40
    assert exchange.status is None


def test_a_declared_body_that_is_too_large_is_refused_before_a_byte_is_read():
    exchange = Exchange(b"x", headers=((b"content-length", b"101"),)).through(most_bytes=100)
    assert (exchange.status, exchange.read) == (413, None)
    assert exchange.parts == [b"x"]
    assert "larger than 100 bytes" in exchange.text


def test_a_body_that_says_nothing_of_its_size_is_refused_as_soon_as_it_is_too_large():
    exchange = Exchange(*[b"x" * 30] * 10).through(most_bytes=100)
    assert (exchange.status, exchange.read) == (413, None)
    assert len(exchange.parts) == 6, "nothing beyond the limit was read"


@pytest.mark.parametrize("said", [b"-1", b"1e9", b"nine", b"9" * 40, "²".encode()])
def test_an_odd_content_length_is_no_way_around_the_limit(said):
    exchange = Exchange(*[b"x" * 101], headers=((b"content-length", said),)).through(most_bytes=100)
    assert exchange.status == 413


def test_a_body_that_never_ends_is_given_up():
    exchange = Exchange(b"begun", ends=False).through(most_bytes=100, seconds=0.01)
    assert (exchange.status, exchange.read) == (408, None)
    assert "did not arrive whole" in exchange.text


def test_an_address_with_too_many_open_requests_waits_until_one_ends():
    async def scenario() -> list[int | None]:
        release = asyncio.Event()

        async def slow(scope: Any, receive: Any, send: Any) -> None:
            await release.wait()
            await send({"type": "http.response.start", "status": 200, "headers": []})

        limits = AddressLimits(slow, Clients(0), {Kind.ACT: (Limit(100, 60.0),)}, most_open=2)
        exchanges = [Exchange() for _ in range(4)]
        opened = [asyncio.create_task(limits(each.scope, each.receive, each.send)) for each in exchanges[:2]]
        await asyncio.sleep(0)
        await limits(exchanges[2].scope, exchanges[2].receive, exchanges[2].send)
        release.set()
        await asyncio.gather(*opened)
        await limits(exchanges[3].scope, exchanges[3].receive, exchanges[3].send)
        return [each.status for each in exchanges]

    assert asyncio.run(scenario()) == [200, 200, 429, 200]


_TEXT = st.text(max_size=30)
_HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                b"host",
                b"origin",
                b"sec-fetch-site",
                b"x-forwarded-for",
                b"x-forwarded-host",
                b"content-length",
                b"cookie",
            ]
        ),
        st.one_of(st.binary(max_size=30), st.sampled_from([b"127.0.0.1", b"same-origin", b"0", b"http://127.0.0.1"])),
    ),
    max_size=6,
)


@given(
    method=st.sampled_from(["GET", "POST", "HEAD", "DELETE", "OPTIONS", "ODD"]),
    path=st.one_of(
        _TEXT.map("/".__add__), st.sampled_from(["/", "/logout", "/gradio_api/upload", "/gradio_api/queue/join"])
    ),
    query=st.binary(max_size=20),
    headers=_HEADERS,
    body=st.lists(st.binary(max_size=700), min_size=1, max_size=3),
)
def test_whatever_is_asked_the_guard_answers_in_order_and_with_its_headers(method, path, query, headers, body):
    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["body"] == b"".join(body)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    site = FastAPI(docs_url=None, openapi_url=None)
    site.mount("/", app)
    guard(site, Settings(request_bytes=1024, proxies=1))
    exchange = Exchange(*body, headers=tuple(headers))
    exchange.scope |= {"method": method, "path": path, "raw_path": path.encode(), "query_string": query}
    exchange.scope |= {"scheme": "http", "server": ("127.0.0.1", 80), "root_path": "", "http_version": "1.1"}
    asyncio.run(site(exchange.scope, exchange.receive, exchange.send))
    assert exchange.status in (200, 400, 403, 404, 413, 421)
    assert b"x-content-type-options" in dict(exchange.sent[0]["headers"])
    if exchange.status == 200 and method not in ("GET", "HEAD", "OPTIONS"):
        assert kind_of(method, path) is not Kind.CLOSED
        assert sum(map(len, body)) <= 1024
