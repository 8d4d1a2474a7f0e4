"""A campaign: submissions come in, faults strike them in every state, and in the end everything is accounted for."""

from __future__ import annotations

import contextlib
import logging
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from redis.exceptions import RedisError

from evaluator.errors import RapportError
from leaderboard.people import Person
from leaderboard.records import State
from leaderboard.submissions.service import SubmissionService
from tests.faults.accounts import Account, account
from tests.faults.faults import LOSES_MEMORY, Cell, Fault
from tests.faults.injections import Strike, has_target, strike
from tests.faults.moments import LASTING, Moments
from tests.faults.notes import Notes
from tests.faults.processes import freeze, send
from tests.faults.site import PATIENCE, Site
from tests.waiting import until

log = logging.getLogger("rapport.faults")

_TRIES = 8
_LONGEST_WAIT = 0.5
_STATE_SECONDS, _TARGET_SECONDS = 30.0, 15.0
_CHECKING_SECONDS = 1.0
_EVERYTHING = 10**6
_BUSY = (State.QUEUED, State.GENERATING)
_PEOPLE = ("alice", "bob", "carol")
_MAINTAINER = Person("maintainer", maintainer=True)


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

    def __init__(
        self, site: Site, seed: int = 0, company: int = 3, patience: float = 1.0, *, after_rows: bool = False
    ) -> None:
        """Begins with nothing done.

        Args:
            site: Where.
            seed: Of all that is drawn.
            company: How many runs are kept open, so that workers and engines are alive.
            patience: Stretches all waits.
            after_rows: Whether each fault waits until a loaded engine has answered since the one before.
        """
        self._site, self._chance = site, random.Random(seed)
        self._company, self._patience, self._after_rows = company, patience, after_rows
        self._number = 0
        self._owed: list[str] = []
        """Models of people whose browser had no answer: they submit again."""
        self._senders: list[threading.Thread] = []
        self._notes = Notes(site)
        self.strikes: list[Strike] = []
        self.missed: list[Cell] = []

    def hit(self, cells: Iterable[Cell]) -> None:
        """Strikes each cell once."""
        for cell in cells:
            log.debug("next: %s in %s", cell.fault, cell.state)
            if self._after_rows:
                self._await_rows()
            done = next((done for _ in range(_TRIES) if (done := self._try(cell))), None)
            if done is None:
                self.missed.append(cell)
                log.info("missed: %s in %s", cell.fault, cell.state)
            else:
                self.strikes.append(done)

    def finish(self) -> Outcome:
        """Waits until every run has ended and is saved, then looks at everything."""
        for sender in self._senders:
            sender.join()
        while self._owed:
            self._submit()
        with contextlib.suppress(AssertionError):  # What has not ended is accounted for, and what is not public.
            self._await_end()
            self._withdraw_one()
            self._await_end()
            until(self._site.released, what="all is public that is to be", within=PATIENCE * self._patience)
        self._notes.take()
        return Outcome(tuple(self.strikes), tuple(self.missed), account(self._site, self._notes))

    def _await_end(self) -> None:
        until(self._all_ended, what="every run has ended and is saved", within=2 * PATIENCE * self._patience)

    def _withdraw_one(self) -> None:
        """Withdraws a submission that is public by then, if there is one."""
        until(self._site.released, what="all is public that is to be", within=PATIENCE * self._patience)
        views = self._site.ledger.views(sorted(self._site.ledger.newest(_EVERYTHING)))
        published = [view.submission.id for view in views if view.state is State.PUBLISHED]
        if published:
            withdrawn = self._chance.choice(published)
            service = SubmissionService(self._site.settings, self._site.redis)
            service.withdraw(withdrawn, _MAINTAINER, "The campaign is over.")
            self._notes.withdrawn.add(withdrawn)

    def _try(self, cell: Cell) -> Strike | None:
        """Strikes once if a run can be had in the state, and somebody to be hit; None if not."""
        held: set[int] = set()
        try:
            self._keep_company()
            older = self._site.copy_redis() if cell.fault is Fault.REDIS_OLDER else None
            run_id = self._reach(cell, Moments(self._site, self._chance, held))
            return self._strike(cell, run_id, held, older) if run_id else None
        except (RedisError, RapportError, KeyError) as error:
            log.info("%s in %s is tried again: %s", cell.fault, cell.state, type(error).__name__)
            time.sleep(0.1)
            return None
        finally:
            for pid in held:
                send(pid, signal.SIGCONT)

    def _reach(self, cell: Cell, moments: Moments) -> str | None:
        """Returns a run that is in a state, and has come to be in it just now if the state is a short one."""
        site, state = self._site, cell.state
        if cell.fault is Fault.APP_KILLED:
            until(site.page_answers, what="the page answers", within=PATIENCE)
        if state is State.CHECKING:
            self._await_target(cell.fault)
            freeze(reaper := site.role("reaper").pid)
            moments.held.add(reaper)
            if cell.fault is not Fault.APP_KILLED:
                return self._run_of(site.submit(self._name(), self._person(), interrupted=True))
            self._post()
        if state is State.FAILED:
            site.submit_broken(self._name(), self._new_person())
        if state is State.CANCELLED:
            return self._cancelled()
        return moments.wait(state, _STATE_SECONDS * self._patience, self._keep_company)

    def _strike(self, cell: Cell, run_id: str, held: set[int], older: Path | None) -> Strike | None:
        """Strikes as soon as there is somebody to be hit, while the run is in the state."""
        seconds = _TARGET_SECONDS * self._patience
        if cell.state is State.CHECKING:
            seconds = _CHECKING_SECONDS  # Nobody is invited meanwhile, so whoever is gone does not come back.
        deadline = time.monotonic() + seconds
        if cell.fault is Fault.APP_KILLED and cell.state is not State.CHECKING:
            self._post()
        if cell.state in LASTING:
            time.sleep(self._chance.random() * _LONGEST_WAIT)
        while time.monotonic() < deadline and self._site.ledger.state(run_id) is cell.state:
            done = has_target(self._site, cell.fault) and strike(
                self._site, cell.fault, run_id, cell.state, self._chance, held, older, before=self._notes.take
            )
            if done and cell.fault in LOSES_MEMORY:
                self._notes.memory_lost()
            if done:
                return done
            self._keep_company()
            time.sleep(0.05)
        return None

    def _await_target(self, fault: Fault) -> None:
        """Waits a while for somebody who can be hit."""
        deadline = time.monotonic() + _TARGET_SECONDS * self._patience
        while not has_target(self._site, fault) and time.monotonic() < deadline:
            self._keep_company()
            time.sleep(0.05)

    def _await_rows(self) -> None:
        """Waits until rows are handed over; what hinders that is part of the campaign."""
        before = self._handed_over()
        deadline = time.monotonic() + PATIENCE * self._patience
        while not any(rows > before.get(run_id, 0) for run_id, rows in self._handed_over().items()):
            if time.monotonic() > deadline:
                log.info("no rows were handed over for long")
                return
            with contextlib.suppress(RedisError, RapportError, KeyError):
                self._keep_company()
            time.sleep(0.2)

    def _handed_over(self) -> dict[str, int]:
        """Returns how many rows of each open run were handed over; nothing while Redis is away."""
        with contextlib.suppress(RedisError, RapportError, KeyError):
            ledger = self._site.ledger
            found = {run_id: ledger.progress(run_id) for run_id in ledger.open_runs()}
            return {run_id: progress.generations + progress.verdicts for run_id, progress in found.items()}
        return {}

    def _cancelled(self) -> str | None:
        """Cancels an open run and returns it."""
        open_runs = self._site.ledger.open_runs()
        if not open_runs:
            return None
        run_id = self._chance.choice(open_runs)
        SubmissionService(self._site.settings, self._site.redis).cancel(run_id.rpartition(".")[0], _MAINTAINER)
        return run_id

    def _keep_company(self) -> None:
        """Submits until enough runs have something left to generate: what is judged keeps nobody busy."""
        ledger = self._site.ledger
        while sum(ledger.state(run_id) in _BUSY for run_id in ledger.open_runs()) < self._company:
            self._submit()

    def _submit(self) -> None:
        """Submits a model of its own by one of a few people, as often as it takes."""
        name = self._owed.pop() if self._owed else self._name()
        person = self._person()
        _until_it_works(lambda: self._site.submit(name, person))

    def _post(self) -> None:
        """Submits through the app, in the background; whoever gets no answer will try again."""
        name = self._name()
        sender = threading.Thread(target=self._site.post, args=(name,))
        self._senders.append(sender)
        self._owed.append(name)
        sender.start()

    def _run_of(self, submission_id: str) -> str:
        return f"{submission_id}.{self._site.settings.protocols[0]}"

    def _name(self) -> str:
        self._number += 1
        return f"m{self._number:04d}"

    def _person(self) -> str:
        return self._chance.choice(_PEOPLE)

    def _new_person(self) -> str:
        """Somebody who has nothing under way, and is served next."""
        return f"newcomer-{self._number}"

    def _all_ended(self) -> bool:
        try:
            ledger = self._site.ledger
            return self._notes.sound() and not (ledger.open_runs() or ledger.unsaved() or ledger.active())
        except RedisError:
            return False


def _until_it_works(act: Callable[[], str]) -> None:
    """Does what a submitter does while the site is down: tries again."""

    def tried() -> bool:
        try:
            act()
        except (RapportError, RedisError) as error:
            log.info("submitting: %s", error)
            time.sleep(0.1)
            return False
        return True

    until(tried, what="the submission is accepted", within=PATIENCE)
