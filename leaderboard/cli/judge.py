"""`rapport judge`: what a judge is worth. `check` asks it about canaries, `board` sets it beside people and others."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from leaderboard.cli.actions import redis_at
from leaderboard.cli.options import AsJson
from leaderboard.records import now
from leaderboard.settings import Settings
from leaderboard.store.base import Operation
from leaderboard.store.open import check_archive_private, open_stores
from leaderboard.upkeep.rest import at_rest
from leaderboard.upkeep.writing import Writer, last_mark, unknown_mark

app = typer.Typer(no_args_is_help=True, help=__doc__)
labels_app = typer.Typer(no_args_is_help=True, help="What people said of answers on the board, from files.")
app.add_typer(labels_app, name="labels")

_NO_SITE = "Set it to the Redis of the site that the board is of, or only print the board with --dry-run."

Name = Annotated[str, typer.Option(help="What the board calls these labels: small letters, digits, dots, hyphens.")]


@labels_app.command("add")
def add_labels(
    file: Annotated[Path, typer.Argument(help="A labelled verdict file, .jsonl or .parquet; see docs/judge-board.md.")],
    name: Name,
    licence: Annotated[str, typer.Option(help="Under what the labels may be used: an SPDX id, such as cc-by-4.0.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is in it, and what is wrong.")] = False,
    as_json: AsJson = False,
) -> None:
    """Takes a labelled verdict file into the archive, as a whole or not at all; no publisher may run meanwhile.

    Exit code 1 if anything is wrong with it, which is named row by row.
    """
    from leaderboard.judge_board.labels import check_terms, known_answers, take_in

    settings = Settings()
    archive = open_stores(settings).archive
    check_terms(archive, name, licence)
    taken = take_in(file, name, licence, known_answers(archive), now())
    if not dry_run:
        _store(settings, taken.operations, f"labels {name}")
    terms = taken.terms
    words = f"{terms.labels:,} labels of {terms.annotators:,} annotators on {terms.answers:,} answers ({terms.kind})"
    verdict = "would be taken in" if dry_run else "were taken in"
    print(terms.model_dump_json(indent=2) if as_json else f"{name}: {words} {verdict}, under {licence}.")


@labels_app.command("list")
def list_labels(as_json: AsJson = False) -> None:
    """Lists the labelled verdict files of the archive."""
    from leaderboard.judge_board.labels import sets_in

    found = list(sets_in(open_stores(Settings()).archive))
    if as_json:
        print(json.dumps([each.model_dump(mode="json") for each in found], indent=2))
        return
    for each in found:
        print(
            f"{each.name}  {each.labels:,} labels of {each.annotators:,} annotators on {each.answers:,} answers "
            f"({each.kind}), {each.licence}, added {each.added_at:%Y-%m-%d}, SHA-256 {each.sha256[:12]}"
        )


@labels_app.command("remove")
def remove_labels(name: Annotated[str, typer.Argument(help="What the board calls them.")]) -> None:
    """Takes a labelled verdict file out of the archive; no publisher may run meanwhile.

    What was worked out from it stays until `rapport judge board` is called again.
    """
    from leaderboard.judge_board.labels import removal_of

    settings = Settings()
    _store(settings, removal_of(open_stores(settings).archive, name), f"labels {name} are removed")
    print(f"{name}: removed. Call `rapport judge board` to work out the board without them.")


@app.command()
def board(
    epsilon: Annotated[
        float | None,
        typer.Option(
            help="What the alternative annotator test grants a judge: 0.2 beside experts, 0.15 beside skilled "
            "annotators, 0.1 beside others; 0.1 if left out.",
            min=0.0,
            max=1.0,
        ),
    ] = None,
    human: Annotated[
        list[str] | None,
        typer.Option(help="A data set of people's labels, for verifiers and rating judges; may be given again."),
    ] = None,
    judge: Annotated[list[str] | None, typer.Option(help="Only this judge; may be given again.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Works out what every judge with verdicts is worth, and hands that to the publisher.

    Read are all published runs of the archive, re-scores among them. What cannot be read is named and left out.
    """
    # With these come numpy and scipy, which the other commands do without.
    from evaluator.judges.spec import judge_ids, load_judge
    from leaderboard.judge_board.computing import EPSILON, compute_board
    from leaderboard.judge_board.desk import JudgeQualities
    from leaderboard.judge_board.words import board_lines

    settings = Settings()
    archive = open_stores(settings).archive
    granted = EPSILON if epsilon is None else epsilon
    if not dry_run:
        redis_at(settings, _NO_SITE)  # Before an hour of work that nobody would be handed.
    judges = [load_judge(name, settings.judges) for name in judge_ids(settings.judges)]
    found = compute_board(archive, judges, now(), epsilon=granted, only=judge or (), human=human or ())
    for told in found.left_out:
        print(told, file=sys.stderr)
    if not dry_run:
        JudgeQualities(redis_at(settings, _NO_SITE)).put(found.qualities)
    if as_json:
        print(json.dumps([each.model_dump(mode="json") for each in found.qualities], indent=2))
    else:
        print("\n".join(board_lines(found)))


def _store(settings: Settings, operations: tuple[Operation, ...], words: str) -> None:
    """Writes to the archive while its publisher is at rest."""
    archive = open_stores(settings).archive
    check_archive_private(archive)
    with at_rest(settings) as redis:
        mark = unknown_mark() if redis is None else last_mark(archive)
        Writer(archive, mark).commit(operations, words)
