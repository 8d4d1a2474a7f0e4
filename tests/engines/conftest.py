"""Engines over tiny models, loaded once for all tests that only read from them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evaluator.engines.base import EngineSpec
from evaluator.engines.process import EngineProcess
from tests.tiny_model import MARKERS, THINKING_TEMPLATE, make_adapter, make_tiny_model

SOMETIMES_THINKS = {"<think>": "\u013f", "</think>": "\u00a4", "<|end|>": "P"}
"""Found by trying: drawn instead of these tokens, a tiny model closes some thoughts, ends within one or uses up its
budget, and sometimes answers at once."""


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def tiny_model(models: Path) -> Path:
    return make_tiny_model(models / "tiny", context=2048)


@pytest.fixture(scope="session")
def thinking_model(models: Path) -> Path:
    return make_tiny_model(
        models / "thinking",
        context=2048,
        chat_template=THINKING_TEMPLATE,
        words=MARKERS,
        instead=SOMETIMES_THINKS,
    )


@pytest.fixture(scope="session")
def adapter(models: Path) -> Path:
    return make_adapter(models / "adapter", rank=4)


def spec_of(model: Path, engine: str = "vllm", **settings: Any) -> EngineSpec:
    return EngineSpec(engine=engine, model_path=str(model), dtype="float32", kv_cache_gib=1, **settings)


@pytest.fixture(scope="session")
def vllm_engine(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    with EngineProcess(spec_of(tiny_model), tmp_path_factory.mktemp("logs") / "vllm.log") as engine:
        yield engine


@pytest.fixture(scope="session")
def transformers_engine(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    spec = spec_of(tiny_model, "transformers")
    with EngineProcess(spec, tmp_path_factory.mktemp("logs") / "transformers.log") as engine:
        yield engine


@pytest.fixture(scope="session")
def thinking_vllm(thinking_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    with EngineProcess(spec_of(thinking_model), tmp_path_factory.mktemp("logs") / "vllm.log") as engine:
        yield engine


@pytest.fixture(scope="session")
def thinking_transformers(thinking_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    spec = spec_of(thinking_model, "transformers")
    with EngineProcess(spec, tmp_path_factory.mktemp("logs") / "transformers.log") as engine:
        yield engine
