"""`rapport store ...`: what a maintainer does with the stores as a whole."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import Annotated

import typer

from evaluator.errors import Cause, RapportError
from leaderboard.cli import upkeep
from leaderboard.settings import Settings
from leaderboard.store.base import Store
from leaderboard.store.copying import Progress, check_copy, copy_store
from leaderboard.store.local import LocalStore
from leaderboard.store.open import (
    ON_THE_HUB,
    Stores,
    check_archive_private,
    folders,
    names_of,
    open_stores,
    settings_at,
)

app = typer.Typer(no_args_is_help=True, help="The stores that RAPPORT_STORE names.")
upkeep.add_to(app)

_FIRST_LINE_SECONDS = 1.0
_LINE_SECONDS = 5.0

Place = Annotated[str, typer.Argument(help="A folder laid out as RAPPORT_DATA is, or hub://owner/name.")]


@app.callback()
def _options() -> None:
    """Looks after the stores that RAPPORT_STORE names."""


@app.command()
def create(
    private: Annotated[bool, typer.Option(help="Hide all of them from everyone outside the owner.")] = False,
) -> None:
    """Makes the data sets of RAPPORT_STORE on the Hub that are not there; HF_TOKEN must be allowed to.

    The archive is private; results and requests are public. Whoever may see one that is there already is not changed.
    """
    settings = Settings()
    if not settings.store:
        raise RapportError(
            Cause.INFRASTRUCTURE,
            "RAPPORT_STORE names no data sets on the Hub.",
            "Set it to hub://owner/name; stores in folders are made by themselves.",
        )
    stores = open_stores(settings)
    for data_set, store in zip(Stores._fields, stores, strict=True):
        _create(store, private=private or data_set == "archive")
        if store is stores.archive:
            check_archive_private(store)


@app.command()
def backup(
    target: Place,
    replace: Annotated[bool, typer.Option(help="Overwrite whatever the target holds.")] = False,
) -> None:
    """Copies archive, results and requests to TARGET, or brings an earlier copy there up to date.

    The publisher must not be running. An interrupted backup goes on where it stopped when it is called again. Data
    sets on the Hub that are not there are made, all of them private.
    """
    settings = Settings()
    there = settings_at(settings, target)
    if there.store:
        for store in open_stores(there):
            _create(store, private=True)
    _copy_all(settings, there, replace=replace)


@app.command()
def restore(source: Place) -> None:
    """Fills the empty stores of RAPPORT_STORE from a backup at SOURCE.

    No publisher may be running on them. It refuses while they hold anything but an interrupted restore from there.
    """
    settings = Settings()
    _copy_all(settings_at(settings, source), settings, replace=False)


def _create(store: Store, *, private: bool) -> None:
    """Makes a data set unless it is there, and tells which it was and who may see it."""
    from leaderboard.store.hub import HubStore

    assert isinstance(store, HubStore)
    made = store.create(private=private)
    hidden = store.is_private()
    print(f"{store.place}: {'made' if made else 'was there'}, {'private' if hidden else 'public'}")
    if hidden != private:
        wanted = "private" if private else "public"
        print(
            f"{store.place} is NOT {wanted}, and stays as it is: change it in its settings on the Hub.",
            file=sys.stderr,
        )


def _copy_all(from_: Settings, to: Settings, *, replace: bool) -> None:
    """Copies all that the source has, after a look at every target."""
    names = names_of(from_)
    if names == names_of(to):
        raise RapportError(Cause.INFRASTRUCTURE, "Source and target are the same.", "Choose another place.")
    sources, targets = _sources(from_), open_stores(to)
    check_archive_private(targets.archive)
    chosen = [
        (data_set, sources[data_set], target, name)
        for data_set, target, name in zip(Stores._fields, targets, names, strict=True)
        if data_set in sources
    ]
    if not replace:
        for _, source, target, name in chosen:
            check_copy(source, target, name)
    print("The publisher of neither may be running meanwhile.", file=sys.stderr)
    for data_set, source, target, name in chosen:
        copied = copy_store(source, target, name, replace=replace, tell=_teller(data_set))
        print(
            f"{data_set}: {copied.files} files, {copied.written} of them sent ({_megabytes(copied.sent)}), "
            f"{copied.deleted} deleted; all hashes compared"
        )


def _sources(settings: Settings) -> dict[str, Store]:
    """Opens the stores that there are: to open one in a folder that is not there would make it.

    Raises:
        RapportError: `not_found` if there is no archive; the others can be made again from it.
    """
    if settings.store:
        return open_stores(settings)._asdict()
    there: dict[str, Store] = {
        data_set: LocalStore(folder)
        for data_set, folder in zip(Stores._fields, folders(settings), strict=True)
        if (folder / ".rapport-store").is_dir()
    }
    if "archive" not in there:
        raise RapportError(
            Cause.NOT_FOUND,
            f"There is no archive at {settings.store_folder}.",
            f"Name the folder that holds `{settings.store_folder.name}`, or {ON_THE_HUB}owner/name.",
        )
    return there


def _teller(data_set: str, clock: Callable[[], float] = time.monotonic) -> Callable[[Progress], None]:
    """Returns what prints a line now and then, the first one after a second."""
    next_line = clock() + _FIRST_LINE_SECONDS

    def tell(progress: Progress) -> None:
        nonlocal next_line
        if clock() < next_line and progress.waits < _FIRST_LINE_SECONDS:
            return
        next_line = clock() + _LINE_SECONDS
        print("; ".join(_said(data_set, progress)), file=sys.stderr, flush=True)

    return tell


def _said(data_set: str, progress: Progress) -> Iterator[str]:
    yield f"{data_set}: {progress.looked_at} of {progress.files} files, {_megabytes(progress.sent)} sent"
    if progress.waits >= _FIRST_LINE_SECONDS:
        yield f"the Hub takes nothing for the next {progress.waits:.0f} seconds"


def _megabytes(size: int) -> str:
    """Returns a number of bytes in words.

    Example:
        >>> _megabytes(1_234_567)
        '1.2 MB'
    """
    return f"{size / 1e6:.1f} MB"
