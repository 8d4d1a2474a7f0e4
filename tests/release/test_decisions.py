"""What maintainers decide about results reaches everything public, and nothing of the archive's scorecards."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluator.identity import text_digest
from evaluator.records import SlotOrder
from leaderboard.audit.audit import audit
from leaderboard.board.build import BoardRow, build_board
from leaderboard.board.rebuild import read_figures, rebuild
from leaderboard.decided import FLAGGED
from leaderboard.labelling.journal import files_of
from leaderboard.labelling.records import Asked, EventKind, Judged, Label, PersonEvent, Task
from leaderboard.open_data import layout
from leaderboard.open_data.files import decode_request
from leaderboard.records import AmendmentKind
from leaderboard.release.release import Release
from leaderboard.store import layout as archive_layout
from leaderboard.store.base import Store, Write
from leaderboard.store.open import Stores
from leaderboard.store.rows import read_record
from leaderboard.submissions.history import History
from tests.audit.sites import FAIR, GOOD, JUDGE, MODELS, POOR, make_site
from tests.human_runs import make_human_run
from tests.human_sites import amended, history_of, write_human_run
from tests.labelling.people import ALICE, NOON
from tests.labelling.people import TERMS as PEOPLES_TERMS
from tests.released import NAMES, derived, released


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    return make_site(tmp_path, *MODELS)


def decide(stores: Stores, model: str, *kinds: AmendmentKind) -> None:
    """Adds to the first submission of a model what a maintainer decided, one after the other, and releases it."""
    submission_id = f"s-20260301-{1 + [each.name for each in MODELS].index(model):08x}"
    path = archive_layout.submission_path(submission_id)
    history = read_record(stores.archive.read(path), History, path)
    for kind in kinds:
        history = amended(history, kind)
    bring(stores, history)


def bring(stores: Stores, history: History) -> None:
    path = archive_layout.submission_path(history.submission.id)
    stores.archive.commit([Write(path, history.model_dump_json().encode())], "history")
    release = Release(stores, NAMES, frozenset())
    assert release.bring([history.submission.id]) == frozenset()
    release.rank()


def ranked(stores: Stores) -> dict[str, BoardRow]:
    """The rows of the official protocol, by model."""
    return {row.model: row for row in build_board(stores.results).rows if row.protocol == "official-v1"}


def test_what_is_flagged_stays_and_does_not_rank_until_cleared(stores: Stores) -> None:
    before, held = derived(stores.results), derived(stores.archive)
    first = ranked(stores)
    assert (first[GOOD].rank, first[FAIR].rank) == (1, 2)
    decide(stores, GOOD, AmendmentKind.FLAGGED)
    rows = [row for row in build_board(stores.results).rows if row.model == GOOD]
    assert len(rows) == 3
    assert {row.unranked_because for row in rows} >= {(FLAGGED,)}
    assert all(FLAGGED in row.unranked_because and row.rank is None for row in rows)
    assert ranked(stores)[GOOD].total == first[GOOD].total
    assert ranked(stores)[FAIR].rank == 1
    assert audit(stores.results).problems == ()
    changed = {path for path, content in derived(stores.archive).items() if held.get(path) != content}
    assert changed == {archive_layout.submission_path("s-20260301-00000001")}
    decide(stores, GOOD, AmendmentKind.CLEARED)
    assert derived(stores.results) == before


def test_what_is_hidden_leaves_nothing_and_is_back_as_it_was_when_shown(stores: Stores) -> None:
    before = derived(stores.results)
    decide(stores, GOOD, AmendmentKind.HIDDEN)
    now = derived(stores.results)
    assert GOOD not in {row.model for row in build_board(stores.results).rows}
    assert ranked(stores)[FAIR].rank == 1
    assert not [path for path in now if "s-20260301-00000001" in path]
    every = stores.results.read_all(stores.results.list())
    assert not any(b"s-20260301-00000001" in content for content in every.values())
    assert now[layout.WITHDRAWN] == before[layout.WITHDRAWN] == b"", "it was not withdrawn"
    assert stores.archive.list(archive_layout.TOMBSTONES) == []
    assert audit(stores.results).problems == ()
    request = layout.request_path("s-20260301-00000001")
    assert "hidden" in decode_request(stores.requests.read(request), request).history, "everyone can read why"
    decide(stores, GOOD, AmendmentKind.SHOWN)
    assert derived(stores.results) == before


RUN = "s-20260301-00000001.official-v1"
"""Of the model that ranks first."""


def say(stores: Stores, annotator: str = ALICE) -> None:
    """Lets someone label an answer of it, and releases that."""
    judged = Judged(run_id=RUN, model=GOOD, question_id="test_2/1", content_hash=text_digest("An answer."))
    asked = Asked(
        task=Task.PAIRS,
        data_set="demo",
        data_sha="d" * 40,
        item_id=f"{RUN}/test_2/1",
        order=SlotOrder.ANSWER_FIRST,
        judged=judged,
    )
    label = Label(
        asked=asked, word="A", wording="pairs-v1@0", consent="v1", licence="cc0-1.0", seconds=3, terms=PEOPLES_TERMS
    )
    said = PersonEvent(kind=EventKind.LABELLED, annotator=annotator, sequence=1, at=NOON, label=label)
    stores.archive.commit(list(files_of([said])), "labels")
    assert Release(stores, NAMES, frozenset()).bring([annotator]) == frozenset()


def test_what_people_said_of_it_goes_and_comes_back_with_it(stores: Stores) -> None:
    say(stores)
    path = layout.verdicts_path(layout.HUMAN_RATERS, GOOD, RUN)
    before = stores.results.read(path)
    decide(stores, GOOD, AmendmentKind.HIDDEN)
    assert path not in stores.results.list(layout.VERDICTS)
    decide(stores, GOOD, AmendmentKind.SHOWN)
    assert stores.results.read(path) == before


@pytest.mark.parametrize("damage", ["no event", "no Parquet"])
def test_a_person_who_cannot_be_read_keeps_nothing_else_from_coming_back(
    stores: Stores, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    say(stores)
    before = derived(stores.results)
    decide(stores, GOOD, AmendmentKind.HIDDEN)
    for damaged in ("annotator-00000000", "annotator-zzzzzzzz"):
        path = archive_layout.person_path(damaged, 0)
        stores.archive.commit([Write(path, b"{" if damage == "no event" else b"\xff\x00")], "damaged")
    decide(stores, GOOD, AmendmentKind.SHOWN)
    assert derived(stores.results) == before
    for damaged in ("annotator-00000000", "annotator-zzzzzzzz"):
        assert f"what {damaged} said of" in caplog.text


def test_what_was_withdrawn_is_not_shown_again(stores: Stores) -> None:
    decide(stores, POOR, AmendmentKind.HIDDEN, AmendmentKind.WITHDRAWN, AmendmentKind.SHOWN)
    assert POOR not in {row.model for row in build_board(stores.results).rows}


def test_the_public_data_sets_are_the_same_however_they_came_to_be(stores: Stores, tmp_path: Path) -> None:
    decide(stores, GOOD, AmendmentKind.HIDDEN)
    decide(stores, GOOD, AmendmentKind.SHOWN, AmendmentKind.FLAGGED)
    decide(stores, FAIR, AmendmentKind.FLAGGED, AmendmentKind.CLEARED, AmendmentKind.HIDDEN)
    at_once = released(stores.archive, tmp_path / "again")
    assert derived(at_once.results) == derived(stores.results)
    assert derived(at_once.requests) == derived(stores.requests)


def test_figures_of_what_is_flagged_are_rebuilt_from_its_rows(stores: Stores, tmp_path: Path) -> None:
    decide(stores, GOOD, AmendmentKind.FLAGGED)
    folder, target = tmp_path / "rows", tmp_path / "rebuilt"
    for path, content in derived(stores.results).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    assert not rebuild(folder, target)
    row = ranked(stores)[GOOD]
    figures = read_figures(target, GOOD, row.scorecard_id)
    assert figures is not None
    assert figures.total.value == row.total.value


@pytest.mark.parametrize("kind", [AmendmentKind.FLAGGED, AmendmentKind.HIDDEN])
def test_agreement_with_people_is_flagged_and_hidden_likewise(
    store: Store, tmp_path: Path, kind: AmendmentKind
) -> None:
    run = make_human_run()
    write_human_run(store, run)
    stores = released(store, tmp_path)
    before, (shown,) = derived(stores.results), build_board(stores.results).human
    decided = amended(history_of(run), kind)
    bring(stores, decided)
    left = build_board(stores.results).human
    if kind is AmendmentKind.HIDDEN:
        assert left == ()
        assert stores.results.list(layout.GENERATIONS) == []
    else:
        flagged = (*shown.unranked_because, FLAGGED)
        assert left == (shown.model_copy(update={"unranked_because": flagged}),)
    assert audit(stores.results).problems == ()
    end = AmendmentKind.CLEARED if kind is AmendmentKind.FLAGGED else AmendmentKind.SHOWN
    bring(stores, amended(decided, end))
    assert derived(stores.results) == before


def test_answers_of_what_is_hidden_go_even_if_it_cannot_be_derived(stores: Stores) -> None:
    run_id = "s-20260301-00000001.official-v1"
    path = archive_layout.compact_path(archive_layout.verdicts_folder(run_id))
    stores.archive.commit([Write(path, b"no Parquet")], "broken")
    history_path = archive_layout.submission_path("s-20260301-00000001")
    history = amended(read_record(stores.archive.read(history_path), History, history_path), AmendmentKind.HIDDEN)
    card = archive_layout.scorecard_path(GOOD, f"{run_id}@{JUDGE}")
    assert card in stores.archive.list(archive_layout.SCORECARDS)
    stores.archive.commit([Write(history_path, history.model_dump_json().encode())], "hidden")
    Release(stores, NAMES, frozenset()).bring([history.submission.id])
    assert not [each for each in stores.results.list(layout.GENERATIONS) if run_id in each]
