"""Sites to look at: one of 300 generated models, one whose every word is hostile, and one that is empty."""

from __future__ import annotations

import fcntl
import os
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from benchmarks.site_app import site_settings
from benchmarks.site_store import Site, write_site
from tests.browse.hostile import HOSTILE, hostile_models, hostile_said
from tests.browse.walks import Found, look_after
from tests.browsing import RealSite, real_site

_USERS, _DETAILED = 25, 6


class Seen(NamedTuple):
    """A site that is served, and what there is to look at."""

    site: RealSite
    found: Found


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], Site]], tuple[Path, Site]]:
    """Writes a site once, whichever of several processes needs it first."""
    root = tmp_path_factory.getbasetemp()
    shared = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root

    def written(name: str, write: Callable[[Path], Site]) -> tuple[Path, Site]:
        folder, note = shared / name, shared / f"{name}.pickle"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not note.exists():
                note.write_bytes(pickle.dumps(write(folder)))
            return folder, pickle.loads(note.read_bytes())

    return written


@pytest.fixture(scope="module")
def seen(generated: Callable[..., tuple[Path, Site]]) -> Iterator[Seen]:
    """The real app on 300 models."""
    folder, site = generated("site", lambda folder: write_site(folder, users=_USERS, detailed=_DETAILED))
    with real_site(folder) as served:
        yield _looked_after(served, site, "It is about a <b>word</b>.")


@pytest.fixture(scope="module")
def hostile(generated: Callable[..., tuple[Path, Site]]) -> Iterator[Seen]:
    """The real app on models whose names, submitters, licences and answers are hostile."""

    def write(folder: Path) -> Site:
        return write_site(folder, 24, users=12, detailed=4, changed=hostile_models(24), said=hostile_said())

    folder, site = generated("hostile", write)
    with real_site(folder) as served:
        yield _looked_after(served, site, f"{HOSTILE[0]} {HOSTILE[-1]}"[:1000])


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSite]:
    """The real app before anything was submitted, without Redis."""
    with real_site(tmp_path_factory.mktemp("empty"), redis=False) as served:
        yield served


def _looked_after(served: RealSite, site: Site, words: str) -> Seen:
    """Has a site have something to look after."""
    ids = [site.models[0].submission_id, *site.unfinished]
    settings = site_settings(served.folder)
    report = look_after(served.redis_url, settings, ids[0], site.unfinished[3], words)
    return Seen(served, Found(site, [ids[0], ids[4], ids[2], *(each.submission_id for each in site.changed)], report))
