"""Every page of the site, by day and by night, wide and on a phone: axe-core finds nothing serious, nothing sticks out.

A page without a walk fails here, so that no new one is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import httpx
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from starlette.routing import Mount, Route

from benchmarks.site_app import site_settings
from leaderboard.web import create_app
from tests.browse.conftest import Seen
from tests.browse.walks import NO_PAGES, WALKS, every_page
from tests.browsing import HEIGHT, PHONE, WIDE, RealSite, Watch, open_all, sideways, stick_out

_GRADIO = frozenset({"/submit", "/manage"})
"""Pages that Gradio draws: they are there once its script has run."""
_ALL = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
"""What axe-core is asked: all of WCAG 2.2 AA, target size among it, and what it calls best practice."""
_COLOURS = ["color-contrast"]
"""All that is another matter by night."""
_GRAVE = ("serious", "critical")


def graves(page: Page, rules: list[str] = _ALL) -> list[str]:
    """What axe-core calls serious or critical, with the first places that it names."""
    found = Axe().run(page, options={"resultTypes": ["violations"], "runOnly": rules}).response["violations"]
    return [
        f"{each['id']} ({each['impact']}): {[node['html'][:150] for node in each['nodes'][:3]]} of {len(each['nodes'])}"
        for each in found
        if each["impact"] in _GRAVE
    ]


def go(page: Page, address: str) -> int:
    """Opens a page, waits until it is drawn, and returns its status."""
    answer = page.goto(address)
    if httpx.URL(address).path in _GRADIO:
        page.locator(".rapport-top a").first.wait_for()
        page.wait_for_load_state("networkidle")
    open_all(page)
    return answer.status if answer else 0


class Look(NamedTuple):
    """One way to look at a page."""

    width: int
    scheme: Literal["light", "dark"]
    faults: Callable[[Page], list[str]]
    """What it finds."""


LOOKS = (
    Look(WIDE, "light", partial(graves, rules=_ALL)),
    Look(WIDE, "dark", partial(graves, rules=_COLOURS)),
    Look(PHONE, "dark", partial(graves, rules=_COLOURS)),
    Look(PHONE, "light", partial(graves, rules=_ALL)),
)


def faults_of(page: Page, watch: Watch, address: str, looks: Sequence[Look] = LOOKS) -> list[str]:
    """What is wrong with a page: what looks at it find, what its scripts said, and whether it is too wide.

    It is loaded once, and looked at in every way as it is: each of them would load the same page.
    """
    page.set_viewport_size({"width": WIDE, "height": HEIGHT})
    page.emulate_media(color_scheme="light")
    status, found = go(page, address), list[str]()
    for look in looks:
        page.set_viewport_size({"width": look.width, "height": HEIGHT})
        page.emulate_media(color_scheme=look.scheme)
        if httpx.URL(address).path in _GRADIO:
            go(page, address)  # Gradio asks for light or dark once, as it is loaded.
        found += [f"{look.width} px, {look.scheme}: {each}" for each in look.faults(page)]
        if sideways(page) > 0:
            found.append(f"{sideways(page)} px wider than {look.width} px: {stick_out(page)}")
    # Chromium names a page that tells of something that is not there, as it should.
    found += [each for each in watch.seen if not (status >= 400 and f"with a status of {status}" in each)]
    if httpx.URL(address).path in _GRADIO:
        page.goto("about:blank")  # Gradio complains that its stream ends when it is left.
    watch.seen.clear()
    return found


def test_every_page_has_a_walk(tmp_path: Path) -> None:
    app: Any = create_app(site_settings(tmp_path), None)
    ours = {route.path for route in app.routes if isinstance(route, Route) and "GET" in (route.methods or ())}
    (gradio,) = [route.app for route in app.routes if isinstance(route, Mount) and hasattr(route.app, "get_blocks")]
    drawn = {f"/{path}" for path, *_ in gradio.get_blocks().pages if path}
    walked = WALKS.keys() | NO_PAGES.keys()
    assert (ours | drawn) - walked == set(), "pages without a walk"
    assert walked - (ours | drawn) - {"/manage"} == set(), "walks of pages that are gone"


def test_what_is_called_no_page_is_none(seen: Seen) -> None:
    for route, walk in NO_PAGES.items():
        for address in walk(seen.found):
            answer = httpx.get(seen.site.url + address, timeout=60)
            assert answer.status_code == 200, address
            assert "<!doctype html" not in answer.text.lower(), f"{route} answers with a page: it needs a walk"


def test_no_page_has_a_serious_fault_or_is_wider_than_the_window(seen: Seen, open_page: Callable[..., Page]) -> None:
    page = open_page()
    watch = Watch(page)
    addresses = every_page(seen.found)
    faults = {each: found for each in addresses if (found := faults_of(page, watch, seen.site.url + each))}
    assert faults == {}


def test_an_empty_site_has_no_serious_fault_either(empty: RealSite, open_page: Callable[..., Page]) -> None:
    page = open_page()
    watch = Watch(page)
    addresses = ("/", "/human", "/queue", "/judges", "/label", "/maintain", "/submit", "/submission?id=nothing")
    faults = {each: found for each in addresses if (found := faults_of(page, watch, empty.url + each))}
    assert faults == {}
