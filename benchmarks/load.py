"""`make bench-load`: 1,000 submissions of 200 people through the whole service, with 10,000 in its history.

Everything is real but the Hub, which is a local server, and the engine, which is the deterministic one. All of it, the
Hub and those who ask included, shares the cores of this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from benchmarks.load_account import account_of
from benchmarks.load_app import read_times
from benchmarks.load_hub import model_of
from benchmarks.load_site import LoadSite, running_site
from benchmarks.load_visitors import Measured, log_in, orders_of, submit_all
from benchmarks.report import report
from leaderboard.pages.reader import PAGE_LENGTH
from tests.web.provider import running_provider

_LOOK_SECONDS = 1.0
_OK = 200


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and reports."""
    report("load", measure(_options(arguments)))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Reads what may be changed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--submissions", type=int, default=1000)
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--history", type=int, default=10_000)
    parser.add_argument("--arrivals", type=float, default=5.0, help="submissions that arrive in a second, on average")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(arguments)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Runs the service once and returns the figures."""
    models = [model_of(number) for number in range(options.submissions)]
    with tempfile.TemporaryDirectory(prefix="rapport-load-") as folder, running_provider() as provider:
        started = time.monotonic()
        with running_site(Path(folder), provider.url, len(models), options.history) as site:
            people = log_in(site.url, provider, options.users)
            ready = time.monotonic() - started
            orders = orders_of(people, models, options.arrivals, options.seed)
            used, load = _used(site), os.getloadavg()[0]
            measured = asyncio.run(submit_all(site.url, orders, _pages(site, len(models)), _LOOK_SECONDS))
            cores = _cores(used, _used(site), measured.seconds)
            load_after, dead = os.getloadavg()[0], site.dead()
            active = len(site.ledger.active())
            site.settle()
            account = account_of(measured.outcomes, site.ledger, site.stores, len(models) * 2)
            return {
                "submissions": len(models),
                "lost": len(account.lost),
                "duplicated": len(account.duplicated),
                **_accepting(measured, read_times(site.times)),
                **_paging(measured),
                "arrivals_per_second": options.arrivals,
                "users": options.users,
                "sent_twice": sum(order.twice for order in orders),
                "refused": dict(Counter(each.refused for each in measured.outcomes if each.refused)),
                "history": options.history,
                "active_at_the_end": active,
                "roles_that_ended": dead,
                "start_seconds": round(ready, 1),
                "seconds": round(measured.seconds, 1),
                "cores_used": cores,
                "load_average": [round(load, 2), round(load_after, 2)],
            }


def _pages(site: LoadSite, coming: int) -> list[int]:
    """Returns the pages that are looked at: the first two, one in the middle, the last two.

    What comes in meanwhile moves the end; the last one is the last by then, whatever its number.
    """
    last = -(-site.ledger.count() // PAGE_LENGTH)
    return [1, 2, max(1, last // 2), last, last + coming]


def _accepting(measured: Measured, times: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """Says how long it took until people had an id, and where that time went."""
    accepted = [each for each in measured.outcomes if each.submission_id]
    handled = len(times["submit"])
    means = {part: sum(times.get(part, ())) / handled for part in ("submit", "checks", "hub", "ledger")}
    return {
        **_spread("accept", [each.accept_ms for each in accepted]),
        "mean_ms": {
            "accept": _mean([each.accept_ms for each in accepted]),
            "gradio_join": _mean([each.join_ms for each in accepted]),
            "gradio_queue_and_stream": _mean([each.accept_ms - each.join_ms for each in accepted], means["submit"]),
            "checks": round(means["checks"], 1),
            "checks_waiting_for_the_hub": round(means["hub"], 1),
            "ledger": round(means["ledger"], 1),
        },
        "handler_p95_ms": _percentile(times["submit"], 95),
        "checks_p95_ms": _percentile(times["checks"], 95),
        "ledger_p95_ms": _percentile(times["ledger"], 95),
    }


def _paging(measured: Measured) -> dict[str, Any]:
    """Says how long pages of the queue took: the figure is the 95th percentile of those that nobody had just read."""
    cold = [each.ms for each in measured.pages if each.cold]
    by_page = {
        page: [each.ms for each in measured.pages if each.cold and each.page == page] for page, *_ in measured.pages
    }
    return {
        "queue_page_ms": _percentile(cold, 95),
        "queue_page_p50_ms": _percentile(cold, 50),
        "queue_page_max_ms": round(max(cold), 1),
        "queue_page_warm_p95_ms": _percentile([each.ms for each in measured.pages if not each.cold], 95),
        "queue_page_p95_by_page_ms": {str(page): _percentile(found, 95) for page, found in by_page.items()},
        "queue_pages": len(measured.pages),
        "queue_pages_failed": sum(each.status != _OK for each in measured.pages),
    }


def _spread(name: str, values: Sequence[float]) -> dict[str, float]:
    """Returns percentiles of times, by name."""
    return {f"{name}_p{percent}_ms": _percentile(values, percent) for percent in (50, 95, 99)} | {
        f"{name}_max_ms": round(max(values), 1)
    }


def _percentile(values: Sequence[float], percent: int) -> float:
    """Returns a percentile of at least one value."""
    if len(values) == 1:
        return round(values[0], 1)
    return round(statistics.quantiles(values, n=100, method="inclusive")[percent - 1], 1)


def _mean(values: Sequence[float], less: float = 0.0) -> float:
    """Returns a mean without a part of it."""
    return round(statistics.fmean(values) - less, 1)


def _used(site: LoadSite) -> dict[str, float]:
    """Returns the processor seconds of each role so far, of those who ask, and of all that runs on this machine."""
    own, all_ = psutil.Process().cpu_times(), psutil.cpu_times()
    everything = all_.user + all_.nice + all_.system + all_.irq + all_.softirq
    return {**site.cpu_seconds(), "visitors": own.user + own.system, "others": everything}


def _cores(before: Mapping[str, float], after: Mapping[str, float], seconds: float) -> dict[str, float]:
    """Returns how many cores each role kept busy on average; `others` are no part of this benchmark."""
    cores = {name: (after[name] - before[name]) / seconds for name in before}
    cores["others"] = max(0.0, 2 * cores["others"] - sum(cores.values()))
    return {name: round(used, 2) for name, used in cores.items()}


if __name__ == "__main__":
    main()
