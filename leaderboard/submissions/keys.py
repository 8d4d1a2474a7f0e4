"""The names under which the ledger and the leases lie in Redis: written once, used by web and worker alike."""

from __future__ import annotations

SUBMISSIONS = "rapport:submissions"
"""Sorted set of submission ids by the time of their creation."""
UNSAVED = "rapport:unsaved"
"""Set of submission ids whose latest change is not in the store yet."""
ACTIVE = "rapport:active"
"""Set of submission ids with something left to do."""
PUBLISHER = "rapport:publisher"
"""Stands while the publisher is alive."""
EPOCH = "rapport:epoch"
"""Stands for as long as Redis keeps its memory: without it the ledger has to be restored from the store."""
OUTBOX = "rapport:outbox"
"""Stream of batches on their way to the store."""
NOTICES = "rapport:notices"
"""Hash of notices that are not delivered yet, by notice and sender."""
WORKERS = "rapport:workers"
"""Set of the names of workers that have announced themselves."""
FENCE = "rapport:fence"
"""Counter from which every lease takes its number."""
QUEUE = "rapport-evaluate"
"""RQ queue of invitations to work on a run."""


def submission(submission_id: str) -> str:
    """JSON of a submission."""
    return f"rapport:submission:{submission_id}"


def transitions(submission_id: str) -> str:
    """List of a submission's transitions; the place in the list is the sequence number."""
    return f"rapport:transitions:{submission_id}"


def state(run_id: str) -> str:
    """State of a run."""
    return f"rapport:state:{run_id}"


def plan(run_id: str) -> str:
    """JSON of a run's plan."""
    return f"rapport:plan:{run_id}"


def progress(run_id: str) -> str:
    """Counts of rows that were handed over."""
    return f"rapport:progress:{run_id}"


def done(run_id: str) -> str:
    """Set of shards whose last batch was handed over."""
    return f"rapport:done:{run_id}"


def batches(run_id: str) -> str:
    """Batches of a run by id, kept until the run has ended."""
    return f"rapport:batches:{run_id}"


def lease(shard_id: str) -> str:
    """Holder and fencing number of a shard."""
    return f"rapport:lease:{shard_id}"


def grants(run_id: str) -> str:
    """For each shard, how many leases in a row ended without a row."""
    return f"rapport:grants:{run_id}"


def trouble(run_id: str) -> str:
    """How often in a row work on a run ended in a failure of ours."""
    return f"rapport:trouble:{run_id}"


def pause(run_id: str) -> str:
    """Stands while a run waits before it is tried again."""
    return f"rapport:pause:{run_id}"


def invitation(run_id: str) -> str:
    """Id of the latest RQ job that invites workers to a run."""
    return f"rapport:invitation:{run_id}"


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


def notice_pause(delivery: str) -> str:
    """Stands while a notice waits before it is sent again."""
    return f"rapport:notice-pause:{delivery}"


def notice_attempts(delivery: str) -> str:
    """How often a notice did not arrive."""
    return f"rapport:notice-attempts:{delivery}"
