"""Sites to look at: one of 300 generated models, one whose every word is hostile, and one that is empty."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from benchmarks.site_app import site_settings
from benchmarks.site_models import site_model
from benchmarks.site_store import MODELS, Site, write_site
from benchmarks.visitor import surroundings
from evaluator.facts import ModelFacts
from tests.browse.hostile import HOSTILE, hostile_models, hostile_said
from tests.browse.walks import Found, found_on, look_after, object_to
from tests.browsing import RealSite, real_site

_USERS, _DETAILED = 12, 3
_HOSTILE = 24
"""How many hostile models there are."""


class Seen(NamedTuple):
    """A site that is served, and what there is to look at."""

    site: RealSite
    found: Found


Written = Callable[[str, Callable[[Path], Site]], tuple[Path, Found]]


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Writes a site once, whichever of several processes needs it first."""
    root = tmp_path_factory.getbasetemp()
    shared = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root

    def written(name: str, write: Callable[[Path], Site]) -> tuple[Path, Found]:
        folder, note = shared / name, shared / f"{name}.json"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not note.exists():
                note.write_text(found_on(write(folder)).model_dump_json())
            return folder, Found.model_validate_json(note.read_text())

    return written


@pytest.fixture(scope="module")
def seen(generated: Written, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """The real app on 300 models, where people log in; the newest is the best."""

    def write(folder: Path) -> Site:
        large = ModelFacts(parameters=70 * 10**9, weight_bytes=140 * 10**9, licence="llama3.1", context_length=131_072)
        best = site_model(0, MODELS)._replace(name="board-lab/Llama-70B-Memory", facts=large, quality=1.8)
        return write_site(folder, users=_USERS, detailed=_DETAILED, known_order=True, changed=[best])

    folder, found = generated("site", write)
    with surroundings(tmp_path_factory.mktemp("hub")) as around, real_site(folder, login=around) as served:
        yield _looked_after(served, found, "It is about a <b>word</b>.")


@pytest.fixture(scope="module")
def hostile(generated: Written) -> Iterator[Seen]:
    """The real app on models whose names, submitters, licences and answers are hostile; whoever comes maintains it."""

    def write(folder: Path) -> Site:
        changed, said = hostile_models(_HOSTILE), hostile_said()
        return write_site(folder, _HOSTILE, users=_USERS, detailed=4, known_order=True, changed=changed, said=said)

    folder, found = generated("hostile", write)
    with real_site(folder) as served:
        yield _looked_after(served, found, f"{HOSTILE[0]} {HOSTILE[-1]}"[:1000])


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSite]:
    """The real app before anything was submitted; whoever comes maintains it."""
    with real_site(tmp_path_factory.mktemp("empty")) as served:
        yield served


def _looked_after(served: RealSite, found: Found, words: str) -> Seen:
    """Has a site have something to look after."""
    settings = site_settings(served.folder)
    report = look_after(served.redis_url, settings, found.submissions[0], found.submissions[1], words)
    object_to(served.redis_url, settings, found, words)
    return Seen(served, found.model_copy(update={"report": report}))
