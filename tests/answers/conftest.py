"""The demo set, answered once."""

from __future__ import annotations

import pytest

from evaluator.setup import HicupidSetup
from tests.answers.runs import Run, scripted_run
from tests.scripted import make_setup


@pytest.fixture(scope="package")
def setup(tmp_path_factory: pytest.TempPathFactory) -> HicupidSetup:
    return make_setup(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="package")
def demo_run(setup: HicupidSetup) -> Run:
    return scripted_run(setup)
