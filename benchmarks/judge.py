"""`make bench-judge`: verdicts a second beside a bare `LLM.chat`, and the planning of a re-score of a thousand runs.

The demo model judges on this machine: prompts and forced verdicts are real, its opinions are not. What is compared is
how much of an engine's speed reaches the verdicts. Planning is measured on an archive that is made for it.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks.judge_plan import RUNS, measure_plan
from benchmarks.judge_speed import ROUNDS, USERS, measure_speed
from benchmarks.report import report


def main() -> None:
    """Measures both and reports them."""
    options = argparse.ArgumentParser(description=main.__doc__)
    options.add_argument("--users", type=int, default=USERS, help="users whose answers are judged")
    options.add_argument("--rounds", type=int, default=ROUNDS, help="runs of either")
    options.add_argument("--runs", type=int, default=RUNS, help="runs of the archive that is planned for")
    asked = options.parse_args()
    planned = measure_plan(asked.runs)
    print(planned, file=sys.stderr)
    report("judge", {**measure_speed(asked.users, asked.rounds), **planned})


if __name__ == "__main__":
    main()
