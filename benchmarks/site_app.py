"""The real app on a generated site, without Redis or with one: `python -m benchmarks.site_app FOLDER [--redis]`.

Whoever visits is the marked local user, a maintainer, so that every page is there; with `--maintainer NAME` people log
in as on a Space, whose environment has to be there. With Redis the ledger is restored from the archive of the site;
nothing works on what waits in it.
"""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path

from redis import Redis

from benchmarks.site_cards import PROTOCOL, human_protocols
from leaderboard.connection import web_client
from leaderboard.memory import uncollected
from leaderboard.people import LOCAL_USER
from leaderboard.serving import serve
from leaderboard.settings import Settings
from leaderboard.store.open import open_stores
from leaderboard.submissions import journal, keys
from tests.private_redis import own_redis

OWN = "own"
"""Stands for a Redis that is started here and ends with the app."""


def site_settings(folder: Path, **changes: object) -> Settings:
    """Returns how a generated site is served: all of its protocols, and everyone is a maintainer."""
    values: dict[str, object] = {
        "data": folder,
        "protocols": (*PROTOCOL.values(), *human_protocols()),
        "allow_local_user": True,
        "maintainers": (LOCAL_USER,),
    }
    return Settings.model_validate(values | changes)


def restore(url: str, settings: Settings) -> None:
    """Puts what the archive knows of submissions into an empty Redis, and opens the ledger as a publisher does."""
    with Redis.from_url(url) as redis:
        journal.restore(redis, open_stores(settings).archive)
        redis.set(keys.EPOCH, "generated:0")


def main() -> None:
    """Serves a site that `benchmarks.site_store` wrote until told to stop."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=7860)
    parser.add_argument(
        "--redis", nargs="?", const=OWN, default="", metavar="URL", help="without an address, one of its own"
    )
    parser.add_argument("--maintainer", default=LOCAL_USER, metavar="NAME", help="where people log in: who maintains")
    options = parser.parse_args()
    local = options.maintainer == LOCAL_USER
    settings = site_settings(
        options.folder, port=options.port, allow_local_user=local, maintainers=(options.maintainer,)
    )
    with own_redis() if options.redis == OWN else contextlib.nullcontext(options.redis) as url:
        if url:
            restore(url, settings)
        with uncollected():
            from leaderboard.web import create_app  # As `app.py` does.
        redis = web_client(url) if url else None
        serve(create_app(settings, redis), host="127.0.0.1", port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
