"""The pages of judges in a real browser: nothing sticks out, by day and by night, wide and on a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from playwright.sync_api import Page
from starlette.staticfiles import StaticFiles

from evaluator.judges.quality.figures import without
from evaluator.judges.quality.records import JudgeQuality, Why
from evaluator.judges.spec import load_judge
from leaderboard.pages.reader import Reader
from leaderboard.pages.render import STATIC
from leaderboard.pages.site import Pages, router
from leaderboard.store.local import LocalStore
from tests.browsing import ANSWERED as SITE
from tests.browsing import PHONE, WIDE, answer_by, sideways
from tests.judge_boards import JUDGES, publish_all, publish_judges, qualities

OFFICIAL = next(iter(JUDGES))
COLOUR = "all => all.map(each => getComputedStyle(each).color)"
PATHS = ("/judges", f"/judge?id={OFFICIAL}")


@pytest.fixture
def opened(open_page: Callable[..., Page], store: LocalStore, width: int, scheme: str) -> Page:
    """A page without scripts, whose every request is answered by the site itself."""
    site = FastAPI()
    site.include_router(router(Pages(Reader(store, store, None), ())))
    site.mount("/site", StaticFiles(directory=STATIC))
    return answer_by(open_page(width, scripts=False, color_scheme=scheme), TestClient(site))


def outside(page: Page, selector: str) -> list[str]:
    """What some elements hold that is not seen whole: wider than its box, or beyond the card that it stands in.

    A head that is there for those alone who do not see the page is passed over.
    """
    return list(
        page.locator(selector).evaluate_all(
            """all => all.filter(each => {
  const head = each.closest('thead');
  if (!each.textContent.trim() || head && getComputedStyle(head).position === 'absolute') return false;
  const words = document.createRange();
  words.selectNodeContents(each);
  const inner = words.getBoundingClientRect(), own = each.getBoundingClientRect();
  const card = each.closest('.card').getBoundingClientRect();
  return inner.width > own.width + 0.5 || inner.left < own.left - 0.5 || inner.right > own.right + 0.5
    || own.left < card.left || own.right > card.right;
}).map(each => each.textContent.trim())"""
        )
    )


def contrast_of(page: Page, selector: str) -> float:
    """The lowest contrast of some elements' colour with the card behind them, as WCAG has it."""
    return float(
        page.locator(selector).evaluate_all(
            """all => {
  const light = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(each => each / 255)
      .map(each => each <= 0.03928 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = light(getComputedStyle(document.querySelector('.card')).backgroundColor);
  return Math.min(...all.map(each => {
    const style = getComputedStyle(each), own = light(each.closest('svg') ? style.stroke : style.color);
    return (Math.max(own, behind) + 0.05) / (Math.min(own, behind) + 0.05);
  }));
}"""
        )
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_nothing_sticks_out_and_everything_can_be_seen(opened: Page, store: LocalStore) -> None:
    publish_all(store)
    for path in PATHS:
        opened.goto(SITE + path)
        assert sideways(opened) <= 0
        for summary in opened.locator("summary").all():
            summary.click()
        assert sideways(opened) <= 0
    opened.goto(SITE + PATHS[0])
    assert contrast_of(opened, ".plot .dot, .plot .span, .diamond path, .stroke path") >= 3
    assert contrast_of(opened, ".card .small, .legend li, .verdict-within") >= 4.5


def undefined(known: JudgeQuality) -> JudgeQuality:
    """The same with nothing that varies: no kappa with another judge, none of a family, and no labels."""
    agreement = tuple(
        each.model_copy(
            update={
                "slices": tuple(part.model_copy(update={"kappa": without(Why.UNDEFINED, 67)}) for part in each.slices)
            }
        )
        for each in known.agreement
    )
    family = known.family_preference.model_copy(update={"difference": without(Why.NO_CONTRAST, 44)})
    return known.model_copy(update={"agreement": agreement, "family_preference": family})


@pytest.mark.parametrize("judges", [2, 3])
@pytest.mark.parametrize(("width", "scheme"), [(WIDE, "light"), (WIDE, "dark"), (PHONE, "light"), (PHONE, "dark")])
def test_why_a_figure_is_missing_wraps_within_its_cell_and_stands_back(
    opened: Page, store: LocalStore, judges: int
) -> None:
    names = list(JUDGES)[:judges]
    publish_judges(store, list(map(load_judge, names)), list(map(undefined, qualities()[:judges])))
    opened.goto(SITE + PATHS[0])
    missing = opened.locator(".matrix .small").filter(has_text="missing: it is not defined on what there is")
    assert missing.count() == judges * (judges - 1)
    assert opened.locator(".plot .small").filter(has_text="missing: nowhere are some answers longer").count() == judges
    assert outside(opened, ".matrix, .matrix th, .matrix td, .matrix .small, .plot th, .plot .num, .plot .small") == []
    (soft,) = set(opened.locator("#matrix figcaption .muted").evaluate_all(COLOUR))
    assert set(missing.evaluate_all(COLOUR)) == {soft}


@pytest.mark.parametrize(("width", "scheme"), [(WIDE, "light"), (PHONE, "light")])
def test_dots_and_ticks_stand_on_one_axis_in_every_row(opened: Page, store: LocalStore) -> None:
    publish_all(store)
    opened.goto(SITE + PATHS[0])
    for figure in opened.locator("figure:has(.plot)").all():
        grid = "all => all.map(each => Math.round(each.getBoundingClientRect().x))"
        rows = [row.locator(".grid").evaluate_all(grid) for row in figure.locator("tbody tr").all()]
        assert rows == [rows[0]] * len(JUDGES)
        labels = figure.locator("tfoot text").evaluate_all(
            "all => all.map(each => { const box = each.getBoundingClientRect(); return box.x + box.width / 2; })"
        )
        assert labels == pytest.approx(rows[0], abs=1.5)
        for row in figure.locator("tbody tr").all():
            strip, dot = row.locator("svg.strip").bounding_box(), row.locator("circle.dot").bounding_box()
            assert strip is not None
            assert dot is not None
            assert strip["y"] <= dot["y"]
            assert dot["y"] + dot["height"] <= strip["y"] + strip["height"]


@pytest.mark.parametrize(("width", "scheme"), [(PHONE, "light"), (WIDE, "dark")])
def test_long_names_without_a_break_stick_out_nowhere(opened: Page, store: LocalStore) -> None:
    spec, known = load_judge(OFFICIAL), qualities()[0]
    long = spec.model_copy(update={"id": "j" * 63, "model": "org/" + "x" * 90, "licence": "l" * 90})
    people = known.people[0].model_copy(update={"source": "s" * 300})
    publish_judges(store, [long], [known.model_copy(update={"judge": long.id, "people": (people,)})])
    for path in ("/judges", f"/judge?id={long.id}"):
        opened.goto(SITE + path)
        for summary in opened.locator("summary").all():
            summary.click()
        assert sideways(opened) <= 0
        assert opened.locator("text=" + "s" * 300).count() > 0
