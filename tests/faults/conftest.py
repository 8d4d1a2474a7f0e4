"""Sites to do harm to; their folders have short names, for a socket's path may be only so long."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.site import USUAL, Site, running_site

OpenSite = Callable[..., Site]


@pytest.fixture
def open_site() -> Iterator[OpenSite]:
    """Starts a site, and ends it after the test."""
    with tempfile.TemporaryDirectory(prefix="rapport-faults-") as folder, contextlib.ExitStack() as stack:
        yield lambda plan=USUAL: stack.enter_context(running_site(Path(folder) / "site", plan))
