"""What a person asks for, and what makes two such wishes one evaluation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from evaluator.engines.base import EndpointSpec
from evaluator.engines.load import best_engine
from evaluator.identity import digest
from evaluator.records import Generation
from evaluator.suites import RunSetup
from leaderboard.records import Lane, ShardReport
from leaderboard.settings import Settings
from worker.engines import Endpoints
from worker.planning import Candidate, Conditions


class Again(NamedTuple):
    """What a run is to repeat of another one."""

    of: str
    """The scorecard of the other run."""
    questions: frozenset[str]
    """Ids of the questions that are asked."""
    lanes: frozenset[Lane]
    """What is done again."""
    answers: tuple[Generation, ...]
    """The other run's answers, which are judged; none where the model is asked again."""
    loaded: Callable[[Sequence[ShardReport]], None]
    """Is told what engines run on, before the first question."""


class Wanted(NamedTuple):
    """What a person asks for."""

    candidate: Candidate
    conditions: Conditions
    endpoints: Endpoints
    limit: int | None
    """Items that are asked at most."""
    out: Path | None
    """Folder of the evaluation; None is one below the data folder."""
    again: Again | None = None
    """What another run is repeated for; None makes a run of its own."""

    @property
    def lanes(self) -> frozenset[Lane]:
        """What is done."""
        return self.again.lanes if self.again else frozenset(Lane)


def conditions_of(setup: RunSetup, wanted: Wanted, settings: Settings) -> tuple[tuple[str, str], ...]:
    """Returns everything that makes two evaluations one, as sorted names and values."""
    own, endpoints = best_engine(settings.engine), wanted.endpoints
    adapter, model = setup.adapter, setup.model
    told = {
        "model": model.model,
        "model_sha": model.sha,
        "adapter": adapter.model if adapter else "",
        "adapter_sha": adapter.sha if adapter else "",
        "thinking": str(setup.thinking).lower(),
        "protocol": setup.protocol.id,
        "protocol_config": setup.protocol.digest(),
        "judge": setup.judge.id,
        "judge_revision": setup.judge_revision,
        "judge_config": setup.judge.digest(),
        "data_sha": setup.data.sha,
        "prompt_pack": setup.pack.id,
        "limit": str(wanted.limit or ""),
        "engine": "reference" if model.is_reference else "openai" if endpoints.model else own,
        "judge_engine": "openai" if endpoints.judge else own,
        "context_tokens": str(settings.context_tokens),
        "model_server": _described(endpoints.model),
        "judge_server": _described(endpoints.judge),
    }
    if again := wanted.again:
        told["repeats"] = digest([again.of, sorted(again.questions), sorted(again.lanes), bool(again.answers)])
    return tuple(sorted(told.items()))


def _described(server: EndpointSpec | None) -> str:
    """Names a server by what decides its answers; empty if there is none."""
    if server is None:
        return ""
    declared = f", {server.context_length} tokens" if server.context_length else ""
    return f"{server.model} at {server.base_url} ({server.flavour}{declared})"
