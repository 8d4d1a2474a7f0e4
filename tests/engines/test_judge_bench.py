"""What `make bench-judge` compares: judging through an engine's process, and a bare call of the same engine."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from benchmarks.judge_engine import BenchEngine
from evaluator.engines.base import Message, Request
from tests.engines.conftest import spec_of
from tests.engines.judging import VERDICT, judged

LONG = [Request("long", "judge", (Message("user", "Which of the two is the better one? " * 4),))]


def test_the_bare_call_is_given_what_judging_asked_first_and_says_the_same(tiny_model: Path, tmp_path: Path) -> None:
    with BenchEngine(spec_of(tiny_model), tmp_path / "log") as engine:
        done = list(engine.generate(judged(3), {"judge": VERDICT}))
        steps = engine.steps()
        engine.afresh()
        assert engine.steps() == 0 < steps
        assert engine.bare() > 0
        assert engine.steps() > 0
        list(engine.generate(judged(1), VERDICT))

        assert Counter(engine.said()) == Counter((item.prompt_hash, item.text) for item in done)
        assert engine.asked() == {"calls": 1, "groups": {"judge": 3}}, "what is judged later is not asked of it"
        cached = [item.cached_tokens for _ in range(2) for item in engine.generate(LONG, VERDICT)]
        engine.afresh()
        cached += [item.cached_tokens for item in engine.generate(LONG, VERDICT)]
        assert cached[0] == cached[2] == 0 < cached[1], "every run begins on an empty cache"
