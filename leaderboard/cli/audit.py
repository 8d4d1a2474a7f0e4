"""`rapport audit`: recomputes the public board from its public rows; see docs/audit.md."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Annotated

import typer

from leaderboard.cli.options import AsJson
from leaderboard.settings import Settings
from leaderboard.store.open import open_results

DIFFERS, NOTHING_CHECKED = 1, 2
"""Exit codes; 0 if all agrees that could be checked."""
_LINE_SECONDS = 5.0


def audit(
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MODEL]...", help="Only these models, without ranks; all if left out."),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(
            help="hub://owner/name, or a folder laid out as RAPPORT_DATA is; RAPPORT_STORE if left out. Only public "
            "results are read."
        ),
    ] = None,
    human_data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DATA",
            help="A data set of people's labels that is at hand, or HiCUPID's for made-up users, a folder or a name on "
            "the Hub: with it the figures of models asked from it are recomputed, too. May be given more than once.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Recomputes the public board from its public rows and says whether every figure on it follows from them.

    Exit codes: 0 all agrees that could be checked; 1 something differs, or it failed with a cause (then nothing stands
    on standard output); 2 wrong usage, or nothing could be checked; 130 stopped by Ctrl-C.
    """
    from leaderboard.audit.audit import audit as audit_results
    from leaderboard.audit.words import describe
    from leaderboard.board.human import read_human_cards
    from leaderboard.board.public import read_cards
    from leaderboard.upkeep.patient import PatientStore

    tell = _teller()
    results = PatientStore(open_results(Settings(), store), tell)
    every = [*read_cards(results).cards, *read_human_cards(results).cards] if models else []
    if unknown := set(models or ()) - {card.model for card in every}:
        raise typer.BadParameter(f"no scorecard of {', '.join(sorted(unknown))} can be read", param_hint="MODEL")
    found = audit_results(results, models or (), tell, human_data or ())
    print(found.model_dump_json(indent=2) if as_json else describe(found))
    if found.differing:
        raise typer.Exit(DIFFERS)
    if not found.rows:
        raise typer.Exit(NOTHING_CHECKED)


def _teller(clock: Callable[[], float] = time.monotonic) -> Callable[[str], None]:
    """Returns what prints a line on standard error now and then."""
    next_line = clock() + _LINE_SECONDS

    def tell(words: str) -> None:
        nonlocal next_line
        if clock() >= next_line:
            next_line = clock() + _LINE_SECONDS
            print(words, file=sys.stderr, flush=True)

    return tell
