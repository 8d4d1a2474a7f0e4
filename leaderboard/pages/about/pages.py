"""The route of the page about the site."""

from __future__ import annotations

from functools import cached_property

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from leaderboard.pages.about.page import About, about
from leaderboard.pages.about.terms import PAGE
from leaderboard.pages.figures import bounds
from leaderboard.pages.site import shown_page
from leaderboard.pages.unchanged import unless_known
from leaderboard.settings import Settings


class AboutPages:
    """Answers requests of the page."""

    def __init__(self, settings: Settings) -> None:
        """Explains a site as its settings make it."""
        self._settings = settings

    def page(self, request: Request) -> Response:
        """The method, its limits, and how to use what the site says."""
        return unless_known(request, shown_page("about/page.html", here=PAGE, about=self._about, bounds=bounds))

    @cached_property
    def _about(self) -> About:
        """All that it shows, which is the same as long as the site runs."""
        return about(self._settings)


def about_router(pages: AboutPages) -> APIRouter:
    """Returns the route; it runs in a thread, since the first answer works the examples out."""
    routes = APIRouter(include_in_schema=False)
    routes.add_api_route(PAGE, pages.page, methods=["GET", "HEAD"], response_class=HTMLResponse)
    return routes
