"""`make bench-judge`: verdicts a second beside a bare `LLM.chat`, and the planning of a re-score of a thousand runs.

The demo model judges on this machine: prompts and forced verdicts are real, its opinions are not. What is compared is
how much of an engine's speed reaches the verdicts. Planning is measured on an archive that is made for it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.judge_plan import RUNS, measure_plan
from benchmarks.judge_speed import Settings
from benchmarks.report import report
from evaluator.demo_model import ensure_demo_model
from evaluator.hicupid.demo_data import DemoSize, write_demo_set

_USERS = 6
"""Of 14 verdicts each."""
_ROUNDS = 5


def main() -> None:
    """Measures both and reports them."""
    options = argparse.ArgumentParser(description=main.__doc__)
    options.add_argument("--users", type=int, default=_USERS, help="users whose answers are judged")
    options.add_argument("--rounds", type=int, default=_ROUNDS, help="runs of either")
    options.add_argument("--runs", type=int, default=RUNS, help="runs of the archive that is planned for")
    asked = options.parse_args()
    model = ensure_demo_model(Path("data/models"))
    planned = measure_plan(asked.runs)
    print(planned, file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as scratch:
        data = Path(scratch) / "set"
        write_demo_set(data, DemoSize(asked.users, asked.users, 1), seed=42)
        settings = Settings(str(model.resolve()), str(data), asked.users, asked.rounds)
        spent = _arm("compare", settings) | _arm("process", settings)
    report("judge", {**spent, **planned})


def _arm(name: str, settings: Settings) -> dict[str, Any]:
    """Runs one measurement in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.judge_speed", name, json.dumps(settings._asdict())]
    told: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    print(told, file=sys.stderr)
    return told


if __name__ == "__main__":
    main()
