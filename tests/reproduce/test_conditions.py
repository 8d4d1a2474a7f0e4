"""What is said of a machine that is not the published row's."""

from __future__ import annotations

import pytest

from evaluator.protocol import load_protocol
from leaderboard.records import Lane
from tests.builders import make_report, make_reports, make_scorecard
from worker.local.conditions import changed_engines
from worker.local.reproduce import _protocol

BOTH = frozenset(Lane)
FLAGS = (("block_size", "32"), ("context_used", "8192"))


def the_card(**changes):
    made = {"engine": "vllm", "engine_version": "1", "dtype": "float32", "hardware": "cpu", "engine_flags": FLAGS}
    judged = {f"judge_{name}": made[name] for name in ("engine", "dtype", "hardware")}
    return make_scorecard("org/model", **{**made, **judged, "judge_engine_version": "1", "context": (), **changes})


def test_the_same_engines_have_nothing_to_tell() -> None:
    assert changed_engines(the_card(), make_reports(engine_flags=FLAGS), BOTH) == []


@pytest.mark.parametrize(
    ("changes", "name", "there", "here"),
    [
        ({"engine_version": "0"}, "version", "0", "1"),
        ({"engine": "transformers"}, "engine", "transformers", "vllm"),
        ({"dtype": "bfloat16"}, "dtype", "bfloat16", "float32"),
        ({"hardware": "NVIDIA H100"}, "hardware", "NVIDIA H100", "cpu"),
        ({"engine_flags": (("block_size", "16"), FLAGS[1])}, "flag block_size", "16", "32"),
        ({"engine_flags": (*FLAGS, ("new_flag", "on"))}, "flag new_flag", "on", ""),
        ({"context": (("bm25s", "0.3"),)}, "context bm25s", "0.3", ""),
        ({"judge_engine_version": "0"}, "judge version", "0", "1"),
        ({"judge_hardware": "NVIDIA H100"}, "judge hardware", "NVIDIA H100", "cpu"),
    ],
)
def test_each_difference_is_told_once_with_what_it_may_change(changes, name, there, here) -> None:
    (change,) = changed_engines(the_card(**changes), make_reports(engine_flags=FLAGS), BOTH)
    assert (change.name, change.there, change.here, change.stops) == (name, there, here, False)
    assert change.effect
    assert change.describe().startswith(f"{name}: {there or 'not told'} there, {here or 'not told'} here; ")


def test_the_last_report_counts_and_nothing_is_said_of_what_was_not_done() -> None:
    card = the_card(judge_engine_version="0", engine_version="0")
    answers = [make_report(engine_flags=FLAGS, engine_version=version) for version in ("1", "0")]
    assert changed_engines(card, answers, frozenset({Lane.GENERATE})) == []
    judged = [*answers, make_report(Lane.JUDGE)]
    assert [each.name for each in changed_engines(card, judged, frozenset({Lane.JUDGE}))] == ["judge version"]


def test_an_encoder_is_taken_at_the_state_that_the_row_was_made_with() -> None:
    dense = "dense-dialogue-5-v1"
    context = (("encoder", f"org/encoder@{'c' * 40}"), ("encoder_library", "x 1"))
    assert _protocol(make_scorecard("org/model", protocol=dense, context=context)).context.revision == "c" * 40
    assert _protocol(make_scorecard("org/model", protocol="demo-v1", context=())) == load_protocol("demo-v1")
