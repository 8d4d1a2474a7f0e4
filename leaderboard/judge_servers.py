"""Whether each judge's server is one of a judge that there is: asked before anything starts that would ask it."""

from __future__ import annotations

from evaluator.errors import Cause, RapportError
from evaluator.judges.spec import judge_ids
from leaderboard.records import Lane
from leaderboard.settings import Settings


def servers_of_nobody(settings: Settings) -> tuple[str, ...]:
    """Returns the judges that settings name a server for and that there are not, sorted.

    Example:
        >>> servers_of_nobody(Settings())
        ()
    """
    named = {server.judge for server in settings.judge_servers}
    return tuple(sorted(named.difference(judge_ids(settings.judges)))) if named else ()


def refuse_servers_of_nobody(settings: Settings) -> None:
    """Refuses a server of a judge that there is not, where judges are asked: a slip of the pen asks another one.

    Raises:
        RapportError: `infrastructure`, so that a run which meets it is tried again.
    """
    if Lane.JUDGE in settings.lanes and (unknown := servers_of_nobody(settings)):
        raise RapportError(
            Cause.INFRASTRUCTURE,
            f"RAPPORT_JUDGE_SERVERS names the judge {unknown[0]}, and there is none.",
            f"Bring its directory, see RAPPORT_JUDGES, or choose of: {', '.join(judge_ids(settings.judges))}.",
        )
