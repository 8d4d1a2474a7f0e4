"""`rapport doctor`: looks at everything that this machine's role needs, and says what is wrong and what helps.

Nothing is set up or repaired, and neither a secret nor an address is ever printed.
"""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError

from evaluator.errors import RapportError
from evaluator.hicupid.prompt_packs import stored_packs
from evaluator.hicupid.prompt_sources import load_sources
from evaluator.judges.spec import load_judge
from evaluator.protocol import load_protocol
from leaderboard.cli.findings import Finding, Mark
from leaderboard.cli.redis_findings import redis_findings
from leaderboard.pages.identity import check_login
from leaderboard.settings import Settings
from leaderboard.store.base import StoreError
from leaderboard.store.open import open_store

_GIB = 2**30
_LEAST_FREE_BYTES, _FREE_AT_EASE_BYTES = 200 * 2**20, 5 * _GIB


class Role(StrEnum):
    """What a machine does."""

    ALL = "all"
    WEB = "web"
    WORKER = "worker"
    PUBLISHER = "publisher"
    REAPER = "reaper"


def doctor(
    role: Annotated[Role, typer.Option(help="What this machine does; all of it if left out.")] = Role.ALL,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> NoReturn:
    """Looks for what is missing or set up wrongly; exit code 1 if something is broken."""
    findings = list(examine(role))
    broken = sum(finding.mark is Mark.BROKEN for finding in findings)
    if as_json:
        print(json.dumps({"broken": broken, "findings": [finding._asdict() for finding in findings]}, indent=2))
    else:
        for finding in findings:
            print(finding.line())
    raise typer.Exit(1 if broken else 0)


def examine(role: Role) -> Iterator[Finding]:
    """Yields one finding after the other, as each is made."""
    try:
        settings = Settings()
    except ValidationError as error:
        for fault in error.errors():
            name = "RAPPORT_" + "_".join(map(str, fault["loc"])).upper()
            yield Finding("settings", Mark.BROKEN, f"{name}: {fault['msg']}.", "Correct it; see docs/settings.md.")
        return
    except SettingsError:
        remedy = 'Write a list like ["one", "two"]; see docs/settings.md.'
        yield Finding("settings", Mark.BROKEN, "A setting that holds a list is no JSON.", remedy)
        return
    yield Finding("settings", Mark.FINE, "All settings can be read.")
    if role in (Role.ALL, Role.WEB):
        yield from _web(settings)
    yield from redis_findings(settings)
    if role in (Role.ALL, Role.WEB, Role.PUBLISHER):
        yield from _store(settings, writes=role is not Role.WEB)
    yield from _disk(settings)
    yield from _benchmark(settings)


def _web(settings: Settings) -> Iterator[Finding]:
    """How people log in, and who they are then."""
    if fault := _fault_of(lambda: check_login(settings)):
        yield fault.named("login")
    elif settings.can_log_in:
        yield Finding("login", Mark.FINE, "People log in with Hugging Face, scopes openid profile.")
    elif settings.on_space:
        yield Finding(
            "login",
            Mark.NOTE,
            "Nobody can log in: the form is closed.",
            "Write `hf_oauth: true` into the Space's card to open it.",
        )
    yield from _local_user(settings)
    if not settings.maintainers:
        remedy = "List your names on the Hub in RAPPORT_MAINTAINERS to moderate on the page."
        yield Finding("maintainers", Mark.NOTE, "Nobody is listed as a maintainer.", remedy)
    if settings.on_space and not (os.environ.get("SPACE_HOST") or settings.hosts):
        remedy = "Set RAPPORT_HOSTS to the names under which the page is reached."
        yield Finding("hosts", Mark.BROKEN, "The names of this Space are not known: no form can be sent.", remedy)


def _local_user(settings: Settings) -> Iterator[Finding]:
    """The development flag, which must not stand where strangers come."""
    if not settings.allow_local_user or settings.on_space:
        return
    message = "Development: every visitor is the same local user"
    if is_loopback(settings.host):
        yield Finding("local user", Mark.FINE, f"{message}; only this machine reaches the page.")
    else:
        remedy = "Take RAPPORT_ALLOW_LOCAL_USER out, unless you alone reach that port."
        yield Finding("local user", Mark.NOTE, f"{message}, and the page listens beyond this machine.", remedy)


def is_loopback(host: str) -> bool:
    """Says whether only this machine reaches a host.

    Example:
        >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0"), is_loopback("board.org")
        (True, True, False, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _store(settings: Settings, writes: bool) -> Iterator[Finding]:
    """Whether results can be read here, and written where they are to be."""
    if settings.store:
        yield from _store_on_the_hub(settings, writes)
        return
    folder = settings.store_folder
    there = folder if folder.exists() else settings.data if settings.data.exists() else settings.data.absolute().parent
    if not os.access(there, os.R_OK | os.X_OK):
        remedy = "Let the user of this process read RAPPORT_DATA."
        yield Finding("store", Mark.BROKEN, "The store's folder cannot be read.", remedy)
    elif writes and not os.access(there, os.W_OK):
        remedy = "Let the user of this process write RAPPORT_DATA: the publisher alone writes to the store."
        yield Finding("store", Mark.BROKEN, "The store's folder cannot be written.", remedy)
    elif not folder.exists():
        yield Finding("store", Mark.NOTE, "The store is empty; the publisher begins it with the first submission.")
    else:
        yield Finding("store", Mark.FINE, f"The store can be {'read and written' if writes else 'read'}.")


def _store_on_the_hub(settings: Settings, writes: bool) -> Iterator[Finding]:
    """Whether the data set of results answers, and whether there is a token where one is needed."""
    try:
        open_store(settings).head()
    except StoreError as error:
        yield Finding("store", Mark.BROKEN, f"The store cannot be read: {error}.", error.remedy)
        return
    if writes and not os.environ.get("HF_TOKEN", "").strip():
        remedy = "Give the publisher alone a token with write access to that repository."
        yield Finding("store", Mark.BROKEN, "There is no HF_TOKEN: nothing can be written to the store.", remedy)
    else:
        yield Finding("store", Mark.FINE, "The store on the Hub can be read.")


def _disk(settings: Settings) -> Iterator[Finding]:
    """Whether there is room for what is to come."""
    there = settings.data if settings.data.exists() else settings.data.absolute().parent
    try:
        free = shutil.disk_usage(there).free
    except OSError as error:
        remedy = "Set RAPPORT_DATA to a folder of this machine."
        yield Finding("disk", Mark.BROKEN, f"The data folder cannot be looked at ({error.strerror}).", remedy)
        return
    message = f"{free / _GIB:.1f} GiB are free where data lies."
    if free >= _FREE_AT_EASE_BYTES:
        yield Finding("disk", Mark.FINE, message)
    else:
        mark = Mark.BROKEN if free < _LEAST_FREE_BYTES else Mark.NOTE
        yield Finding("disk", mark, message, "Free some: submissions are refused below 200 MB.")


def _benchmark(settings: Settings) -> Iterator[Finding]:
    """Whether every protocol has its judge, and every stored prompt pack is what it says."""
    for protocol_id in settings.protocols:
        if fault := _fault_of(lambda name=protocol_id: load_judge(load_protocol(name).judge)):  # type: ignore[misc]
            yield fault.named(f"protocol {protocol_id}")
        else:
            yield Finding(f"protocol {protocol_id}", Mark.FINE, "The protocol and its judge can be read.")
    if fault := _fault_of(lambda: load_sources(settings.prompt_sources)):
        yield fault.named("prompt sources")
        return
    stored = stored_packs(settings.packs, load_sources(settings.prompt_sources))
    for broken in stored.faults:
        yield Finding("prompt packs", Mark.BROKEN, broken.message, broken.remedy)
    if not stored.faults:
        yield Finding("prompt packs", Mark.FINE, f"{len(stored.packs)} stored; the built-in one is always there.")


def _fault_of(attempt: Callable[[], object]) -> Finding | None:
    """Tries something and returns what was wrong with it."""
    try:
        attempt()
    except RapportError as error:
        return Finding("", Mark.BROKEN, error.message, error.remedy)
    return None
