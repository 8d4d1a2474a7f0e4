"""The whole service on this machine: Redis, app, publisher, reaper, a worker, and a Hub, each its own process."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx
import psutil
from redis import Redis

from benchmarks.load_history import write_history
from benchmarks.load_hub import ADDRESS
from evaluator.judges.spec import load_judge
from evaluator.models import LOCAL
from leaderboard.settings import Settings
from leaderboard.store.open import open_stores
from leaderboard.submissions.ledger import Ledger
from tests.e2e.site import free_port
from tests.faults.public import all_is_public
from tests.model_folders import make_model_folder
from tests.private_redis import redis_answers, redis_command
from tests.variables import as_variable
from tests.waiting import until

PATIENCE = 300.0
_QUOTA = 10**6
"""So high that none is ever refused for it: five a week would be the default."""
_LAST_WORDS = 4000
"""Characters of a log that are shown where something went wrong."""
_NOT_OURS = ("RAPPORT_", "OAUTH_", "HF_", "OPENID_")


class LoadSite:
    """The service, and where to look into it."""

    def __init__(self, folder: Path) -> None:
        """Lies in an empty folder; nothing runs yet."""
        self.folder, self.times = folder, folder / "times"
        self._processes: dict[str, psutil.Popen] = {}
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.settings = Settings(
            redis_url=f"unix://{folder / 'r.sock'}",
            data=folder / "data",
            models=folder / "models",
            packs=folder / "packs",
            protocols=("demo-v1",),
            engine="deterministic",
            port=port,
            proxies=1,
            quota_per_user=_QUOTA,
            quota_all=_QUOTA,
        )
        for name in ("logs", "redis", "hub", "data"):
            (folder / name).mkdir()
        self.stores = open_stores(self.settings)
        self.redis = Redis(unix_socket_path=str(folder / "r.sock"))
        self.ledger = Ledger(self.redis)

    def start(self, provider: str, models: int, history: int) -> None:
        """Starts everything and waits until it is open.

        Args:
            provider: Address of the OpenID provider.
            models: How many repositories stand on the Hub.
            history: How many submissions the archive holds, all of which have ended and are public.
        """
        folder = self.folder
        make_model_folder(self.settings.models, load_judge("demo").model.removeprefix(LOCAL))
        write_history(self.stores.archive, history)
        self._start("hub", {}, sys.executable, "-m", "benchmarks.load_hub", str(folder / "hub"), str(models))
        self._start("redis", {}, *redis_command(folder / "r.sock", folder / "redis"))
        self._wait(lambda: redis_answers(folder / "r.sock"), "Redis answers")
        self._wait((folder / "hub" / ADDRESS).exists, "the Hub answers")
        hub = {"HF_ENDPOINT": (folder / "hub" / ADDRESS).read_text(), "HF_HOME": str(folder / "home")}
        self._start("publisher", hub, sys.executable, "-m", "worker", "publish")
        self._start("reaper", hub, sys.executable, "-m", "worker", "reap")
        self._start("worker", hub, sys.executable, "-m", "worker", "work")
        self._start("app", hub | _space(provider), sys.executable, "-m", "benchmarks.load_app", str(self.times))
        self._wait(self.ledger.is_open, "the publisher has entered what the archive holds")
        self._wait(lambda: all_is_public(self.settings, self.stores), "all of it is public")
        self._wait(self._page_answers, "the page answers")

    def cpu_seconds(self) -> dict[str, float]:
        """Returns the processor time that each role has taken so far, with what it started and has ended."""
        found = {}
        for name, process in self._processes.items():
            used = process.cpu_times()
            family = process.children(recursive=True)
            found[name] = sum(used[:4]) + sum(sum(child.cpu_times()[:2]) for child in _alive(family))
        return found

    def dead(self) -> list[str]:
        """Returns the roles that have ended by themselves."""
        return [name for name, process in self._processes.items() if process.poll() is not None]

    def settle(self) -> None:
        """Stops those who make news, the app in order, so that its times are told, and waits until all is saved."""
        self._processes["app"].send_signal(signal.SIGINT)
        self._processes["app"].wait(PATIENCE)
        for name in ("app", "worker", "reaper"):
            _kill(self._processes.pop(name))
        self._wait(lambda: not self.ledger.unsaved(), "everything is saved")
        self._wait(lambda: all_is_public(self.settings, self.stores), "all of it is public")

    def last_words(self) -> str:
        """Returns the end of each role's log."""
        logs = sorted((self.folder / "logs").iterdir())
        return "\n".join(f"--- {log.name}\n{log.read_text(errors='replace')[-_LAST_WORDS:]}" for log in logs)

    def end(self) -> None:
        """Kills everything that still runs."""
        for process in reversed(self._processes.values()):
            _kill(process)

    def _start(self, name: str, more: Mapping[str, str], *command: str) -> None:
        """Starts a role in a process group of its own, tied to the life of this process."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(_NOT_OURS)}
        told = self.settings.model_dump(mode="json", exclude_defaults=True)
        ours = {f"RAPPORT_{key.upper()}": as_variable(value) for key, value in told.items()}
        with (self.folder / "logs" / name).open("wb") as log:
            self._processes[name] = psutil.Popen(
                [sys.executable, "-m", "leaderboard.processes", str(os.getpid()), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**kept, **ours, **more},
                start_new_session=True,
            )

    def _wait(self, holds: Callable[[], object], what: str) -> None:
        """Waits until something holds, as long as all roles live."""

        def looks() -> bool:
            if dead := self.dead():
                raise RuntimeError(f"{dead} ended before {what}")
            return bool(holds())

        until(looks, what=what, within=PATIENCE)

    def _page_answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/queue", timeout=30).status_code == 200
        except httpx.TransportError:
            return False


def _space(provider: str) -> dict[str, str]:
    """Returns the environment of a Space on which people log in with a provider."""
    return {
        "SYSTEM": "spaces",
        "SPACE_ID": "org/rapport",
        "OAUTH_CLIENT_ID": "client",
        "OAUTH_CLIENT_SECRET": "secret-of-the-space",
        "OAUTH_SCOPES": "openid profile",
        "OPENID_PROVIDER_URL": provider,
    }


def _alive(processes: list[psutil.Process]) -> Iterator[psutil.Process]:
    """Yields those that have not ended meanwhile."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.cpu_times()
            yield process


def _kill(process: psutil.Popen) -> None:
    """Ends a process with all that it started."""
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in process.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        process.kill()
    process.wait()


@contextlib.contextmanager
def running_site(folder: Path, provider: str, models: int, history: int) -> Iterator[LoadSite]:
    """Runs the service and leaves no process of it behind."""
    site = LoadSite(folder)
    try:
        site.start(provider, models, history)
        yield site
    except BaseException:
        sys.stderr.write(site.last_words())
        raise
    finally:
        site.end()
