"""What tests let other processes do with a store on the Hub."""

from __future__ import annotations

import logging
from pathlib import Path

from leaderboard.store import StoreError, Write
from leaderboard.store.hub import HubStore
from tests.store.counting import count_up


def count_up_there(name: str, cache: Path, token: str, times: int) -> None:
    """See `count_up`."""
    count_up(HubStore(name, cache, token, fresh_seconds=0), times)


def write_own(name: str, cache: Path, token: str, folder: str, times: int) -> None:
    """Writes files that nobody else writes."""
    store = HubStore(name, cache, token, fresh_seconds=0)
    for number in range(times):
        store.commit([Write(f"{folder}/{number}", folder.encode())], "mine")


def fail_in_every_way(name: str, cache: Path, token: str) -> list[str]:
    """Returns all that the store says of its failures, with everything logged that can be."""
    logging.basicConfig(level=logging.DEBUG)
    logging.getLogger("huggingface_hub").setLevel(logging.DEBUG)
    said = []
    for each in (name, "org/none", f"org/{'x' * 200}"):
        store = HubStore(each, cache / each, token, timeout_seconds=0.5, pause=lambda _: None)
        for call in (store.head, store.history, lambda store=store: store.commit([Write("a", b"1")], "refused")):
            try:
                call()
            except StoreError as error:
                logging.exception("as a process would log it")
                said.append(f"{error} {error.remedy} {error!r} {error.args}")
    try:
        HubStore(name, cache / "broken", f"{token}\n")
    except StoreError as error:
        logging.exception("as a process would log it")
        said.append(f"{error} {error.remedy} {error!r} {error.args}")
    return said
