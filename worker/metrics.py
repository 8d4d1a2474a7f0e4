"""What the publisher tells Prometheus: the name, unit and labels of every metric, and samples as its text format wants.

The labels come from closed lists of ours, and from the figures of a worker's machine. None holds a model, a person, or
anything else that a stranger chooses.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric


class Described(NamedTuple):
    """One metric, as docs/metrics.md has it too."""

    name: str
    kind: Literal["gauge", "counter"]
    unit: str
    """What it counts or measures in; `0 or 1` for a yes or no."""
    labels: tuple[str, ...]
    help: str


class Sample(NamedTuple):
    """One value of one metric.

    Example:
        >>> Sample("rapport_runs", 3, ("queued",)).value
        3
    """

    name: str
    value: float
    labels: tuple[str, ...] = ()
    """Values of the metric's labels, in their order."""


def _gauge(name: str, unit: str, help: str, *labels: str) -> Described:
    return Described(f"rapport_{name}", "gauge", unit, labels, help)


def _counter(name: str, unit: str, help: str, *labels: str) -> Described:
    return Described(f"rapport_{name}_total", "counter", unit, labels, help)


METRICS = (
    _gauge("redis_up", "0 or 1", "Whether Redis answered all that it was asked for this page."),
    _gauge("redis_latency_seconds", "seconds", "Time that Redis took for its shortest answer."),
    _gauge("redis_append_only", "0 or 1", "Whether the server writes its append-only file, and can."),
    _gauge("readable", "0 or 1", "Whether a part of this page could be read in time.", "part"),
    _gauge("read_seconds", "seconds", "Time that reading this page's figures took."),
    _gauge("accepting", "0 or 1", "Whether the ledger takes submissions: not while it is compared with the store."),
    _gauge("reaper_up", "0 or 1", "Whether a reaper is alive."),
    _gauge("runs", "runs", "Runs that have not ended.", "state"),
    _gauge(
        "oldest_waiting_seconds", "seconds", "How long ago the oldest run that is queued was queued; 0 without one."
    ),
    _gauge(
        "waiting_runs",
        "runs",
        "Runs of which a worker could take something now; none while no reaper is alive.",
        "lane",
    ),
    _gauge("leases_open", "leases", "Shards in the hands of workers.", "lane"),
    _gauge(
        "leases_expired", "leases", "Leases of open runs that ended without a row since their shard's last row.", "lane"
    ),
    _gauge("workers", "workers", "Workers that are alive.", "kind", "doing"),
    _gauge("lane_workers", "workers", "Workers that are alive and serve a lane.", "lane"),
    _gauge("rows_per_second", "rows per second", "Answers and verdicts handed in over the last five minutes."),
    _gauge("tokens_per_second", "tokens per second", "Tokens written by models and judges over the last five minutes."),
    _counter("submissions", "submissions", "Submissions that were entered."),
    _counter("submissions_refused", "submissions", "Submissions that were refused before they were entered.", "cause"),
    _counter("runs_ended", "runs", "Runs that came to an end; one that is taken up again may end again.", "state"),
    _counter("runs_failed", "runs", "Runs that failed; one that is taken up again may fail again.", "cause"),
    _gauge("unsaved_submissions", "submissions", "Submissions whose latest change the archive does not hold."),
    _gauge("outbox_batches", "batches", "Batches of rows that workers handed in and the archive does not hold."),
    _gauge("unreleased_submissions", "submissions", "Submissions with news in the archive that is not public yet."),
    _gauge(
        "unreleased_seconds",
        "seconds",
        "How long the first news has waited to be public, a new board among them; 0 without any.",
    ),
    _gauge(
        "unreleasable_submissions",
        "submissions",
        "Submissions whose news cannot be made public, because a file is broken; the publisher's log names it.",
    ),
    _counter("store_commits", "commits", "Commits that succeeded since the publisher started.", "store"),
    _counter("store_failures", "commits", "Commits that failed since the publisher started.", "store"),
    _gauge(
        "store_seconds_since_commit",
        "seconds",
        "Time since the last commit; missing before the publisher's first.",
        "store",
    ),
    _gauge("store_commit_in_seconds", "seconds", "Time until the store takes a commit again.", "store"),
    _gauge(
        "store_stale", "0 or 1", "Whether reads are answered from a copy, because the store's home is away.", "store"
    ),
    _gauge("store_stale_seconds", "seconds", "How old that copy is; 0 where reads are current.", "store"),
)
"""Every metric, in the order of the page."""


def families(samples: Iterable[Sample]) -> Iterator[Metric]:
    """Yields samples by metric, in the order of `METRICS`; a metric without a sample is left out.

    Raises:
        KeyError: For a sample of a metric that is not among them.
        ValueError: For one with other labels than its metric's.

    Example:
        >>> (family,) = families([Sample("rapport_runs", 3, ("queued",))])
        >>> [(sample.name, sample.labels, sample.value) for sample in family.samples]
        [('rapport_runs', {'state': 'queued'}, 3)]
    """
    known = {metric.name: metric for metric in METRICS}
    by_name: defaultdict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        if len(sample.labels) != len(known[sample.name].labels):
            raise ValueError(f"{sample.name} has the labels {known[sample.name].labels}, not {sample.labels}")
        by_name[sample.name].append(sample)
    for metric in METRICS:
        if found := by_name.get(metric.name):
            kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
            family = kind(metric.name, metric.help, labels=metric.labels)
            for sample in found:
                family.add_metric(sample.labels, sample.value)
            yield family
