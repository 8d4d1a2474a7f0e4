"""What the pages of judges are told: which one decides ranks and since when, the tables, the plots, and one judge."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from leaderboard.board.build import BoardRow
from leaderboard.board.judges import JudgeBoard, JudgeRow
from leaderboard.open_data.layout import VERDICTS
from leaderboard.pages.judges.details import (
    FigureTable,
    agreement_tables,
    configuration_facts,
    figure_facts,
    length_table,
    people_tables,
    version_facts,
)
from leaderboard.pages.judges.plots import canary_tables, family_plot, kappa_rows, length_plot, people_plots
from leaderboard.pages.judges.rows import ShownJudge, first_versions, views_of
from leaderboard.store.open import ON_THE_HUB, repositories


class Ruling(NamedTuple):
    """A protocol whose ranks a judge decides."""

    protocol: str
    promoted: datetime.datetime | None
    """When a promotion made it so; None where it is the judge that the protocol's own file names."""
    first: datetime.datetime
    """When the first result was scored that ranks here under it."""


class Decides(NamedTuple):
    """A judge that decides ranks."""

    view: ShownJudge
    rulings: tuple[Ruling, ...]
    """By protocol; none where no result that ranks has been judged by it yet."""


class Version(NamedTuple):
    """One version of a judge, in full."""

    view: ShownJudge
    facts: list[tuple[str, str]]
    figures: list[tuple[str, str]]
    tables: list[FigureTable]


def judges_page(judges: JudgeBoard, rows: Sequence[BoardRow]) -> dict[str, Any]:
    """Returns what the page of all judges shows.

    Args:
        judges: The board of judges.
        rows: Those of the board: who judged them, decides their ranks, and since when.
    """
    views = views_of(first_versions(judges.rows))
    versions: dict[str, int] = {}
    for row in judges.rows:
        versions[row.judge.id] = versions.get(row.judge.id, 0) + 1
    return {
        "views": views,
        "versions": versions,
        "decides": deciding(views, rows),
        "judged": {row.judge for row in rows},
        "known": any(view.row.quality or view.checks for view in views),
        "people": people_plots(views),
        "drawings": [plot for plot in (length_plot(views), family_plot(views)) if plot],
        "kappas": kappa_rows(views),
        "canaries": canary_tables(views),
    }


def judge_page(judges: JudgeBoard, rows: Iterable[BoardRow], judge_id: str, store: str) -> dict[str, Any] | None:
    """Returns what the page of one judge shows; None if there is no such judge.

    Args:
        judges: The board of judges.
        rows: Those of the board.
        judge_id: Whatever stood in the address.
        store: The name of the stores on the Hub, as RAPPORT_STORE tells it; empty where they are in folders.
    """
    found = versions_of(judges, judge_id)
    if not found:
        return None
    versions = [_version(view) for view in views_of(found)]
    judge = found[0].judge
    return {
        "judge": judge,
        "configuration": configuration_facts(judge),
        "versions": [version for version in versions if version.view.row.version],
        "figures_alone": any(version.view.figures_alone for version in versions),
        "files": raw_files(store, found[0].files),
        "has_verdicts": any(path.startswith(f"{VERDICTS}/") for path in found[0].files),
        "judged": any(row.judge == judge.id for row in rows),
    }


def versions_of(judges: JudgeBoard, judge_id: str) -> list[JudgeRow]:
    """Returns the versions of a judge, the present one first."""
    return [row for row in judges.rows if row.judge.id == judge_id]


def as_stored(row: JudgeRow) -> dict[str, Any]:
    """Returns a version of a judge as its public files hold it."""
    return {
        "judge": row.judge.model_dump(mode="json"),
        "quality": row.quality and row.quality.model_dump(mode="json"),
        "checks": [check.model_dump(mode="json") for check in row.checks],
        "computed_at": row.computed_at and row.computed_at.isoformat(),
    }


def deciding(views: Sequence[ShownJudge], rows: Iterable[BoardRow]) -> list[Decides]:
    """Returns the judges that decide ranks, with what they rank by now, and since when."""
    ranked: dict[tuple[str, str], list[BoardRow]] = {}
    for row in rows:
        if row.rank is not None:
            ranked.setdefault((row.judge, row.protocol), []).append(row)
    return [
        Decides(view, tuple(_ruling(own) for (judge, _), own in sorted(ranked.items()) if judge == view.row.judge.id))
        for view in views
        if view.ranks
    ]


def _ruling(rows: Sequence[BoardRow]) -> Ruling:
    """Returns since when the judge of some results, all of one protocol, decides their ranks."""
    promoted = [row.judge_status_since for row in rows if row.judge_status_since is not None]
    return Ruling(rows[0].protocol, max(promoted, default=None), min(row.published_at for row in rows))


def raw_files(store: str, paths: Iterable[str]) -> list[tuple[str, str | None]]:
    """Lists the public files in which a judge's figures and verdicts stand: path and address.

    Args:
        store: The name of the stores on the Hub; empty where they are in folders, which have no address.
        paths: Those that are there; a folder ends with `/`.

    Example:
        >>> raw_files("hub://org/board", ["judges/judges.parquet"])[0][1]
        'https://huggingface.co/datasets/org/board-results/blob/main/judges/judges.parquet'
    """
    home = f"https://huggingface.co/datasets/{repositories(store).results}" if store.startswith(ON_THE_HUB) else ""

    def address(path: str) -> str:
        return f"{home}/{'tree' if path.endswith('/') else 'blob'}/main/{quote(path.removesuffix('/'))}"

    return [(path, address(path) if home else None) for path in paths]


def _version(view: ShownJudge) -> Version:
    """Returns all of one version."""
    quality = view.row.quality
    if quality is None:
        return Version(view, version_facts(view), [], [])
    tables = [*people_tables(quality), *agreement_tables(quality)]
    if quality.length.beside:
        tables.append(length_table(quality.length))
    return Version(view, version_facts(view), figure_facts(view), tables)
