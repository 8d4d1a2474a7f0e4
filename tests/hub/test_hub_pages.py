"""The local Hub's pages for people: what is public is listed, and what strangers wrote is text."""

from __future__ import annotations

import httpx

from tests.hub_server import LocalHub

NASTY = "<img src=x onerror=alert(1)>"


def test_the_first_page_links_to_every_public_data_set_and_to_no_private_one(hub: LocalHub) -> None:
    hub.repositories.commit("dataset", "org/results", {"README.md": "hello"})
    hub.repositories.commit("dataset", "org/archive", {"secret.txt": "secret"})
    hub.repositories.create("dataset", "org/archive", private=True)

    first = httpx.get(hub.url).text

    assert '<a href="/datasets/org/results">' in first
    assert "archive" not in first
    assert httpx.get(f"{hub.url}/datasets/org/archive").status_code == 401


def test_a_data_set_shows_its_files_and_commits(hub: LocalHub) -> None:
    hub.repositories.commit("dataset", "org/results", {"a folder/one.txt": "hello"}, title="the first")
    sha = hub.repositories.commit("dataset", "org/results", {"two.txt": "hello"}, title="the second")

    shown = httpx.get(f"{hub.url}/datasets/org/results").text

    link = f"/datasets/org/results/resolve/{sha}/a%20folder/one.txt"
    assert link in shown
    assert shown.index("the second") < shown.index("the first")
    assert httpx.get(f"{hub.url}{link}").headers["X-Content-Type-Options"] == "nosniff"


def test_names_and_titles_are_text_whatever_they_hold(hub: LocalHub) -> None:
    hub.repositories.commit("dataset", "org/results", {NASTY: "hello"}, title=NASTY)

    answer = httpx.get(f"{hub.url}/datasets/org/results")

    assert "<img" not in answer.text
    assert answer.text.count("&lt;img src=x onerror=alert(1)&gt;") == 2
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_name_that_leads_out_of_the_folder_is_no_repository(hub: LocalHub) -> None:
    assert httpx.get(f"{hub.url}/api/datasets/..%2F..%2Fdataset/org").status_code == 401
    assert hub.repositories.find("dataset", "../dataset") is None
