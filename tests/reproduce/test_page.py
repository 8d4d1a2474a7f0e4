"""The line by which a visitor makes a row again."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.testclient import TestClient

from leaderboard.pages.reader import Reader
from leaderboard.pages.site import Pages, router
from leaderboard.store.local import LocalStore
from tests.reproduce.conftest import Site
from worker.local.cli import run


def test_beside_each_scorecard_stands_the_command_that_makes_it_again(site: Site, capsys) -> None:
    results, requests = (LocalStore(site.path / "site" / name) for name in ("results", "requests"))
    shown = {}
    for store in ("", "hub://org/rapport"):
        app = FastAPI()
        app.include_router(router(Pages(Reader(results, requests, None), (), store)))
        shown[store] = TestClient(app).get("/submission", params={"id": site.card.submission_id}).text
    line = f"rapport reproduce {site.card.id}"
    assert f"<code>{line}</code>" in shown[""]
    assert f"<code>{line} --store hub://org/rapport</code>" in shown["hub://org/rapport"]
    assert run([*line.split()[1:], "--store", str(site.path / "site"), "--limit", "1"]) == 0
    assert "1 of 24" in capsys.readouterr().out
