"""Looks at pages by day and by night, wide and on a phone: what do axe-core, the console and the right edge say?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, NamedTuple

import httpx
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from tests.browsing import HEIGHT, PHONE, WIDE, Watch, open_all, sideways, stick_out

GRADIO = frozenset({"/submit", "/manage"})
"""Pages that Gradio draws: they are there once its script has run."""
_ALL = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
"""What axe-core is asked: all of WCAG 2.2 AA, target size among it, and what it calls best practice."""
_CHANGING = ("color-contrast", "target-size", "scrollable-region-focusable")
"""All that is another matter by night or on a phone."""
_REFUSED = ("https://fonts.googleapis.com/", "https://huggingface.co/api/spaces/", "Space not found")
"""What Gradio asks of others on a Space, for a head of the Hub's own, and the site's policy does not let it ask."""
_GRAVE = ("serious", "critical")
_ALIKE = 3
"""How many rows of a kind axe-core looks at: it takes a second for each hundred."""

# Rows of lists and tables that are built of the same elements and classes as some before them are hidden meanwhile.
_GRAVES = """async ([rules, grave, most]) => {
  const hidden = [], kind = each => [...each.querySelectorAll('*')].map(one => one.localName + one.className);
  for (const list of document.querySelectorAll('tbody, ul, ol, main')) {
    const seen = new Map();
    for (const each of list.children) {
      if (list.localName === 'main' && each.localName !== 'article') continue;
      const name = [each.className, ...new Set(kind(each))].join(' ');
      seen.set(name, (seen.get(name) || 0) + 1);
      if (seen.get(name) > most) hidden.push(each);
    }
  }
  for (const each of hidden) each.style.setProperty('display', 'none', 'important');
  const found = await axe.run(document, { resultTypes: ['violations'], runOnly: rules, preload: false });
  for (const each of hidden) each.style.removeProperty('display');
  return found.violations.filter(each => grave.includes(each.impact)).map(each =>
    `${each.id} (${each.impact}): ${each.nodes.slice(0, 3).map(node => node.html.slice(0, 150)).join(' | ')}`
    + ` of ${each.nodes.length}`);
}"""


def graves(page: Page, rules: Sequence[str] = _ALL) -> list[str]:
    """What axe-core calls serious or critical, with the first places that it names."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    return list(page.evaluate(_GRAVES, [list(rules), list(_GRAVE), _ALIKE]))


def is_gradio(address: str) -> bool:
    """Says whether Gradio draws what stands at an address."""
    return httpx.URL(address).path in GRADIO


def go(page: Page, address: str) -> int:
    """Opens a page, waits until it is drawn, and returns its status."""
    answer = page.goto(address)
    if is_gradio(address):
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
    Look(WIDE, "light", graves),
    Look(PHONE, "light", lambda _: []),
    Look(PHONE, "dark", partial(graves, rules=_CHANGING)),
    Look(WIDE, "dark", lambda _: []),
)
"""Each width and each colour scheme; colours do not change with the width, nor widths by night."""


def faults_of(page: Page, watch: Watch, address: str, looks: Sequence[Look] = LOOKS) -> list[str]:
    """What is wrong with a page: what looks at it find, what its scripts said, and whether it is too wide.

    It is loaded once, and looked at in every way as it is: each of them would load the same page.
    """
    seen = ""
    found, status = list[str](), 0
    for look in looks:
        page.set_viewport_size({"width": look.width, "height": HEIGHT})
        page.emulate_media(color_scheme=look.scheme)
        if not seen or (is_gradio(address) and look.scheme != seen):
            status = go(page, address)  # Gradio asks for light or dark once, as it is loaded.
        seen = look.scheme
        if sideways(page) > 0:
            found.append(f"{look.width} px, {look.scheme}: {sideways(page)} px too wide: {stick_out(page)}")
        found += [f"{look.width} px, {look.scheme}: {each}" for each in look.faults(page)]
    # Chromium names a page that tells of something that is not there, as it should.
    said = [each for each in watch.seen if not (status >= 400 and f"with a status of {status}" in each)]
    found += [each for each in said if not (is_gradio(address) and any(words in each for words in _REFUSED))]
    if is_gradio(address):
        page.goto("about:blank")  # Gradio complains that its stream ends when it is left.
    watch.seen.clear()
    return found
