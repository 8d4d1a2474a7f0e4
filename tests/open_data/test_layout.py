"""Public paths: every model that is accepted has one of its own, and no folder outgrows the Hub."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.errors import RapportError
from evaluator.models import model_name
from evaluator.protocol import REFERENCE, Reference
from leaderboard.open_data import layout
from leaderboard.store.paths import check_path, folders_of

RUN = "s-20260101-0a1b2c3d.demo-v1"
LONGEST_JUDGE = "j" * 63
LONGEST_RUN = f"s-20260101-0a1b2c3d.{'p' * 63}"
PART = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}", fullmatch=True)


def paths_of(model: str, run_id: str = RUN, judge: str = "demo") -> list[str]:
    return [
        layout.scorecards_path(model),
        layout.user_scores_path(model),
        layout.human_scorecards_path(model),
        layout.human_figures_path(model),
        layout.generations_path(model, run_id),
        layout.verdicts_path(judge, model, run_id),
    ]


def accepted(text: str) -> bool:
    try:
        return model_name(text, Path("models")) == text
    except RapportError:
        return False


@given(owner=PART, name=PART)
def test_every_model_that_is_accepted_has_paths_that_every_store_keeps(owner: str, name: str) -> None:
    model = f"{owner}/{name}"
    if not accepted(model):
        return
    for path in paths_of(model, LONGEST_RUN, LONGEST_JUDGE):
        assert check_path(path) == path


@pytest.mark.parametrize("model", ["local/tiny", f"{'o' * 96}/{'n' * 96}", *(REFERENCE + each for each in Reference)])
def test_local_models_references_and_the_longest_names_have_paths(model: str) -> None:
    assert accepted(model)
    for path in paths_of(model, LONGEST_RUN, LONGEST_JUDGE):
        assert check_path(path) == path


@given(first=st.tuples(PART, PART), second=st.tuples(PART, PART))
def test_two_models_never_share_a_folder_of_rows(first: tuple[str, str], second: tuple[str, str]) -> None:
    ours, theirs = ("/".join(name) for name in (first, second))

    assert (layout.generations_folder(ours) == layout.generations_folder(theirs)) == (ours == theirs)
    assert (layout.verdicts_folder("j", ours) == layout.verdicts_folder("j", theirs)) == (ours == theirs)


def test_owners_who_call_their_models_alike_have_folders_of_their_own() -> None:
    assert (
        layout.generations_folder("one/m").rpartition("/")[2] != layout.generations_folder("two/m").rpartition("/")[2]
    )
    assert layout.labels_path("one/set", "relevance") != layout.labels_path("two/set", "relevance")


def test_rows_lie_below_the_folder_of_their_model() -> None:
    assert layout.generations_path("org/m", RUN).startswith(layout.generations_folder("org/m") + "/")
    assert layout.verdicts_path("demo", "org/m", RUN).startswith(layout.verdicts_folder("demo", "org/m") + "/")


def test_the_fixed_paths_can_be_kept() -> None:
    for path in (
        layout.CARD,
        layout.BOARD,
        layout.CHANGES,
        layout.JUDGES,
        layout.WITHDRAWN,
        layout.labels_path("org/set", "relevance"),
    ):
        assert check_path(path) == path


@pytest.mark.parametrize("owners", [1, 10_000])
def test_at_ten_thousand_models_no_folder_comes_near_ten_thousand_entries(owners: int) -> None:
    entries: dict[str, set[str]] = {}
    for number in range(10_000):
        model = f"owner-{number % owners}/model-{number}"
        for protocol in ("demo-v1", "official-v1"):
            run_id = f"s-2026{number % 12 + 1:02}{number % 28 + 1:02}-{number:08x}.{protocol}"
            for path in [*paths_of(model, run_id), f"requests/{layout.request_path(run_id.split('.')[0])}"]:
                for folder in [*folders_of(path), path]:
                    parent, _, entry = f"/{folder}".rpartition("/")
                    entries.setdefault(parent, set()).add(entry)
    fullest = Counter({folder: len(names) for folder, names in entries.items()}).most_common(1)[0]

    assert fullest[1] <= 256, fullest
