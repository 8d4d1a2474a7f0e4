"""Entry point of the Space, and of a machine of one's own: `python app.py`.

On a Space, or where RAPPORT_REDIS_URL is set, it serves the page alone. Elsewhere it brings a private Redis, a worker
and a publisher along, as `rapport demo` does.
"""

from __future__ import annotations

import sys

from evaluator.errors import RapportError
from evaluator.logs import set_up_logging
from leaderboard.connection import web_client
from leaderboard.processes import keep_memory_private
from leaderboard.settings import Settings
from leaderboard.web import create_app, serve


def main() -> None:
    """Serves the page until told to stop."""
    keep_memory_private()
    set_up_logging()
    settings = Settings()
    if not (settings.on_space or settings.redis_url):
        from leaderboard.cli import demo

        demo.serve(settings.data, demo.MODEL, settings.port)
        return
    redis = web_client(settings.redis_url) if settings.redis_url else None
    host = "0.0.0.0" if settings.on_space else settings.host  # noqa: S104 - a Space is reached from outside.
    serve(create_app(settings, redis), host=host, port=settings.port, log_level="info")


if __name__ == "__main__":
    try:
        main()
    except RapportError as error:
        sys.exit(f"rapport: {error.cause}: {error}")
