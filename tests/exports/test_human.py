"""Figures of agreement with people as files: long, with their intervals, and simulated ones called simulated."""

from __future__ import annotations

import io
import json

import pandas
import pytest
from fastapi.testclient import TestClient

from evaluator.human.tasks import Task
from leaderboard.board.build import build_board
from leaderboard.exports.files import Exports
from leaderboard.exports.formats import HUMAN_FORMATS, human_board_links
from leaderboard.exports.json_file import ExportedHumanFigures
from leaderboard.open_data import layout
from leaderboard.open_data.files import HUMAN_CARDS
from leaderboard.open_data.human import OpenHumanFigure
from leaderboard.open_data.human_figures import open_human_figures, open_human_scorecard
from leaderboard.settings import Settings
from leaderboard.store.base import Write
from leaderboard.store.open import open_stores
from leaderboard.store.parquet import decode_parquet
from leaderboard.web import create_app
from tests.exports.entries import EDITION, HOSTILE
from tests.human_runs import demo_items, make_human_run, make_synthetic_run, of_people

CARDS = [make_human_run(task, model="org/model-1").card for task in Task]
FIGURES = [row for card in CARDS for row in open_human_figures(card)]


def encoded(name: str, rows: list[OpenHumanFigure] = FIGURES) -> bytes:
    return HUMAN_FORMATS[name].encode(rows, EDITION)


def test_csv_and_parquet_have_a_row_a_figure_with_what_is_missing_missing() -> None:
    csv = pandas.read_csv(io.BytesIO(encoded("human.csv")), keep_default_na=False, na_values=[""])
    parquet = pandas.read_parquet(io.BytesIO(encoded("human.parquet")))
    assert len(csv) == len(parquet) == len(FIGURES)
    for frame in (csv, parquet):
        assert list(frame.columns) == list(OpenHumanFigure.model_fields)
        assert frame["value"].isna().tolist() == [row.value is None for row in FIGURES]
        assert set(frame["label_kind"]) == {"simulated"}
        assert frame["why_no_interval"].notna().all()
        row = frame[(frame.task == "relevance") & (frame.figure == "kappa.one_more_human")].iloc[0]
        assert row.value == pytest.approx(0.599946)
    assert decode_parquet(encoded("human.parquet"), OpenHumanFigure, "x") == FIGURES


def test_the_gap_to_made_up_users_is_a_row_with_its_interval(tmp_path) -> None:
    asked = [
        item.model_copy(update={"person": f"user-{place % 12}"})
        for place, item in enumerate(of_people(demo_items(Task.RELEVANCE)))
    ]
    cards = [make_human_run(asked=asked).card, make_synthetic_run(number=2, model="org/model-1").card]
    store = open_stores(Settings(data=tmp_path)).results
    store.commit(
        [Write(layout.human_scorecards_path("org/model-1"), HUMAN_CARDS.encode(map(open_human_scorecard, cards)))],
        "agreement",
    )
    board = build_board(store)
    content = Exports(lambda: (board, ())).board_file("human.csv").content
    frame = pandas.read_csv(io.BytesIO(content))
    row = frame[frame.figure == "f1_majority.gap"].squeeze()
    assert (row.scorecard_id, row.label_kind, row.users, row.interval_users) == (cards[0].id, "person", 24, 12)
    assert -1 < row.low < row.value < row.high < 1


def test_json_names_its_state() -> None:
    found = ExportedHumanFigures.model_validate_json(encoded("human.json"))
    assert (found.revision, found.figures) == (EDITION.revision, tuple(FIGURES))


def test_no_figure_is_taken_for_a_formula() -> None:
    card = CARDS[0].model_copy(update={"model": HOSTILE, "unranked_because": (HOSTILE,)})
    frame = pandas.read_csv(io.BytesIO(encoded("human.csv", open_human_figures(card))))
    assert not [text for text in (*frame["model"], *frame["unranked_because"]) if text.startswith("=")]


def test_they_are_downloads_of_a_site_and_linked_from_its_page_of_human_agreement(tmp_path) -> None:
    settings = Settings(data=tmp_path, site_url="https://rapport.example/")
    store = open_stores(settings).results
    site = TestClient(create_app(settings, None), base_url="http://127.0.0.1")
    assert json.loads(site.get("/exports/human.json").content)["figures"] == []
    path = layout.human_scorecards_path("org/model-1")
    store.commit([Write(path, HUMAN_CARDS.encode(map(open_human_scorecard, CARDS)))], "agreement")
    page = site.get("/human").text
    for address, _ in human_board_links():
        answer = site.get(address)
        name = address.rpartition("/")[2]
        assert answer.headers["Content-Type"] == HUMAN_FORMATS[name].media_type
        assert answer.headers["Content-Disposition"] == f'attachment; filename="rapport-{name}"'
        assert f'href="{address}"' in page
    assert json.loads(site.get("/exports/human.json").content)["figures"] == [
        row.model_dump(mode="json") for row in FIGURES
    ]
    assert site.get("/exports/human.bib").status_code == 404
