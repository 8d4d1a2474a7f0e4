"""Scorecards of generated models: which runs each has, and where each result is said to come from."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

from benchmarks.site_models import SiteModel, reference
from evaluator.context_mode import FullHistory
from evaluator.hicupid.data import HUB_DATA_SET, SEASON
from evaluator.human.tasks import Task
from evaluator.identity import digest
from evaluator.judges.spec import load_judge
from evaluator.protocol import Reference, hicupid_protocol, is_reference
from evaluator.records import Terms
from evaluator.results import Result
from leaderboard.decided import FLAGGED
from leaderboard.results import INCOMPLETE, JUDGE_REASONS, HumanScorecard, Scorecard, with_facts
from leaderboard.scorecards import scorecard_id
from tests.human_runs import PROTOCOLS, demo_items, make_human_run, make_synthetic_run, of_people

PROTOCOL = MappingProxyType(
    {
        "official": "official-v1",
        "seen": "seen-v1",
        "gold": "gold-v1",
        "found": "bm25-dialogue-5-v1",
        "paper": "paper",
        "demo": "demo-v1",
    }
)
"""Protocols of the site, by what they are about."""
_EASE = {"seen-v1": 0.05, "gold-v1": 0.25, "bm25-dialogue-5-v1": -0.1, "paper": 0.0, "demo-v1": -0.4}
"""What a protocol adds to a model's truth."""
REFERENCES = tuple(
    (f"reference/{name.value.replace('_', '-')}", quality)
    for name, quality in zip(Reference, (0.0, -0.9, -3.0), strict=True)
)
"""Names of references, and how good their answers are."""
_SECOND_JUDGE, _SECOND_JUDGED = "openai-compatible", 8
"""A candidate, and how many models it has judged too."""
_DEMO = Terms(visibility="public", season=SEASON, licence="apache-2.0", redistributable=True, personal_data="synthetic")
_HICUPID = Terms(visibility="public", season=SEASON, licence=None, redistributable=False, personal_data="synthetic")
_TASKS = (Task.VERIFICATION, Task.RELEVANCE, Task.RATING)
_KINDS_OF_RATERS = 4
"""How many ways of answering human-grounded tasks there are."""


class Run(NamedTuple):
    """One run under one judge."""

    id: str
    protocol: str
    asked: str
    """Which questions."""
    judge: str
    judging: int
    """0 for the protocol's own judge."""
    quality: float
    complete: bool
    unranked_because: tuple[str, ...]

    @property
    def seed(self) -> Sequence[int]:
        """What its answers are drawn from: the same whoever judges them."""
        return [int(digest(self.id)[:12], 16)]


def protocols_of(model: SiteModel) -> tuple[str, ...]:
    """Returns the protocols of HiCUPID that a model was run under."""
    if is_reference(model.name):
        return (PROTOCOL["official"],)
    if model.name.startswith("local/"):
        return (PROTOCOL["demo"],)
    wanted = {"official": 1, "seen": 5, "gold": 5, "found": 9, "paper": 60}
    return tuple(PROTOCOL[name] for name, every in wanted.items() if model.number % every == 0)


def runs_of(model: SiteModel) -> Iterator[Run]:
    """Yields the runs of a model, each under every judge that it was judged by."""
    for protocol in protocols_of(model):
        yield _run(model, protocol, hicupid_protocol(protocol).judge, 0)
        if model.number < _SECOND_JUDGED and protocol == PROTOCOL["official"]:
            yield _run(model, protocol, _SECOND_JUDGE, 1)


def card_of(model: SiteModel, run: Run, result: Result) -> Scorecard:
    """Returns the scorecard of a run, with the facts that a release lays over it."""
    protocol, judge = hicupid_protocol(run.protocol), load_judge(run.judge)
    is_demo, full = run.asked == "demo", isinstance(protocol.context, FullHistory)
    card = Scorecard(
        id=scorecard_id(run.id, run.judge),
        **_whose(model),
        run_id=run.id,
        protocol=run.protocol,
        protocol_config=protocol.digest(),
        judge=run.judge,
        judge_revision=f"{judge.digest()[:40]}",
        judge_config=judge.digest(),
        judge_status=judge.status,
        prompt_pack="builtin" if is_demo else "official",
        prompt_pack_status="builtin" if is_demo else "official",
        data_source="demo" if is_demo else HUB_DATA_SET,
        data_sha=("e" if is_demo else "d") * 40,
        context=() if full or run.asked != "test_2" or run.protocol == "gold-v1" else (("bm25s", "0.3.16"),),
        chat_template_arguments=(("date_string", "01 Jan 2026"),),
        instruction_moved=model.number % 7 == 3,
        engine="vllm",
        engine_version="0.32.0",
        engine_flags=(("batch_invariant", "true"),),
        dtype="float32" if is_demo else "bfloat16",
        hardware="cpu" if is_demo else "NVIDIA H100 80GB HBM3",
        judge_engine="vllm",
        judge_engine_version="0.32.0",
        judge_dtype="float32" if is_demo else "bfloat16",
        judge_hardware="cpu" if is_demo else "NVIDIA H100 80GB HBM3",
        result=result,
        rows_sha=digest([run.id, run.judge]),
        unranked_because=run.unranked_because,
        stage_seconds=(("generate", 840.0), ("judge", 310.0), ("load", 45.0), ("wait", 120.0)),
        peak_rss_mb=6_144.0,
        created_at=model.handed_in + datetime.timedelta(hours=3),
        terms=_DEMO if is_demo else _HICUPID,
    )
    return with_facts(card, model.facts)


def demo_models(models: Sequence[SiteModel], newest: datetime.datetime) -> list[SiteModel]:
    """Returns models that were tried on the demo set alone."""
    return [
        reference(f"local/{name}", 2**29 + place, quality, newest)._replace(facts=models[place].facts)
        for place, (name, quality) in enumerate((("SmolLM2-135M-Instruct", -1.2), ("Home-Made", -0.6)))
        if place < len(models)
    ]


def human_cards(model: SiteModel) -> Iterator[HumanScorecard]:
    """Yields how far a model agrees with people at three tasks, and at one of them on made-up users as well."""
    for made in [*((task, False) for task in _TASKS), (Task.RELEVANCE, True)]:
        card = _human_card(*made, model.number % _KINDS_OF_RATERS)
        run_id = f"{model.submission_id}.{card.protocol}"
        own = _whose(model) | {"run_id": run_id, "id": scorecard_id(run_id, card.judge)}
        own["created_at"] = model.handed_in + datetime.timedelta(hours=4)
        yield with_facts(card.model_copy(update=own), model.facts)


def human_protocols() -> tuple[str, ...]:
    """Returns the protocols of these."""
    return (*(PROTOCOLS[task] for task in _TASKS), f"human-{Task.RELEVANCE}-synthetic-v1")


@cache
def _human_card(task: Task, made_up: bool, kind: int) -> HumanScorecard:
    """Returns a scorecard of a task that goes by the labels but for some places."""

    def say(item: Any, place: int) -> str:
        mean = sum(label.number for label in item.labels) / len(item.labels)
        right = place % (kind + 3) != 0
        if task is Task.RATING:
            return str(round(mean) if right else 6 - round(mean))
        yes, no = ("rejected", "accepted") if task is Task.VERIFICATION else ("YES", "NO")
        return yes if (mean > 0.5) == right else no

    if made_up:
        return make_synthetic_run(task, say=say).card
    return make_human_run(task, asked=of_people(demo_items(task)), say=say).card


def _run(model: SiteModel, protocol: str, judge: str, judging: int) -> Run:
    """Names a run, and why it does not rank."""
    complete = model.number % 40 != 39
    shipped, status = hicupid_protocol(protocol), load_judge(judge).status
    reasons = (
        ("reference", is_reference(model.name)),
        (JUDGE_REASONS.get(status, ""), status in JUDGE_REASONS),
        ("built-in prompts", protocol == PROTOCOL["demo"]),
        (f"protocol {protocol}", protocol == PROTOCOL["demo"]),
        (INCOMPLETE, not complete),
        (FLAGGED, model.number == 33),
    )
    return Run(
        id=f"{model.submission_id}.{protocol}",
        protocol=protocol,
        asked="demo" if protocol == PROTOCOL["demo"] else shipped.splits[0],
        judge=judge,
        judging=judging,
        quality=model.quality + _EASE.get(protocol, 0.0),
        complete=complete,
        unranked_because=tuple(reason for reason, holds in reasons if holds),
    )


def _whose(model: SiteModel) -> dict[str, Any]:
    """Returns what a scorecard takes from its submission."""
    return {
        "submission_id": model.submission_id,
        "model": model.name,
        "revision": model.revision,
        "adapter": model.adapter,
        "adapter_revision": model.adapter and model.revision,
        "submitter": model.submitter,
        "declaration": model.declaration,
    }
