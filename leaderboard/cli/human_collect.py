"""`rapport human collect`: the labels that people gave on a site, as a data set of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from evaluator.errors import Cause, RapportError
from evaluator.human.report.text import Block, Heading, Table
from leaderboard.cli.options import AsJson
from leaderboard.labelling.collecting import ATTENTION, Attention, Collected, attention_of, collect
from leaderboard.open_data import layout
from leaderboard.open_data.people import OpenAnnotator, OpenLabel
from leaderboard.open_data.records import OpenRecord
from leaderboard.store.base import Store
from leaderboard.store.parquet import decode_parquet
from leaderboard.store.rows import decode_rows, encode_rows

Row = TypeVar("Row", bound=OpenRecord)


def collect_labels(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder that the data set is written to.")],
    store: Annotated[
        str | None, typer.Option(help="The site: hub://owner/name, or its data folder; else as the settings say.")
    ] = None,
    source: Annotated[
        str | None, typer.Option("--set", help="Where the items stand; RAPPORT_HUMAN_DATA_SET if left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Writes the public labels of a site with the items that they are on, for `rapport human report`.

    DIR is made, or brought up to date. Labels that were withdrawn are gone from it then, even if none are left.
    """
    from evaluator.human.writing import write_human_set
    from leaderboard.labelling.pools import open_human_set, set_name
    from leaderboard.settings import Settings
    from leaderboard.store.open import open_results

    settings = Settings()
    named = source or settings.human_data_set
    data, results = open_human_set(named), open_results(settings, store)
    labels = list(_rows(results, layout.LABELS, OpenLabel))
    annotators = list(_rows(results, layout.ANNOTATORS.rpartition("/")[0], OpenAnnotator))
    found = collect(data.tables, data.about, set_name(named), labels, annotators, data.sha)
    if not found.labels and not (out / ATTENTION).is_file():
        raise RapportError(
            Cause.NOT_FOUND, f"Nobody has labelled {set_name(named)} on this site yet.", "Label at its page `/label`."
        )
    write_human_set(out, found.tables, found.about)
    (out / ATTENTION).write_bytes(encode_rows(attention_of(annotators)))
    counted = _counted(found)
    print(json.dumps(counted) if as_json else "\n".join(f"{count} {what}" for what, count in counted.items()))


def attention_blocks(folder: Path) -> Iterator[Block]:
    """Yields how attentive annotators were, if a data set says so."""
    path = folder / ATTENTION
    if not path.is_file():
        return
    rows = decode_rows(path.read_bytes(), Attention, ATTENTION)
    if rows:
        yield Heading(2, "Attention")
        yield "Items whose answer is known, given between the others; nobody is told which they are."
        cells = tuple((row.annotator, str(row.items), str(row.right), f"{row.right / row.items:.3f}") for row in rows)
        yield Table(("annotator", "attention items", "right", "share"), cells)


def _counted(found: Collected) -> dict[str, int]:
    """Says what was collected."""
    return {
        "labels of people collected": found.labels,
        "labels on items that the data set does not have": found.unknown,
        "labels by nobody who agrees to their use": found.strangers,
        "labels that the data set has already": found.repeated,
        "simulated labels left out": found.simulated,
        "labels left out whose annotators have withdrawn since": found.withdrawn,
        **{f"labels given on another state of the data set, {sha}": count for sha, count in found.other_states.items()},
    }


def _rows(results: Store, folder: str, kind: type[Row]) -> Iterator[Row]:
    """Reads all rows below a folder of the public results."""
    for path in results.list(folder):
        yield from decode_parquet(results.read(path), kind, path)
