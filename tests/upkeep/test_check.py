"""What is wrong with a store is named, set aside, and put right where it follows from what is sound."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from evaluator.records import Generation, Verdict
from leaderboard.board.changes import build_changes, last_told
from leaderboard.open_data import layout as open_layout
from leaderboard.open_data.changes import changes_in, encode_changes
from leaderboard.records import Amendment, AmendmentKind
from leaderboard.results import Scorecard
from leaderboard.scorecards import UserScores
from leaderboard.store import Delete, Store, Write, layout
from leaderboard.store.open import Stores
from leaderboard.store.parquet import decode_parquet, encode_parquet
from leaderboard.store.rows import decode_rows, encode_rows
from leaderboard.store.runs import StoredRun
from leaderboard.upkeep.findings import Finding, FindingKind
from tests.builders import NOON, make_generation, make_input_key, make_verdict
from tests.upkeep.sites import Run, contents, findings, history_of, kinds, release


def one(stores: Stores) -> Finding:
    (finding,) = findings(stores)
    return finding


def change(store: Store, path: str, content: bytes | None) -> None:
    store.commit([Delete(path) if content is None else Write(path, content)], "damage")


def loose_file(stores: Stores, run: Run, folder: Callable[[str], str]) -> str:
    return stores.archive.list(folder(run.id))[0]


def test_nothing_is_wrong_with_what_a_publisher_wrote(stores: Stores, runs: list[Run]) -> None:
    assert findings(stores) == []


def test_an_empty_site_is_sound_once_it_is_released(stores: Stores) -> None:
    release(stores)
    assert findings(stores) == []


def test_files_of_others_are_named_and_all_else_is_looked_at(stores: Stores, runs: list[Run]) -> None:
    card = layout.scorecard_path(*runs[0].card)
    strange = ["notes.txt", "runs/202603/01/what.json", f"{card}.tmp", "submissions/202601/01/s-1.json", "items/x"]
    stores.archive.commit([Write(path, b"{") for path in strange], "by hand")
    change(stores.archive, card, stores.archive.read(card).replace(b'"items":6', b'"items":7', 1))
    found = {finding.path: finding.kind for finding in findings(stores) if finding.data_set == "archive"}
    assert found == dict.fromkeys(strange, FindingKind.FOREIGN) | {
        f"{card}.tmp": FindingKind.HALF_WRITTEN,
        card: FindingKind.SCORECARD,
    }


def test_a_store_full_of_half_written_files_is_survived(stores: Stores, runs: list[Run]) -> None:
    names = [f"{path}{end}" for path in stores.archive.list() for end in (".tmp", ".part", ".incomplete")]
    stores.archive.commit([Write(name, b"PAR1 half") for name in names], "a crash")
    found = [finding for finding in findings(stores) if finding.data_set == "archive"]
    assert {finding.path for finding in found} == set(names)
    assert {finding.kind for finding in found} == {FindingKind.HALF_WRITTEN}
    assert StoredRun(stores.archive, runs[0].id).rows().generations


def test_a_truncated_file_is_named_and_the_rest_is_read(stores: Stores, runs: list[Run]) -> None:
    path = layout.compact_path(layout.verdicts_folder(runs[0].id))
    before = contents(stores.results)
    change(stores.archive, path, stores.archive.read(path)[:-20])
    card = layout.scorecard_path(*runs[1].card)
    change(stores.archive, card, stores.archive.read(card).replace(b'"items":6', b'"items":7', 1))
    found = {finding.path: finding for finding in findings(stores, repair=True) if finding.data_set == "archive"}
    assert {each: found[each].kind for each in found} == {path: FindingKind.UNREADABLE, card: FindingKind.SCORECARD}
    assert not found[path].repairable
    assert found[card].repaired
    assert contents(stores.results) == before, "what cannot be read is not taken for what is not there"
    assert {finding.path for finding in findings(stores) if finding.data_set == "archive"} == {path}


def test_a_record_of_a_version_to_come_is_told_apart(stores: Stores, runs: list[Run]) -> None:
    history, rows = layout.submission_path(runs[0].submission.id), loose_file(stores, runs[1], layout.verdicts_folder)
    for path in (history, rows):
        change(stores.archive, path, stores.archive.read(path).replace(b'"schema_version":1', b'"schema_version":9', 1))
    found = {finding.path: finding for finding in findings(stores) if finding.data_set == "archive"}
    assert {each: found[each].kind for each in found} == {history: FindingKind.NEWER, rows: FindingKind.NEWER}
    assert "Upgrade" in found[rows].remedy


def test_damage_anywhere_is_named_and_stops_nothing(stores: Stores, runs: list[Run]) -> None:
    """Any file of the archive, cut anywhere, is found; and whatever is not in its submission is read."""
    chosen = random.Random(5)
    for path in stores.archive.list():
        content = stores.archive.read(path)
        change(stores.archive, path, content[: chosen.randrange(1, len(content) - 1)])
        found = [finding for finding in findings(stores) if finding.data_set == "archive"]
        assert path in {finding.path for finding in found}
        assert {finding.kind for finding in found} <= {FindingKind.UNREADABLE, FindingKind.USER_SCORES}
        change(stores.archive, path, content)
    assert findings(stores) == []


def test_scorecards_and_users_sums_are_counted_anew_and_repaired(stores: Stores, runs: list[Run]) -> None:
    before = contents(stores.archive)
    for run in runs:
        card_path, users_path = layout.scorecard_path(*run.card), layout.user_scores_path(*run.card)
        card = Scorecard.model_validate_json(stores.archive.read(card_path))
        wrong = card.model_copy(update={"result": card.result.model_copy(update={"judged": 1})})
        change(stores.archive, card_path, wrong.model_dump_json().encode())
        users = UserScores.model_validate_json(stores.archive.read(users_path))
        wrong_users = users.model_copy(update={"users": users.users[:1]}).model_dump_json().encode()
        change(stores.archive, users_path, wrong_users if run is runs[0] else b"cut off")
    found = findings(stores, repair=True)
    assert [finding.kind for finding in found if finding.data_set == "archive"] == [
        FindingKind.SCORECARD,
        FindingKind.USER_SCORES,
        FindingKind.SCORECARD,
        FindingKind.UNREADABLE,
    ]
    assert all(finding.repaired for finding in found)
    assert contents(stores.archive) == before
    assert findings(stores) == []


def test_missing_and_surplus_users_sums_are_repaired(stores: Stores, runs: list[Run]) -> None:
    before = contents(stores.archive)
    change(stores.archive, layout.user_scores_path(*runs[0].card), None)
    surplus = layout.user_scores_path(runs[1].submission.model, f"{runs[1].id}@other")
    change(stores.archive, surplus, before[layout.user_scores_path(*runs[1].card)])
    found = findings(stores, repair=True)
    assert {(finding.kind, finding.repaired) for finding in found} == {(FindingKind.USER_SCORES, True)}
    assert contents(stores.archive) == before


def test_a_withdrawal_without_a_tombstone_gets_one(stores: Stores, runs: list[Run]) -> None:
    history, id_ = history_of(runs[0]), runs[0].submission.id
    withdrawal = Amendment(
        kind=AmendmentKind.WITHDRAWN, submission_id=id_, sequence=8, at=NOON, actor="alice", text="A wrong model."
    )
    path = layout.submission_path(id_)
    withdrawn = history.model_copy(update={"events": (*history.events, withdrawal)})
    change(stores.archive, path, withdrawn.model_dump_json().encode())
    release(stores)
    finding = one(stores)
    assert (finding.kind, finding.path) == (FindingKind.WITHDRAWAL, layout.tombstone_path(id_))
    assert findings(stores, repair=True)[0].repaired
    assert findings(stores) == []
    change(stores.archive, path, history.model_dump_json().encode())
    (finding,) = (finding for finding in findings(stores) if finding.data_set == "archive")
    assert (finding.kind, finding.repairable) == (FindingKind.WITHDRAWAL, False)


def test_what_is_there_in_two_places_is_kept_in_the_present_one(stores: Stores, runs: list[Run]) -> None:
    old = layout.old_scorecard_path(*runs[0].card)
    change(stores.archive, old, stores.archive.read(layout.scorecard_path(*runs[0].card)))
    assert (one(stores).kind, one(stores).path) == (FindingKind.OLD_PLACE, old)
    findings(stores, repair=True)
    assert findings(stores) == []


@pytest.mark.parametrize("number", [0, 1])
def test_rows_that_fit_nothing_are_found_and_left(stores: Stores, runs: list[Run], number: int) -> None:
    run = runs[number]
    strange = make_generation(make_input_key("test_1/none"))
    verdict = make_verdict(make_generation(answer="Never given."), None)
    compact = StoredRun(stores.archive, run.id).is_compacted
    for folder, kind, more in (
        (layout.generations_folder, Generation, [strange, strange]),
        (layout.verdicts_folder, Verdict, [verdict]),
    ):
        if compact:
            break
        path = loose_file(stores, run, folder)
        rows = decode_rows(stores.archive.read(path), kind, path)
        change(stores.archive, path, encode_rows([*rows, *more]))
    if compact:
        path = layout.compact_path(layout.verdicts_folder(run.id))
        rows = decode_parquet(stores.archive.read(path), Verdict, path)
        change(stores.archive, path, encode_parquet([*rows[:-1], verdict], Verdict))
        assert {FindingKind.ORPHAN, FindingKind.SCORECARD} <= kinds(stores)
        return
    before = contents(stores.archive)
    found = {finding.kind: finding for finding in findings(stores, repair=True) if finding.path.startswith("runs/")}
    assert found.keys() == {FindingKind.REFERENCE, FindingKind.ORPHAN, FindingKind.DOUBLE}
    assert not any(finding.repairable for finding in found.values())
    after = contents(stores.archive)
    assert {path for path in before if before[path] != after[path]} <= {
        layout.scorecard_path(*run.card),
        layout.user_scores_path(*run.card),
    }


def test_what_a_result_refers_to_is_missed(stores: Stores, runs: list[Run]) -> None:
    change(stores.archive, layout.plan_path(runs[1].id), None)
    change(stores.archive, layout.submission_path(runs[0].submission.id), None)
    paths = {finding.path for finding in findings(stores) if finding.kind is FindingKind.REFERENCE}
    assert paths == {layout.plan_path(runs[1].id), layout.submission_path(runs[0].submission.id)}


def test_a_published_run_without_a_scorecard_and_a_scorecard_without_rows_are_found(
    stores: Stores, runs: list[Run]
) -> None:
    change(stores.archive, layout.scorecard_path(*runs[0].card), None)
    stores.archive.commit([Delete(path) for path in stores.archive.list(layout.run_folder(runs[1].id))], "gone")
    found = {finding.path: finding for finding in findings(stores) if finding.kind is FindingKind.REFERENCE}
    assert found.keys() == {
        layout.submission_path(runs[0].submission.id),
        layout.scorecard_path(*runs[1].card),
    }


def test_the_public_data_sets_are_compared_and_made_again(stores: Stores, runs: list[Run]) -> None:
    before = contents(stores.results), contents(stores.requests)
    model = runs[0].submission.model
    change(stores.results, open_layout.BOARD, None)
    change(stores.results, open_layout.scorecards_path(model), b"no Parquet")
    change(stores.results, open_layout.generations_path(model, "s-20260301-00000009.demo-v1"), b"stray")
    change(stores.results, open_layout.labels_path("org/set", "relevance"), b"people's")
    change(stores.requests, open_layout.request_path(runs[1].submission.id), b"{}")
    found = findings(stores)
    assert {finding.kind for finding in found} == {FindingKind.PUBLIC}
    assert len(found) == 5
    assert [finding.repaired for finding in findings(stores, repair=True)] == [True] * 5
    assert (contents(stores.results), contents(stores.requests)) == before


def test_the_record_of_changes_is_held_against_the_board_and_gone_on_with(stores: Stores, runs: list[Run]) -> None:
    sound = stores.results.read(open_layout.CHANGES)
    known = build_changes(stores.results)
    assert {each.model for each in last_told(known.table).values()} == {run.submission.model for run in runs}
    change(stores.results, open_layout.CHANGES, encode_changes(known.table.slice(0, 1)))
    finding = one(stores)
    assert (finding.kind, finding.path, finding.repairable) == (FindingKind.PUBLIC, open_layout.CHANGES, True)
    findings(stores, repair=True)
    assert findings(stores) == []
    assert last_told(build_changes(stores.results).table).keys() == last_told(known.table).keys()
    assert changes_in(build_changes(stores.results).table)[:1] == changes_in(known.table)[:1], "what was told stays"
    change(stores.results, open_layout.CHANGES, None)
    assert one(stores).repairable
    change(stores.results, open_layout.CHANGES, b"no Parquet")
    damaged = one(stores)
    assert (damaged.kind, damaged.repairable) == (FindingKind.UNREADABLE, False), "nothing else knows what it told"
    findings(stores, repair=True)
    assert stores.results.read(open_layout.CHANGES) == b"no Parquet"
    change(stores.results, open_layout.CHANGES, sound)
    assert findings(stores) == []


def test_the_same_rows_in_other_bytes_are_not_taken_for_others(stores: Stores, runs: list[Run]) -> None:
    import io

    import pyarrow.parquet as pq

    other = io.BytesIO()
    pq.write_table(pq.read_table(io.BytesIO(stores.results.read(open_layout.BOARD))), other, compression="gzip")
    change(stores.results, open_layout.BOARD, other.getvalue())
    assert findings(stores) == []


def test_a_finding_tells_what_to_do(stores: Stores, runs: list[Run]) -> None:
    change(stores.archive, "notes\u00e9.txt".encode("ascii", "ignore").decode(), b"?")
    finding = one(stores)
    assert finding.remedy
    assert finding.line().startswith("foreign ")
    assert Finding.model_validate_json(finding.model_dump_json()) == finding
