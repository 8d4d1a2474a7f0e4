"""`rapport maintain`: what maintainers did, whether submissions are accepted, how many of one submitter, objections.

It works where the Redis of the site is reached; the command line acts as `maintainer`.
"""

from __future__ import annotations

import json
from typing import Annotated

import typer

from leaderboard.cli.actions import redis_at
from leaderboard.cli.options import AsJson
from leaderboard.cli.remote_errors import shown
from leaderboard.maintaining.desk import MaintainDesk
from leaderboard.maintaining.records import MOST_OF_ONE, Act
from leaderboard.maintaining.service import Maintenance
from leaderboard.maintaining.state import paused_words
from leaderboard.objections.desk import ObjectionDesk
from leaderboard.objections.records import Decision, Objection
from leaderboard.objections.service import Objections
from leaderboard.settings import Settings
from leaderboard.submissions.service import THE_MAINTAINER

app = typer.Typer(no_args_is_help=True, help=__doc__)

Reason = Annotated[str, typer.Option(help="Why, for the record; at most 1000 characters.")]
PublicReason = Annotated[str, typer.Option(help="Why, for everyone to read; at most 1000 characters.")]
ObjectionId = Annotated[str, typer.Argument(help="Id of the objection, as `rapport maintain objections` prints it.")]
Name = Annotated[str, typer.Argument(help="The submitter, as the Hub writes the name, capitals included.")]

_REMEDY = "Set it to the Redis of the site."


@app.command("log")
def log_of_acts(
    count: Annotated[int, typer.Option(min=1, help="How many entries.")] = 50,
    before: Annotated[int | None, typer.Option(min=1, help="Only entries of lower numbers than this one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Prints what maintainers did, the newest first."""
    desk = MaintainDesk(redis_at(Settings(), _REMEDY))
    acts = desk.acts(None if before is None else before - 1, count)
    if as_json:
        print(json.dumps([act.model_dump(mode="json") for act in acts], indent=2))
        return
    print("\n".join(map(act_line, acts)) or "Nothing was done yet.")


@app.command()
def pause(reason: PublicReason) -> None:
    """Accepts no submission from now on, but those of maintainers; what is queued goes on."""
    print(shown(paused_words(_maintenance().pause_submissions(THE_MAINTAINER, reason))))


@app.command()
def resume(reason: Reason = "") -> None:
    """Accepts submissions again."""
    _maintenance().resume_submissions(THE_MAINTAINER, reason)
    print("Submissions are accepted.")


@app.command()
def quota(
    name: Name,
    of_one: Annotated[int, typer.Argument(min=0, max=MOST_OF_ONE, help="Submissions within the window of the quota.")],
    reason: Reason,
) -> None:
    """Gives a submitter a quota of its own instead of the site's."""
    maintenance = _maintenance()
    maintenance.set_quota(THE_MAINTAINER, name, of_one, reason)
    print(_used(maintenance, name))


@app.command()
def unquota(name: Name, reason: Reason) -> None:
    """Gives a submitter the site's quota again."""
    maintenance = _maintenance()
    maintenance.set_quota(THE_MAINTAINER, name, None, reason)
    print(_used(maintenance, name))


@app.command()
def objections(
    everything: Annotated[
        bool, typer.Option("--all", help="Those too that were replied to, the newest first.")
    ] = False,
    count: Annotated[int, typer.Option(min=1, help="How many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Prints what readers object to and nobody has replied to, the oldest first."""
    desk = ObjectionDesk(redis_at(Settings(), _REMEDY))
    found = desk.all(0, count) if everything else desk.waiting(0, count)
    if as_json:
        print(json.dumps([{"id": each.id, **each.model_dump(mode="json")} for each in found.objections], indent=2))
        return
    print("\n".join(map(objection_line, found.objections)) or "There is none.")
    if found.total > len(found.objections):
        print(f"{found.total} in all; {found.unreadable} of those asked for cannot be read.")


@app.command()
def accept(objection_id: ObjectionId, reason: PublicReason) -> None:
    """Accepts an objection: what is wrong and the reason stand beside the answer. Figures stay as they are."""
    _reply(objection_id, Decision.ACCEPTED, reason)


@app.command()
def decline(objection_id: ObjectionId, reason: Reason) -> None:
    """Declines an objection; the reader and the submitter see the reason."""
    _reply(objection_id, Decision.DECLINED, reason)


def _reply(objection_id: str, decision: Decision, reason: str) -> None:
    """Replies to an objection."""
    settings = Settings()
    service = Objections(settings, redis_at(settings, _REMEDY))
    print(objection_line(service.reply(THE_MAINTAINER, objection_id, decision, reason)))


def objection_line(objection: Objection) -> str:
    """Writes an objection as one line; what could steer a terminal is left out.

    Example:
        >>> print(objection_line(Objection(scorecard_id="s-20260101-0a1b2c3d.demo-v1@demo", question_id="test_1/7",
        ...     model="org/model", submitter="alice", person="bob", ground="gold", text="It isn't.",
        ...     at="2026-03-01T12:00:00Z")))
        o-9dbd43addb1b600267316853 2026-03-01 12:00 gold by bob: test_1/7 of s-20260101-0a1b2c3d.demo-v1@demo: It isn't.
    """
    what = f"{objection.question_id} of {objection.scorecard_id}: {objection.text}"
    line = f"{objection.id} {objection.at:%Y-%m-%d %H:%M} {objection.ground} by {objection.person}: {what}"
    reply = objection.reply
    return shown(f"{line} ({reply.decision} by {reply.actor}: {reply.text})" if reply else line)


def act_line(act: Act) -> str:
    """Writes an entry of the log as one line; what could steer a terminal is left out.

    Example:
        >>> from leaderboard.maintaining.records import ActKind
        >>> act = Act(sequence=7, at="2026-03-01T12:00:00Z", actor="carol", kind=ActKind.SITE_RESUME, subject=None,
        ...           reason="Done.")
        >>> act_line(act)
        '      7 2026-03-01 12:00:00 site.resume by carol: Done.'
    """
    subject = f" {act.subject}" if act.subject else ""
    words = " ".join(filter(None, (act.reason, act.detail and f"({act.detail})")))
    line = f"{act.sequence:7} {act.at:%Y-%m-%d %H:%M:%S} {act.kind}{subject} by {act.actor}"
    return shown(f"{line}: {words}" if words else line)


def _maintenance() -> Maintenance:
    """Returns the way in to the site that the settings lead to.

    Raises:
        RapportError: `infrastructure` if they lead to none.
    """
    settings = Settings()
    return Maintenance(settings, redis_at(settings, _REMEDY))


def _used(maintenance: Maintenance, name: str) -> str:
    """Says what a submitter has used by now."""
    own = maintenance.used(name).own
    return shown(f"{name.strip()} has used {own.used} of {own.limit} submissions.")
