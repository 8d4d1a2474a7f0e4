"""`datasets` reads what we write: every config with the declared types, whichever columns are empty."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest

from evaluator.human.tasks import Task
from leaderboard.open_data import files, layout
from leaderboard.open_data.card import requests_card, results_card
from leaderboard.open_data.configs import REQUESTS, RESULTS, features_of
from leaderboard.open_data.figures import open_card, open_user_scores
from leaderboard.open_data.human_figures import open_human_figures, open_human_scorecard
from leaderboard.open_data.judge_views import open_checks, open_quality
from leaderboard.open_data.records import OpenGeneration
from leaderboard.open_data.views import open_generation, open_request
from leaderboard.records import State
from leaderboard.release.changes import Now, record, standings
from leaderboard.rescoring.promotions import NOTHING_PROMOTED
from leaderboard.results import Scorecard
from leaderboard.scorecards import UserScores
from tests.builders import NOON, WIN, make_declaration, make_generation, make_input_key, make_verdict
from tests.human_runs import answer_to, demo_items, make_human_run
from tests.judge_board.public_rows import make_check, make_computed
from tests.open_data.rows import (
    NO_CONSENT,
    RUN,
    board_of,
    failed,
    judged,
    make_annotator,
    make_history,
    make_label,
    make_step,
    shown,
    some_cards,
    some_generations,
    some_verdicts,
)
from tests.open_data.test_card import JUDGES, PROTOCOLS
from tests.ranked import rank

HUMAN = [make_human_run(task, number).card for number, task in enumerate(Task, start=1)]
FIGURES = sum(len(card.result.figures) for card in HUMAN)
ROWS = {
    "board": 4,
    "changes": 5,
    "scorecards": 4,
    "user_scores": 48,
    "human_scorecards": 3,
    "human_figures": FIGURES,
    "generations": 7,
    "verdicts": 3,
    "judges": len(JUDGES),
    "judge_quality": 2,
    "judge_checks": 2 * len(make_check().figures),
    "labels": 2,
    "annotators": 2,
    "requests": 2,
}


def written(folder: Path, contents: dict[str, bytes]) -> Path:
    for path, content in contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def answered_by_people() -> OpenGeneration:
    """Returns an answer to something that people have labelled."""
    item = demo_items(Task.RELEVANCE)[0]
    row = open_generation(answer_to(item, "YES"), item, True, make_declaration(), f"{RUN[:19]}.human-relevance-v1")
    assert row is not None
    return row


def changes_of(cards: list[Scorecard], sums: list[UserScores]) -> bytes:
    """Returns the record of changes of a board from which a scorecard has gone since."""
    rows = rank(cards, {each.scorecard_id: each.users for each in sums})
    standing = standings(rows, {card.id: card for card in cards})
    gone = {"s-20260101-0a1b2c3d.demo-v1@demo": next(iter(standing.values()))}
    began = record(None, Now({**gone, **standing}, NOTHING_PROMOTED, NOON), lambda gone, new: {}).content
    changed = record(began, Now(standing, NOTHING_PROMOTED, NOON), lambda gone, new: {}).content
    assert changed
    return changed


def results() -> dict[str, bytes]:
    """Returns a results data set in which every column that may be empty is so in some file."""
    cards = some_cards()
    rows, sums = board_of(cards)
    contents = {
        layout.CARD: results_card("org/results", "org/requests", PROTOCOLS, JUDGES).encode(),
        layout.BOARD: files.encode_board(rows),
        layout.CHANGES: changes_of(cards, sums),
        layout.JUDGES: files.encode_judges(JUDGES),
        layout.JUDGE_QUALITY: files.encode_quality(map(open_quality, [make_computed(), make_computed(users=3)])),
        layout.JUDGE_CHECKS: files.encode_checks(open_checks([make_check(), make_check(checked_at=None, users=9)])),
        layout.labels_path("org/set", "relevance"): files.encode_labels([make_label()]),
        layout.labels_path("org/set", "response"): files.encode_labels([make_label(number=3.0, word=None)]),
        layout.ANNOTATORS: files.ANNOTATORS.encode([make_annotator("a1"), make_annotator("a2", withdrawn_at=NOON)]),
        layout.WITHDRAWN: b"",
    }
    for card, each in zip(cards, sums, strict=True):
        path = layout.scorecards_path(card.model)
        contents[path] = files.CARDS.put(contents.get(path), [open_card(card)], path)
        path = layout.user_scores_path(card.model)
        contents[path] = files.USER_SCORES.put(contents.get(path), open_user_scores(card, each), path)
    for card in HUMAN:
        path = layout.human_scorecards_path(card.model)
        contents[path] = files.HUMAN_CARDS.put(contents.get(path), [open_human_scorecard(card)], path)
        path = layout.human_figures_path(card.model)
        contents[path] = files.HUMAN_FIGURES.put(contents.get(path), open_human_figures(card), path)
    thinking = make_generation(make_input_key(adapter="org/a", adapter_sha="b" * 40, model="org/b"), thought="Hm.")
    for model, generations, verdicts in (
        ("org/a", some_generations(), some_verdicts()),
        ("org/b", [shown(thinking), shown(thinking, NO_CONSENT)], [judged(make_verdict(thinking, WIN), NO_CONSENT)]),
        ("org/c", [shown(failed())], []),
        ("org/d", [], []),
        ("org/e", [answered_by_people()], []),
    ):
        contents[layout.generations_path(model, RUN)] = files.encode_generations(generations)
        contents[layout.verdicts_path("demo", model, RUN)] = files.encode_verdicts(verdicts)
    return contents


def requests() -> dict[str, bytes]:
    """Returns a requests data set with one submission under way and one that has ended."""
    ended = make_step("s-20260301-00000002.demo-v1", 3, State.QUEUED, State.CANCELLED)
    later = NOON.replace(microsecond=123456)
    declared = make_declaration(base_model="org/base")
    histories = [make_history(1, declaration=declared), make_history(2, ended, created_at=later)]
    contents = {layout.CARD: requests_card("org/requests", "org/results").encode()}
    for history in histories:
        row = open_request(history)
        assert row is not None
        contents[layout.request_path(row.id)] = files.encode_request(row)
    return contents


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("open")
    ours = dict.fromkeys((config.name for config in RESULTS), written(folder / "results", results()))
    return ours | dict.fromkeys((config.name for config in REQUESTS), written(folder / "requests", requests()))


def load(folder: Path, config: str, cache: Path, **options: Any) -> Any:
    from datasets import load_dataset

    return load_dataset(str(folder), config, split="train", cache_dir=str(cache), **options)


@pytest.mark.parametrize("config", [*RESULTS, *REQUESTS], ids=lambda config: config.name)
def test_every_config_loads_with_the_declared_types(config, folders: dict[str, Path], tmp_path: Path) -> None:
    from datasets import Features

    loaded = load(folders[config.name], config.name, tmp_path)

    assert loaded.features == Features._from_yaml_list(features_of(config.kind))
    assert loaded.num_rows == ROWS[config.name]
    streamed = list(load(folders[config.name], config.name, tmp_path, streaming=True))
    assert streamed == list(loaded)


def test_the_board_is_what_comes_without_a_name(folders: dict[str, Path], tmp_path: Path) -> None:
    from datasets import load_dataset

    loaded = load_dataset(str(folders["board"]), split="train", cache_dir=str(tmp_path))

    assert loaded["rank"] == [1, 2, None, None]
    assert loaded["model"][:2] == ["org/good", "org/poor"]
    assert loaded["adapter"] == [None, "org/adapter", None, None]
    assert loaded["created_at"][0] == NOON


def test_what_is_withheld_is_told_from_what_is_missing(folders: dict[str, Path], tmp_path: Path) -> None:
    loaded = load(folders["generations"], "generations", tmp_path)

    told = sorted(zip(loaded["answer_status"], [answer is None for answer in loaded["answer"]], strict=True))
    assert told == [("none", True), *[("shown", False)] * 5, ("withheld", True)]


def test_moments_and_texts_of_requests_come_as_they_are(folders: dict[str, Path], tmp_path: Path) -> None:
    rows = {row["id"]: row for row in load(folders["requests"], "requests", tmp_path)}

    first, second = rows["s-20260301-00000001"], rows["s-20260301-00000002"]
    assert second["created_at"] == NOON + datetime.timedelta(microseconds=123456)
    assert (first["ended_at"], second["ended_at"]) == (None, NOON + datetime.timedelta(minutes=3))
    assert (first["base_model"], second["base_model"], first["protocols"]) == ("org/base", None, ["demo-v1"])


def test_a_board_without_a_row_has_a_card_and_leaves_the_judges_loadable(tmp_path: Path) -> None:
    contents = {
        layout.CARD: results_card("org/results", "org/requests", PROTOCOLS, JUDGES).encode(),
        layout.BOARD: files.encode_board([]),
        layout.JUDGES: files.encode_judges(JUDGES),
    }
    folder = written(tmp_path / "results", contents)

    assert load(folder, "judges", tmp_path / "cache").num_rows == len(JUDGES)
    assert list(load(folder, "board", tmp_path / "cache", streaming=True)) == []
