"""`make bench-coverage`: whether the intervals of the human suite cover, by simulated raters of known skill.

An interval speaks of other users under the same annotators and prompts, and this is what has to cover. Beside it stands
what nobody promises: how often the interval holds the figure that annotators, or prompts, of the same kind have on
average, when others are drawn each time; and what becomes of it where users' sizes have a coefficient of variation of
about 1. None of this decides what is published: sizes as published vary about half as much, and with the other the
effective number of users is half of what is counted.
"""

from __future__ import annotations

import os

# One thread, before numpy starts its own: what runs beside this keeps its cores.
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import argparse
import multiprocessing
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import binomtest

from benchmarks import coverage_figures as figures
from benchmarks.coverage_raters import (
    MADE_FROM,
    RATING,
    RELEVANCE,
    SAME,
    SYNTHETIC,
    UNEVEN,
    VERIFICATION,
    WRITTEN,
    Floats,
    Given,
    Task,
    new_annotators,
    new_prompts,
    simulate,
    write,
)
from benchmarks.coverage_tables import Table, class_tables, rating_tables, response_tables, truth_tables, written_tables
from benchmarks.report import report
from evaluator.human.figures import FIGURES
from evaluator.human.gap import gap_name, synthetic_gap
from evaluator.human.results import NamedFigure
from evaluator.metrics.clustered import Spread, interval, missing

REPETITIONS = 2000
NUMBERS_OF_USERS = (20, 50, 250)
POPULATION, BATCH = 500_000, 5_000
"""Users whose figures are taken for the truth: its own error is 1/45 of that of 250 users; and how many at once."""
BESIDE, FEWER = 4, 5
"""By how much fewer repetitions, and a smaller population, what stands beside has: it is no criterion."""
PROCESSES = 2
CHUNK = 50
"""Repetitions that a process does at once."""
LEAST, MOST = 0.93, 0.97
"""What the Monte Carlo interval of a coverage must meet."""

Tables = Mapping[str, Table]


class Stage(NamedTuple):
    """Some figures of the suite, and what they are made of."""

    tables: Callable[[np.random.Generator, int, Given], Tables]
    figures: Mapping[str, figures.Made]


class Seen(NamedTuple):
    """What one repetition says of one figure."""

    covered: bool
    width: float
    """Not a number where no interval was given."""


class Scenario(NamedTuple):
    """Under what the data sets are drawn."""

    place: int
    """What its seeds hang on."""
    given: Callable[[np.random.Generator], Given]
    redrawn: bool
    """Whether it is drawn anew for every data set; the truth is then the mean over many."""


SCENARIO = Scenario(0, lambda _: SAME, redrawn=False)
"""What intervals speak of."""
SCENARIOS = {
    "coverage_if_annotators_are_new": Scenario(1, new_annotators, redrawn=True),
    "coverage_if_prompts_are_new": Scenario(2, new_prompts, redrawn=True),
    "coverage_uneven_users": Scenario(3, lambda _: UNEVEN, redrawn=False),
}
"""What they do not promise."""


def of_classes(task: Task, random: np.random.Generator, users: int, given: Given) -> Tables:
    """Returns what a stage of two classes adds up to."""
    return class_tables(simulate(random, task, users, given))


def of_truth(task: Task, random: np.random.Generator, users: int, given: Given) -> Tables:
    """Returns what a stage of two classes adds up to on made-up users, whose truth is known."""
    return truth_tables(simulate(random, SYNTHETIC[task], users, given))


def of_ratings(random: np.random.Generator, users: int, given: Given) -> Tables:
    """Returns what ratings add up to."""
    return rating_tables(simulate(random, RATING, users, given))


def of_extraction(random: np.random.Generator, users: int, given: Given) -> Tables:
    """Returns what a writer and an extractor add up to."""
    return written_tables(write(random, users, given))


def of_made_up_lists(random: np.random.Generator, users: int, given: Given) -> Tables:
    """Returns what an extractor adds up to on made-up users, who were made from what is to be found."""
    return written_tables(write(random, users, given, MADE_FROM))


def of_writing(random: np.random.Generator, users: int, given: Given) -> Tables:
    """Returns what a writer adds up to, and a judge of ratings on what is written.

    Whole responses are others than those of single ratings: of as many as published people say no better than generic.
    """
    tables = {**of_ratings(random, users, given), **of_extraction(random, users, given)}
    return tables | response_tables(simulate(random, WRITTEN, users, given))


MADE_UP = ", made up"
STAGES = {
    "verification": Stage(partial(of_classes, VERIFICATION), figures.CLASSES),
    "relevance": Stage(partial(of_classes, RELEVANCE), figures.CLASSES),
    f"verification{MADE_UP}": Stage(partial(of_truth, VERIFICATION), figures.TRUTH),
    f"relevance{MADE_UP}": Stage(partial(of_truth, RELEVANCE), figures.TRUTH),
    "rating": Stage(of_ratings, figures.RATING),
    "writing": Stage(of_writing, figures.WRITING),
    "extraction": Stage(of_extraction, figures.EXTRACTION),
    f"extraction{MADE_UP}": Stage(of_made_up_lists, figures.FOUND),
}
"""In the order that seeds hang on."""


def tables_of(scenario: Scenario, name: str, users: int, seed: Sequence[int]) -> Tables:
    """Returns what a stage adds up to in one data set."""
    random = np.random.default_rng([scenario.place, list(STAGES).index(name), *seed])
    return STAGES[name].tables(random, users, scenario.given(random))


def sums_of(place: int, name: str, batch: int) -> dict[str, Floats]:
    """Returns what a stage adds up to over one batch of the population; no repetition has its seed."""
    found = tables_of(_scenario(place), name, BATCH, [0, batch])
    return {table: counts.sums.sum(axis=0) for table, counts in found.items()}


def _scenario(place: int) -> Scenario:
    """The scenario of a place, which a process is told instead of the scenario."""
    return next(some for some in (SCENARIO, *SCENARIOS.values()) if some.place == place)


def truth_of(scenario: Scenario, name: str, batches: Iterable[dict[str, Floats]]) -> dict[str, float]:
    """Returns the figures of a stage over the whole population."""
    made = STAGES[name].figures
    if scenario.redrawn:
        each = [figures.values(batch, made) for batch in batches]
        return {figure: float(np.mean([one[figure] for one in each])) for figure in made}
    sums: dict[str, Floats] = {}
    for batch in batches:
        sums = {table: sums.get(table, 0.0) + counts for table, counts in batch.items()}
    return figures.values(sums, made)


def published(found: Mapping[str, Mapping[str, Any]], gap: Callable[[Any, Any], Any]) -> dict[str, Any]:
    """Returns all stages' figures under the names that they are published by, gaps among them.

    Args:
        found: The figures of each stage.
        gap: Takes a figure on made-up users and the same on people, and returns the one less the other.
    """
    own = {
        f"{stage}.{name}": figure
        for stage, named in found.items()
        if not stage.endswith(MADE_UP)
        for name, figure in named.items()
    }
    return own | {
        f"{stage.removesuffix(MADE_UP)}.{gap_name(name)}": gap(figure, found[stage.removesuffix(MADE_UP)][name])
        for stage, named in found.items()
        if stage.endswith(MADE_UP)
        for name, figure in named.items()
    }


def repeat(users: int, repetition: int, truth: Mapping[str, float], scenario: Scenario = SCENARIO) -> dict[str, Seen]:
    """Simulates every stage once and tells for each figure whether its interval holds the truth."""
    found = {
        name: {
            figure: named(f"{name.removesuffix(MADE_UP)}.{figure}", spread)
            for figure, spread in figures.spreads(
                tables_of(scenario, name, users, [users, repetition]), stage.figures
            ).items()
        }
        for name, stage in STAGES.items()
    }
    return {name: _seen(figure, truth[name]) for name, figure in published(found, synthetic_gap).items()}


def named(name: str, spread: Spread) -> NamedFigure:
    """Returns a figure with its interval as a scorecard has it; counts of labels are not looked at."""
    method = FIGURES[name].method
    if method is None:
        raise ValueError(f"{name} is published without an interval")
    reason = missing(spread, method)
    told: dict[str, Any] = {
        "name": name.partition(".")[2],
        "value": float(spread.value) if np.isfinite(spread.value) else None,
        "interval": interval(spread, method),
        "reason": reason and reason.name.lower(),
    }
    return NamedFigure(**told, labels=0, users=int(spread.users), tied=0)


def _seen(figure: NamedFigure, truth: float) -> Seen:
    if figure.interval is None:
        return Seen(covered=False, width=np.nan)
    low, high = figure.interval.low, figure.interval.high
    return Seen(low <= truth <= high, high - low)


def repeat_some(truth: Mapping[str, float], users: int, place: int, repetitions: range) -> list[dict[str, Seen]]:
    """Does some of the repetitions."""
    return [repeat(users, repetition, truth, _scenario(place)) for repetition in repetitions]


class Simulated(NamedTuple):
    """What became of one scenario."""

    truth: Mapping[str, float]
    seen: Mapping[int, Sequence[Mapping[str, Seen]]]
    """By number of users."""


def measure(
    repetitions: int = REPETITIONS,
    numbers_of_users: Sequence[int] = NUMBERS_OF_USERS,
    population: int = POPULATION,
    processes: int = PROCESSES,
) -> dict[str, Any]:
    """Returns the figures of the benchmark.

    Args:
        repetitions: Data sets of each size; a quarter as many of each scenario that is no criterion.
        numbers_of_users: The sizes.
        population: Users whose figures are taken for the truth, in whole batches.
        processes: How many work at once.
    """
    started = time.monotonic()
    context = multiprocessing.get_context("spawn")
    fewer = max(1, repetitions // BESIDE)
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        found = _simulated(pool, SCENARIO, repetitions, numbers_of_users, population)
        beside = {
            name: _simulated(pool, scenario, fewer, numbers_of_users, population // FEWER)
            for name, scenario in SCENARIOS.items()
        }
    return told(found.seen, found.truth) | {
        **told_beside({name: some.seen for name, some in beside.items()}),
        "repetitions": repetitions,
        "repetitions_beside": fewer,
        "population": max(1, population // BATCH) * BATCH,
        "seconds": round(time.monotonic() - started, 1),
    }


def _simulated(
    pool: ProcessPoolExecutor, scenario: Scenario, repetitions: int, numbers_of_users: Sequence[int], population: int
) -> Simulated:
    """Finds the truth of a scenario, and repeats it."""
    batches, place = range(max(1, population // BATCH)), scenario.place
    truth = published(
        {name: truth_of(scenario, name, pool.map(partial(sums_of, place, name), batches)) for name in STAGES},
        float.__sub__,
    )
    parts = [range(start, min(start + CHUNK, repetitions)) for start in range(0, repetitions, CHUNK)]
    seen = {
        users: [one for some in pool.map(partial(repeat_some, truth, users, place), parts) for one in some]
        for users in numbers_of_users
    }
    return Simulated(truth, seen)


def told_beside(seen: Mapping[str, Mapping[int, Sequence[Mapping[str, Seen]]]]) -> dict[str, Any]:
    """Returns what is reported of the scenarios that are no criterion, by figure and number of users."""
    return {
        scenario: {
            name: {
                str(users): _coverage([one[name] for one in repetitions])["coverage"]
                for users, repetitions in sizes.items()
            }
            for name in sorted(next(iter(sizes.values()))[0])
        }
        for scenario, sizes in seen.items()
    }


def told(seen: Mapping[int, Sequence[Mapping[str, Seen]]], truth: Mapping[str, float]) -> dict[str, Any]:
    """Returns what is reported of the repetitions, by figure and number of users."""
    by_metric: dict[str, dict[str, dict[str, Any]]] = {
        name: {str(users): _coverage([one[name] for one in repetitions]) for users, repetitions in seen.items()}
        for name in sorted(truth)
    }

    def only(field: str) -> dict[str, dict[str, Any]]:
        return {name: {users: one[field] for users, one in sizes.items()} for name, sizes in by_metric.items()}

    intervals = only("interval")
    return {
        "coverage_by_metric": only("coverage"),
        "coverage_interval_by_metric": intervals,
        "width_by_metric": only("width"),
        "missing_by_metric": only("missing"),
        "truth_by_metric": {name: round(truth[name], 4) for name in sorted(truth)},
        "method_by_metric": {name: FIGURES[name].method for name in sorted(truth)},
        "without_interval": {name: figure.why for name, figure in FIGURES.items() if figure.method is None},
        "outside": sorted(
            f"{name} {users}"
            for name, sizes in intervals.items()
            for users, found in sizes.items()
            if found is not None and (found[1] < LEAST or found[0] > MOST)
        ),
    }


def _coverage(seen: Sequence[Seen]) -> dict[str, Any]:
    """The share of intervals that hold the truth, with its 95 % interval and their mean width; None where none is."""
    given = [one for one in seen if not np.isnan(one.width)]
    missing = len(seen) - len(given)
    if not given:
        return {"coverage": None, "interval": None, "width": None, "missing": missing}
    held = sum(one.covered for one in given)
    found = binomtest(held, len(given)).proportion_ci(method="wilson")
    return {
        "coverage": round(held / len(given), 4),
        "interval": [round(float(found.low), 4), round(float(found.high), 4)],
        "width": round(float(np.mean([one.width for one in given])), 4),
        "missing": missing,
    }


def main() -> None:
    """Simulates and reports what the intervals cover."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    parser.add_argument("--users", type=int, nargs="+", default=NUMBERS_OF_USERS)
    parser.add_argument("--population", type=int, default=POPULATION, help="users whose figures are the truth")
    parser.add_argument("--processes", type=int, default=PROCESSES)
    given = parser.parse_args()
    report("coverage", measure(given.repetitions, given.users, given.population, given.processes))


if __name__ == "__main__":
    main()
