"""`rapport prompts`: brings the wording of HiCUPID's authors, which is not ours to ship, and shows what is there."""

from __future__ import annotations

import re
import sys
from typing import Annotated

import typer

from evaluator.hicupid.prompt_packs import import_pack, stored_packs
from evaluator.hicupid.prompt_sources import load_sources
from evaluator.hicupid.prompts import builtin_pack
from leaderboard.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Brings and shows prompt packs.")


def _sha256(text: str | None) -> str | None:
    """Checks the form of a SHA-256."""
    if text is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise typer.BadParameter("a SHA-256 has 64 hexadecimal digits")
    return text


@app.command("import")
def import_(
    place: Annotated[str, typer.Argument(metavar="PATH_OR_URL", help="HiCUPID's src/constants.py; it is never run.")],
    sha256: Annotated[str | None, typer.Option(callback=_sha256, help="What the file's SHA-256 must be.")] = None,
) -> None:
    """Stores the prompts of HiCUPID's authors; prints the pack's id, its status and where it lies."""
    settings = Settings()
    stored = import_pack(place, settings.packs, load_sources(settings.prompt_sources), sha256)
    print(f"{stored.pack.id} {stored.pack.status} {stored.path}")
    if stored.pack.status != "official":
        print(
            f"No file with the SHA-256 {stored.source_sha256} that makes the pack {stored.pack.id} is accepted: "
            "results with these prompts never rank.",
            file=sys.stderr,
        )


@app.command("list")
def list_() -> None:
    """Prints id, status and origin of every prompt pack; fails after the last one if a file among them is broken."""
    settings = Settings()
    found, faults = stored_packs(settings.packs, load_sources(settings.prompt_sources))
    print(f"{builtin_pack().id} builtin Rapport's own wording")
    for stored in found:
        print(f"{stored.pack.id} {stored.pack.status} {stored.source}")
    for fault in faults:
        print(f"rapport: {fault.cause}: {fault}", file=sys.stderr)
    if faults:
        raise typer.Exit(1)
