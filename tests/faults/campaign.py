"""A campaign: submissions come in, faults strike them in every state, and in the end everything is accounted for."""

from __future__ import annotations

import json
import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from redis import Redis
from redis.exceptions import RedisError

from evaluator.errors import RapportError
from leaderboard.connection import text
from leaderboard.records import State
from leaderboard.submissions import keys
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.states import ENDED
from tests.faults.accounts import Account, account
from tests.faults.injections import Fault, Strike, strike
from tests.faults.site import PATIENCE, Site
from tests.waiting import until

log = logging.getLogger("rapport.faults")

OPEN_STATES = (State.QUEUED, State.GENERATING, State.JUDGING, State.SCORING, State.PUBLISHING)
"""States in which something goes on by itself."""
SHORT_STATES = (State.SCORING, State.PUBLISHING)
"""Of these, those that last some milliseconds: they are struck as soon as they are seen."""
COMPANY = 2
"""Other runs that are open when a fault strikes, so that workers and engines are alive."""
_TRIES = 20
_LONGEST_WAIT = 0.5
_SILENCE = 0.5


class Cell(NamedTuple):
    """One fault in one state."""

    fault: Fault
    state: State


class Outcome(NamedTuple):
    """What a campaign did and what came of it."""

    strikes: tuple[Strike, ...]
    missed: tuple[Cell, ...]
    """Cells that could not be hit in time."""
    account: Account

    @property
    def cells(self) -> Counter[Cell]:
        """How often each cell was hit."""
        return Counter(Cell(each.fault, each.state) for each in self.strikes)


class Campaign:
    """Strikes one cell after the other and remembers what must not be lost."""

    def __init__(self, site: Site, seed: int = 0) -> None:
        self._site, self._chance = site, random.Random(seed)
        self._number = 0
        self._saved: set[str] = set()
        self._taken_in: dict[str, set[str]] = {}
        self.strikes: list[Strike] = []
        self.missed: list[Cell] = []

    def hit(self, cells: Iterable[Cell]) -> None:
        """Strikes each cell once, on a submission of its own; others keep the workers busy meanwhile."""
        for cell in cells:
            while len(self._open_runs()) < COMPANY:
                self._submit()
            done = next((done for _ in range(_TRIES) if (done := self._try(cell))), None)
            if done is None:
                self.missed.append(cell)
                log.info("missed: %s in %s", cell.fault, cell.state)
            else:
                self.strikes.append(done)

    def finish(self) -> Outcome:
        """Waits until every run has ended and is saved, then looks at everything."""
        until(self._all_ended, what="every run has ended and is saved", within=2 * PATIENCE)
        with self._noting():
            pass
        counted = account(self._site.ledger, self._site.store, self._site.settings, self._saved, self._taken_in)
        return Outcome(tuple(self.strikes), tuple(self.missed), counted)

    def _submit(self) -> str:
        """Submits a model of its own by one of a few people; returns the id of its run."""
        self._number += 1
        submitter = self._chance.choice(["alice", "bob", "carol"])
        submission_id = _until_it_works(lambda: self._site.submit(f"m{self._number:04d}", submitter))
        return f"{submission_id}.{self._site.settings.protocols[0]}"

    def _try(self, cell: Cell) -> Strike | None:
        """Submits a model and strikes when it is in the state; None if that was over too soon."""
        run_id = self._submit()
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                with watching(self._site.redis, run_id) as states:
                    if not any(state is cell.state for state in states):
                        return None
                if cell.state not in SHORT_STATES:
                    time.sleep(self._chance.random() * _LONGEST_WAIT)
                    with self._noting():
                        pass
                if done := strike(self._site, cell.fault, run_id, cell.state, self._chance):
                    return done
                if cell.state in SHORT_STATES or self._site.ledger.state(run_id) in ENDED:
                    return None
            except RedisError:
                time.sleep(0.05)
        return None

    def _open_runs(self) -> list[str]:
        try:
            return self._site.ledger.open_runs()
        except RedisError:
            return []

    @contextmanager
    def _noting(self) -> Iterator[None]:
        """Notes what is called saved, and which batches were taken in, before something is done."""
        site = self._site
        for view in site.ledger.views(site.ledger.newest(10**6)):
            if view.saved:
                self._saved.add(view.submission.id)
            for run in view.runs:
                batches = {text(name) for name in site.redis.hkeys(keys.batches(run.id))}
                self._taken_in.setdefault(run.id, set()).update(batches)
        yield

    def _all_ended(self) -> bool:
        try:
            ledger = self._site.ledger
            return not ledger.open_runs() and not ledger.unsaved() and not ledger.active()
        except RedisError:
            return False


@contextmanager
def watching(redis: Redis, run_id: str) -> Iterator[Iterator[State]]:
    """Yields the states of a run as Redis tells of them, the present one first, up to its end."""
    with redis.pubsub(ignore_subscribe_messages=True) as channel:
        channel.subscribe(f"__keyspace@0__:{keys.state(run_id)}")

        def states() -> Iterator[State]:
            while True:
                yield (state := Ledger(redis).state(run_id))
                if state in ENDED:
                    return
                channel.get_message(timeout=_SILENCE)

        yield states()


def _until_it_works(act: Callable[[], str]) -> str:
    """Does what a submitter does while the site is down: tries again."""
    done: list[str] = []

    def tried() -> bool:
        try:
            done.append(act())
        except (RapportError, RedisError) as error:
            log.info("submitting: %s", error)
            time.sleep(0.1)
            return False
        return True

    until(tried, what="the submission is accepted", within=PATIENCE)
    return done[-1]


def summary(outcomes: Sequence[Outcome], real_engine: int = 0) -> str:
    """Returns what a campaign came to, as one line of JSON."""
    cells: Counter[Cell] = sum((outcome.cells for outcome in outcomes), Counter())
    accounts = [outcome.account for outcome in outcomes]
    return json.dumps(
        {
            "faults": sum(cells.values()),
            "faults_real_engine": real_engine,
            "cells": {f"{cell.fault} / {cell.state}": times for cell, times in sorted(cells.items())},
            "submissions": sum(each.submissions for each in accounts),
            "published": sum(each.published for each in accounts),
            "failed_with_cause": sum(each.failed_with_cause for each in accounts),
            **{
                name: sum(len(getattr(each, name)) for each in accounts)
                for name in ("lost", "duplicated", "mixed", "stuck", "wrong_scorecards")
            },
        }
    )
