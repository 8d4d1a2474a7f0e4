"""The demo set, answered once."""

from __future__ import annotations

import pytest

from tests.answers.runs import Run, scripted_run
from tests.scripted import make_setup


@pytest.fixture(scope="package")
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return scripted_run(make_setup(tmp_path_factory.mktemp("cache")))
