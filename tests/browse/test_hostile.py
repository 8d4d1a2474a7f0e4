"""Whatever a submitter or a model says shows as text on every page: nothing runs, nothing breaks the layout."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page

from tests.browse.conftest import Seen
from tests.browse.hostile import DONE, shown
from tests.browse.looks import Look, faults_of, graves
from tests.browse.walks import every_page
from tests.browsing import PHONE, WIDE, Watch

_PLANTED = "[onerror], [onload], img[src='x'], a[href^='javascript']"
"""What is on a page only where hostile words became more than text."""
_LOOSE = """() => {
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), loose = [];
  const apart = each => each && (/isolate|plaintext/.test(getComputedStyle(each).unicodeBidi)
    || each.tagName === 'TEXTAREA' || apart(each.parentElement !== document.body && each.parentElement));
  while (walk.nextNode()) {
    const text = walk.currentNode;
    if (text.data.includes('\\u202e') && !apart(text.parentElement))
      loose.push(text.parentElement.outerHTML.slice(0, 120));
  }
  return loose.slice(0, 3);
}"""
"""Finds texts that turn the direction of what stands around them."""


def test_hostile_words_show_as_text_on_every_page(hostile: Seen, open_page: Callable[..., Page]) -> None:
    page, read = open_page(), list[str]()
    watch = Watch(page)

    def look(page: Page) -> list[str]:
        read.append(" ".join(page.locator("body").inner_text().split()))
        planted = page.title() == DONE or page.locator(_PLANTED).count() > 0
        loose = page.evaluate(_LOOSE)
        unreachable = graves(page, ["scrollable-region-focusable"])
        return (
            ["something was planted"] * planted
            + [f"not set apart from the text around: {each}" for each in loose]
            + unreachable
        )

    looks = [Look(width, "light", look) for width in (WIDE, PHONE)]
    faults = {
        address: found
        for address in every_page(hostile.found)
        if (found := faults_of(page, watch, hostile.site.url + address, looks))
    }
    assert faults == {}
    assert [words for words in shown() if not any(words in text for text in read)] == []
