"""Engines over one tiny model, loaded once for all tests that only read from them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from evaluator.engines.base import EngineSpec
from evaluator.engines.process import EngineProcess
from tests.tiny_model import make_tiny_model


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny", context=2048)


def spec_of(model: Path, engine: str = "vllm") -> EngineSpec:
    return EngineSpec(engine=engine, model_path=str(model), dtype="float32", kv_cache_gib=1)


@pytest.fixture(scope="session")
def vllm_engine(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    with EngineProcess(spec_of(tiny_model), tmp_path_factory.mktemp("logs") / "vllm.log") as engine:
        yield engine


@pytest.fixture(scope="session")
def transformers_engine(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    spec = spec_of(tiny_model, "transformers")
    with EngineProcess(spec, tmp_path_factory.mktemp("logs") / "transformers.log") as engine:
        yield engine
