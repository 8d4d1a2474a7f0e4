"""People on the site: each logged in, behind an address of its own, asking when it pleases them and not us.

The loop is open: when somebody asks is drawn before the first request, and time counts from that moment, so a site that
is slow is not asked less, and no waiting is left out.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Sequence
from typing import NamedTuple

import httpx

from tests.web.login import Visitor
from tests.web.provider import USERS, Provider

_ID = re.compile(r'"submission_id": "(s-[0-9]{8}-[0-9a-f]{8})"')
_REFUSED = re.compile(r'"title": "([a-z_]+)"')
_PATIENCE = httpx.Timeout(60.0)
_MOST_USERS = 250 * 250


class Person(NamedTuple):
    """Somebody who is logged in."""

    name: str
    headers: dict[str, str]


class Order(NamedTuple):
    """One submission that somebody is going to make."""

    at: float
    """Seconds after the start."""
    person: Person
    model: str
    twice: bool
    """Whether the first answer is lost and the form sent once more."""


class Outcome(NamedTuple):
    """What became of it."""

    model: str
    submitter: str
    submission_id: str
    """Empty if it was refused."""
    refused: str
    """Why, in a word."""
    accept_ms: float
    join_ms: float
    """Until Gradio has taken the form in; a part of `accept_ms`."""


class PageTime(NamedTuple):
    """How long a page of the queue took."""

    page: int
    cold: bool
    """Whether nobody had asked for it within the last second."""
    ms: float
    status: int


class Measured(NamedTuple):
    """All that was measured from outside."""

    outcomes: Sequence[Outcome]
    pages: Sequence[PageTime]
    seconds: float
    """From the first arrival to the last answer."""


def log_in(site: str, provider: Provider, count: int) -> list[Person]:
    """Logs people in, one after the other, each from another address of those set aside for benchmarks."""
    if count > _MOST_USERS:
        raise ValueError(f"{count} people are more than there are addresses")
    people = []
    for number in range(count):
        name, address = f"person-{number:04}", f"198.18.{number // 250}.{number % 250 + 1}"
        USERS[name] = {"name": name, "orgs": []}
        visitor = Visitor(site, address=address)
        with visitor.client:
            visitor.log_in(provider, name)
        people.append(Person(name, {"Cookie": visitor.cookie, "X-Forwarded-For": address}))
    return people


def orders_of(people: Sequence[Person], models: Sequence[str], a_second: float, seed: int) -> list[Order]:
    """Draws who submits what and when: the people in turn, with exponential pauses, one in ten twice.

    Args:
        people: Those who submit.
        models: Each is submitted by one of them.
        a_second: How many submissions arrive in a second, on average.
        seed: Of the draw.
    """
    draw, at, orders = random.Random(seed), 0.0, list[Order]()  # noqa: S311 - Nothing secret is drawn.
    for number, model in enumerate(models):
        at += draw.expovariate(a_second)
        orders.append(Order(at, people[number % len(people)], model, twice=number % 10 == 9))
    return orders


async def submit_all(site: str, orders: Sequence[Order], pages: Sequence[int], every: float) -> Measured:
    """Makes all submissions and looks at pages of the queue meanwhile.

    Args:
        site: Its address.
        orders: What is submitted when.
        pages: Numbers of pages, which are looked at in turn.
        every: Seconds between two looks.
    """
    # Shorter than the site keeps them: a request on a connection that is just being closed says nothing of the site.
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=2.0)
    async with httpx.AsyncClient(base_url=site, timeout=_PATIENCE, limits=limits) as client:
        started = time.perf_counter()
        looks = [
            asyncio.create_task(_look(client, pages[number % len(pages)], started + number * every))
            for number in range(max(len(pages), int(orders[-1].at / every)))
        ]
        outcomes = await asyncio.gather(*(_carry_out(client, order, started) for order in orders))
        seconds = time.perf_counter() - started
        shown = await asyncio.gather(*looks)
    return Measured(outcomes, [each for pair in shown for each in pair], seconds)


async def _carry_out(client: httpx.AsyncClient, order: Order, started: float) -> Outcome:
    """Submits when it is time to; of what is sent twice, the second counts."""
    at = started + order.at
    await asyncio.sleep(at - time.perf_counter())
    try:
        if order.twice:
            await _join(client, order)  # Its answer is lost.
            at = time.perf_counter()
        return await _submit(client, order, at)
    except httpx.TransportError as error:
        return Outcome(order.model, order.person.name, "", type(error).__name__, _since(at), 0.0)


async def _submit(client: httpx.AsyncClient, order: Order, at: float) -> Outcome:
    """Sends the form and waits for the id."""
    joined = await _join(client, order)
    join_ms = _since(at)
    if joined.is_error:
        return Outcome(order.model, order.person.name, "", f"status_{joined.status_code}", join_ms, join_ms)
    stream = await client.get(f"/gradio_api/call/submit/{joined.json()['event_id']}", headers=order.person.headers)
    found, refused = _ID.search(stream.text), _REFUSED.search(stream.text)
    because = "" if found else refused[1] if refused else f"stream_{stream.status_code}"
    return Outcome(order.model, order.person.name, found[1] if found else "", because, _since(at), join_ms)


async def _join(client: httpx.AsyncClient, order: Order) -> httpx.Response:
    """Sends the form."""
    form = [order.model, "", "", "", "none", "", "unknown", False, True]
    return await client.post("/gradio_api/call/submit", json={"data": form}, headers=order.person.headers)


async def _look(client: httpx.AsyncClient, page: int, at: float) -> list[PageTime]:
    """Looks at a page of the queue when it is time to, and once more at once, when it is still remembered."""
    await asyncio.sleep(at - time.perf_counter())
    times = []
    for cold in (True, False):
        answer = await client.get(f"/queue?page={page}", headers={"X-Forwarded-For": "198.19.0.1"})
        times.append(PageTime(page, cold, _since(at), answer.status_code))
        at = time.perf_counter()
    return times


def _since(at: float) -> float:
    """Returns the milliseconds since a moment."""
    return 1000 * (time.perf_counter() - at)
