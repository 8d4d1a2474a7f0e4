"""`rapport doctor`: looks at everything that this machine's role needs, and says what is wrong and what helps.

Nothing is set up or repaired, and neither a secret nor an address is ever printed.
"""

from __future__ import annotations

import ipaddress
import json
import os
from collections.abc import Callable, Iterator
from typing import Annotated, NoReturn

import typer

from evaluator.errors import RapportError
from evaluator.hicupid.prompt_packs import stored_packs
from evaluator.hicupid.prompt_sources import load_sources
from evaluator.judges.rater import rater_of
from evaluator.protocol import load_protocol
from leaderboard.cli.findings import Finding, Mark, Role
from leaderboard.cli.health import health_findings
from leaderboard.cli.hub_findings import hub_findings
from leaderboard.cli.judge_findings import judge_findings
from leaderboard.cli.machine_findings import attention_findings, disk_findings, pseudonym_findings, worker_findings
from leaderboard.cli.redis_findings import redis_findings
from leaderboard.missing import NO_STORE, read_settings
from leaderboard.pages.identity import check_login
from leaderboard.settings import Settings
from leaderboard.store.open import folders


def doctor(
    role: Annotated[Role, typer.Option(help="What this machine does; all of it if left out.")] = Role.ALL,
    health: Annotated[
        bool, typer.Option(help="Look only whether this role is at work here, as a container's health check does.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> NoReturn:
    """Looks for what is missing or set up wrongly; exit code 1 if something is broken, 0 if not."""
    findings = list(examine(role, health=health))
    broken = sum(finding.mark is Mark.BROKEN for finding in findings)
    if as_json:
        print(json.dumps({"broken": broken, "findings": [finding._asdict() for finding in findings]}, indent=2))
    else:
        for finding in findings:
            print(finding.line())
    raise typer.Exit(1 if broken else 0)


def examine(role: Role, *, health: bool = False) -> Iterator[Finding]:
    """Yields one finding after the other, as each is made; with `health` only those of `health_findings`."""
    settings, faults = read_settings()
    if settings is None:
        yield from (Finding("settings", Mark.BROKEN, f"{each.name}: {each.message}", each.remedy) for each in faults)
        return
    yield Finding("settings", Mark.FINE, "All settings can be read.")
    yield from health_findings(settings, role) if health else _examine(settings, role)


def _examine(settings: Settings, role: Role) -> Iterator[Finding]:
    """Yields what is found with settings that can be read."""
    if role in (Role.ALL, Role.WEB):
        yield from _web(settings)
    yield from redis_findings(settings)
    yield from hub_findings(settings, role)
    if role in (Role.ALL, Role.WEB, Role.PUBLISHER):
        yield from _keeping(settings, role)
    yield from disk_findings(settings)
    if role in (Role.ALL, Role.WORKER):
        yield from worker_findings(settings)
    yield from judge_findings(settings, role)
    yield from _benchmark(settings)


def _keeping(settings: Settings, role: Role) -> Iterator[Finding]:
    """Where results are kept, if not on the Hub, and who may watch the publisher."""
    if not settings.store and settings.on_space:
        yield Finding("store", Mark.BROKEN, NO_STORE.message, NO_STORE.remedy)
    elif not settings.store:
        yield from _folders(settings, writes=role is not Role.WEB)
    if role is not Role.WEB and settings.metrics_port and not is_loopback(settings.metrics_host):
        remedy = "Let only your Prometheus reach that port."
        yield Finding("metrics", Mark.NOTE, "The metrics are served beyond this machine.", remedy)


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
    yield from pseudonym_findings(settings)
    yield from attention_findings(settings)
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


def _folders(settings: Settings, writes: bool) -> Iterator[Finding]:
    """Whether a store in folders can be read here, and written where it is to be."""
    there = settings.data if settings.data.exists() else settings.data.absolute().parent
    begun = [folder for folder in folders(settings) if folder.exists()]
    looked_at = begun or [there]
    if not all(os.access(folder, os.R_OK | os.X_OK) for folder in looked_at):
        remedy = "Let the user of this process read RAPPORT_DATA."
        yield Finding("store", Mark.BROKEN, "The store's folder cannot be read.", remedy)
    elif writes and not all(os.access(folder, os.W_OK) for folder in looked_at):
        remedy = "Let the user of this process write RAPPORT_DATA: the publisher alone writes to the store."
        yield Finding("store", Mark.BROKEN, "The store's folder cannot be written.", remedy)
    elif not begun:
        yield Finding("store", Mark.NOTE, "The store is empty; the publisher begins it with the first submission.")
    else:
        yield Finding("store", Mark.FINE, f"The store can be {'read and written' if writes else 'read'}.")


def _benchmark(settings: Settings) -> Iterator[Finding]:
    """Whether every protocol has its judge, and every stored prompt pack is what it says."""
    for protocol_id in settings.protocols:
        if fault := _fault_of(lambda name=protocol_id: rater_of(load_protocol(name))):  # type: ignore[misc]
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
