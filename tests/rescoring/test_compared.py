"""Two judges of known rules: where they differ is known in advance, and must be found."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from evaluator.errors import RapportError
from evaluator.hicupid.data import HicupidData, demo_set
from evaluator.hicupid.questions import Question, QuestionType
from evaluator.judges.spec import load_judge
from evaluator.models import pin
from leaderboard.cli.main import app
from leaderboard.records import now
from leaderboard.rescoring.compared import compare
from leaderboard.rescoring.comparing_texts import QuestionTexts
from leaderboard.rescoring.comparison import Comparison
from leaderboard.rescoring.promotions import Promotion, Promotions
from leaderboard.rescoring.records import RescoreStatus
from leaderboard.settings import Settings
from leaderboard.store import LocalStore, Write, layout
from leaderboard.store.runs import StoredRun
from leaderboard.submissions import keys
from tests.model_folders import make_model_folder
from tests.plain_server import plain_server
from tests.rescoring.other_judge import OTHER, write_judge
from tests.rescoring.rescores import Bench, publish_runs
from worker.publisher import Publisher

PROTOCOL, OLD = "demo-v1", "old"
_PAIR = re.compile(r"Question: (?P<question>.*?)\nAnswer A: (?P<a>.*)\nAnswer B: (?P<b>.*)", re.DOTALL)
_SCHEDULE = re.compile(r"Request: (?P<question>.*?) Answer: (?P<a>.*)", re.DOTALL)


def number(text: str) -> int:
    return zlib.crc32(text.strip().encode())


def is_contrary(question: str) -> bool:
    """Where the new judge says the opposite of the old one."""
    return number(question) % 4 == 0


def said(messages: list[dict[str, Any]], *, contrary: bool) -> str:
    """Takes one of two answers by its text alone, whichever slot it stands in."""
    shown = messages[-1]["content"].rpartition("\n\n")[2]
    if pair := _PAIR.search(shown):
        a, b = number(pair["a"]), number(pair["b"])
        better = (a > b) != (contrary and is_contrary(pair["question"]))
        return f"Because of its number.\nBetter Response: {'Tie' if a == b else 'A' if better else 'B'}"
    asked = _SCHEDULE.search(shown)
    assert asked, shown
    pleased = bool(number(asked["a"]) % 2) != (contrary and is_contrary(asked["question"]))
    return f"Satisfaction: {'YES' if pleased else 'NO'}"


@pytest.fixture
def bench(
    settings: Settings, redis: Any, store: LocalStore, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    """Published by the old judge, which was promoted once; the new one is at hand."""
    assert settings.judges
    for judge in (OLD, OTHER):
        write_judge(settings.judges, judge, free=True)
    make_model_folder(settings.models, OLD)
    spec = load_judge(OLD, settings.judges)
    promotion = Promotion(
        protocol=PROTOCOL,
        judge=OLD,
        judge_revision=pin(spec.model, None, settings.models).sha,
        judge_config=spec.digest(),
        rescore_id="r-20260101-00000000",
        at=now(),
        actor="carol",
        reason="The first one.",
    )
    promoted = Promotions(promotions=(promotion,)).model_dump_json()
    store.commit([Write(layout.PROMOTIONS, promoted.encode())], "promotion")
    redis.set(keys.PROMOTIONS, promoted)
    with (
        plain_server(lambda messages: said(messages, contrary=False)) as old,
        plain_server(lambda messages: said(messages, contrary=True)) as new,
    ):
        servers = [
            {"judge": judge, "url": server.url, "flavour": "plain", "context": 100_000}
            for judge, server in ((OLD, old), (OTHER, new))
        ]
        monkeypatch.setenv("RAPPORT_JUDGE_SERVERS", json.dumps(servers))
        there = Settings()
        yield Bench(there, redis, store, publisher, publish_runs(there, redis, publisher))


def questions(bench: Bench) -> dict[str, Question]:
    plan = StoredRun(bench.store, bench.runs[0]).plan()
    assert plan
    asked = {item.question_id for item in plan.items}
    data = HicupidData.open(str(demo_set()))
    splits = {item.split for item in plan.questions}
    return {each.question_id: each for split in splits for each in data.questions(split) if each.question_id in asked}


def judged_pairs(bench: Bench) -> list[Question]:
    """The question of every answer that a judge read."""
    known = questions(bench)
    rows = [row for run_id in bench.runs for row in StoredRun(bench.store, run_id).rows().generations]
    return [known[row.key.question_id] for row in rows if row.answer is not None and row.defect is None]


def test_what_flips_is_what_the_new_judge_decides_otherwise_and_is_told_in_words_and_json(bench: Bench) -> None:
    rescore = bench.finish(bench.begin())
    assert rescore.status is RescoreStatus.COMPLETED
    told = compare(bench.store, rescore, PROTOCOL, texts=QuestionTexts("demo"))
    read = judged_pairs(bench)
    orders = {QuestionType.SCHEDULE: 1}
    wanted = sum(orders.get(each.type, 2) for each in read if is_contrary(each.question))
    assert wanted > 0
    assert told.flipped == sum(group.count for group in told.flips) == wanted
    known = questions(bench)
    for group in told.flips:
        assert all(is_contrary(known[flip.question_id].question) for flip in group.shown)
        assert all(flip.question == known[flip.question_id].question for flip in group.shown)

    as_json = CliRunner().invoke(app, ["rescore", "compare", rescore.id, "--json"])
    assert Comparison.model_validate_json(as_json.stdout) == told
    printed = CliRunner().invoke(app, ["rescore", "compare", rescore.id])
    assert printed.exit_code == 0
    assert "kappa" in printed.stdout
    assert f"{told.flipped:,}" in printed.stdout

    with pytest.raises(RapportError, match="No run of demo-v1 has been judged by both judges"):
        compare(bench.store, rescore, PROTOCOL, against=OTHER)
