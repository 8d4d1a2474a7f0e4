"""Entry point of the Space, and of a machine of one's own: `python app.py`.

On a Space, or where RAPPORT_REDIS_URL is set, it serves the page alone; a Space that is not set up says what is
missing. Elsewhere it brings a private Redis, a worker and a publisher along, as `rapport demo` does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from evaluator.errors import RapportError
from evaluator.logs import set_up_logging
from leaderboard.connection import web_client
from leaderboard.memory import uncollected
from leaderboard.missing import NO_REDIS, Missing, missing_on_space, read_settings
from leaderboard.pages.setup import setup_app
from leaderboard.processes import keep_memory_private
from leaderboard.serving import serve
from leaderboard.settings import Settings

_ANYWHERE = "0.0.0.0"  # noqa: S104 - A Space is reached from outside.


def main() -> None:
    """Serves the page until told to stop."""
    keep_memory_private()
    set_up_logging()
    settings, faults = read_settings()
    if settings is None:
        _say_what_is_missing(faults)
        return
    if not (settings.on_space or settings.redis_url):
        from leaderboard.cli import demo

        demo.serve(settings.data, demo.MODEL, settings.port)
        return
    if missing := missing_on_space(settings):
        _say_what_is_missing(missing, settings)
        return
    with uncollected():
        from leaderboard.web import create_app  # Gradio takes seconds to load; a Space that is not set up does without.

    redis = web_client(settings.redis_url) if settings.redis_url else None
    host = _ANYWHERE if settings.on_space else settings.host
    serve(create_app(settings, redis), host=host, port=settings.port, log_level="info")


def _say_what_is_missing(missing: Sequence[Missing], settings: Settings | None = None) -> None:
    """On a Space, serves a page that says what is missing: one that ended would be started again and again.

    Without settings that can be read, it listens where they would have had it, if that can be told.
    """
    if os.environ.get("SYSTEM") != "spaces":
        sys.exit("\n".join(f"rapport: {each.name}: {each.message} {each.remedy}" for each in missing))
    port = settings.port if settings else _port_named(os.environ.get("RAPPORT_PORT", ""))
    hints = () if settings and settings.redis_url else (NO_REDIS,)
    serve(setup_app(missing, hints, on_space=True), host=_ANYWHERE, port=port, log_level="info")


def _port_named(name: str) -> int:
    """Reads a port by itself; what is none gives the one where the Hub looks for a Space."""
    default: int = Settings.model_fields["port"].default
    return int(name) if name.isdecimal() and 0 < int(name) < 65536 else default


if __name__ == "__main__":
    try:
        main()
    except RapportError as error:
        sys.exit(f"rapport: {error.cause}: {error}")
