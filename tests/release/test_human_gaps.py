"""The gap to made-up users: made of two scorecards of a model, shown with one, and gone with either."""

from __future__ import annotations

import datetime
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from evaluator.hicupid.data import HicupidData, demo_set
from evaluator.human.gap import COMPARED, gap_name, synthetic_gap
from evaluator.human.records import RaterKind
from evaluator.human.synthetic import synthetic_data
from evaluator.human.tasks import JudgedTask, Task
from leaderboard.board.build import build_board
from leaderboard.board.human_gaps import GAP_FIGURE, RECALL_GAP, with_gaps, without_gap
from leaderboard.open_data import layout
from leaderboard.open_data.files import HUMAN_CARDS
from leaderboard.open_data.human import OpenHumanFigure, OpenHumanScorecard
from leaderboard.open_data.human_figures import human_card_of
from leaderboard.records import AmendmentKind
from leaderboard.release.release import Release
from leaderboard.results import INCOMPLETE, HumanScorecard
from leaderboard.store import Write
from leaderboard.store import layout as archive_layout
from leaderboard.store.base import Store
from leaderboard.store.open import Stores
from leaderboard.store.parquet import decode_parquet
from leaderboard.submissions.history import History
from tests.builders import NOON, make_declaration
from tests.human_runs import HumanRun, demo_items, make_human_run, make_synthetic_run, of_people
from tests.human_sites import amended, history_of, write_human_run
from tests.released import NAMES, released
from tests.written_runs import make_written_run

MODEL = "org/model-1"
LABELLED = make_human_run(
    asked=[
        item.model_copy(update={"person": f"user-{place % 12}"})
        for place, item in enumerate(of_people(demo_items(Task.RELEVANCE)))
    ]
)
MADE_UP = make_synthetic_run(number=2, model=MODEL, say=lambda item, place: "YES" if item.labels[0].number else "NO")
PAIR = (LABELLED.card, MADE_UP.card)


def gap_of(card: HumanScorecard) -> float | None:
    figure = card.result.figure(GAP_FIGURE)
    return figure and figure.value


def figure_rows(results: Store) -> list[OpenHumanFigure]:
    path = layout.human_figures_path(MODEL)
    return decode_parquet(results.read(path), OpenHumanFigure, path)


def public_gaps(results: Store) -> dict[str, float | None]:
    """The public rows of gaps by scorecard; their scorecards as they are public know nothing of it."""
    cards_path = layout.human_scorecards_path(MODEL)
    for row in decode_parquet(results.read(cards_path), OpenHumanScorecard, cards_path):
        assert human_card_of(row).result.figure(GAP_FIGURE) is None
    return {row.scorecard_id: row.value for row in figure_rows(results) if row.figure == GAP_FIGURE}


def brought(stores: Stores, history: History) -> None:
    """Brings what has become of a submission."""
    path = archive_layout.submission_path(history.submission.id)
    stores.archive.commit([Write(path, history.model_dump_json().encode())], "history")
    assert Release(stores, NAMES, frozenset()).bring([history.submission.id]) == frozenset()


def added(stores: Stores, run: HumanRun) -> None:
    """Brings a run that is published later."""
    write_human_run(stores.archive, run)
    brought(stores, history_of(run))


def test_a_scorecard_on_labels_gains_the_gap_and_one_on_made_up_users_nothing() -> None:
    labelled, made_up = with_gaps(PAIR)
    for name in ("f1_majority", "f1_majority.always_yes"):
        found = labelled.result.figure(gap_name(name))
        told = synthetic_gap(*(card.result.figure(name) for card in reversed(PAIR)))
        behind = {"other_scorecard_id": PAIR[1].id, "other_answered_share": 1.0}
        assert asdict(found) == asdict(told) | behind
    gap = labelled.result.figure(GAP_FIGURE)
    assert gap.value > 0
    assert gap.interval.low < gap.value < gap.interval.high
    names = [figure.name for figure in labelled.result.figures]
    assert names == sorted(names)
    assert made_up == PAIR[1]
    assert (without_gap(labelled), without_gap(made_up)) == PAIR
    assert with_gaps(PAIR[:1]) == PAIR[:1], "without a run on made-up users there is none"


@pytest.fixture(scope="module")
def lists() -> tuple[HumanScorecard, HumanScorecard]:
    """Scorecards of lists: on labels, and on what made-up users were made from."""
    data = synthetic_data(HicupidData.open(str(demo_set())), JudgedTask.EXTRACTION)
    there = make_written_run(
        JudgedTask.EXTRACTION, 4, model=MODEL, data=data, protocol="human-extraction-synthetic-demo-v1"
    )
    return make_written_run(JudgedTask.EXTRACTION, 3, model=MODEL).card, there.card


def test_lists_have_the_gap_of_recall_if_the_same_encoder_compared_them(
    lists: tuple[HumanScorecard, HumanScorecard],
) -> None:
    labelled, made_up = with_gaps(lists)
    assert made_up == lists[1]
    gap = labelled.result.figure(RECALL_GAP)
    here, there = (card.result.figure("recall").value for card in lists)
    assert here != there
    assert gap.value == pytest.approx(there - here, abs=1e-6)
    assert gap.other_answered_share == made_up.result.answered_share < 1
    assert labelled.result.figure("accepted.gap") is None, "who verifies decides that"
    judging = lists[1].result.judging.model_copy(update={"encoder": "org/other@sha"})
    other = lists[1].model_copy(update={"result": lists[1].result.model_copy(update={"judging": judging})})
    assert with_gaps([lists[0], other])[0] == lists[0]


@pytest.mark.parametrize("kind", [RaterKind.PERSON, RaterKind.CONSENSUS, RaterKind.SIMULATED])
def test_whoevers_labels_they_are_the_gap_is_to_made_up_users(kind: RaterKind) -> None:
    result = LABELLED.card.result.model_copy(update={"kind": kind})
    card, _ = with_gaps([LABELLED.card.model_copy(update={"result": result}), MADE_UP.card])
    assert gap_of(card) is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "org/other"},
        {"revision": "b" * 40},
        {"adapter": "org/adapter", "adapter_revision": "c" * 40},
        {"declaration": make_declaration(thinking=True)},
        {"judge": "demo"},
        {"prompt_pack": "human-v2.0"},
        {"engine": "transformers"},
        {"dtype": "bfloat16"},
        {"protocol": "human-relevance-synthetic-demo-v1"},
        {"protocol": "human-verification-synthetic-v1"},
    ],
    ids=lambda changes: next(iter(changes.values())) if "protocol" in changes else next(iter(changes)),
)
def test_another_model_or_another_way_is_not_set_beside(changes: dict[str, object]) -> None:
    assert getattr(MADE_UP.card, next(iter(changes))) != next(iter(changes.values()))
    card, _ = with_gaps([LABELLED.card, MADE_UP.card.model_copy(update=changes)])
    assert card == LABELLED.card


def test_of_several_runs_that_of_the_same_submission_counts_or_else_the_newest() -> None:
    def made_up(name: str, hours: int, f1: float, **changes: object) -> HumanScorecard:
        figure = replace(MADE_UP.card.result.figure("f1_majority"), value=f1)
        result = MADE_UP.card.result.model_copy(update={"figures": (figure,)})
        at = NOON + datetime.timedelta(hours=hours)
        return MADE_UP.card.model_copy(update={"id": name, "created_at": at, "result": result} | changes)

    old, new, last = made_up("c", 0, 0.6), made_up("a", 1, 0.7), made_up("b", 1, 0.8)
    own = made_up("own", -1, 0.9, submission_id=LABELLED.submission.id)
    base = LABELLED.card.result.figure("f1_majority").value
    for some, f1 in (((old,), 0.6), ((new, old), 0.7), ((last, old, new), 0.8), ((own, last, new), 0.9)):
        assert gap_of(with_gaps([LABELLED.card, *some])[0]) == pytest.approx(f1 - base, abs=1e-6)
    broken = last.model_copy(update={"unranked_because": (INCOMPLETE,)})
    assert gap_of(with_gaps([LABELLED.card, broken, old])[0]) == pytest.approx(0.6 - base, abs=1e-6)
    assert with_gaps([LABELLED.card, broken])[0] == LABELLED.card
    incomplete = LABELLED.card.model_copy(update={"unranked_because": (INCOMPLETE,)})
    assert gap_of(with_gaps([incomplete, broken])[0]) == pytest.approx(0.8 - base, abs=1e-6)


def test_the_gap_is_public_with_the_board_and_in_no_scorecard(store: Store, tmp_path: Path) -> None:
    for run in (LABELLED, MADE_UP):
        write_human_run(store, run)
    stores = released(store, tmp_path)
    assert public_gaps(stores.results) == {LABELLED.card.id: gap_of(with_gaps(PAIR)[0])}
    behind = {
        (row.figure, row.scorecard_id): (row.other_scorecard_id, row.other_answered_share)
        for row in figure_rows(stores.results)
    }
    gaps = {(gap_name(name), LABELLED.card.id) for name in COMPARED[Task.RELEVANCE]}
    assert {name for name, (card_id, _) in behind.items() if card_id is not None} == gaps
    assert {behind[name] for name in gaps} == {(MADE_UP.card.id, 1.0)}
    assert set(build_board(stores.results).human) == set(with_gaps(PAIR))
    assert build_board(stores.results).problems == ()


def test_a_run_on_made_up_users_brings_the_gap_of_an_older_submission_and_takes_it_along(
    store: Store, tmp_path: Path
) -> None:
    write_human_run(store, LABELLED)
    stores = released(store, tmp_path)
    assert public_gaps(stores.results) == {}
    added(stores, MADE_UP)
    assert public_gaps(stores.results) == {LABELLED.card.id: gap_of(with_gaps(PAIR)[0])}
    before = stores.results.read_all(stores.results.list())
    brought(stores, history_of(MADE_UP))
    assert stores.results.read_all(stores.results.list()) == before
    brought(stores, amended(history_of(MADE_UP), AmendmentKind.WITHDRAWN))
    assert public_gaps(stores.results) == {}
    assert build_board(stores.results).human == (LABELLED.card,)


def test_what_is_withdrawn_from_beside_made_up_users_takes_its_gap_along(store: Store, tmp_path: Path) -> None:
    for run in (LABELLED, MADE_UP):
        write_human_run(store, run)
    stores = released(store, tmp_path)
    brought(stores, amended(history_of(LABELLED), AmendmentKind.WITHDRAWN))
    assert public_gaps(stores.results) == {}
    assert build_board(stores.results).human == (MADE_UP.card,)


def test_a_correction_of_one_run_changes_the_gap_of_the_other(store: Store, tmp_path: Path) -> None:
    for run in (LABELLED, MADE_UP):
        write_human_run(store, run)
    stores = released(store, tmp_path)
    thinks = make_declaration(thinking=True)
    brought(stores, amended(history_of(MADE_UP), AmendmentKind.CORRECTED, declaration=thinks))
    assert public_gaps(stores.results) == {}


def test_a_public_row_that_is_broken_has_no_part_in_gaps_and_holds_nobody_up(store: Store, tmp_path: Path) -> None:
    write_human_run(store, LABELLED)
    stores = released(store, tmp_path)
    path = layout.human_scorecards_path(MODEL)
    rows = decode_parquet(stores.results.read(path), OpenHumanScorecard, path)
    damaged = [row.model_copy(update={"scorecard": "{"}) for row in rows]
    stores.results.commit([Write(path, HUMAN_CARDS.encode(damaged))], "damage")
    write_human_run(store, MADE_UP)
    history = history_of(MADE_UP)
    assert Release(stores, NAMES, frozenset()).bring([history.submission.id]) == frozenset()
    assert build_board(stores.results).human == (MADE_UP.card,)
