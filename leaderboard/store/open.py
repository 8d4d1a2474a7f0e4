"""Opens the stores that the settings name; nobody else needs to know which ones they are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from evaluator.errors import Cause, RapportError
from leaderboard.settings import Settings
from leaderboard.store.base import Store
from leaderboard.store.hashes import sha256
from leaderboard.store.local import LocalStore

ON_THE_HUB = "hub://"
"""What the name of a store on the Hub begins with."""

LONGEST_NAME = 96
"""Longest name of a data set on the Hub, in characters, without its owner."""


class Stores(NamedTuple):
    """The three data sets of one site."""

    archive: Store
    """Everything, and the truth; private."""
    results: Store
    """What everyone may read of results; a pure function of the archive."""
    requests: Store
    """What everyone may read of submissions; a pure function of the archive."""


class Names(NamedTuple):
    """The names of the same three."""

    archive: str
    results: str
    requests: str


def open_stores(settings: Settings) -> Stores:
    """Returns the three stores; on the Hub with the token of HF_TOKEN, without one for reading only.

    Opening a store on the Hub asks the Hub nothing, so a process starts while the Hub is down.

    Raises:
        StoreForbidden: If HF_TOKEN cannot be a token.
        StoreError: If a folder cannot be used.
        RapportError: `infrastructure` if the Hub could have no data sets of these names.

    Example:
        >>> open_stores(Settings(store="hub://org/rapport")).results.place  # doctest: +SKIP
        'hub://org/rapport-results'
    """
    if settings.store:
        return Stores(*(_on_the_hub(name, settings.data / "hub") for name in repositories(settings.store)))
    return Stores(*map(LocalStore, folders(settings)))


def open_store(settings: Settings) -> Store:
    """Returns the archive alone; see `open_stores`."""
    if settings.store:
        return _on_the_hub(repositories(settings.store).archive, settings.data / "hub")
    return LocalStore(settings.store_folder)


def repositories(stem: str) -> Names:
    """Returns the ids of the data sets that a stem `hub://owner/name` stands for.

    Raises:
        RapportError: `infrastructure` if the Hub could have none of that name.

    Example:
        >>> repositories("hub://org/rapport")
        Names(archive='org/rapport-archive', results='org/rapport-results', requests='org/rapport-requests')
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    base = stem.removeprefix(ON_THE_HUB)
    names = Names(*(f"{base}-{data_set}" for data_set in Names._fields))
    try:
        if base.count("/") != 1:
            raise HFValidationError("it is not of the form owner/name")
        for name in names:
            validate_repo_id(name)
    except HFValidationError as error:
        ending = max(len(data_set) + 1 for data_set in Names._fields)
        raise RapportError(
            Cause.INFRASTRUCTURE,
            f"The Hub can have no data sets by the name {base[:200]!r}.",
            f"Name hub://owner/name with a name of at most {LONGEST_NAME - ending} letters, digits and single . _ -, "
            "for -archive, -results and -requests are put behind it.",
        ) from error
    return names


def folders(settings: Settings) -> tuple[Path, Path, Path]:
    """Returns the folders of archive, results and requests on this machine."""
    return settings.store_folder, settings.results_folder, settings.requests_folder


def names_of(settings: Settings) -> Names:
    """Returns what the three stores are called where others may read it: folders without the way to them.

    Example:
        >>> names_of(Settings(store="hub://org/rapport")).archive, names_of(Settings(data=Path("/srv/data"))).archive
        ('hub://org/rapport-archive', 'data/store (96b53e47)')
    """
    if settings.store:
        return Names(*(ON_THE_HUB + name for name in repositories(settings.store)))
    place = settings.data.resolve()
    mark = sha256(str(place).encode())[:8]
    return Names(*(f"{place.name}/{folder.name} ({mark})" for folder in folders(settings)))


def settings_at(settings: Settings, place: str) -> Settings:
    """Returns settings for the stores at another place: `hub://owner/name`, or a folder laid out as RAPPORT_DATA is.

    Example:
        >>> settings_at(Settings(store="hub://org/rapport"), "/mnt/backup").store_folder.as_posix()
        '/mnt/backup/store'
    """
    if place.startswith(ON_THE_HUB):
        return settings.model_copy(update={"store": place})
    return settings.model_copy(update={"store": "", "data": Path(place)})


def open_results(settings: Settings, place: str | None) -> Store:
    """Opens public results to be read; to open a folder that is none would make it one.

    Args:
        settings: Those of this process.
        place: As of `settings_at`; the settings' own place if None.

    Raises:
        RapportError: `not_found` if a folder holds no results; as of `settings_at` and `open_stores`.
    """
    there = settings if place is None else settings_at(settings, place)
    if there.store:
        return open_stores(there).results
    if not (there.results_folder / ".rapport-store").is_dir():
        raise RapportError(
            Cause.NOT_FOUND,
            f"There are no public results at {there.results_folder}.",
            f"Name hub://owner/name, or the folder that holds `{there.results_folder.name}`, with --store.",
        )
    return LocalStore(there.results_folder)


def check_archive_private(archive: Store) -> None:
    """Returns if nobody but its owners may read the archive; one in a folder is as private as the folder.

    Raises:
        RapportError: `infrastructure` if everyone may.
        StoreError: If the Hub does not tell.
    """
    if isinstance(archive, LocalStore):
        return
    from leaderboard.store.hub import HubStore

    if not isinstance(archive, HubStore):
        raise TypeError(f"who may read a {type(archive).__name__} cannot be told; ask about the store itself")
    if not archive.is_private():
        raise RapportError(
            Cause.INFRASTRUCTURE,
            f"The archive {archive.place} is PUBLIC: everyone may read questions, gold answers and what was never "
            "consented to be shown.",
            "Make the data set private in its settings on the Hub at once, and tell those whose data it holds; nothing "
            "is written to it until then.",
        )


def _on_the_hub(repo_id: str, copies: Path) -> Store:
    from leaderboard.store.hub import HubStore

    # Whoever pastes a token into a file or a form brings a line break along.
    token = os.environ.get("HF_TOKEN", "").strip()
    return HubStore(repo_id, copies / repo_id, token or None)
