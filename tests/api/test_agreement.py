"""How far models agree with people, for programs and on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluator.errors import RapportError
from evaluator.human.tasks import Task
from leaderboard.api import endpoints
from leaderboard.api.endpoints import Endpoints
from leaderboard.api.records import AgreementRow
from leaderboard.board.human_gaps import GAP_FIGURE
from leaderboard.cli import demo
from leaderboard.cli.remote_words import agreement_lines
from leaderboard.open_data import layout
from leaderboard.open_data.files import HUMAN_CARDS
from leaderboard.open_data.human_figures import open_human_scorecard
from leaderboard.pages.reader import Reader
from leaderboard.settings import Settings
from leaderboard.store.base import Write
from leaderboard.store.local import LocalStore
from tests.api.conftest import Rapport, Site
from tests.human_runs import make_human_run, make_synthetic_run

CARDS = [make_human_run(task, model="org/model-1").card for task in Task]


def fill(store: LocalStore) -> None:
    path = layout.human_scorecards_path("org/model-1")
    store.commit([Write(path, HUMAN_CARDS.encode(map(open_human_scorecard, CARDS)))], "agreement")


@pytest.fixture
def api(store: LocalStore, tmp_path: Path) -> Endpoints:
    fill(store)
    return Endpoints(Settings(data=tmp_path / "data"), Reader(store, store, None), store, None, None)


def row_of(api: Endpoints, task: Task) -> AgreementRow:
    (row,) = api.agreement(f"human-{task}-v1")["rows"]
    return row


def test_a_row_has_every_figure_with_its_interval_or_why_there_is_none(api: Endpoints) -> None:
    page = api.agreement()
    assert (page["total"], page["pages"], page["problems"]) == (3, 1, [])
    assert [row["task"] for row in page["rows"]] == ["verification", "relevance", "rating"]
    for row, card in zip(page["rows"], CARDS, strict=True):
        assert [figure["name"] for figure in row["figures"]] == [figure.name for figure in card.result.figures]
        assert all((figure["low"] is None) == (figure["why_no_interval"] is not None) for figure in row["figures"])
        assert (row["label_kind"], row["judge"], row["items"]) == ("simulated", "people", card.result.items)


def test_the_gap_to_made_up_users_is_a_figure_of_the_row_and_a_line_of_its_own(
    api: Endpoints, store: LocalStore
) -> None:
    made_up = make_synthetic_run(number=2, model="org/model-1").card
    path = layout.human_scorecards_path("org/model-1")
    store.commit([Write(path, HUMAN_CARDS.encode(map(open_human_scorecard, [*CARDS, made_up])))], "agreement")
    row = row_of(api, Task.RELEVANCE)
    (gap,) = [figure for figure in row["figures"] if figure["name"] == GAP_FIGURE]
    assert gap["value"] is not None
    assert gap["why_no_interval"] == "fewer than 10 users"
    lines = [line.split("  ") for line in agreement_lines([row]).splitlines()]
    assert [GAP_FIGURE in line for line in lines] == [False, False, False, False, True, False]
    assert not any("gap" in part for line in lines for part in line if part != GAP_FIGURE)
    assert any(part.strip().startswith("always yes ") for part in lines[4])
    assert api.scorecard(row["run_id"]) == CARDS[1].model_dump(mode="json"), "it is a function of one run"


def test_pages_follow_one_another(api: Endpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "AGREEMENT_A_PAGE", 2)
    pages = [api.agreement(page=number) for number in (1, 2, 9)]
    assert [len(page["rows"]) for page in pages] == [2, 1, 1]
    assert [page["page"] for page in pages] == [1, 2, 2]


def test_a_scorecard_is_had_by_its_run_or_its_name(api: Endpoints) -> None:
    card = CARDS[0]
    assert api.scorecard(card.run_id) == api.scorecard(card.id) == card.model_dump(mode="json")
    with pytest.raises(RapportError, match="no scorecard"):
        api.scorecard("s-20260301-00000009.human-rating-v1")


def test_lines_say_what_stands_beside_a_figure_and_call_simulated_labels_so(api: Endpoints) -> None:
    lines = agreement_lines([row_of(api, Task.RELEVANCE)]).splitlines()
    assert len(lines) == 5
    kappa, single = lines[1], lines[2]
    assert "one more simulated annotator 0.600" in kappa
    assert "always yes 0.000" in kappa
    assert "noise ceiling" not in kappa
    assert "noise ceiling 0.798" in single
    assert "none: fewer than 10 users" in kappa
    assert all("simulated" in line for line in lines[1:])
    person = AgreementRow(**{**row_of(api, Task.RELEVANCE), "label_kind": "person"})
    assert "one more human 0.600" in agreement_lines([person])


def test_a_demo_prints_all_main_figures_and_calls_simulated_labels_so(api: Endpoints) -> None:
    (printed,) = demo._lines(demo._Released(None, api.agreement()["rows"], "r1"))
    lines = printed.splitlines()[1:]
    assert len(lines) == 4 * 3
    assert all("simulated" in line and "none: fewer than 10 users" in line for line in lines)


def test_the_command_asks_a_site(site: Site, rapport: Rapport) -> None:
    fill(site.store)
    code, out, _ = rapport("board", "--url", site.url, "--suite", "human")
    assert code == 0
    assert len(out.splitlines()) == 1 + 4 * 3
    told = json.loads(rapport("board", "--url", site.url, "--suite", "human", "--json")[1])
    assert [row["model"] for row in told["rows"]] == ["org/model-1"] * 3
    assert "org/better" in rapport("board", "--url", site.url)[1]
