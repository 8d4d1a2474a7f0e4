"""A run over the shipped demo set, for whatever asks and judges without loading a model."""

from __future__ import annotations

import pytest

from evaluator.hicupid.selection import UserItems
from evaluator.setup import HicupidSetup
from tests.scripted import make_setup, users_in


@pytest.fixture(scope="session")
def setup(tmp_path_factory: pytest.TempPathFactory) -> HicupidSetup:
    """A run of `org/model` on the demo protocol."""
    return make_setup(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def user(setup: HicupidSetup) -> UserItems:
    return users_in(setup)[0]
