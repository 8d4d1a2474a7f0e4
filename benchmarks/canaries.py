"""`make bench-canaries`: what the canaries of judges that compare come to for judges of known noise.

A judge that follows a sound rule errs in a known share of its verdicts, by chance or by always taking slot A. Each is
asked by the check itself, over HTTP. So it is known at which noise a judge falls outside which bound.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, get_args

from benchmarks.report import report
from evaluator.engines.base import EndpointSpec
from evaluator.judges.canaries import BOUNDS, JudgeCheck
from evaluator.judges.spec import load_judge
from leaderboard.settings import Settings
from tests.plain_server import plain_server
from tests.sound_judge import Noise, made_up, noisy
from worker.local.judge_check import Wanted, check_judge

USERS = 25
SHARES = (0.0, 0.02, 0.05, 0.08, 0.1, 0.12, 0.15, 0.2, 0.3)


def measure() -> dict[str, Any]:
    """Asks each judge about all canaries; returns by noise and share what is bound, and which bounds were not kept."""
    return {noise: {str(share): _figures(_checked(noise, share)) for share in SHARES} for noise in get_args(Noise)}


def _checked(noise: Noise, share: float) -> JudgeCheck:
    """Has one judge checked."""
    free = load_judge("demo").model_copy(update={"patterns": None})
    with tempfile.TemporaryDirectory() as folder, plain_server(noisy(USERS, noise, share)) as server:
        there = EndpointSpec(base_url=server.url, model="judge", flavour="plain", context_length=100_000)
        return check_judge(Wanted(free, str(made_up(USERS)[0]), "builtin", there), Settings(data=Path(folder))).check


def _figures(check: JudgeCheck) -> dict[str, Any]:
    """Lays out what is bound."""
    bound = [each for each in check.figures if (each.canary, each.figure) in BOUNDS]
    return {
        "passed": check.passed,
        "outside": [f"{canary or 'all'} {figure}" for canary, figure, _ in check.unkept],
        **{f"{each.canary or 'all'} {each.figure}": each.rate.value for each in bound},
    }


if __name__ == "__main__":
    report("canaries", measure())
