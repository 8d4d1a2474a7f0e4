"""Which engines a worker loads, and how much of its card each may take."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from evaluator.engines.base import EndpointSpec
from evaluator.estimate import GPU_SHARE
from evaluator.judges.spec import load_judge
from evaluator.models import PinnedModel, pin
from evaluator.setup import HicupidSetup
from leaderboard.records import Lane
from leaderboard.settings import Settings
from tests.model_folders import make_model_folder
from tests.scripted import make_setup
from worker.engines import NO_ENDPOINTS, Endpoints, RunEngines, gpu_share

SERVER = EndpointSpec(base_url="http://judge.internal:8000/v1", model="judge")
JUDGE = load_judge("demo").model


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> HicupidSetup:
    return make_setup(tmp_path_factory.mktemp("cache"))


@pytest.mark.parametrize(
    ("changes", "endpoints", "lanes", "share"),
    [
        ({}, NO_ENDPOINTS, tuple(Lane), GPU_SHARE / 2),
        ({}, NO_ENDPOINTS, (Lane.GENERATE,), GPU_SHARE),
        ({}, NO_ENDPOINTS, (Lane.JUDGE,), GPU_SHARE),
        ({}, Endpoints(judge=SERVER), tuple(Lane), GPU_SHARE),
        ({"model": PinnedModel("reference/gold", "0" * 64)}, NO_ENDPOINTS, tuple(Lane), GPU_SHARE),
        ({"model": PinnedModel(JUDGE, "r1")}, NO_ENDPOINTS, tuple(Lane), GPU_SHARE),
        ({"model": PinnedModel(JUDGE, "r1"), "adapter": PinnedModel("org/lora", "b")}, NO_ENDPOINTS, tuple(Lane), None),
    ],
    ids=["both", "model alone", "judge alone", "judge elsewhere", "reference", "one and the same", "with an adapter"],
)
def test_an_engine_that_is_alone_on_its_worker_has_the_whole_card(setup, changes, endpoints, lanes, share):
    assert gpu_share(setup._replace(**changes), endpoints, lanes) == (share or GPU_SHARE / 2)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    for name in ("tiny", JUDGE.removeprefix("local/")):
        make_model_folder(tmp_path / "models", name)
    return Settings(engine="deterministic", models=tmp_path / "models", data=tmp_path / "data")


@pytest.fixture
def engines(setup: HicupidSetup, settings: Settings) -> Iterator[RunEngines]:
    model, judge = (pin(name, None, settings.models) for name in ("local/tiny", JUDGE))
    run = setup._replace(model=model, judge_revision=judge.sha)
    with RunEngines(run, settings, settings.data / "logs" / "run") as loading:
        yield loading


def logs(settings: Settings) -> list[str]:
    folder = settings.data / "logs"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_each_engine_is_loaded_when_it_is_first_asked_for_and_once(engines, settings):
    assert logs(settings) == []
    judge = engines.judge()
    assert logs(settings) == ["run-judge.log"]
    assert engines.judge() is judge
    source = engines.source()
    assert engines.source() is source
    assert logs(settings) == ["run-judge.log", "run.log"]
    assert engines.peak_rss_mb() == 0, "nothing was asked yet"


def test_a_model_that_is_its_own_judge_is_loaded_once(setup, settings):
    judge = pin(JUDGE, None, settings.models)
    run = setup._replace(model=judge, judge_revision=judge.sha)
    with RunEngines(run, settings, settings.data / "logs" / "run") as engines:
        assert engines.source().engine is engines.judge()
    assert logs(settings) == ["run.log"]
