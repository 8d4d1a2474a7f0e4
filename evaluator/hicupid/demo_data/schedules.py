"""Appointments, and wishes that collide with them.

A wish never mentions the appointment; only a reader who remembers the calendar notices the clash. Each user's year is
cut into ten windows with one appointment in each, so appointments never collide with one another and the days after
one are always free for the way out that the gold answer proposes.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from evaluator.hicupid.demo_data.content import read_table
from evaluator.hicupid.demo_data.draw import Draw
from evaluator.hicupid.demo_data.records import SCHEDULES_PER_USER, Appointment, Exchange
from evaluator.hicupid.demo_data.wording import MONTHS, World, fill

_FIRST_DAY = date(2025, 3, 1)
_WINDOW_DAYS = 29
_USED_DAYS = 25  # the rest of each window stays free, whatever the neighbours draw
_SATURDAY = 5
_LATEST_WISH_SLOT = 21


@dataclass(frozen=True)
class Entry:
    """One appointment with its dialogue and the question that collides with it."""

    appointment: Appointment
    start: datetime
    end: datetime
    asked_for: datetime  # within start <= asked_for < end
    exchange: Exchange
    question: str
    gold: str
    general: str


def draw_entries(world: World, draw: Draw) -> list[Entry]:
    """Draw the ten appointments of one user, in random order of date."""
    entries = _drawn(world, draw)
    attempt = 1
    while entries is None:  # One user in two thousand ends with an appointment that no wish left fits.
        attempt += 1
        entries = _drawn(world, draw.branch(f"attempt {attempt}"))
    return entries


def _drawn(world: World, draw: Draw) -> list[Entry] | None:
    """Draw ten appointments; None if no wish is left that fits one of them."""
    table = _table()
    wishes = draw.shuffled(table["wishes"])
    events = draw.shuffled(table["events"])[:SCHEDULES_PER_USER]
    entries = []
    for window, event in zip(draw.shuffled(range(SCHEDULES_PER_USER)), events, strict=True):
        hour = draw.pick(event["hours"])
        wish = next((item for item in wishes if _fits(item, event, hour)), None)
        if wish is None:
            return None
        wishes.remove(wish)
        start = _day(window, event, wish, draw) + timedelta(hours=hour)
        entries.append(_entry(event, wish, start, world, draw))
    return entries


def spoken(moment: datetime) -> str:
    """Return a moment on the full hour as the data set writes it.

    Example:
        >>> spoken(datetime(2025, 3, 13, 11))
        '11 AM on March 13, 2025'
    """
    return f"{_clock(moment)} on {MONTHS[moment.month - 1]} {moment.day}, {moment.year}"


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = read_table("schedule_events.yaml")
    return table


def _clock(moment: datetime) -> str:
    return f"{(moment.hour - 1) % 12 + 1} {'AM' if moment.hour < 12 else 'PM'}"


def _fits(wish: dict[str, Any], event: dict[str, Any], hour: int) -> bool:
    earliest, latest = wish["hours"]
    return bool(earliest <= hour <= latest and not (wish["days"] == "weekday" and event["days"] == "weekend"))


def _day(window: int, event: dict[str, Any], wish: dict[str, Any], draw: Draw) -> datetime:
    days = [_FIRST_DAY + timedelta(days=window * _WINDOW_DAYS + offset) for offset in range(_USED_DAYS)]
    if event["days"] == "weekend":
        days = [day for day in days if day.weekday() >= _SATURDAY]
    elif "weekday" in (event["days"], wish["days"]):
        days = [day for day in days if day.weekday() < _SATURDAY]
    chosen = draw.pick(days)
    return datetime(chosen.year, chosen.month, chosen.day)


def _entry(event: dict[str, Any], wish: dict[str, Any], start: datetime, world: World, draw: Draw) -> Entry:
    table = _table()
    end = start + timedelta(hours=event["length"])
    late = [start + timedelta(hours=h) for h in range(1, event["length"]) if start.hour + h <= wish["hours"][1]]
    asked_for = draw.pick(late) if late and draw.chance(0.4) else start
    guest, teller, other = draw.shuffled(world.people)[:3]
    appointment = Appointment(spoken(start), fill_plain(event["event"], world.slots(draw, (guest,))))
    until = draw.pick(table["untils"]) if asked_for > start or (event["length"] > 1 and draw.chance(0.6)) else ""
    tell = draw.pick(table["tells"]).replace("<until>", until).replace("<ask>", event["ask"])
    slots = world.slots(draw, (teller,)) | {
        "event": appointment.event,
        "when": appointment.datetime,
        "end": _clock(end),
        "start": _clock(start),
        "at": spoken(asked_for),
        "alt": spoken(_way_out(wish, start, end)),
    }
    slots["wish"] = fill_plain(wish["wish"], world.slots(draw, (other,)))
    return Entry(
        appointment,
        start,
        end,
        asked_for,
        exchange=Exchange(world.voice.say(fill(tell, slots), draw, first=True), fill(event["reply"], slots)),
        question=fill(draw.pick(table["questions"]), slots),
        gold=fill(draw.pick(table["golds"]), slots),
        general=fill(draw.pick(table["generals"]), slots),
    )


def fill_plain(template: str, slots: dict[str, str]) -> str:
    """Fill a phrase that will stand inside a sentence, keeping its lower-case start."""
    filled = fill(template, slots)
    return filled if template[0] in "<ABCDEFGHIJKLMNOPQRSTUVWXYZ" else template[0] + filled[1:]


def _way_out(wish: dict[str, Any], start: datetime, end: datetime) -> datetime:
    """Return a free time that suits the wish: after the appointment, else before it, else on a later day."""
    earliest, latest = wish["hours"]
    if end.hour + 1 <= min(latest, _LATEST_WISH_SLOT) and end.date() == start.date():
        return end + timedelta(hours=1)
    if start.hour - 2 >= earliest:
        return start - timedelta(hours=2)
    later = start + timedelta(days=1)
    while wish["days"] == "weekday" and later.weekday() >= _SATURDAY:
        later += timedelta(days=1)
    return later
