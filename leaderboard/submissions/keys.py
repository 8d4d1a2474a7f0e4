"""The names under which the ledger and the leases lie in Redis: written once, used by web and worker alike."""

from __future__ import annotations

from collections.abc import Iterable

SUBMISSIONS = "rapport:submissions"
"""Sorted set of submission ids by the time of their creation."""
UNSAVED = "rapport:unsaved"
"""Set of submission ids whose latest change is not in the store yet."""
URGENT = "rapport:urgent"
"""Set of those of them that are to be saved at once: one of their runs has ended, or people have said something."""
ACTIVE = "rapport:active"
"""Set of submission ids with something left to do."""
ENDED = "rapport:ended"
"""Sorted set of ended runs whose plan and rows are still here, by when they ended; 0 where nobody goes on with them."""
SHELVED = "rapport:shelved"
"""Set of runs whose plan and rows the store alone holds: no worker may take one before they have been brought back."""
REFUSED = "rapport:refused"
"""Hash: how many submissions were refused before they were entered, by cause."""
COUNTED = "rapport:counted"
"""Sorted set of the submissions that count against the quota of all, by the time of their creation."""
PUBLISHER = "rapport:publisher"
"""Name of the publisher that is at work; gone soon after it is."""
EPOCH = "rapport:epoch"
"""Mark of the publisher: without it the ledger has to be restored from the store, and with an older one too."""
OUTBOX = "rapport:outbox"
"""Stream of batches on their way to the store."""
NOTICES = "rapport:notices"
"""Hash of notices that are not delivered yet, by notice and sender."""
WORKERS = "rapport:workers"
"""Set of the names of workers that have announced themselves."""
FENCE = "rapport:fence"
"""Counter from which every lease takes its number."""
SERVED = "rapport:served"
"""Sorted set of submitters by when they were last given a worker."""
SERVED_COUNT = "rapport:served:count"
"""Counts the workers that were given."""
ORDER = "rapport:order"
"""Which runs wait for workers, in the order in which they are served; gone soon after the reaper is."""
RESCORES = "rapport:rescores"
"""Hash of re-scores, by id."""
JUDGE_CHECKS = "rapport:judge-checks"
"""Hash of what canaries said of judges, by version."""
JUDGE_CHECKS_UNSAVED = "rapport:judge-checks:unsaved"
"""Set of those that are not in the store yet."""
JUDGE_QUALITY = "rapport:judge-quality"
"""Hash of what was worked out of judges, by version."""
JUDGE_QUALITY_UNSAVED = "rapport:judge-quality:unsaved"
"""Set of those that are not in the store yet."""
PROMOTIONS = "rapport:promotions"
"""JSON of all promotions: which judge new runs are judged by."""
RESCORES_UNSAVED = "rapport:rescores:unsaved"
"""Set of ids of those whose latest change is not in the store yet."""
REPORTS = "rapport:reports"
"""Sorted set of the ids of reports on re-scores by when they were asked for."""
REPORTS_OPEN = "rapport:reports:open"
"""Sorted set of those of them that wait or are being worked out."""
OBJECTIONS = "rapport:objections"
"""Sorted set of the ids of objections by when they were made."""
OBJECTIONS_WAITING = "rapport:objections:waiting"
"""Sorted set of those of them that nobody has replied to, likewise."""
OBJECTIONS_UNSAVED = "rapport:objections:unsaved"
"""Set of those of them whose latest change is not in the store yet."""

ACTS = "rapport:acts"
"""List of what maintainers did; the place in the list is the sequence number."""
SITE = "rapport:site"
"""Hash of what follows from that for the site as a whole: a pause, and quotas of single submitters."""
PAUSE_FIELD = "pause"
"""Of `SITE`: since when and why no submission is accepted."""


def submission(submission_id: str) -> str:
    """JSON of a submission."""
    return f"rapport:submission:{submission_id}"


def events(submission_id: str) -> str:
    """List of a submission's events; the place in the list is the sequence number."""
    return f"rapport:events:{submission_id}"


def counted_of(submitter: str) -> str:
    """Sorted set of the submissions that count against a submitter's quota, by the time of their creation."""
    return f"rapport:counted:{submitter}"


def entered_by(submitter: str) -> str:
    """Sorted set of what a submitter has entered of late, whatever became of it, by the time of its creation."""
    return f"rapport:entered:{submitter}"


def quota_field(submitter: str) -> str:
    """Of `SITE`: a submitter's own quota."""
    return f"quota:{submitter}"


def state(run_id: str) -> str:
    """State of a run."""
    return f"rapport:state:{run_id}"


def plan(run_id: str) -> str:
    """JSON of a run's plan."""
    return f"rapport:plan:{run_id}"


def progress(run_id: str) -> str:
    """Counts of rows that were handed over."""
    return f"rapport:progress:{run_id}"


def done(run_id: str, lane: str) -> str:
    """Set of shards whose last batch of a lane was handed over."""
    return f"rapport:done:{run_id}:{lane}"


def batches(run_id: str) -> str:
    """Batches of a run by id, kept until it is published or withdrawn, or has ended long ago."""
    return f"rapport:batches:{run_id}"


def lease(shard_id: str, lane: str) -> str:
    """Holder and fencing number of a shard in a lane."""
    return f"rapport:lease:{shard_id}:{lane}"


def grants(run_id: str, lane: str) -> str:
    """For each shard in a lane, how many leases in a row ended without a row."""
    return f"rapport:grants:{run_id}:{lane}"


def trouble(run_id: str) -> str:
    """How often in a row work on a run ended in a failure of ours."""
    return f"rapport:trouble:{run_id}"


def pause(run_id: str) -> str:
    """Stands while a run waits before it is tried again."""
    return f"rapport:pause:{run_id}"


def killed(run_id: str) -> str:
    """How often an engine of a run was killed; unlike other troubles it is not forgotten at the next row."""
    return f"rapport:killed:{run_id}"


def crashed(run_id: str) -> str:
    """How often an engine of a run ended by itself; like what was killed, it is not forgotten at the next row."""
    return f"rapport:crashed:{run_id}"


def crowded(run_id: str) -> str:
    """For each lane, bytes of the largest room in which a run ran out of memory."""
    return f"rapport:crowded:{run_id}"


def queue(lanes: Iterable[str], room: Iterable[str]) -> str:
    """Name of the RQ queue of invitations to workers of these lanes with this room.

    Example:
        >>> queue(["judge", "generate"], ["72000000000"])
        'rapport-generate-judge-72000000000'
    """
    return "-".join(["rapport", *sorted({*lanes}), *room])


def marks(run_id: str) -> str:
    """List of what a run's latest batches held, newest first: seconds by the server's clock, rows, output tokens."""
    return f"rapport:marks:{run_id}"


def costs(protocol: str) -> str:
    """List of what the latest finished runs of a protocol took, newest first: items, worker seconds."""
    return f"rapport:costs:{protocol}"


def log(run_id: str) -> str:
    """JSON list of the last lines that a run's engines wrote, without secrets."""
    return f"rapport:log:{run_id}"


def fingerprint(
    protocol: str, model: str, revision: str, adapter: str | None, adapter_revision: str | None, thinking: bool
) -> str:
    """The submission that already covers, under a protocol, a model's SHA with an adapter's or none, thinking or not.

    Example:
        >>> fingerprint("demo-v1", "org/model", "a1", "org/lora", "b2", True)
        'rapport:fingerprint:demo-v1:org/model@a1+org/lora@b2:thinking'
        >>> fingerprint("demo-v1", "org/model", "a1", None, None, False)
        'rapport:fingerprint:demo-v1:org/model@a1'
    """
    adapted = f"+{adapter}@{adapter_revision}" if adapter else ""
    return f"rapport:fingerprint:{protocol}:{model}@{revision}{adapted}{':thinking' if thinking else ''}"


def worker(name: str) -> str:
    """Announcement of a worker; gone soon after the worker is."""
    return f"rapport:worker:{name}"


def notice_known(delivery: str) -> str:
    """Stands for as long as it is remembered that a notice was taken in."""
    return f"rapport:notice-known:{delivery}"


def notice_pause(delivery: str) -> str:
    """Stands while a notice waits before it is sent again."""
    return f"rapport:notice-pause:{delivery}"


def notice_attempts(delivery: str) -> str:
    """How often a notice did not arrive."""
    return f"rapport:notice-attempts:{delivery}"


def need(protocol: str) -> str:
    """How long the prompts of a protocol are, as the workers that planned it found."""
    return f"rapport:need:{protocol}"


def judgings(rescore_id: str) -> str:
    """Set of the judgings of a re-score that workers may take now."""
    return f"rapport:judgings:{rescore_id}"


def rescored(rescore_id: str) -> str:
    """How many of its runs a re-score has scorecards of."""
    return f"rapport:rescored:{rescore_id}"


def report(report_id: str) -> str:
    """JSON of a report on a re-score, without what lies beside it."""
    return f"rapport:report:{report_id}"


def report_progress(report_id: str) -> str:
    """How far a report is, as a sentence."""
    return f"rapport:report:{report_id}:progress"


def report_result(report_id: str) -> str:
    """What came of a report."""
    return f"rapport:report:{report_id}:result"


def objection(name: str) -> str:
    """JSON of an objection."""
    return f"rapport:objection:{name}"


def objections_by(person: str) -> str:
    """Sorted set of the ids of a person's objections by when they were made."""
    return f"rapport:objections:by:{person}"


def objections_about(submitter: str) -> str:
    """Sorted set of the ids of objections about a submitter's results, likewise."""
    return f"rapport:objections:about:{submitter}"


def objections_accepted(scorecard_id: str, question_id: str) -> str:
    """Sorted set of the ids of accepted objections to one answer under one judge by when they were accepted."""
    return f"rapport:objections:accepted:{scorecard_id}:{question_id}"
