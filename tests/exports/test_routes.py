"""Downloads from the whole site, behind its guard."""

from __future__ import annotations

import io
import json
import re
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import pandas
import pytest
from fastapi.testclient import TestClient

from leaderboard.board.build import Board
from leaderboard.exports.entry import Edition
from leaderboard.exports.files import _MOST_KEPT, Exports, File
from leaderboard.exports.formats import BOARD_FORMATS, CARD_FORMATS, CardFormat, board_links, scorecard_links
from leaderboard.open_data import layout
from leaderboard.results import Scorecard
from leaderboard.settings import Settings
from leaderboard.store.base import Delete, Revision, Write
from leaderboard.store.local import LocalStore
from leaderboard.store.open import open_stores
from leaderboard.web import create_app
from tests.exports.entries import HUB_DATA, make_card, rows_of
from tests.released import publish

CARD = make_card(**HUB_DATA)
HERE = f"/exports/scorecard/{CARD.id}"


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(data=tmp_path, site_url="https://rapport.example/")


@pytest.fixture
def kept(settings) -> LocalStore:
    """The store of the site, with one scorecard in it."""
    return filled(settings)


@pytest.fixture
def visitor(settings, kept) -> TestClient:
    return TestClient(create_app(settings, None), base_url="http://127.0.0.1")


@pytest.fixture(scope="module")
def reader(tmp_path_factory) -> TestClient:
    """A visitor of one site for all tests that change nothing: putting a whole site together takes a second."""
    settings = Settings(data=tmp_path_factory.mktemp("site"), site_url="https://rapport.example/")
    filled(settings)
    return TestClient(create_app(settings, None), base_url="http://127.0.0.1")


def filled(settings: Settings) -> LocalStore:
    """Puts one scorecard into the store of a site."""
    store = open_stores(settings).results
    assert isinstance(store, LocalStore)
    publish(store, CARD)
    return store


@pytest.mark.parametrize("name", BOARD_FORMATS)
def test_every_file_of_the_board_is_a_download_of_its_type(reader, name):
    answer = reader.get(f"/exports/{name}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == BOARD_FORMATS[name].media_type
    assert answer.headers["Content-Disposition"] == f'attachment; filename="rapport-{name}"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.content


@pytest.mark.parametrize("ending", CARD_FORMATS)
def test_every_file_of_a_scorecard_is_a_download_named_after_it(reader, ending):
    answer = reader.get(HERE + ending)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == CARD_FORMATS[ending].media_type
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{CARD.id}{ending}"'
    assert CARD.id in answer.text or CARD.revision in answer.text


def test_what_is_downloaded_is_what_is_stored(reader):
    frame = pandas.read_csv(io.StringIO(reader.get("/exports/board.csv").text))
    assert frame["total"].tolist() == [48.25]
    assert reader.get(HERE + ".json").json()["scorecard"] == CARD.model_dump(mode="json")
    assert reader.get(HERE + ".eee.json").json()["model_info"]["id"] == "org/model"
    assert "https://rapport.example/submission?id=" in reader.get(HERE + ".bib").text, "one slash alone"


@pytest.mark.parametrize("path", ["/exports/board.csv", "/exports/board.parquet", HERE + ".bib"])
def test_who_has_a_file_is_not_sent_it_again(visitor, kept, path):
    first = visitor.get(path)
    again = visitor.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert visitor.get(path, headers={"If-None-Match": 'W/"another"'}).status_code == 200
    publish(kept, make_card("org/other", 60.0))
    after = visitor.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert after.status_code == 200, "the board is another one"


@pytest.mark.parametrize("accepted", ["gzip", "identity"])
def test_a_file_is_the_same_packed_or_not(reader, accepted):
    answer = reader.get("/exports/board.json", headers={"Accept-Encoding": accepted})
    assert answer.headers.get("Content-Encoding") == ("gzip" if accepted == "gzip" else None)
    assert answer.json()["rows"][0]["model"] == "org/model"
    assert "Accept-Encoding" in answer.headers["Vary"]


def test_asking_for_the_head_alone_gives_the_same_headers(reader):
    answer = reader.head("/exports/board.csv")
    assert answer.status_code == 200
    assert answer.headers["ETag"] == reader.get("/exports/board.csv").headers["ETag"]


@pytest.mark.parametrize(
    "path",
    ["/exports/board.xlsx", "/exports/", "/exports/scorecard/", "/exports/scorecard/x.json", HERE, HERE + ".xml",
     HERE + ".JSON", "/exports/scorecard/..%2f..%2fetc%2fpasswd", "/exports/scorecard/%00.json", HERE + ".bib/x",
     "/exports/scorecard/<script>.json", "/exports/scorecard/" + "x" * 4000 + ".json"],
)  # fmt: skip
def test_what_there_is_not_is_a_plain_404(reader, path):
    answer = reader.get(path)
    assert answer.status_code == 404
    assert "script" not in answer.text
    assert "Content-Disposition" not in answer.headers


def test_nobody_can_write_to_an_export(reader):
    for method in ("POST", "PUT", "DELETE"):
        assert reader.request(method, "/exports/board.csv").status_code == 404


def test_a_file_that_the_hub_has_no_place_for_says_why_and_is_not_linked(visitor, kept):
    local = make_card("local/model")
    publish(kept, local)
    answer = visitor.get(f"/exports/scorecard/{local.id}.eval_results.yaml")
    assert answer.status_code == 404
    assert "no repository on the Hub" in answer.text
    page = visitor.get("/submission", params={"id": local.submission_id}).text
    assert f"{local.id}.bib" in page
    assert "eval_results" not in page


def test_the_pages_link_to_every_file_and_every_link_leads_to_one(reader):
    front = reader.get("/").text
    page = reader.get("/submission", params={"id": CARD.submission_id}).text
    (row,) = rows_of(CARD)
    for text, links in ((front, board_links()), (page, scorecard_links(row))):
        found = re.findall(r'href="(/exports/[^"]*)"', text)
        assert found == [address for address, _ in links]
        assert [reader.get(address).status_code for address in found] == [200] * len(links)
    assert len(board_links()) == len(BOARD_FORMATS)
    assert len(scorecard_links(row)) == len(CARD_FORMATS)


def test_a_result_that_is_public_no_more_is_in_no_file(visitor, kept):
    assert visitor.get(HERE + ".json").status_code == 200
    kept.commit([Delete(layout.scorecards_path(CARD.model)), Delete(layout.user_scores_path(CARD.model))], "withdrawn")
    assert visitor.get("/exports/board.json").json()["rows"] == []
    for ending in CARD_FORMATS:
        assert visitor.get(HERE + ending).status_code == 404


def test_a_broken_file_costs_its_row_and_the_json_says_so(visitor, kept):
    kept.commit([Write(layout.scorecards_path("org/x"), b"{}")], "broken")
    found = visitor.get("/exports/board.json").json()
    assert len(found["rows"]) == 1
    assert "1 file could not be read" in found["problems"][0]


def site_of(*cards: Scorecard, problems: tuple[str, ...] = (), revision: str = "r1") -> Exports:
    """Exports of a board."""
    board = Board(Revision(revision), rows_of(*cards), (), {card.id: card for card in cards})
    return Exports(lambda: (board, problems))


def test_however_many_ask_each_file_is_made_once_for_a_state():
    exports = site_of(CARD, make_card("org/other", 12.0))
    together = threading.Barrier(8)

    def ask(name: str) -> File:
        together.wait()
        return exports.board_file(name)

    with ThreadPoolExecutor(8) as pool:
        files = list(pool.map(ask, [*BOARD_FORMATS] * 2))
    assert len({id(file) for file in files}) == len({file.content for file in files}) == len(BOARD_FORMATS)
    assert exports.scorecard_file(f"{CARD.id}.bib") is exports.scorecard_file(f"{CARD.id}.bib")


def test_files_of_single_scorecards_do_not_pile_up(monkeypatch):
    made = []
    form = CardFormat("x", "text/plain", lambda entry, edition: made.append(entry) or b"x")
    monkeypatch.setattr("leaderboard.exports.files.CARD_FORMATS", {f".{n}": form for n in range(_MOST_KEPT + 1)})
    exports = site_of(CARD)
    for number in range(_MOST_KEPT + 1):
        exports.scorecard_file(f"{CARD.id}.{number}")
    exports.scorecard_file(f"{CARD.id}.{_MOST_KEPT}")
    assert len(made) == _MOST_KEPT + 1
    exports.scorecard_file(f"{CARD.id}.0")
    assert len(made) == _MOST_KEPT + 2, "the oldest went"


def test_a_name_that_could_mean_two_files_means_the_one_that_there_is():
    odd = CARD.model_copy(update={"id": f"{CARD.id}.eee"})
    exports = site_of(odd)
    assert json.loads(exports.scorecard_file(f"{odd.id}.json").content)["scorecard"]["id"] == odd.id


def test_a_stranger_s_id_makes_no_header_of_its_own():
    odd = CARD.model_copy(update={"id": 'x"\r\nSet-Cookie: a=b;é'})
    exports = site_of(odd)
    assert exports.scorecard_file(f"{odd.id}.bib").name == "x___Set-Cookie__a_b__.bib"


@pytest.mark.parametrize("path", ["/exports/board.csv", HERE + ".json"])
def test_a_board_that_cannot_be_read_is_no_empty_board(visitor, settings, path):
    shutil.rmtree(settings.results_folder)
    settings.results_folder.write_text("no folder")
    answer = visitor.get(path)
    assert answer.status_code == 503
    assert "right now" in answer.text
    assert str(settings.data) not in answer.text


@pytest.mark.parametrize("path", ["/exports/board.csv", HERE + ".json"])
def test_a_file_is_of_the_same_state_as_the_page(visitor, settings, path):
    assert "org/model" in visitor.get("/").text
    (on_disk,) = settings.results_folder.rglob(layout.scorecards_path(CARD.model))
    on_disk.unlink()
    assert CARD.model in visitor.get(path).text, "the page shows it still"


def test_the_address_of_a_page_needs_a_site():
    assert Edition("r").page_of("s-1") is None
