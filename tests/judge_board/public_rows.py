"""What is public of made-up judges: a quality with gaps and one without, a check that passes and one of before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from evaluator.engines.base import EngineInfo
from evaluator.hicupid.outcomes import JudgedItem
from evaluator.judges.canaries import CanaryFigure, CanaryVerdict, JudgeCheck, bounds_of
from evaluator.judges.quality.board import Rated, judge_quality
from evaluator.judges.quality.judged import Judged
from evaluator.judges.quality.reading import Attempt, costs_of
from evaluator.judges.quality.records import Training
from evaluator.results import Interval, Rate
from leaderboard.judge_board.records import ComputedQuality
from tests.builders import LOSS, NOON, WIN, make_item

UNTOLD = Training(types=None, models=None)


def make_computed(judge: str = "demo", *, users: int = 12, **changes: Any) -> ComputedQuality:
    """The quality of a judge that said something of one answer of each user."""
    items = {f"test_1/{user}": make_item(f"test_1/{user}", user_id=user) for user in range(users)}
    judged = [
        Judged(JudgedItem(item, None, (WIN, LOSS if user % 3 else WIN), ()), f"{user:064x}", "org/model", user, 5)
        for user, item in enumerate(items.values())
    ]
    attempts = [Attempt(name, name, 1, 100 + place % 3, None, 9, 0.5 + place % 2) for place, name in enumerate(items)]
    told = {"revision": "r1", "config": "c" * 64, "prompt_pack": "pack", "family": None, "training": UNTOLD} | changes
    rated = Rated(judge=judge, judged=judged, costs=costs_of(attempts, items), **told)
    quality = judge_quality(rated, [], [], items, {}, epsilon=0.1)
    return ComputedQuality(quality=quality, computed_at=NOON, runs=1, archive_revision="7")


def make_check(judge: str = "demo", **changes: Any) -> JudgeCheck:
    """A check that a judge has passed."""
    known = Rate(value=50.0, judged=10, items=12, interval=Interval(low=40.0, high=60.0, users=10))
    figures = [
        CanaryFigure(canary=canary, figure=figure, rate=known, bound=bound, verdict=CanaryVerdict.WITHIN)
        for (canary, figure), bound in bounds_of("pairwise").items()
    ]
    unknown = replace(known, value=None, judged=0, interval=None)
    unbound = figures[0].model_copy(update={"rate": unknown, "bound": None, "verdict": CanaryVerdict.UNBOUND})
    engine = EngineInfo(
        engine="vllm",
        version="1",
        flags=(("seed", "1"),),
        dtype="float32",
        hardware="cpu",
        context_length=1024,
        load_seconds=0.0,
        chat_template_hash="0" * 64,
        chat_template_arguments=(),
    )
    values: dict[str, Any] = {
        "judge": judge,
        "judge_revision": "r1",
        "judge_config": "c" * 64,
        "judge_engine": engine,
        "prompt_pack": "pack",
        "data_sha": "d" * 64,
        "questions": 12,
        "users": 10,
        "verdicts": 240,
        "missing": 0,
        "prompt_tokens": 2400,
        "output_tokens": 240,
        "rows_sha": "0" * 64,
        "figures": (*figures, unbound.model_copy(update={"figure": "ties"})),
        "checked_at": NOON,
    }
    return JudgeCheck(**(values | changes))
