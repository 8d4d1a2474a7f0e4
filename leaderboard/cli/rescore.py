"""`rapport rescore`: brings a better judge, sees what it would change, and then promotes or discards it.

It works on the machine of a site's publisher: with its Redis, and with the archive that RAPPORT_STORE names.
"""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from leaderboard.cli.actions import redis_at
from leaderboard.cli.options import AsJson
from leaderboard.rescoring.records import Rescore
from leaderboard.rescoring.selection import Filters
from leaderboard.rescoring.service import RescoreService
from leaderboard.rescoring.words import rescore_lines
from leaderboard.rescoring.working_out import Chosen, choose, comparison_of, now_and_then, preview_of
from leaderboard.settings import Settings
from leaderboard.store.base import Store
from leaderboard.store.open import open_stores
from leaderboard.submissions.service import THE_MAINTAINER

app = typer.Typer(invoke_without_command=True, help=__doc__)

_TOLD_EVERY = 5.0
"""Seconds after which it is told again how far something is."""

Id = Annotated[str, typer.Argument(help="Id of the re-score, such as r-20260101-0a1b2c3d.")]
Reason = Annotated[str, typer.Option(help="Why, for the record; at most 1000 characters.")]


@app.callback()
def rescore(
    context: typer.Context,
    judge: Annotated[str | None, typer.Option(help="The judge, by its id; see `rapport judge check`.")] = None,
    models: Annotated[list[str] | None, typer.Option(help="Only runs of this model; may be given again.")] = None,
    protocols: Annotated[
        list[str] | None, typer.Option("--protocol", help="Only runs of this protocol; may be given again.")
    ] = None,
    since: Annotated[
        datetime.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only runs published on this day or later.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would take.")] = False,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Has every published run of HiCUPID judged by another judge; nothing is generated, and nothing counts yet."""
    if context.invoked_subcommand is not None:
        return
    if judge is None:
        raise typer.BadParameter("name a judge, or one of the commands", param_hint="--judge")
    settings = Settings()
    store = open_stores(settings).archive
    filters = Filters(models=tuple(models or ()), since=since and since.date(), protocols=tuple(protocols or ()))
    chosen = choose(store, settings, judge, filters)
    if dry_run:
        _preview(store, settings, chosen, as_json)
        return
    runs = [run.run_id for run in chosen.runs]
    started = _service(settings).start(chosen.judge, runs, THE_MAINTAINER, reason, chosen.words)
    _print_one(started, settings, as_json)


@app.command()
def status(
    rescore_id: Annotated[str | None, typer.Argument(help="Its id; all if left out.")] = None, as_json: AsJson = False
) -> None:
    """Says where re-scores stand: how far, what failed and why, and who did what."""
    settings = Settings()
    desk = _service(settings).desk
    found = [desk.get(rescore_id)] if rescore_id else list(desk.all())
    if as_json:
        print(json.dumps([_record(each, settings) for each in found], indent=2))
        return
    for each in found:
        print("\n".join(rescore_lines(each, desk.progress(each), whole=rescore_id is not None)))


@app.command("compare")
def compare_judges(
    rescore_id: Id,
    against: Annotated[str | None, typer.Option(help="Judge to compare with; the one that decides ranks now.")] = None,
    protocol: Annotated[str | None, typer.Option(help="One of its runs' protocols, if they have several.")] = None,
    flips: Annotated[int, typer.Option(help="Flipped verdicts to show of each kind.", min=0)] = 3,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    as_json: AsJson = False,
) -> None:
    """Sets the judge of a re-score beside the one that stands: agreement, ranks that move, verdicts that flipped."""
    # With these come numpy and scipy, which the other commands do without.
    from leaderboard.rescoring.comparing_text import as_json as comparison_json
    from leaderboard.rescoring.comparing_text import as_markdown, as_text

    settings = Settings()
    found = _service(settings).desk.get(rescore_id)
    told = comparison_of(
        open_stores(settings).archive,
        settings,
        found,
        protocol=protocol,
        against=against,
        flips=None if as_json else flips,
        tell=now_and_then(_tell, _TOLD_EVERY),
    )
    if as_json:
        sys.stdout.write(comparison_json(told))
    else:
        sys.stdout.write(as_markdown(told, flips=flips) if markdown else as_text(told, flips=flips))


@app.command()
def pause(rescore_id: Id, reason: Reason = "", as_json: AsJson = False) -> None:
    """Holds it up; workers finish the shard that they have."""
    _act(lambda service: service.pause(rescore_id, THE_MAINTAINER, reason), as_json)


@app.command()
def resume(rescore_id: Id, reason: Reason = "", as_json: AsJson = False) -> None:
    """Lets it go on; runs that failed are tried again."""
    _act(lambda service: service.resume(rescore_id, THE_MAINTAINER, reason), as_json)


@app.command()
def promote(rescore_id: Id, reason: Reason, as_json: AsJson = False) -> None:
    """Has its judge decide ranks from now on: once all of it is judged, and the judge has passed its canaries."""
    _act(lambda service: service.promote(rescore_id, THE_MAINTAINER, reason), as_json)


@app.command()
def discard(rescore_id: Id, reason: Reason, as_json: AsJson = False) -> None:
    """Ends it for good; its rows stay in the archive and count for nothing."""
    _act(lambda service: service.discard(rescore_id, THE_MAINTAINER, reason), as_json)


def _service(settings: Settings) -> RescoreService:
    """Returns the way in to the re-scores that the settings lead to.

    Raises:
        RapportError: `infrastructure` if they lead to none.
    """
    remedy = "Set it to the Redis of the site; `--dry-run` needs the archive alone."
    return RescoreService(settings, redis_at(settings, remedy))


def _act(does: Callable[[RescoreService], Rescore], as_json: bool) -> None:
    """Does something to a re-score, and says where it stands then."""
    settings = Settings()
    _print_one(does(_service(settings)), settings, as_json)


def _print_one(found: Rescore, settings: Settings, as_json: bool) -> None:
    """Prints where a re-score stands."""
    if as_json:
        print(json.dumps(_record(found, settings), indent=2))
        return
    print("\n".join(rescore_lines(found, _service(settings).desk.progress(found), whole=False)))


def _record(found: Rescore, settings: Settings) -> dict[str, object]:
    """Returns a re-score with how far it is."""
    progress = _service(settings).desk.progress(found)
    return {**found.model_dump(mode="json"), "status": str(found.status), "progress": progress._asdict()}


def _preview(store: Store, settings: Settings, chosen: Chosen, as_json: bool) -> None:
    """Prints what a re-score would take."""
    from leaderboard.rescoring.preview_words import preview_lines

    found = preview_of(store, settings, chosen, now_and_then(_tell, _TOLD_EVERY))
    print(found.model_dump_json(indent=2) if as_json else "\n".join(preview_lines(found)))


def _tell(progress: str) -> None:
    """Says how far something is, where it is in nobody's way."""
    print(f"{progress} ...", file=sys.stderr, flush=True)
