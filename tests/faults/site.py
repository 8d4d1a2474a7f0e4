"""A whole site of real processes on this machine, for doing it harm: Redis, app, workers, reaper, publisher, store."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import httpx

from evaluator.engines.deterministic import SPEED_FILE, Speed
from evaluator.judges.spec import load_judge
from evaluator.models import LOCAL
from leaderboard.connection import connect
from leaderboard.people import Person
from leaderboard.settings import Settings
from leaderboard.store.hub import HubStore
from leaderboard.store.hub_budget import Bucket, Budget
from leaderboard.store.open import ON_THE_HUB, Stores, open_stores, repositories
from leaderboard.submissions import keys
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.service import SubmissionService
from tests.builders import make_declaration
from tests.e2e.site import free_port
from tests.faults.clocks import Clock, library
from tests.faults.public import all_is_public
from tests.faults.roles import Keeper, Role
from tests.hub_server import Account, LocalHub
from tests.model_folders import make_model_folder
from tests.private_redis import redis_answers, redis_command
from tests.rescoring.other_judge import OTHER, write_judge
from tests.small_disk import small_disk
from tests.variables import as_variable
from tests.waiting import until

LEASE_SECONDS = 3.0
PATIENCE = 240.0
DISK = "700m"
"""More than the service wants to see free."""
_RESERVE_BYTES = 4 * 2**20
_TOKEN = "hf_publisherThatMustNeverBeSeenAnywhere"
_STEM = f"{ON_THE_HUB}org/rapport"
_SPEED = Speed(load_seconds=0.1, seconds_per_answer=0.03)

MakeModel = Callable[[Path, str], object]


def boundless() -> Budget:
    """Lets everything through: an hour's commits would be spent within a minute."""
    return Budget(Bucket(1e9, 1.0), Bucket(1e9, 1.0))


def make_quick_model(models: Path, name: str) -> None:
    """Writes a model for the deterministic engine."""
    folder = make_model_folder(models, name)
    (folder / SPEED_FILE).write_text(_SPEED.model_dump_json())
    (folder / "README.md").write_text(f"---\nlicense: apache-2.0\n---\n{name}\n")


class Plan(NamedTuple):
    """What a site is made of."""

    protocols: tuple[str, ...] = ("demo-v1",)
    workers: int = 2
    engine: str = "deterministic"
    make_model: MakeModel = make_quick_model
    app: bool = False
    other_judge: bool = False
    """Whether there is a judge that judges nothing of itself."""
    hub: LocalHub | None = None
    """Holds the stores; None keeps them in folders."""


USUAL = Plan()
"""Two workers, the deterministic engine, stores in folders."""
BOTH_SUITES = ("demo-v1", "human-uplift-demo-v1")
"""Of the human-grounded tasks one in which a model writes, rules look, and a judge reads."""


class _Interrupted(SubmissionService):
    """The service of an app that dies right after it has entered a submission."""

    def queue_new(self, submission_id: str, person: Person) -> None:
        """Does not come to it."""


class Site:
    """The processes of a site, and a hand in each of its drawers."""

    def __init__(self, folder: Path, plan: Plan, *, small: bool) -> None:
        self.folder, self.plan, self.small = folder, plan, small
        self.settings = Settings(
            redis_url=f"unix://{folder / 'r.sock'}",
            data=folder / "data",
            models=folder / "models",
            packs=folder / "packs",
            judges=write_judge(folder / "judges") if plan.other_judge else None,
            protocols=plan.protocols,
            engine=plan.engine,
            store=_STEM if plan.hub else "",
            lease_seconds=LEASE_SECONDS,
            journal_seconds=1.0,
            quota_per_user=10**6,
            quota_all=10**6,
            allow_local_user=True,
            port=free_port(),
            proxies=1,
        )
        for name in ("logs", "data/redis"):
            (folder / name).mkdir()
        self.clock = Clock(folder / "clock") if library() else None
        self.make_reserve()
        self.keeper = Keeper()
        self.add_model(load_judge("demo").model.removeprefix(LOCAL))
        if plan.other_judge:
            self.add_model(OTHER)

    def start(self) -> None:
        """Starts all roles and waits until submissions are accepted."""
        plan = self.plan
        socket = self.folder / "r.sock"
        more = self.clock.environment() if self.clock else {}
        self._start("redis", *redis_command(socket, self.redis_folder), more=more)
        until(lambda: redis_answers(socket), what="Redis answers", within=PATIENCE)
        self.redis = connect(self.settings.redis_url)
        self.ledger = Ledger(self.redis)
        self.stores = self._open_stores()
        self.store = self.stores.archive
        publisher = ["tests.faults.publish"] if plan.hub else ["worker", "publish"]
        self._start("publisher", sys.executable, "-m", *publisher)
        self._start("reaper", sys.executable, "-m", "worker", "reap")
        self.workers = [
            self._start(f"worker-{number}", sys.executable, "-m", "worker", "work") for number in range(plan.workers)
        ]
        if plan.app:
            self._start("app", sys.executable, "app.py")
            until(self.page_answers, what="the page answers", within=PATIENCE)
        until(lambda: self.redis.exists(keys.EPOCH), what="the publisher has set its mark", within=PATIENCE)

    def _open_stores(self) -> Stores:
        if (hub := self.plan.hub) is None:
            return open_stores(self.settings)
        hub.tokens[_TOKEN] = Account("publisher", ("org",), "write")
        stores = {
            data_set: HubStore(
                name, self.folder / "copy" / name, _TOKEN, endpoint=hub.url, fresh_seconds=0, budget=boundless()
            )
            for data_set, name in repositories(_STEM)._asdict().items()
        }
        for data_set, store in stores.items():
            store.create(private=data_set == "archive")
        return Stores(**stores)

    def released(self) -> bool:
        """Whether all that the archive holds was released."""
        return all_is_public(self.settings, self.stores)

    def add_model(self, name: str) -> str:
        """Puts a model of its own into the folder of models unless it is there; returns its name."""
        if not (self.settings.models / name).exists():
            self.plan.make_model(self.settings.models, name)
        return LOCAL + name

    def submit(self, name: str, submitter: str = "alice", *, interrupted: bool = False, thinking: bool = False) -> str:
        """Submits a model in this process; returns the submission's id.

        Args:
            name: The model.
            submitter: Who submits it.
            interrupted: Whether the app is gone before the submission is queued.
            thinking: Whether it is declared to think before it answers.
        """
        kind, declared = _Interrupted if interrupted else SubmissionService, make_declaration(thinking=thinking)
        view = kind(self.settings, self.redis).submit(self.add_model(name), None, declared, Person(submitter))
        return view.submission.id

    def submit_broken(self, name: str, submitter: str) -> None:
        """Submits a model that no engine loads."""
        self.add_model(name)
        (self.settings.models / name / SPEED_FILE).write_text("{")
        self.submit(name, submitter)

    def post(self, name: str) -> None:
        """Submits a model through the app, as a browser does; whoever is killed meanwhile does not answer."""
        form = [self.add_model(name), "", "", "", "none", "", "unknown", False, True]
        sender = zlib.crc32(name.encode()) % 60_000
        address = f"198.18.{sender // 250}.{sender % 250 + 1}"
        with contextlib.suppress(httpx.TransportError):
            httpx.post(
                f"{self.url}/gradio_api/call/submit",
                json={"data": form},
                headers={"X-Forwarded-For": address},
                timeout=20,
            )

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.settings.port}"

    def page_answers(self) -> bool:
        """Whether the app serves people."""
        try:
            return httpx.get(f"{self.url}/queue", timeout=20).status_code == 200
        except httpx.TransportError:
            return False

    def role(self, name: str) -> Role:
        """Returns a role by its name."""
        return self.keeper.roles[name]

    def roots(self) -> list[int]:
        """Returns the processes of all roles but Redis, the publisher first: the states it ends are the shortest."""
        names = sorted((name for name in self.keeper.roles if name != "redis"), key="publisher".__ne__)
        return [self.role(name).pid for name in names]

    def make_reserve(self) -> None:
        """Takes up some disk that may be given up when it is full."""
        self.settings.reserve.write_bytes(bytes(_RESERVE_BYTES))

    @property
    def redis_folder(self) -> Path:
        """Where Redis keeps its append-only file."""
        return self.settings.data / "redis"

    def copy_redis(self) -> Path:
        """Copies the append-only file as it is now; returns the copy."""
        copy = self.folder / "older"
        shutil.rmtree(copy, ignore_errors=True)
        return Path(shutil.copytree(self.redis_folder, copy))

    def _start(self, name: str, *command: str, more: Mapping[str, str] | None = None) -> Role:
        environment = {**self._environment(), **(more or {})}
        role = Role(name, command, environment, self.folder / "logs" / f"{name}.log")
        return self.keeper.add(role)

    def _environment(self) -> Mapping[str, str]:
        told = self.settings.model_dump(mode="json", exclude_defaults=True)
        ours = {f"RAPPORT_{name.upper()}": as_variable(value) for name, value in told.items()}
        if hub := self.plan.hub:
            ours |= {"HF_ENDPOINT": hub.url, "HF_TOKEN": _TOKEN, "HF_HUB_DISABLE_XET": "1"}
        return {**os.environ, **ours}

    def end(self) -> None:
        """Kills everything."""
        self.keeper.end()


@contextlib.contextmanager
def running_site(folder: Path, plan: Plan = USUAL) -> Iterator[Site]:
    """Runs a site and leaves no process of it behind."""
    (folder / "data").mkdir(parents=True)
    with small_disk(folder / "data", DISK) as small:
        site = Site(folder, plan, small=small)
        try:
            site.start()
            yield site
        finally:
            site.end()
