"""`rapport board`, `logs` and `export`, and what `status --wait` and `compare --url` do."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast
from urllib.parse import quote

import httpx
import typer

from evaluator.errors import Cause, RapportError
from leaderboard.api.records import AgreementPage, BoardPage, Comparison, Submission
from leaderboard.cli.options import AsJson, NeededUrl
from leaderboard.cli.remote import Site, address
from leaderboard.cli.remote_errors import NoAnswer
from leaderboard.cli.remote_words import agreement_lines, board_lines, comparison_lines, moving
from leaderboard.records import State

WAIT_FAILED, WAIT_CANCELLED = 4, 5
"""Exit codes of `status --wait`."""

_FIRST_PAUSE, _LONGEST_PAUSE, _GROWTH = 2.0, 30.0, 1.5
_MOST_SILENT = 10
"""Times in a row that a site may give no answer before `status --wait` gives up."""
_MOST_TRIES = 5
"""Times that a board is read anew because it has changed between two of its pages."""
_SECONDS = 60.0
AnyPage = TypeVar("AnyPage", BoardPage, AgreementPage)
_ENDS = {State.PUBLISHED: 0, State.FAILED: WAIT_FAILED, State.CANCELLED: WAIT_CANCELLED}


class Suite(StrEnum):
    """Whose results are printed."""

    HICUPID = "hicupid"
    HUMAN = "human"


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    for command in (board, export):
        app.command()(command)


def board(
    url: NeededUrl,
    protocol: Annotated[str, typer.Option(help="Rows of this protocol alone.")] = "",
    suite: Annotated[
        Suite, typer.Option(help="`hicupid`: ranked rows first; `human`: how far models agree with people.")
    ] = Suite.HICUPID,
    as_json: AsJson = False,
) -> None:
    """Prints the board of a site: ranked rows first, each ranking by itself."""
    site = Site(url)
    if suite is Suite.HUMAN:
        agreement = whole(site, "agreement", AgreementPage, protocol)
        _print_board(agreement, agreement["problems"], agreement_lines(agreement["rows"]), as_json)
    else:
        ranked = whole(site, "board", BoardPage, protocol)
        _print_board(ranked, ranked["problems"], board_lines(ranked["rows"]), as_json)


def _print_board(found: object, problems: list[str], lines: str, as_json: bool) -> None:
    """Prints a board, and what is wrong with it beside that."""
    for problem in problems:
        print(f"rapport: {problem}", file=sys.stderr)
    print(json.dumps(found, indent=2) if as_json else lines)


def whole(site: Site, endpoint: str, kind: type[AnyPage], protocol: str) -> AnyPage:
    """Returns all pages of a board as one, all of the same state of the store.

    Args:
        site: The site.
        endpoint: What answers with such pages.
        kind: What a page is.
        protocol: Rows of this one alone; empty for all.

    Raises:
        RapportError: As of `Site.call`; a `NoAnswer` if the board changes faster than it can be read.
    """
    for _ in range(_MOST_TRIES):
        first = site.call(endpoint, kind, protocol=protocol)
        pages = [first]
        for number in range(2, first["pages"] + 1):
            pages.append(site.call(endpoint, kind, protocol=protocol, page=number))  # noqa: PERF401 - For mypy's sake.
        if all(page["revision"] == first["revision"] for page in pages):
            rows: list[Any] = [row for page in pages for row in page["rows"]]
            return cast(AnyPage, {**first, "page": 1, "pages": 1, "rows": rows})
    raise NoAnswer(f"The board of {site.url} changes while it is read.", "Try it again in a minute.")


def compare_at(url: str, names: list[str], protocol: str, as_json: bool) -> None:
    """Prints how two results of a site's board differ, on the users that both have."""
    if len(names) != 2:
        raise typer.BadParameter("name two results: models, submissions, runs or scorecards", param_hint="--url")
    found = Site(url).call("compare", Comparison, a=names[0], b=names[1], protocol=protocol)
    print(json.dumps(found, indent=2) if as_json else comparison_lines(found))


def export(
    name: Annotated[str, typer.Argument(help="What a link of the site names after /exports/, such as board.csv.")],
    url: NeededUrl,
    output: Annotated[Path | None, typer.Option(help="File to write; standard output if left out.")] = None,
) -> None:
    """Downloads an export of a site's board."""
    base, parts = address(url), name.split("/")
    if not all(part.strip(".") for part in parts):
        raise typer.BadParameter(f"{name!r} names no export", param_hint="NAME")
    path = "/".join(quote(part, safe="") for part in parts)
    try:
        answer = httpx.get(f"{base}/exports/{path}", timeout=_SECONDS, follow_redirects=True)
    except httpx.HTTPError as error:
        raise NoAnswer(
            f"{base} does not answer ({type(error).__name__}).", "See whether a browser reaches it, and try it again."
        ) from error
    if answer.status_code == 404:
        raise RapportError(Cause.NOT_FOUND, f"{base} has no export {name!r}.", "Its board says which ones there are.")
    if not answer.is_success:
        raise NoAnswer(f"{base} answered with status {answer.status_code}.", "Try it again in a minute.")
    if output is None:
        sys.stdout.buffer.write(answer.content)
        return
    try:
        output.write_bytes(answer.content)
    except OSError as error:
        raise RapportError(
            Cause.DATA_ERROR, f"{output} cannot be written: {error.strerror}.", "Name another file with --output."
        ) from error


def follow(
    read: Callable[[], Submission], tell: Callable[[str], Any], pause: Callable[[float], Any] = time.sleep
) -> Submission:
    """Asks for a submission again and again, ever less often, until it has ended; returns it as it is then.

    Args:
        read: Asks once.
        tell: Is told whenever something has moved.
        pause: Waits for some seconds.

    Raises:
        RapportError: What the site refuses; a `NoAnswer` after ten in a row.
    """
    seconds, silent, last = _FIRST_PAUSE, 0, ""
    while True:
        try:
            found, silent = read(), 0
        except NoAnswer as error:
            silent += 1
            if silent == _MOST_SILENT:
                raise
            pause(max(seconds, error.after or 0.0))
        else:
            if found["state"] in _ENDS:
                return found
            if (now := moving(found)) != last:
                tell(now)
                seconds, last = _FIRST_PAUSE, now
            pause(seconds)
        seconds = min(_LONGEST_PAUSE, seconds * _GROWTH)


def exit_code(found: Submission) -> int:
    """Returns how `status --wait` ends."""
    return _ENDS[State(found["state"])]
