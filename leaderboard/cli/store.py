"""`rapport store ...`: what a maintainer does with the store as a whole."""

from __future__ import annotations

from typing import Annotated

import typer

from evaluator.errors import Cause, RapportError
from leaderboard.settings import Settings
from leaderboard.store.open import open_store

app = typer.Typer(no_args_is_help=True, help="The store that RAPPORT_STORE names.")


@app.callback()
def _options() -> None:
    """Looks after the store that RAPPORT_STORE names."""


@app.command()
def create(
    private: Annotated[bool, typer.Option(help="Hide it from everyone outside the owner's organisation.")] = False,
) -> None:
    """Makes the data set of RAPPORT_STORE on the Hub, unless there is one; HF_TOKEN must be allowed to."""
    from leaderboard.store.hub import HubStore

    settings = Settings()
    store = open_store(settings)
    if not isinstance(store, HubStore):
        raise RapportError(
            Cause.INFRASTRUCTURE,
            "RAPPORT_STORE names no data set on the Hub.",
            "Set it to hub://owner/name; a store in a folder is made by itself.",
        )
    store.create(private=private)
    print(f"{settings.store} {store.head()}")
