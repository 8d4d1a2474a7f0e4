"""Every page as a visitor, a model author and a maintainer see it, by day and by night, wide and on a phone.

axe-core finds nothing serious, nothing sticks out; so too before anything was submitted.

A page without a walk fails here, so that no new one is forgotten.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page
from starlette.routing import Mount, Route

from benchmarks.site_app import site_settings
from benchmarks.visitor import to_lost_answers, to_submission
from leaderboard.web import create_app
from tests.browse.conftest import Seen
from tests.browse.looks import faults_of
from tests.browse.people import agree_to_label, people_of, visits
from tests.browse.shots import MOST_BYTES, named_in_readme, shots, take
from tests.browse.walks import NO_PAGES, WALKS, resume, with_nothing
from tests.browsing import ROOT, RealSite, Watch

Open = Callable[..., Page]


def test_every_page_has_a_walk(tmp_path: Path) -> None:
    app: Any = create_app(site_settings(tmp_path), None)
    ours = {route.path for route in app.routes if isinstance(route, Route) and "GET" in (route.methods or ())}
    (gradio,) = [route.app for route in app.routes if isinstance(route, Mount) and hasattr(route.app, "get_blocks")]
    drawn = {f"/{path}" for path, *_ in gradio.get_blocks().pages if path}
    walked = WALKS.keys() | NO_PAGES.keys()
    assert (ours | drawn) - walked == set(), "pages without a walk"
    assert walked - (ours | drawn) - {"/manage"} == set(), "walks of pages that are gone"


def test_what_is_called_no_page_is_none(seen: Seen) -> None:
    *_, maintainer = people_of(seen.found)
    for route, walk in NO_PAGES.items():
        for address in walk(seen.found):
            answer = httpx.get(seen.site.url + address, timeout=60, cookies=dict(maintainer.cookies))
            assert answer.status_code == 200, address
            assert "<!doctype html" not in answer.text.lower(), f"{route} answers with a page: it needs a walk"


def test_no_page_has_a_serious_fault_or_is_wider_than_the_window(seen: Seen, open_page: Open) -> None:
    people = people_of(seen.found)
    agree_to_label(seen.site.url, people[1])
    pages = {person: open_page() for person in people}
    for person, page in pages.items():
        page.context.add_cookies(
            [{"name": name, "value": value, "url": seen.site.url} for name, value in person.cookies.items()]
        )
    watches = {person: Watch(page) for person, page in pages.items()}
    faults, walked = {}, defaultdict[str, int](int)
    for person, address in visits(seen.site.url, seen.found):
        walked[person.kind] += 1
        if found := faults_of(pages[person], watches[person], seen.site.url + address):
            faults[person.kind, address] = found
    assert faults == {}
    assert walked["visitor"] > walked["maintainer"] > walked["author"] > 5


def test_an_empty_site_has_no_serious_fault_either(empty: RealSite, open_page: Open) -> None:
    page = open_page()
    watch = Watch(page)
    faults = {each: found for each in with_nothing() if (found := faults_of(page, watch, empty.url + each))}
    assert faults == {}


def test_the_pictures_of_the_readme_are_those_that_can_be_made(seen: Seen, open_page: Open, tmp_path: Path) -> None:
    page, folder = open_page(), Path(os.environ.get("SCREENSHOTS") or tmp_path)
    made = [take(page, seen.site.url, shot, folder) for shot in shots(seen.found)]
    assert [file.name for file in made if file.stat().st_size > MOST_BYTES] == []
    assert sorted(set(named_in_readme())) == sorted(file.name for file in made)
    assert [name for name in named_in_readme() if not (ROOT / "docs" / name).is_file()] == []


def test_a_newcomer_needs_three_clicks_to_a_lost_answer_and_three_to_a_submission(seen: Seen, open_page: Open) -> None:
    resume(seen.site.redis_url, site_settings(seen.site.folder))
    lost, handed_in = to_lost_answers(open_page(), seen.site.url), to_submission(open_page(), seen.site.url)
    assert (lost.clicks, handed_in.clicks) == (3, 3)
